"""Services are looked at day by day: what they lack becomes an item for people, and nothing moves."""

from datetime import timedelta
from functools import partial
from typing import Any

from libs.events.store import AppendRequest
from libs.events.testing import FrozenClock
from libs.events.timers import timer_context
from services.lifecycle.evaluation import Phases
from services.lifecycle.timetable import PHASE_SWEEP, Sweep, phase_sweep
from tests.fixtures.lifecycle import POLICY
from tests.fixtures.lifecycle_api import BO, attest, register, signed_in
from tests.fixtures.services import Running, eventually, memory_is_enough

ITEMS, SERVICE = "/v1/phase-at-risk", "/v1/services/checkout-api"
DAY = timedelta(days=1)
KEPT = ("sli_emitting", "rota_with_a_developer")


async def items(lifecycle: Running, query: str = "") -> list[dict[str, Any]]:
    return (await lifecycle.call("GET", f"{ITEMS}?service=checkout-api{query}"))["items"]


async def one(lifecycle: Running, query: str = "", *, passing: timedelta = timedelta()) -> dict[str, Any]:
    """The only item, once there is one; *passing* goes by on the clock meanwhile."""

    async def there() -> list[dict[str, Any]]:
        lifecycle.resources.clock.advance(passing)  # type: ignore[attr-defined]
        return await items(lifecycle, query)

    (item,) = await eventually(there)
    return item


async def test_what_an_import_lacks_after_its_grace_is_found_on_its_day_and_closed_when_it_is_shown(
    lifecycle: Running, clock: FrozenClock
) -> None:
    until = (clock.now() + 10 * DAY).isoformat()
    await register(lifecycle, phase="limited_availability", grandfathered_until=until)
    clock.advance(11 * DAY)

    item = await one(lifecycle, "&state=open", passing=timedelta(minutes=2))

    assert [lack["check"] for lack in item["lacks"]] == [*KEPT]
    assert (item["phase"], item["suggests"]) == ("limited_availability", None)
    assert item["next"][0].startswith("checkout: ")
    assert await lifecycle.call("GET", f"{ITEMS}/{item['id']}") == item
    assert (await lifecycle.call("GET", f"{SERVICE}/standing"))["item"] == item["id"]
    assert (await lifecycle.call("GET", SERVICE))["phase"] == "limited_availability"
    assert (await lifecycle.call("GET", f"{ITEMS}?owner_team=till"))["items"] == []
    then = f"as_of={clock.now():%Y-%m-%dT%H:%M:%SZ}"

    clock.advance(timedelta(hours=1))
    await attest(lifecycle, *KEPT, days_ago=0)
    standing = await lifecycle.call("POST", f"{SERVICE}/standing:evaluate")

    assert (standing["at_risk"], standing["item"]) == (False, None)
    closed = await one(lifecycle, "&state=closed")
    assert (closed["id"], closed["closed_because"], closed["next"]) == (item["id"], "shown_again", [])
    assert (await lifecycle.call("GET", f"{ITEMS}/{item['id']}?{then}"))["state"] == "open"
    assert [each["id"] for each in await items(lifecycle, f"&{then}&state=open")] == [item["id"]]


async def at_risk(lifecycle: Running, clock: FrozenClock, phase: str) -> str:
    """The item of a service that was imported, lacks everything, and whose grace is over."""
    until = (clock.now() + DAY).isoformat()
    await register(lifecycle, phase=phase, tier=None, grandfathered_until=until)
    clock.advance(DAY)
    return (await lifecycle.call("POST", f"{SERVICE}/standing:evaluate"))["item"]


@memory_is_enough
async def test_a_policy_that_asks_for_less_closes_what_it_does_not_ask_for(
    lifecycle: Running, clock: FrozenClock
) -> None:
    item = await at_risk(lifecycle, clock, "active_development")
    shown = await lifecycle.call("GET", "/v1/gate-policies/2026-11")
    about = {"in_force", "published_by", "published_at", "reason", "inherited", "attested_only", "not_asked"}
    policy = {name: value for name, value in shown.items() if name not in about}
    less = policy | {"version": "less", "keeps": {**policy["keeps"], "active_development": []}}

    await lifecycle.call("POST", "/v1/gate-policies?reason=less", less, expect=201)

    closed = await one(lifecycle, "&state=closed", passing=timedelta(minutes=2))
    assert (closed["id"], closed["closed_because"]) == (item, "shown_again")


@memory_is_enough
async def test_the_round_of_a_new_policy_begins_with_the_first_service_also_while_another_round_goes_on(
    lifecycle: Running, clock: FrozenClock
) -> None:
    later, store = clock.now() + DAY, lifecycle.resources.store
    of_a_policy = phase_sweep(Sweep(run="event-1", cause="event-1"), later)
    await store.append(AppendRequest(schedule=(of_a_policy,)))

    todays = Phases(lifecycle.resources, POLICY).timers[PHASE_SWEEP]
    in_hand = phase_sweep(Sweep(after="a-service"), later)
    await todays(in_hand, timer_context(in_hand, later))

    assert of_a_policy in await store.due(later, 100)


@memory_is_enough
async def test_whoever_leaves_the_phase_owes_it_nothing_any_more(lifecycle: Running, clock: FrozenClock) -> None:
    item = await at_risk(lifecycle, clock, "limited_availability")
    back = {"to": "active_development", "reason": "too early"}
    pending = await lifecycle.call("POST", f"{SERVICE}:transition", back, expect=202)

    await signed_in(lifecycle, BO).call("POST", f"/v1/transitions/{pending['id']}:approve", {})

    closed = await one(lifecycle, "&state=closed")
    assert (closed["id"], closed["closed_because"]) == (item, "left_phase")
    await lifecycle.call("GET", f"{ITEMS}/none", expect=404)


@memory_is_enough
async def test_after_a_start_nobody_is_looked_at_before_others_have_told_what_they_know(
    lifecycle: Running, clock: FrozenClock
) -> None:
    async def due(later: timedelta) -> bool:
        found = await lifecycle.resources.store.due(clock.now() + later, 100)
        return any(timer.kind == PHASE_SWEEP for timer in found)

    await eventually(partial(due, timedelta(minutes=1)))
    assert not await due(timedelta(seconds=59))
