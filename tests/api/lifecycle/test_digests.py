"""The weekly digest of a team: told by a timer, once a week, and read by the people of the team."""

from datetime import UTC, datetime, timedelta
from typing import Any

from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from tests.fixtures.engagements import teams_and_service
from tests.fixtures.lifecycle_api import IN_MEMORY, signed_in
from tests.fixtures.services import Running, eventually

EVE = Principal("eve", "person", frozenset({"*"}), "api-key", "key-9")
COMPILED = "io.concordat.lifecycle.digest.compiled.v1"
WEEK = timedelta(days=7)
DIGESTS = "/v1/teams/checkout/digests"


async def asked(lifecycle: Running) -> dict[str, Any]:
    """A move that waits in team checkout, which sits in Berlin."""
    await teams_and_service(lifecycle)
    body = {"to": "limited_availability", "reason": "it falls over"}
    return await lifecycle.call("POST", "/v1/services/checkout-api:transition", body, expect=202)


async def told(lifecycle: Running, count: int) -> list[Any]:
    """The digests in the log, once there are *count*."""

    async def found() -> list[Any] | None:
        log = await lifecycle.resources.store.read(0, 1000)
        digests = [each for each in log if each.type == COMPILED]
        return digests if len(digests) == count else None

    return await eventually(found) or []


async def test_what_waits_is_told_on_monday_once_a_week_until_nothing_does(
    lifecycle: Running, clock: FrozenClock
) -> None:
    moved = await asked(lifecycle)
    await waits(lifecycle)
    clock.advance(datetime(2026, 11, 23, 8, tzinfo=UTC) - clock.now())

    (first,) = await told(lifecycle, 1)
    kept = await lifecycle.call("GET", f"{DIGESTS}/2026-W48")

    assert (first.stream, kept["id"]) == ("digest/checkout.2026-W48", "checkout.2026-W48")
    assert (kept["total"], kept["counts"]) == (1, {"transition_approval": 1})
    assert kept["lines"][0]["link"] == f"/v1/transitions/{moved['id']}"
    assert kept["subject"] == "checkout, 2026-W48: 1 waiting"

    clock.advance(WEEK)
    _, second = await told(lifecycle, 2)
    assert second.stream == "digest/checkout.2026-W49"
    decline = {"reason": "not now"}
    await lifecycle.call("POST", f"/v1/transitions/{moved['id']}:decline", decline)
    assert (await now_once(lifecycle, 0))["text"].splitlines()[2] == "Nothing waits."
    clock.advance(WEEK)
    await timer_is_set(lifecycle, clock.now() + WEEK)
    await told(lifecycle, 2)
    await lifecycle.call("GET", f"{DIGESTS}/2026-W50", expect=404)


async def waits(lifecycle: Running) -> None:
    await now_once(lifecycle, 1)


async def now_once(lifecycle: Running, total: int) -> dict[str, Any]:
    """What waits in the team at this moment, once it is so much."""

    async def found() -> dict[str, Any] | None:
        answer = await lifecycle.call("GET", f"{DIGESTS}/now")
        return answer if answer["total"] == total else None

    return await eventually(found) or {}


async def timer_is_set(lifecycle: Running, due_at: datetime) -> None:
    """The digest's timer stands at *due_at*: what was due before was done."""

    async def found() -> bool:
        due = await lifecycle.resources.store.due(due_at, 1000)
        return {each.due_at for each in due if each.key == "digest/checkout"} == {due_at}

    await eventually(found)


@IN_MEMORY
async def test_a_digest_is_read_by_the_people_of_the_team(lifecycle: Running) -> None:
    await asked(lifecycle)
    await waits(lifecycle)

    problem = await signed_in(lifecycle, EVE).call("GET", f"{DIGESTS}/now", expect=403)

    assert problem["code"] == "not-your-team"
    await lifecycle.call("GET", f"{DIGESTS}/2026-W01", expect=404)
    await lifecycle.call("GET", f"{DIGESTS}/yesterday", expect=404)
    await lifecycle.call("GET", "/v1/teams/nobody/digests/now", expect=404)
