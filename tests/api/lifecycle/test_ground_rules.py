"""Ground rules measured from what other services say, and what follows from a breach."""

from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.engagements import DAY, Engaged, active, once, shift_closes
from tests.fixtures.lifecycle_api import IN_MEMORY, ROBOT, assess, define, signed_in
from tests.fixtures.services import Elsewhere, Running

STATUS = "/ground-rules/status"


async def status(engaged: Engaged, state: str) -> Any:
    """The one rule, as soon as it stands like this."""
    answer = await once(engaged, STATUS, lambda page: page["items"][0]["state"] == state)
    return answer["items"][0]


async def test_a_ground_rule_is_unknown_until_something_is_heard_then_kept_or_broken(
    lifecycle: Running, incidents: Elsewhere
) -> None:
    engaged = await active(lifecycle)
    await engaged.rule()

    unknown = await status(engaged, "unknown")
    assert (unknown["value"], unknown["why"]) == (None, "no shift ended")
    await shift_closes(incidents, 2)
    kept = await status(engaged, "kept")
    assert (kept["value"], len(kept["evidence"])) == (2.0, 1)
    await shift_closes(incidents, 4, schedule="night")
    broken = await status(engaged, "breached")
    assert (broken["value"], broken["why"]) == (3.0, "3, at most 2")
    assert [each["url"][:23] for each in broken["evidence"]] == ["/v1/schedules/pay/shift", "/v1/schedules/night/shi"]


async def test_a_breach_is_told_once_per_window_and_people_choose_the_step(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    await engaged.rule()
    await shift_closes(incidents, 5)
    await status(engaged, "breached")

    clock.advance(DAY)
    (breach,) = (await once(engaged, "/breaches", lambda page: page["items"]))["items"]
    assert (breach["id"], breach["value"], breach["state"]) == ("pages-1", 5.0, "open")
    assert (await engaged.get())["next"][0]["who"] == "sre-pay"

    answer = {"step": "named_engineers", "engineers": ["ana", "bo"], "reason": "one noisy alert"}
    path = f"/breaches/{breach['id']}"
    await engaged.do(f"{path}:answer", answer, by=signed_in(lifecycle, ROBOT), expect=403)
    await engaged.do(f"{path}:answer", {**answer, "engineers": []}, expect=422)
    assert (await engaged.do(f"{path}:answer", answer))["state"] == "answered"
    await engaged.do(f"{path}:answer", {"step": "feature_freeze", "reason": "it goes on"})
    closed = await engaged.do(f"{path}:close", {"outcome": "the alert is gone"})
    assert (closed["state"], closed["step"], closed["outcome"]) == ("closed", "feature_freeze", "the alert is gone")

    # within the window nothing is told again; when it is over and the rule still broken, it is
    for _ in range(2):
        clock.advance(26 * DAY)
        await shift_closes(incidents, 9)
        await once(engaged, STATUS, lambda page: len(page["items"][0]["evidence"]) == 2)  # this shift and the last
        clock.advance(DAY)
    told = await once(engaged, "/breaches", lambda page: len(page["items"]) == 2)
    assert [each["id"] for each in told["items"]] == ["pages-2", "pages-1"]
    assert told["items"][1]["at"][:10] == "2026-11-22"
    assert told["items"][0]["at"] >= "2027-01-14"


async def test_a_quarterly_update_that_does_not_happen_is_a_breach_once_per_quarter(
    lifecycle: Running, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)

    clock.advance(91 * DAY)
    series = {each["series"]: each for each in (await engaged.get())["series"]}
    assert (series["quarterly-update"]["every_days"], series["quarterly-update"]["missed"]) == (92, 0)
    clock.advance(2 * DAY)
    (breach,) = (await once(engaged, "/breaches", lambda page: page["items"]))["items"]

    assert (breach["rule"], breach["metric"], breach["limit"]) == ("quarterly-update", "days_between", 92)
    assert breach["value"] > 92
    shown = await engaged.get()
    assert next(step["what"] for step in shown["next"] if step["overdue"]) == "hold the quarterly update"
    assert next(each for each in shown["series"] if each["series"] == "quarterly-update")["missed"] == 1


async def test_metrics_that_are_never_heard_of_stay_unknown_whatever_the_time(
    lifecycle: Running, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    rules = [
        {
            "id": metric,
            "metric": metric,
            "comparison": "at_most",
            "limit": 0,
            "window_days": 28,
            "action": "a",
            "owner": "o",
        }
        for metric in (
            "pages_per_shift",
            "sre_interrupt_share",
            "dev_interrupt_share",
            "developers_in_rota",
            "least_budget_remaining",
            "operational_share",
        )
    ]
    await engaged.put(
        "ground-rules", {"entries": [rule | {"id": rule["id"].replace("_", "-")} for rule in rules], "reason": "x"}
    )
    await engaged.agree("ground-rules")

    items = (await engaged.get(STATUS))["items"]

    assert {item["state"] for item in items} == {"unknown"}
    assert all(item["why"] for item in items)


async def test_schedules_budgets_and_interrupts_are_measured(
    lifecycle: Running, incidents: Elsewhere, slo: Elsewhere, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    wanted = {"developers-in-rota": "at_least", "dev-interrupt-share": "at_least", "least-budget-remaining": "at_least"}
    rules = [
        {"id": rule, "metric": rule.replace("-", "_"), "comparison": comparison, "limit": 0.05, "window_days": 28}
        | {"action": "a", "owner": "o"}
        for rule, comparison in wanted.items()
    ]
    await engaged.put("ground-rules", {"entries": rules, "reason": "x"})
    await engaged.agree("ground-rules")
    members = [{"person": "cy", "side": "dev", "site": "b"}, {"person": "di", "side": "sre", "site": "b"}]
    told = {"schedule": "pay", "services": ["checkout-api"], "members": members, "active_since": clock.now()}
    await incidents.says("schedule.changed", "schedule/pay", **told, at=clock.now())
    clock.advance(timedelta(minutes=1))
    await shift_closes(incidents, 1, interrupt_minutes=190)
    await shift_closes(incidents, 1, side="dev", interrupt_minutes=10)
    await define(slo)
    await assess(slo, clock.now() - timedelta(minutes=1), error_budget_remaining=-0.5)

    clock.advance(timedelta(minutes=1))
    page = await once(engaged, STATUS, lambda page: "unknown" not in {item["state"] for item in page["items"]})

    assert [(item["rule"], item["value"], item["state"]) for item in page["items"]] == [
        ("developers-in-rota", 1, "kept"),
        ("dev-interrupt-share", 0.05, "kept"),
        ("least-budget-remaining", -0.5, "breached"),
    ]
    assert "/v1/slos/checkout-availability/status?at=" in page["items"][2]["evidence"][0]["url"]


@IN_MEMORY
async def test_goals_show_the_slos_they_refer_to_live(lifecycle: Running, slo: Elsewhere, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)
    goals: list[dict[str, Any]] = [
        {"id": "pay", "kind": "reliability", "title": "users can pay", "slo": "checkout-availability"},
        {"id": "fast", "kind": "velocity", "title": "a day", "metric": "lead_time", "target": 24, "unit": "h"},
    ]
    proposed = await engaged.put("goals", {"entries": goals[:1], "reason": "x"})
    assert proposed["note"] == "no goal of velocity: reliability and velocity balance each other"
    await engaged.put("goals", {"entries": goals, "reason": "x"})
    await assess(slo, clock.now() - timedelta(minutes=1))

    page = await once(engaged, "/goals/status", lambda page: page["items"][0]["state"] == "met")

    assert [(item["state"], item["budget_remaining"], item["why"]) for item in page["items"]] == [
        ("met", 0.5, ""),
        ("unknown", None, "nobody told of lead_time"),
    ]


@IN_MEMORY
@pytest.mark.parametrize("heard", [True, False])
async def test_the_time_after_a_hand_back_is_compared_with_the_time_before(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock, *, heard: bool
) -> None:
    engaged = await active(lifecycle)
    if heard:
        await shift_closes(incidents, 4)
    await engaged.hand_back()
    clock.advance(DAY)
    if heard:
        told = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev2"}
        await incidents.says("incident.declared", "incident/i1", **told, at=clock.now())
        clock.advance(timedelta(hours=3))
        await incidents.says("incident.resolved", "incident/i1", **told, at=clock.now())
        await shift_closes(incidents, 1, side="dev")
        await once(engaged, "/handback", lambda answer: answer["figures"][4]["after"] == 1)

    clock.advance(90 * DAY)
    answer = await once(engaged, "/handback", lambda answer: answer["final"])

    figures = {each["metric"]: (each["before"], each["after"]) for each in answer["figures"]}
    assert figures["pages_per_shift"] == ((4, 1) if heard else (None, None))
    assert figures["severe_incidents"] == ((0, 1) if heard else (None, None))  # silence says nothing
    assert figures["time_to_resolve"] == (None, 3 if heard else None)
    assert figures["slo_days_met"] == (None, None)


@IN_MEMORY
async def test_operational_work_is_the_share_that_the_sre_team_recorded(lifecycle: Running, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)
    await engaged.rule(id="toil", metric="operational_share", limit=0.5)
    work = {"team": "sre-pay", "since": "2026-11-16", "until": "2026-11-20"}
    await lifecycle.call("POST", "/v1/operational-work", {**work, "kind": "toil", "hours": 60}, expect=201)
    await lifecycle.call("POST", "/v1/operational-work", {**work, "kind": "project", "hours": 40}, expect=201)

    shown = await once(engaged, STATUS, lambda page: page["items"][0]["value"] == 0.6)

    assert (shown["items"][0]["state"], shown["items"][0]["evidence"][0]["url"]) == ("breached", "/v1/operational-work")


@IN_MEMORY
async def test_lead_time_before_and_after_a_hand_back_is_that_of_deployments(
    lifecycle: Running, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)

    async def deploys(hours: float) -> None:
        committed = clock.now() - timedelta(hours=hours)
        body = {"service": "checkout-api", "version": str(hours), "committed_at": committed.isoformat()}
        answer = await lifecycle.client.post("/v1/deployments", json=body)
        assert answer.is_success, answer.text

    clock.advance(DAY)
    await deploys(48)
    await engaged.hand_back()
    clock.advance(DAY)
    await deploys(6)
    clock.advance(DAY)

    shown = await once(engaged, "/handback", lambda shown: shown["figures"][5]["after"] is not None)

    lead = shown["figures"][5]
    assert (lead["metric"], lead["before"], lead["after"]) == ("lead_time", 48, 6)
