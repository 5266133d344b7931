"""Moves over HTTP: at once, with approval, by an earlier evaluation, and refused."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from tests.fixtures.lifecycle_api import (
    BO,
    GATES,
    IN_MEMORY,
    ROBOT,
    TRANSITION,
    WELL,
    asked,
    assess,
    attest,
    define,
    register,
    results_once,
    signed_in,
)
from tests.fixtures.services import Elsewhere, Running

TO_DEVELOPMENT = {"to": "active_development", "reason": "design approved"}
BACK = {"to": "active_development", "reason": "the rollback does not work"}


async def requested(lifecycle: Running) -> dict[str, Any]:
    """A service in limited availability that Ana asks to take a step back."""
    await register(lifecycle, phase="limited_availability")
    return await lifecycle.call("POST", TRANSITION, BACK, expect=202)


async def test_a_service_moves_forward_with_its_evidence(lifecycle: Running) -> None:
    await register(lifecycle)
    await attest(lifecycle, *asked("active_development"))

    moved = await lifecycle.client.post(TRANSITION, json=TO_DEVELOPMENT)

    assert (moved.status_code, moved.json()["phase"], moved.headers["ETag"]) == (200, "active_development", '"2"')
    await attest(lifecycle, *asked("limited_availability"))
    assert (await lifecycle.call("POST", TRANSITION, {"to": "limited_availability", "reason": "pilot"}))["phase"]
    stays = (await lifecycle.call("GET", "/v1/services/checkout-api/phases"))["items"]
    assert [(stay["phase"], stay["reason"]) for stay in stays] == [
        ("architecture_and_design", "registered"),
        ("active_development", "design approved"),
        ("limited_availability", "pilot"),
    ]
    assert stays[0]["until"] == stays[1]["from"]
    assert stays[0]["evaluation"] is None
    assert stays[1]["evaluation"]


async def test_a_closed_gate_names_each_failed_check_and_stores_nothing(lifecycle: Running) -> None:
    await register(lifecycle, owner_team=None)
    head = await lifecycle.resources.store.head()

    problem = await lifecycle.call("POST", TRANSITION, TO_DEVELOPMENT, expect=422)

    assert problem["code"] == "gate-not-passed"
    assert [(check["id"], check["result"]) for check in problem["checks"]] == [
        ("owner_and_tier_set", "fail"),
        *((name, "unknown") for name in asked("active_development")),
    ]
    assert await lifecycle.resources.store.head() == head


@IN_MEMORY
async def test_a_move_that_no_line_of_the_table_allows_lists_those_that_are(lifecycle: Running) -> None:
    await register(lifecycle)

    problem = await lifecycle.call("POST", TRANSITION, {"to": "deprecation", "reason": "x"}, expect=409)

    assert problem["code"] == "illegal-transition"
    assert [allowed["to"] for allowed in problem["allowed_transitions"]] == ["active_development", "unsupported"]


@IN_MEMORY
async def test_nothing_leads_out_of_the_last_phase(lifecycle: Running) -> None:
    await register(lifecycle, phase="unsupported")

    problem = await lifecycle.call("POST", TRANSITION, TO_DEVELOPMENT, expect=409)

    assert (problem["code"], problem["allowed_transitions"]) == ("illegal-transition", [])


@IN_MEMORY
@pytest.mark.parametrize("body", [{"to": "active_development"}, {**TO_DEVELOPMENT, "reason": ""}, {"reason": "x"}])
async def test_a_move_needs_a_target_and_a_reason(lifecycle: Running, body: dict[str, str]) -> None:
    await register(lifecycle)

    await lifecycle.call("POST", TRANSITION, body, expect=422)


@IN_MEMORY
async def test_a_service_that_is_there_already_stays_as_it_is(lifecycle: Running) -> None:
    await register(lifecycle, phase="active_development")
    head = await lifecycle.resources.store.head()

    await lifecycle.call("POST", TRANSITION, TO_DEVELOPMENT)

    assert await lifecycle.resources.store.head() == head


@IN_MEMORY
async def test_an_unknown_service_does_not_move(lifecycle: Running) -> None:
    await lifecycle.call("POST", TRANSITION, TO_DEVELOPMENT, expect=404)


async def test_of_two_moves_from_the_same_version_one_wins(lifecycle: Running) -> None:
    await register(lifecycle)
    await attest(lifecycle, *asked("active_development"))
    moves = [TO_DEVELOPMENT, {"to": "unsupported", "reason": "cancelled"}]

    answers = await asyncio.gather(
        *(lifecycle.client.post(TRANSITION, json=move, headers={"If-Match": '"1"'}) for move in moves)
    )

    assert sorted(answer.status_code // 100 for answer in answers) == [2, 4]


async def test_a_step_back_waits_for_another_person(lifecycle: Running) -> None:
    pending = await requested(lifecycle)

    assert (pending["state"], pending["kind"], pending["requested_by"]) == ("pending", "backward", "ana")
    service = await lifecycle.call("GET", "/v1/services/checkout-api")
    assert (service["phase"], service["pending_transition"]) == ("limited_availability", pending["id"])
    assert await lifecycle.call("GET", f"/v1/transitions/{pending['id']}") == pending

    approved = await signed_in(lifecycle, BO).call(
        "POST", f"/v1/transitions/{pending['id']}:approve", {"reason": "agreed"}
    )

    assert (approved["state"], approved["decided_by"], approved["decision_reason"]) == ("approved", "bo", "agreed")
    service = await lifecycle.call("GET", "/v1/services/checkout-api")
    assert (service["phase"], service["pending_transition"]) == ("active_development", None)
    stays = (await lifecycle.call("GET", "/v1/services/checkout-api/phases"))["items"]
    assert (stays[-1]["by"], stays[-1]["reason"]) == ("ana", BACK["reason"])


@IN_MEMORY
@pytest.mark.parametrize("by", ["ana", "ci"])
async def test_neither_the_one_who_asked_nor_a_machine_approves(lifecycle: Running, by: str) -> None:
    pending = await requested(lifecycle)
    asks = {"ana": lifecycle, "ci": signed_in(lifecycle, ROBOT)}[by]

    problem = await asks.call("POST", f"/v1/transitions/{pending['id']}:approve", expect=403)

    assert problem["code"] == "second-person-required"


@IN_MEMORY
async def test_nobody_from_another_team_approves_a_step_back(lifecycle: Running) -> None:
    pending = await requested(lifecycle)
    await lifecycle.call("PATCH", "/v1/teams/checkout", {"members": ["ana", "eve"]}, **{"If-Match": '"1"'})

    refused = await signed_in(lifecycle, BO).call("POST", f"/v1/transitions/{pending['id']}:approve", {}, expect=403)

    assert refused["code"] == "not-an-approver"
    assert refused["approvers"] == ["eve"]


async def test_a_decision_is_made_once(lifecycle: Running) -> None:
    pending = await requested(lifecycle)
    bo, path = signed_in(lifecycle, BO), f"/v1/transitions/{pending['id']}"

    declined = await bo.call("POST", f"{path}:decline", {"reason": "too early"})

    assert declined["state"] == "declined"
    assert await bo.call("POST", f"{path}:decline") == declined
    assert (await bo.call("POST", f"{path}:approve", expect=409))["code"] == "transition-decided"
    await bo.call("POST", "/v1/transitions/none:approve", expect=404)
    await bo.call("GET", "/v1/transitions/none", expect=404)


async def test_only_one_transition_waits_at_a_time_and_asking_again_is_harmless(lifecycle: Running) -> None:
    pending = await requested(lifecycle)

    assert await lifecycle.call("POST", TRANSITION, BACK, expect=202) == pending
    problem = await signed_in(lifecycle, BO).call("POST", TRANSITION, BACK, expect=409)

    assert (problem["code"], problem["transition"]) == ("transition-pending", pending["id"])


async def test_a_skip_passes_its_gates_when_asked_for_and_again_when_approved(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await register(lifecycle, phase="general_availability")
    go = {"to": "abandoned", "reason": "nothing replaces it"}
    assert (await lifecycle.call("POST", TRANSITION, go, expect=422))["code"] == "gate-not-passed"
    await attest(lifecycle, *asked("abandoned"))
    pending = await lifecycle.call("POST", TRANSITION, go, expect=202)

    await attest(lifecycle, *asked("abandoned"))
    bo = signed_in(lifecycle, BO)
    problem = await bo.call("POST", f"/v1/transitions/{pending['id']}:approve", expect=409)

    assert problem["code"] == "evaluation-outdated"
    await bo.call("POST", f"/v1/transitions/{pending['id']}:decline")
    again = await lifecycle.call("POST", TRANSITION, go, expect=202)
    assert (await bo.call("POST", f"/v1/transitions/{again['id']}:approve"))["state"] == "approved"
    why = (await lifecycle.call("GET", "/v1/services/checkout-api/phases"))["items"][-1]["evaluation"]
    assert (await lifecycle.call("GET", f"/v1/evaluations/{why}"))["based_on"] == again["evaluation"]


async def test_a_named_evaluation_counts_for_fourteen_days_even_when_its_evidence_grows_stale(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await register(lifecycle, phase="active_development")
    lately = [kind for kind in asked("limited_availability") if kind != "rollback_drill"]
    await attest(lifecycle, *lately)
    await attest(lifecycle, "rollback_drill", days_ago=20)
    kept = await lifecycle.call("POST", f"{GATES}/limited_availability:evaluate", expect=201)
    clock.advance(timedelta(days=14))
    go = {"to": "limited_availability", "reason": "pilot"}

    problem = await lifecycle.call("POST", TRANSITION, go, expect=422)
    assert [check["id"] for check in problem["checks"]] == ["rollback_drill"]

    await lifecycle.call("POST", TRANSITION, {**go, "evaluation": kept["id"]})

    why = (await lifecycle.call("GET", "/v1/services/checkout-api/phases"))["items"][-1]["evaluation"]
    assert (await lifecycle.call("GET", f"/v1/evaluations/{why}"))["based_on"] == kept["id"]


@IN_MEMORY
async def test_an_evaluation_that_cannot_be_used_is_refused_with_each_reason(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await register(lifecycle, phase="active_development")
    await attest(lifecycle, *asked("limited_availability"))
    kept = await lifecycle.call("POST", f"{GATES}/limited_availability:evaluate", expect=201)
    await lifecycle.call("PATCH", "/v1/services/checkout-api", {"tier": 2}, If_Match='"1"')
    clock.advance(timedelta(days=14, seconds=1))
    go = {"to": "limited_availability", "reason": "pilot", "evaluation": kept["id"]}

    problem = await lifecycle.call("POST", TRANSITION, go, expect=409)

    assert problem["code"] == "evaluation-outdated"
    assert [place["detail"] for place in problem["errors"]] == [
        "it is older than 14 days",
        "changed since: tier 1",
        "changed since: tier 2",
    ]
    unknown = await lifecycle.call("POST", TRANSITION, {**go, "evaluation": "none"}, expect=422)
    assert unknown["errors"][0]["pointer"] == "/evaluation"


async def test_as_of_answers_the_phase_and_the_transition_as_they_were_known(
    lifecycle: Running, clock: FrozenClock
) -> None:
    pending = await requested(lifecycle)
    then = f"as_of={clock.now():%Y-%m-%dT%H:%M:%SZ}"
    clock.advance(timedelta(hours=1))
    await signed_in(lifecycle, BO).call("POST", f"/v1/transitions/{pending['id']}:approve")

    service = await lifecycle.call("GET", f"/v1/services/checkout-api?{then}")
    transition = await lifecycle.call("GET", f"/v1/transitions/{pending['id']}?{then}")
    phases = await lifecycle.call("GET", f"/v1/services/checkout-api/phases?{then}")

    assert (service["phase"], service["pending_transition"]) == ("limited_availability", pending["id"])
    assert transition["state"] == "pending"
    assert [stay["until"] for stay in phases["items"]] == [None]


async def test_a_repeated_transition_with_its_idempotency_key_happens_once(lifecycle: Running) -> None:
    await register(lifecycle)
    await attest(lifecycle, *asked("active_development"))

    first = await lifecycle.client.post(TRANSITION, json=TO_DEVELOPMENT, headers={"Idempotency-Key": "k-1"})
    head = await lifecycle.resources.store.head()
    again = await lifecycle.client.post(TRANSITION, json=TO_DEVELOPMENT, headers={"Idempotency-Key": "k-1"})

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert await lifecycle.resources.store.head() == head


async def test_a_phase_is_left_out_on_a_waiver_and_by_the_word_of_a_lead(
    lifecycle: Running, slo: Elsewhere, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await register(lifecycle, phase="active_development")
    team = await lifecycle.client.get("/v1/teams/checkout")
    people = {"members": ["ana", "bo", "cleo"], "leads": ["cleo"]}
    await lifecycle.call("PATCH", "/v1/teams/checkout", people, If_Match=team.headers["ETag"])
    clock.advance(timedelta(days=2))
    await attest(lifecycle, *dict.fromkeys((*asked("limited_availability"), *asked("general_availability"))))
    await define(slo)
    await assess(slo, clock.now(), window_start=clock.now() - timedelta(days=28))
    await results_once(lifecycle, WELL)
    go = {"to": "general_availability", "reason": "every user is inside the house"}
    refused = await lifecycle.call("POST", TRANSITION, go, expect=422)
    assert [check["id"] for check in refused["checks"]] == ["time_in_limited_availability"]
    body = {
        "service": "checkout-api",
        "check": "time_in_limited_availability",
        "risk_owner": "cleo",
        "reason": go["reason"],
        "compensating_control": {
            "what": "watched",
            "url": "https://wiki.example/1",
            "implemented_at": "2026-11-20T10:00:00Z",
        },
        "expires_at": "2026-12-20T10:00:00Z",
    }
    waiver = await lifecycle.call("POST", "/v1/waivers", body, expect=201)
    cleo = signed_in(lifecycle, Principal("cleo", "person", frozenset({"*"}), "api-key", "key-4"))
    await cleo.call("POST", f"/v1/waivers/{waiver['id']}:approve", {"reason": "agreed"})
    pending = await lifecycle.call("POST", TRANSITION, go, expect=202)
    path = f"/v1/transitions/{pending['id']}:approve"

    problem = await signed_in(lifecycle, BO).call("POST", path, expect=403)
    approved = await cleo.call("POST", path)

    assert (problem["code"], problem["approvers"]) == ("not-an-approver", ["cleo"])
    assert (approved["state"], approved["decided_by"]) == ("approved", "cleo")
