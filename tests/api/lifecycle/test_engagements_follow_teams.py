"""What becomes of engagements, and of services, when their teams are merged, cut or dissolved."""

from datetime import timedelta
from typing import Any

import pytest

from libs.events.envelope import Context, Metadata
from libs.web.internal_auth import Principal
from services.lifecycle.contract import TEAM
from services.lifecycle.domain.team.commands import Dissolve
from tests.fixtures.engagements import ENGAGEMENTS, Engaged, active, once
from tests.fixtures.lifecycle_api import signed_in
from tests.fixtures.services import Running, eventually, memory_is_enough

pytestmark = memory_is_enough


async def merge(lifecycle: Running, team: str, into: str, kind: str, lead: str) -> None:
    other = {"name": into, "kind": kind, "members": [lead], "leads": [lead]}
    await lifecycle.call("POST", "/v1/teams", other, expect=201)
    await lifecycle.call("POST", f"/v1/teams/{team}:merge", {"into": into, "reason": "one product"})


async def ruled(lifecycle: Running, *services: str) -> Engaged:
    engaged = await active(lifecycle, *services)
    await engaged.rule()
    return engaged


def waits_for(shown: Any, team: str) -> list[str]:
    return [step["how"].rpartition("/")[2] for step in shown["next"] if step["who"] == team and ":ack" in step["how"]]


async def test_the_engagement_of_a_merged_development_team_goes_on_with_the_one_that_it_became_a_part_of(
    lifecycle: Running,
) -> None:
    engaged = await ruled(lifecycle)

    await merge(lifecycle, "checkout", "payments", "dev", "eve")

    shown = await once(engaged, "", lambda answer: answer["dev_team"] == "payments")
    assert (shown["state"], shown["sre_team"], waits_for(shown, "payments")) == (
        "active",
        "sre-pay",
        ["ground-rules:acknowledge"],
    )
    assert (await engaged.get("/ground-rules"))["in_force"]["version"] == 1
    eve = signed_in(lifecycle, Principal("eve", "person", frozenset({"*"}), "api-key", "key-9"))
    await engaged.do("/ground-rules:acknowledge", {"version": 1, "side": "dev"}, by=eve)
    assert waits_for(await engaged.get(), "payments") == []


async def test_the_sre_team_of_a_service_is_the_one_that_its_own_became_a_part_of(lifecycle: Running) -> None:
    engaged = await ruled(lifecycle)

    await merge(lifecycle, "sre-pay", "core-sre", "sre", "eve")

    async def helped() -> bool:
        return (await lifecycle.call("GET", "/v1/services/checkout-api"))["sre_team"] == "core-sre"

    await eventually(helped)
    shown = await engaged.get()
    assert (shown["sre_team"], waits_for(shown, "core-sre")) == ("core-sre", ["ground-rules:acknowledge"])
    (rule,) = (await engaged.get("/ground-rules"))["in_force"]["entries"]
    assert rule["owner"] == "core-sre"
    past = await lifecycle.client.get(engaged.path, params={"as_of": "2026-11-21T09:00:00Z"})
    assert past.status_code == 404


async def cut_off(lifecycle: Running, team: str) -> Any:
    """The engagement of a team that is there since another was cut, once it can be found."""
    side = "sre_team" if team.endswith("-sre") else "dev_team"

    async def found() -> Any:
        return (await lifecycle.call("GET", f"{ENGAGEMENTS}?{side}={team}"))["items"]

    ((row),) = await eventually(found)
    return await lifecycle.call("GET", f"{ENGAGEMENTS}/{row['id']}")


async def test_services_that_leave_with_a_part_of_a_team_go_on_in_an_engagement_with_that_part(
    lifecycle: Running,
) -> None:
    engaged = await ruled(lifecycle, "checkout-api", "till")

    parts = [{"name": "tills", "members": ["cy"], "leads": ["cy"], "services": ["till"]}]
    await lifecycle.call("POST", "/v1/teams/checkout:shard", {"into": parts, "reason": "own roadmap"})

    new = await cut_off(lifecycle, "tills")
    assert (new["state"], new["services"], new["sre_team"], new["model"]) == ("active", ["till"], "sre-pay", "full")
    assert waits_for(new, "tills") == waits_for(new, "sre-pay") == ["ground-rules:acknowledge"]
    assert (await engaged.get())["services"] == ["checkout-api"]
    till = await lifecycle.call("GET", "/v1/services/till")
    assert (till["owner_team"], till["sre_team"], till["engagement"]) == ("tills", "sre-pay", new["id"])


async def test_services_in_the_charter_of_a_part_of_an_sre_team_go_on_with_that_part(lifecycle: Running) -> None:
    engaged = await active(lifecycle, "checkout-api")

    part = {"name": "tills-sre", "members": ["di"], "leads": ["di"], "charter": {"services": ["checkout-api"]}}
    await lifecycle.call("POST", "/v1/teams/sre-pay:shard", {"into": [part], "reason": "too many services"})

    new = await cut_off(lifecycle, "tills-sre")
    assert (new["dev_team"], new["services"]) == ("checkout", ["checkout-api"])
    left = await engaged.get()
    assert left["services"] == []
    assert "end it, or take a service in" in [step["what"] for step in left["next"]]


async def test_what_was_handed_back_leaves_with_its_part_and_nobody_is_engaged_for_it(lifecycle: Running) -> None:
    engaged = await active(lifecycle, "checkout-api", "till")
    await engaged.hand_back()

    parts = [{"name": "tills", "services": ["till"]}]
    await lifecycle.call("POST", "/v1/teams/checkout:shard", {"into": parts, "reason": "own roadmap"})

    shown = await once(engaged, "", lambda answer: answer["services"] == ["checkout-api"])
    assert shown["state"] == "handed_back"
    assert (await lifecycle.call("GET", f"{ENGAGEMENTS}?dev_team=tills"))["items"] == []


@pytest.mark.parametrize(("successor", "owner"), [("payments", "payments"), ("", None)])
async def test_a_service_that_came_while_its_team_was_dissolved_does_not_keep_the_ended_owner(
    lifecycle: Running, successor: str, owner: str | None
) -> None:
    for team in ("checkout", "payments"):
        await lifecycle.call("POST", "/v1/teams", {"name": team, "kind": "dev"}, expect=201)
    await lifecycle.call("POST", "/v1/services", {"name": "till", "owner_team": "checkout"}, expect=201)
    at = lifecycle.resources.clock.now() + timedelta(seconds=1)
    late = Dissolve(
        team="checkout", needed_by=(), services={}, reason="it owned nothing", by="ana", at=at, successor=successor
    )  # as it was asked before the service was there

    await lifecycle.resources.handler.handle(TEAM, "checkout", late, Context.of_request(at, Metadata("ana")))

    async def has_an_owner_that_lives() -> bool:
        return (await lifecycle.call("GET", "/v1/services/till"))["owner_team"] == owner

    await eventually(has_an_owner_that_lives)
