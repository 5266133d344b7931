"""One service, and all of them, as the events of every service tell."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.elsewhere import DESIGN, Elsewhere

pytestmark = pytest.mark.usefixtures("worker")

ASSESSED = {
    "state": "violated",
    "sli": 0.99,
    "good": 990,
    "total": 1000,
    "coverage": 0.5,
    "error_budget_consumed": 10.0,
    "error_budget_remaining": -9.0,
}
INCIDENT = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev2", "title": "down"}
ACTION = {
    "action": "a1",
    "postmortem": "p1",
    "incident": "i1",
    "service": "checkout-api",
    "title": "add a canary",
    "owner": "bo",
    "type": "prevent",
    "priority": "P1",
    "due": "2026-11-20",
}
SLO = {"slo": "availability", "service": "checkout-api", "display_name": "Availability"}


async def view(client: httpx.AsyncClient, token: str, service: str = "checkout-api") -> dict[str, Any]:
    answer = await client.get(f"/v1/services/{service}", headers={"Consistency-Token": token})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Consistency-Token"] == token
    return answer.json()


async def test_a_registered_service_is_shown_with_nothing_around_it(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    shown = await view(client, await elsewhere.register("checkout-api"))
    assert shown == {
        "name": "checkout-api",
        "version": 1,
        "display_name": "Checkout-Api",
        "owner_team": "checkout",
        "tier": 1,
        "phase": "architecture_and_design",
        "registered_at": "2026-11-21T10:00:00Z",
        "phase_since": "2026-11-21T10:00:00Z",
        "grandfathered_until": None,
        "revives": None,
        "pending_transition": None,
        "sre_team": None,
        "engagement": None,
        "slos": [],
        "error_budget": None,
        "open_incidents": [],
        "on_call": [],
        "overdue_actions": [],
        "next_gate": {
            "phase": "active_development",
            "passed": None,
            "evaluation": None,
            "policy_version": None,
            "evaluated_at": None,
            "open_checks": [],
        },
    }


async def test_a_change_and_a_move_are_shown(
    client: httpx.AsyncClient, elsewhere: Elsewhere, clock: FrozenClock
) -> None:
    await elsewhere.register("checkout-api")
    stream, service = "service/checkout-api", "checkout-api"
    named = {"display_name": "Checkout", "owner_team": "payments", "tier": 2}
    await elsewhere.tell(stream, "lifecycle.service.changed", service=service, **named)
    clock.advance(timedelta(hours=1))
    moved = {"from_phase": "architecture_and_design", "to_phase": "active_development", "reason": "approved"}
    token = await elsewhere.tell(stream, "lifecycle.service.phase-changed", service=service, **moved)
    shown = await view(client, token)
    assert {field: shown[field] for field in named} == named
    assert shown["version"] == 3
    assert (shown["phase"], shown["phase_since"]) == ("active_development", "2026-11-21T11:00:00Z")
    assert shown["next_gate"]["phase"] == "limited_availability"


async def test_a_transition_that_waits_for_somebody_is_shown_until_it_is_decided(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    await elsewhere.register("checkout-api")
    asked = {"service": "checkout-api", "transition": "t1", "from_phase": DESIGN, "to_phase": "unsupported"}
    token = await elsewhere.tell("service/checkout-api", "lifecycle.transition.requested", **asked)
    assert (await view(client, token))["pending_transition"] == "t1"
    token = await elsewhere.tell("service/checkout-api", "lifecycle.transition.declined", **asked)
    assert (await view(client, token))["pending_transition"] is None


async def test_who_is_on_call_now_is_shown_until_somebody_else_is(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    await elsewhere.register("checkout-api")
    turn = {"since": "2026-11-21T09:00:00Z", "until": "2026-11-22T09:00:00Z", "layer": "primary", "shadow": False}
    for person in ("ana", "bo"):
        turned = {"schedule": "checkout", "services": ["checkout-api"], "on_call": [{"person": person, **turn}]}
        token = await elsewhere.tell("turning/checkout.2026-11", "incidents.schedule.turned", **turned)
        shown = await view(client, token)
        assert shown["on_call"] == [{"schedule": "checkout", "person": person, **turn}]
    ended = {"schedule": "checkout", "services": [], "on_call": []}
    token = await elsewhere.tell("turning/checkout.2026-11", "incidents.schedule.turned", **ended)
    assert (await view(client, token))["on_call"] == []


async def test_the_team_that_helps_is_shown_with_its_engagement_until_it_is_handed_back(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    await elsewhere.register("checkout-api")
    engaged = {"engagement": "e1", "sre_team": "sre-pay"}
    token = await elsewhere.tell("engagement/e1", "lifecycle.engagement.activated", **engaged, model="full")
    await view(client, token)
    token = await elsewhere.tell("service/checkout-api", "lifecycle.service.engaged", service="checkout-api", **engaged)
    shown = await view(client, token)
    since = "2026-11-21T10:00:00Z"
    active = {"id": "e1", "sre_team": "sre-pay", "since": since, "model": "full", "state": "active", "receiver": None}
    assert (shown["sre_team"], shown["version"], shown["engagement"]) == ("sre-pay", 2, active)
    token = await elsewhere.tell("engagement/e1", "lifecycle.engagement.handback-started", **engaged, receiver="cart")
    pending = (await view(client, token))["engagement"]
    assert (pending["state"], pending["receiver"]) == ("handback_pending", "cart")
    token = await elsewhere.tell(
        "service/checkout-api", "lifecycle.service.released", service="checkout-api", **engaged
    )
    shown = await view(client, token)
    assert (shown["sre_team"], shown["engagement"]) == (None, None)


async def test_the_budget_is_shown_whichever_event_comes_first(client: httpx.AsyncClient, elsewhere: Elsewhere) -> None:
    registered = await elsewhere.register("checkout-api")
    assessed = await elsewhere.tell("budget/availability", "slo.budget.assessed", **SLO, **ASSESSED)
    await view(client, assessed)
    token = await elsewhere.tell("slo/availability", "slo.slo.defined", **SLO, revision=1, target=0.999, window="28d")
    await view(client, registered)
    (slo,) = (await view(client, token))["slos"]
    assert slo == ASSESSED | {
        "name": "availability",
        "display_name": "Availability",
        "revision": 1,
        "target": 0.999,
        "window": "28d",
        "assessed_at": "2026-11-21T10:00:00Z",
    }


async def test_an_slo_that_was_never_assessed_is_undefined(client: httpx.AsyncClient, elsewhere: Elsewhere) -> None:
    await view(client, await elsewhere.register("checkout-api"))
    token = await elsewhere.tell("slo/availability", "slo.slo.defined", **SLO, revision=1, target=0.999, window="28d")
    (slo,) = (await view(client, token))["slos"]
    assert (slo["state"], slo["sli"]) == ("undefined", None)


@pytest.mark.parametrize(
    ("verbs", "state"),
    [
        ([], "triage"),
        (["acknowledged"], "active"),
        (["acknowledged", "stage-changed"], "active"),
        (["acknowledged", "mitigated"], "mitigated"),
        (["resolved"], None),
        (["resolved", "closed"], None),
        (["cancelled"], None),
        (["resolved", "reopened"], "active"),
    ],
)
async def test_an_incident_is_shown_while_it_needs_somebody(
    client: httpx.AsyncClient, elsewhere: Elsewhere, verbs: list[str], state: str | None
) -> None:
    await view(client, await elsewhere.register("checkout-api"))
    token = await elsewhere.tell("incident/i1", "incidents.incident.declared", **INCIDENT)
    for verb in verbs:
        token = await elsewhere.tell("incident/i1", f"incidents.incident.{verb}", **INCIDENT, stage="identified")
    shown = (await view(client, token))["open_incidents"]
    assert [(incident["state"], incident["title"]) for incident in shown] == ([(state, "down")] if state else [])


async def test_an_action_is_overdue_from_the_day_after_until_it_is_settled(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    await view(client, await elsewhere.register("checkout-api"))
    await elsewhere.tell("action/a2", "incidents.action.opened", **ACTION | {"action": "a2", "due": "2026-11-21"})
    token = await elsewhere.tell("action/a1", "incidents.action.opened", **ACTION)
    (overdue,) = (await view(client, token))["overdue_actions"]
    assert (overdue["id"], overdue["due"], overdue["owner"]) == ("a1", "2026-11-20", "bo")
    token = await elsewhere.tell("action/a1", "incidents.action.completed", action="a1", service="checkout-api")
    assert (await view(client, token))["overdue_actions"] == []


async def test_the_next_gate_is_the_newest_evaluation_of_it(
    client: httpx.AsyncClient, elsewhere: Elsewhere, clock: FrozenClock
) -> None:
    await view(client, await elsewhere.register("checkout-api"))
    failing = {"id": "owner-and-tier", "result": "fail", "blocking": True, "how_to_fix": "name an owner"}
    passing = failing | {"id": "design", "result": "pass"}
    told = {"service": "checkout-api", "phase": "active_development", "policy_version": "2026-11", "passed": False}
    evaluated = "lifecycle.gate.evaluated"
    first = await elsewhere.tell("evaluation/e1", evaluated, evaluation="e1", checks=[failing, passing], **told)
    gate = (await view(client, first))["next_gate"]
    assert (gate["passed"], gate["evaluation"], gate["open_checks"]) == (False, "e1", [failing])
    later = clock.now() + timedelta(hours=1)
    newer = told | {"at": later, "passed": True}
    second = await elsewhere.tell("evaluation/e2", evaluated, evaluation="e2", checks=[passing], **newer)
    await view(client, second)
    overtaken = await elsewhere.tell("evaluation/e0", evaluated, evaluation="e0", checks=[failing], **told)
    gate = (await view(client, overtaken))["next_gate"]
    assert (gate["passed"], gate["evaluation"], gate["open_checks"]) == (True, "e2", [])


async def test_the_last_phase_has_no_next_gate(client: httpx.AsyncClient, elsewhere: Elsewhere) -> None:
    shown = await view(client, await elsewhere.register("checkout-api", phase="unsupported"))
    assert shown["next_gate"] is None


async def test_the_etag_is_weak_and_changes_with_the_content(client: httpx.AsyncClient, elsewhere: Elsewhere) -> None:
    await view(client, await elsewhere.register("checkout-api"))
    first = await client.get("/v1/services/checkout-api")
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    same = await client.get("/v1/services/checkout-api", headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    await view(client, await elsewhere.tell("incident/i1", "incidents.incident.declared", **INCIDENT))
    other = await client.get("/v1/services/checkout-api", headers={"If-None-Match": tag})
    assert other.status_code == 200


async def test_a_service_whose_event_is_on_its_way_is_asked_of_its_owner(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/services/just-registered")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["phase"], shown["slos"], shown["version"]) == ("limited_availability", [], 3)
    assert answer.headers["ETag"].startswith('W/"')


async def test_an_unknown_service_is_the_owners_refusal(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/services/unknown")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_the_past_is_asked_of_lifecycle_and_the_rest_is_not_known(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    await view(client, await elsewhere.register("checkout-api"))
    answer = await client.get("/v1/services/checkout-api", params={"as_of": "2026-11-20T00:00:00Z"})
    shown = answer.json()
    assert answer.status_code == 200
    assert shown["phase"] == "active_development"  # what the owner says about the past
    assert shown["as_of"] == "2026-11-20T00:00:00Z"
    assert {shown[part] for part in ("slos", "open_incidents", "next_gate") if shown[part] is not None} == set()


@pytest.mark.parametrize("time", ["yesterday", "2026-11-21T10:00:00", "0001-01-01T00:00:00+14:00"])
async def test_a_time_that_is_none_is_refused(client: httpx.AsyncClient, time: str) -> None:
    answer = await client.get("/v1/services/x", params={"as_of": time})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "as_of")


@pytest.mark.parametrize("token", ["garbage", "W10", "\u00e4".encode().decode("latin-1")])
async def test_a_token_that_is_none_is_refused(client: httpx.AsyncClient, token: str) -> None:
    headers = {"Consistency-Token": token.encode("latin-1")}
    answer = await client.get("/v1/services/x", headers=headers)  # pyright: ignore[reportArgumentType]
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-consistency-token")


async def test_the_overview_counts_and_names_what_is_at_risk(client: httpx.AsyncClient, elsewhere: Elsewhere) -> None:
    for number in range(3):
        await elsewhere.register(f"s{number}")
    await elsewhere.register("checkout-api", phase="general_availability")
    await elsewhere.tell("slo/availability", "slo.slo.defined", **SLO, revision=1, target=0.999, window="28d")
    await elsewhere.tell(
        "slo/latency", "slo.slo.defined", **SLO | {"slo": "latency"}, revision=1, target=0.9, window="7d"
    )
    await elsewhere.tell("budget/availability", "slo.budget.assessed", **SLO, **ASSESSED)
    await elsewhere.tell(
        "incident/i2", "incidents.incident.declared", **INCIDENT | {"incident": "i2", "severity": "sev4"}
    )
    await elsewhere.tell("action/a1", "incidents.action.opened", **ACTION)
    await elsewhere.tell("incident/i1", "incidents.incident.declared", **INCIDENT)
    await freeze(elsewhere)
    assert (await elsewhere.seen(client, "/v1/overview")).json() == {
        "services": 4,
        "services_by_phase": {"architecture_and_design": 3, "general_availability": 1},
        "slos_by_state": {"undefined": 1, "violated": 1},
        "services_by_error_budget": {"frozen": 1},
        "frozen_services": 1,
        "open_incidents": 2,
        "open_incidents_by_severity": {"sev2": 1, "sev4": 1},
        "overdue_actions": 1,
        "services_at_risk": [
            {
                "service": "checkout-api",
                "reasons": [
                    "releases are frozen since 2026-11-21",
                    "SLO availability is violated",
                    "INC-1 is open (sev2)",
                ],
            }
        ],
    }


async def freeze(elsewhere: Elsewhere) -> None:
    """Both sides have signed a policy, and the budget is spent."""
    stream, about = "error-budget-policy/checkout-api", {"service": "checkout-api"}
    await elsewhere.tell(stream, "slo.policy.written", **about, version=1, missing=["development", "sre"])
    await elsewhere.tell(stream, "slo.policy.signed", **about, version=1, side="development", missing=["sre"])
    await elsewhere.tell(stream, "slo.policy.signed", **about, version=1, side="sre", missing=[])
    moved = about | {"from_state": "healthy", "to_state": "frozen", "reason": "spent 150 %"}
    await elsewhere.tell(stream, "slo.policy.state-changed", **moved)
    await elsewhere.tell(stream, "slo.policy.frozen", **about, reason="spent 150 %")


async def test_a_service_shows_its_error_budget_policy_and_its_freeze(
    client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    await elsewhere.register("checkout-api")
    assert (await elsewhere.seen(client, "/v1/services/checkout-api")).json()["error_budget"] is None
    await freeze(elsewhere)
    shown = (await elsewhere.seen(client, "/v1/services/checkout-api")).json()["error_budget"]
    assert shown == {
        "policy_version": 1,
        "in_force": True,
        "missing": [],
        "state": "frozen",
        "since": "2026-11-21T10:00:00Z",
        "reason": "spent 150 %",
        "frozen": True,
        "frozen_since": "2026-11-21T10:00:00Z",
        "budget_to_spare": False,
    }
    told = (await elsewhere.seen(client, "/v1/services/checkout-api/timeline")).json()["items"]
    assert [item["summary"] for item in told[:4]] == [
        "releases frozen",
        "error budget is frozen, was healthy",
        "error-budget policy version 1 signed for sre",
        "error-budget policy version 1 signed for development",
    ]
    stream, about = "error-budget-policy/checkout-api", {"service": "checkout-api"}
    await elsewhere.tell(stream, "slo.policy.unfrozen", **about)
    shown = (await elsewhere.seen(client, "/v1/services/checkout-api")).json()["error_budget"]
    assert (shown["frozen"], shown["frozen_since"]) == (False, None)


async def test_an_slo_that_ended_leaves_the_view(client: httpx.AsyncClient, elsewhere: Elsewhere) -> None:
    await elsewhere.register("checkout-api")
    await elsewhere.tell("slo/availability", "slo.slo.defined", **SLO, revision=1, target=0.999, window="28d")
    await elsewhere.tell("budget/availability", "slo.budget.assessed", **SLO, **ASSESSED)
    assert len((await elsewhere.seen(client, "/v1/services/checkout-api")).json()["slos"]) == 1
    await elsewhere.tell("slo/availability", "slo.slo.ended", slo="availability", service="checkout-api", revision=1)
    assert (await elsewhere.seen(client, "/v1/services/checkout-api")).json()["slos"] == []
    assert (await elsewhere.seen(client, "/v1/overview")).json()["slos_by_state"] == {}
