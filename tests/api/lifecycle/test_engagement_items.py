"""Plans, insights, trainings, wins and adjustments: kept track of until they led to something."""

from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from tests.fixtures.engagements import DAY, Engaged, active, once
from tests.fixtures.lifecycle_api import IN_MEMORY, ROBOT, assess, define, signed_in
from tests.fixtures.services import Elsewhere, Running, eventually

GOALS = {
    "entries": [{"id": "pay", "kind": "reliability", "title": "users can pay", "slo": "checkout-availability"}],
    "reason": "planning",
}
MILESTONE = {
    "title": "read replicas",
    "side": "dev",
    "owner": "cy",
    "start": "2026-12-01",
    "due": "2026-12-20",
    "serves": "pay",
    "services": ["checkout-api"],
}
INSIGHT = {"title": "one caller makes half of the load", "side": "sre", "topic": "hot_dependency"}


async def planned(engaged: Engaged, **fields: Any) -> str:
    """The path of a milestone."""
    await engaged.put("goals", GOALS)
    return f"/plan/{(await engaged.do('/plan', MILESTONE | fields, expect=201))['id']}"


async def one(engaged: Engaged, path: str) -> Any:
    """The only item there, as soon as there is one."""
    (item,) = (await once(engaged, path, lambda page: page["items"]))["items"]
    return item


async def test_a_milestone_serves_a_goal_and_its_tracker_says_how_it_stands(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    path = await planned(engaged)
    tracker = signed_in(lifecycle, ROBOT)
    report = {"status": "In Progress", "url": "https://tracker.example/PAY-7"}

    begun = await engaged.do(f"{path}:report", report, by=tracker)
    assert (begun["state"], begun["tracker_status"], begun["url"]) == (
        "in_progress",
        "In Progress",
        "https://tracker.example/PAY-7",
    )
    odd = await engaged.do(f"{path}:report", {"status": "Blocked by Legal"}, by=tracker)
    assert (odd["state"], odd["tracker_status"]) == ("in_progress", "Blocked by Legal")
    done = await engaged.do(f"{path}:report", {"status": "resolved"}, by=tracker)
    assert (done["state"], done["allowed"], done["next"]) == ("done", [], [])
    assert done["history"][-1]["reason"] == "'resolved' in the tracker"


async def test_a_milestone_whose_day_is_over_says_so_once_and_to_whom(lifecycle: Running, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)
    path = await planned(engaged)
    clock.advance(29 * DAY)
    assert (await engaged.get(path))["overdue"] is False
    clock.advance(DAY)

    async def said() -> list[str]:
        recorded = await lifecycle.resources.store.load(f"engagement-item/{path.rpartition('/')[2]}")
        return [each.type for each in recorded if each.type.endswith("overdue.v1")]

    shown = await once(engaged, path, lambda item: item["overdue"])
    assert (shown["next"][0]["who"], shown["next"][0]["why"]) == ("cy", "it was due on 2026-12-20")
    assert len(await eventually(said)) == 1


async def test_plans_that_get_in_each_others_way_are_flagged(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    ours = await planned(engaged)
    theirs = await engaged.do("/plan", MILESTONE | {"side": "sre", "title": "move the zone"}, expect=201)
    later = {"side": "sre", "title": "later", "start": "2027-01-01", "due": "2027-02-01"}
    await engaged.do("/plan", MILESTONE | later, expect=201)

    page = await once(engaged, "/plan", lambda page: len(page["items"]) == 3)

    overlaps = {item["title"]: item["overlaps"] for item in page["items"]}
    assert overlaps == {"read replicas": [theirs["id"]], "move the zone": [ours.rpartition("/")[2]], "later": []}


async def test_an_insight_is_tracked_until_it_led_to_something(lifecycle: Running, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)
    opened = await engaged.do("/insights", INSIGHT, expect=201)
    path = f"/insights/{opened['id']}"
    then = clock.now()
    clock.advance(DAY)

    problem = await engaged.do(f"{path}:accept", {}, expect=422)
    assert [place["pointer"] for place in problem["errors"]] == ["/owner", "/due"]
    await engaged.do(f"{path}:accept", {"owner": "cy", "due": "2026-12-24"})
    ended = await engaged.do(f"{path}:conclude", {"outcome": "the caller caches now"})
    assert (ended["state"], ended["outcome"], ended["owner"]) == ("concluded", "the caller caches now", "cy")
    problem = await engaged.do(f"{path}:dismiss", {"reason": "x"}, expect=409)
    assert problem["code"] == "illegal-verb"

    past = await lifecycle.client.get(f"{engaged.path}{path}", params={"as_of": then.isoformat()})
    assert past.json()["state"] == "open"
    assert [
        item["id"] for item in (await once(engaged, "/insights?state=concluded", lambda page: page["items"]))["items"]
    ]


@IN_MEMORY
async def test_a_training_says_who_attended_and_what_changed(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    body = {"title": "how to page well", "topic": "reliability_for_developers", "owner": "di", "due": "2026-12-01"}
    path = f"/trainings/{(await engaged.do('/trainings', body, expect=201))['id']}"

    await engaged.do(f"{path}:hold", {"people": ["ana", "cy"]}, expect=422)
    held = await engaged.do(f"{path}:hold", {"people": ["ana", "cy"], "outcome": "two alerts were deleted"})

    assert (held["state"], held["people"], held["outcome"]) == ("held", ["ana", "cy"], "two alerts were deleted")


@IN_MEMORY
@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/plan", MILESTONE | {"serves": "nothing"}, "/serves"),
        ("/plan", MILESTONE | {"services": ["cart"]}, "/services/0"),
        ("/plan", MILESTONE | {"due": "2026-11-01"}, "/due"),
        ("/insights", INSIGHT | {"topic": "gossip"}, "/topic"),
        ("/insights", INSIGHT | {"colour": "red"}, "/colour"),
    ],
)
async def test_what_an_item_names_must_fit(lifecycle: Running, path: str, body: Any, pointer: str) -> None:
    engaged = await active(lifecycle)
    await engaged.put("goals", GOALS)

    problem = await engaged.do(path, body, expect=422)

    assert problem["errors"][0]["pointer"] == pointer


@IN_MEMORY
async def test_an_item_is_found_under_its_own_engagement_and_kind_only(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    opened = await engaged.do("/insights", INSIGHT, expect=201)

    await engaged.get(f"/wins/{opened['id']}", expect=404)
    await engaged.do(f"/wins/{opened['id']}:confirm", {}, expect=404)
    changed = await lifecycle.call(
        "PATCH", f"{engaged.path}/insights/{opened['id']}", {"due": "2026-12-24"}, If_Match='"1"'
    )
    assert changed["due"] == "2026-12-24"
    path, untitled = f"{engaged.path}/insights/{opened['id']}", {"title": None}
    problem = await lifecycle.call("PATCH", path, untitled, expect=422, If_Match="*")
    assert problem["errors"][0]["pointer"] == "/title"
    await lifecycle.call("PATCH", f"{engaged.path}/insights/{opened['id']}", {}, expect=412, If_Match='"1"')


async def test_a_budget_that_will_be_spent_soon_opens_one_insight(
    lifecycle: Running, slo: Elsewhere, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    await define(slo)
    for remaining in (0.9, 0.7, 0.5, 0.3):
        await assess(slo, clock.advance(DAY), error_budget_remaining=remaining)

    insight = await one(engaged, "/insights")

    assert (insight["topic"], insight["side"], insight["proposed_by_itself"]) == ("budget_forecast", "sre", True)
    assert insight["title"].startswith("the budget of checkout-availability will be spent in ")
    assert insight["evidence"][0]["url"] == "/v1/slos/checkout-availability/forecast"


async def test_a_cause_that_comes_back_opens_one_insight_however_often_it_is_told(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    told = {"service": "checkout-api", "severity": "sev3"}
    for number in (1, 2, 3):
        incident = {"incident": f"i{number}", "number": f"INC-{number}", **told}
        await incidents.says("incident.declared", f"incident/i{number}", **incident, at=clock.now())
        clock.advance(timedelta(hours=1))
        recorded = await incidents.says(
            "incident.classified", f"incident/i{number}", **incident, outage_class="retry-storm", at=clock.now()
        )
        await incidents.repeats(recorded)

    insight = await once(engaged, "/insights", lambda page: page["items"])

    assert [item["topic"] for item in insight["items"]] == ["repeated_cause"]
    assert insight["items"][0]["title"].startswith("retry-storm came back: INC-1, INC-2")


async def test_the_budget_asks_both_sides_what_they_do_until_it_is_well_again(
    lifecycle: Running, slo: Elsewhere, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    policy, service = "error-budget-policy/checkout-api", {"service": "checkout-api", "at": clock.now()}
    await slo.says("policy.state-changed", policy, **service, to_state="frozen", reason="spent 150 %")

    frozen = await one(engaged, "/adjustments")
    assert (frozen["topic"], frozen["state"], frozen["text"]) == ("frozen", "proposed", "spent 150 %")
    path = f"/adjustments/{frozen['id']}"
    await engaged.do(f"{path}:agree", {}, expect=422)
    word = await engaged.do(f"{path}:agree", {"outcome": "canary for every release", "owner": "cy"})
    assert (word["state"], word["agreed_by"], word["missing"]) == ("proposed", {"dev": "ana"}, ["sre"])
    assert word["next"][0]["why"] == "ana has agreed to: canary for every release"
    robot = await engaged.do(f"{path}:agree", {"side": "sre"}, by=signed_in(lifecycle, ROBOT), expect=403)
    assert (robot["code"], robot["speakers"]) == ("not-a-speaker", ["bo"])
    assert (await engaged.do(f"{path}:agree", {}, by=engaged.bo))["state"] == "agreed"

    await slo.says("policy.state-changed", policy, **service, to_state="healthy", reason="")
    ended = await once(engaged, path, lambda item: item["state"] == "ended")
    assert ended["history"][-1]["reason"] == "the service is healthy by now"

    await slo.says("policy.budget-to-spare", policy, **service)
    spare = await once(engaged, "/adjustments?state=proposed", lambda page: page["items"])
    assert [item["topic"] for item in spare["items"]] == ["to_spare"]


async def test_wins_propose_themselves(lifecycle: Running, slo: Elsewhere, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)
    await slo.says("budget.recovered", "budget/a", slo="a", service="checkout-api", at=clock.now())
    assert (await one(engaged, "/wins"))["title"] == "a is within its budget again"

    clock.advance(91 * DAY)
    await once(engaged, "/wins?topic=quiet_quarter", lambda page: page["items"])
    await engaged.hand_back()
    page = await once(engaged, "/wins?topic=checklist_finished", lambda page: page["items"])
    path = f"/wins/{page['items'][0]['id']}"
    stranger = signed_in(lifecycle, Principal("zoe", "person", frozenset({"*"}), "api-key", "key-9"))
    assert (await engaged.do(f"{path}:confirm", {}, by=stranger, expect=403))["code"] == "not-a-speaker"
    assert (await engaged.do(f"{path}:confirm", {}))["state"] == "confirmed"
    assert len((await engaged.get("/wins?topic=quiet_quarter"))["items"]) == 1


async def test_a_severe_incident_makes_the_quarter_begin_anew(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    clock.advance(60 * DAY)
    told = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev1"}
    await incidents.says("incident.declared", "incident/i1", **told, at=clock.now())
    rule = {"entries": [{"id": "severe", "metric": "severe_incidents", "comparison": "at_most", "limit": 0}]}
    rule["entries"][0] |= {"window_days": 28, "action": "a", "owner": "o"}
    await engaged.put("ground-rules", rule | {"reason": "x"})
    await engaged.agree("ground-rules")
    await once(engaged, "/ground-rules/status", lambda page: page["items"][0]["state"] == "breached")

    clock.advance(32 * DAY)
    await once(engaged, "", lambda shown: any(each["missed"] for each in shown["series"]))
    assert (await engaged.get("/wins"))["items"] == []
    clock.advance(60 * DAY)
    win = await one(engaged, "/wins")
    assert win["title"].startswith("no severe incident from 2027-01-20 to")
