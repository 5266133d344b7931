"""Gates over HTTP, and the story: refused with every reason named, passed when all is well."""

from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle import POLICY
from tests.fixtures.lifecycle_api import (
    GATES,
    IN_MEMORY,
    TRANSITION,
    WELL,
    asked,
    assess,
    attest,
    declare,
    define,
    register,
    results_once,
)
from tests.fixtures.services import Elsewhere, Running

GENERAL = f"{GATES}/general_availability"


def results(gate: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["result"] for check in gate["checks"]}


async def test_a_gate_says_what_would_be_needed_and_stores_nothing(lifecycle: Running) -> None:
    await register(lifecycle)
    head = await lifecycle.resources.store.head()

    gate = await lifecycle.call("GET", f"{GATES}/active_development")

    assert (gate["passed"], gate["kind"], gate["needs_approval"]) == (False, "forward", False)
    assert results(gate) == {"owner_and_tier_set": "pass"} | dict.fromkeys(
        POLICY.gates["active_development"][1:], "unknown"
    )
    assert gate["checks"][1] == {
        "id": "design_review",
        "result": "unknown",
        "blocking": True,
        "detail": "no design_review is recorded",
        "evidence": [],
        "how_to_fix": POLICY.checks["design_review"].how_to_fix,
        "measured": False,
        "source": "W18: SRE influences the design before it is built",
        "limits": [
            {"name": "max_age_days", "value": 365.0, "source": "[D] a design older than a year is reviewed again"}
        ],
        "waiver": "",
        "who": ["checkout"],
    }
    assert await lifecycle.resources.store.head() == head


async def test_evidence_counts_as_soon_as_it_is_recorded(lifecycle: Running) -> None:
    await register(lifecycle)

    for kind in asked("limited_availability"):
        await attest(lifecycle, kind)
        gate = await lifecycle.call("GET", f"{GATES}/limited_availability")
        assert results(gate)[kind] == "pass"

    assert gate["passed"]


@IN_MEMORY
async def test_stale_evidence_counts_as_none(lifecycle: Running) -> None:
    await register(lifecycle)
    await attest(lifecycle, "rollback_drill", days_ago=31)

    gate = await lifecycle.call("GET", f"{GATES}/limited_availability")

    assert results(gate)["rollback_drill"] == "unknown"


@IN_MEMORY
async def test_any_gate_of_a_known_phase_can_be_read_from_anywhere(lifecycle: Running) -> None:
    await register(lifecycle)

    far = await lifecycle.call("GET", GENERAL)

    assert (far["kind"], far["passed"]) == (None, False)
    await lifecycle.call("GET", f"{GATES}/retirement", expect=422)
    await lifecycle.call("GET", "/v1/services/till-api/gates/general_availability", expect=404)


async def test_a_service_comes_to_general_availability_only_when_all_is_well(
    lifecycle: Running, slo: Elsewhere, incidents: Elsewhere, clock: FrozenClock
) -> None:
    """The story: nothing known, a bad hour, an incident, and a month that is well again."""
    await register(lifecycle, phase="limited_availability")
    clock.advance(timedelta(days=2))  # what is attested was done in this phase
    go = {"to": "general_availability", "reason": "launch"}

    await results_once(lifecycle, {"slo_met_with_coverage": "unknown", "error_budget_left_and_no_freeze": "unknown"})

    await define(slo)
    await assess(slo, clock.now(), state="violated", sli=0.91, coverage=0.002, error_budget_remaining=-8.0)
    told = {"slo": "checkout-availability", "service": "checkout-api", "error_budget_remaining": -8.0}
    await slo.says("budget.exhausted", "budget/checkout-availability", **told, at=clock.now())
    await declare(incidents)
    await attest(lifecycle, *asked("general_availability"))
    refused = {
        "slo_met_with_coverage": "fail",
        "error_budget_left_and_no_freeze": "fail",
        "no_open_sev1_2_incident": "fail",
    }
    await results_once(lifecycle, {**refused, "postmortem_actions_done": "pass"})

    problem = await lifecycle.call("POST", TRANSITION, go, expect=422)

    assert problem["code"] == "gate-not-passed"
    assert results(problem) == refused
    assert all(check["how_to_fix"] and check["evidence"] for check in problem["checks"])
    assert problem["checks"][0]["evidence"][0]["values"]["sli"] == 0.91
    assert "INC-1" in problem["checks"][2]["how_to_fix"]

    await declare(incidents, "resolved")
    await assess(slo, clock.now(), coverage=0.5)
    await results_once(lifecycle, {"no_open_sev1_2_incident": "pass", "slo_met_with_coverage": "unknown"})
    problem = await lifecycle.call("POST", TRANSITION, go, expect=422)
    assert results(problem) == {"slo_met_with_coverage": "unknown", "error_budget_left_and_no_freeze": "fail"}

    await slo.says("budget.recovered", "budget/checkout-availability", **told, at=clock.now())
    await assess(slo, clock.now())
    await results_once(lifecycle, WELL)

    moved = await lifecycle.call("POST", TRANSITION, go)

    assert (moved["phase"], moved["grandfathered_until"] is not None) == ("general_availability", True)
    stays = (await lifecycle.call("GET", "/v1/services/checkout-api/phases"))["items"]
    why = await lifecycle.call("GET", f"/v1/evaluations/{stays[-1]['evaluation']}")
    assert (why["passed"], results(why) | WELL) == (True, results(why))


async def test_an_slo_heard_of_before_its_definition_counts_once_that_is_heard(
    lifecycle: Running, slo: Elsewhere, clock: FrozenClock
) -> None:
    await register(lifecycle, phase="limited_availability")

    await assess(slo, clock.now())
    await define(slo)

    await results_once(lifecycle, WELL)


async def test_a_changed_slo_must_be_assessed_anew(lifecycle: Running, slo: Elsewhere, clock: FrozenClock) -> None:
    await register(lifecycle, phase="limited_availability")
    await define(slo)
    await assess(slo, clock.now())
    await results_once(lifecycle, WELL)

    await define(slo, revision=2)

    await results_once(lifecycle, {"slo_met_with_coverage": "unknown"})


@IN_MEMORY
async def test_an_assessment_grows_stale(lifecycle: Running, slo: Elsewhere, clock: FrozenClock) -> None:
    await register(lifecycle, phase="limited_availability")
    await define(slo)
    await assess(slo, clock.now())
    await results_once(lifecycle, WELL)

    clock.advance(timedelta(days=2, minutes=1))

    await results_once(lifecycle, {"slo_met_with_coverage": "unknown"})


async def test_an_incident_counts_by_its_last_severity_and_again_when_reopened(
    lifecycle: Running, incidents: Elsewhere
) -> None:
    await register(lifecycle, phase="limited_availability")

    await declare(incidents, severity="sev2")
    await results_once(lifecycle, {"no_open_sev1_2_incident": "fail"})
    await declare(incidents, "mitigated", severity="sev3")
    await results_once(lifecycle, {"no_open_sev1_2_incident": "pass"})
    await declare(incidents, "resolved")
    await declare(incidents, "reopened")
    await results_once(lifecycle, {"no_open_sev1_2_incident": "fail"})


@IN_MEMORY
async def test_an_import_has_advisory_gates_behind_it_and_says_so(lifecycle: Running) -> None:
    await register(lifecycle, phase="general_availability")

    gate = await lifecycle.call("GET", GENERAL)

    assert (gate["passed"], gate["grandfathered_until"]) == (True, "2027-05-20T10:00:00Z")
    assert {check["blocking"] for check in gate["checks"]} == {False}


async def test_an_evaluation_is_stored_whole_and_listed(lifecycle: Running, clock: FrozenClock) -> None:
    await register(lifecycle)
    await attest(lifecycle, *asked("active_development"))

    first = await lifecycle.client.post(f"{GATES}/active_development:evaluate")
    then = clock.now()
    clock.advance(timedelta(hours=1))
    second = await lifecycle.client.post(f"{GATES}/active_development:evaluate")

    assert (first.status_code, first.json()["passed"], first.json()["policy_version"]) == (201, True, "2026-11")
    assert await lifecycle.call("GET", first.headers["Location"]) == first.json()
    assert [line.split()[0] for line in first.json()["basis"]] == ["policy", "owner", "tier"] + ["evidence"] * 5
    token = {"Consistency-Token": second.headers["Consistency-Token"]}
    listed = await lifecycle.call("GET", f"{GATES}/active_development/evaluations", **token)
    assert listed["items"] == [second.json(), first.json()]
    earlier = f"{GATES}/active_development/evaluations?as_of={then:%Y-%m-%dT%H:%M:%SZ}"
    assert (await lifecycle.call("GET", earlier, **token))["items"] == [first.json()]
    await lifecycle.call("GET", "/v1/evaluations/none", expect=404)


@IN_MEMORY
async def test_the_policy_shows_every_number_with_its_source(lifecycle: Running) -> None:
    (policy,) = (await lifecycle.call("GET", "/v1/gate-policies"))["items"]

    assert policy["checks"]["slo_met_with_coverage"]["numbers"]["window_days"] == {
        "value": 28,
        "source": "W18: met for 28 consecutive days; four whole weeks",
        "by_tier": {},
    }
    assert policy["checks"]["rollback_drill"]["max_age_days"]["value"] == 30


async def test_a_freeze_closes_the_gate_until_releases_go_on(
    lifecycle: Running, slo: Elsewhere, clock: FrozenClock
) -> None:
    await register(lifecycle)
    await define(slo)
    await assess(slo, clock.now())
    await results_once(lifecycle, {"error_budget_left_and_no_freeze": "pass"})
    stream, about = "error-budget-policy/checkout-api", {"service": "checkout-api", "at": clock.now()}
    frozen = await slo.says("policy.frozen", stream, **about, reason="availability has spent 150 %")

    gate = await results_once(lifecycle, {"error_budget_left_and_no_freeze": "fail", "slo_met_with_coverage": "pass"})

    (check,) = (check for check in gate["checks"] if check["id"] == "error_budget_left_and_no_freeze")
    assert check["detail"] == "releases are frozen since 2026-11-21: availability has spent 150 %"
    assert check["evidence"][0]["id"] == str(frozen.event_id)
    await slo.says("policy.unfrozen", stream, **about)
    await results_once(lifecycle, {"error_budget_left_and_no_freeze": "pass"})


async def test_an_slo_that_ended_says_nothing_at_a_gate(lifecycle: Running, slo: Elsewhere, clock: FrozenClock) -> None:
    await register(lifecycle)
    await define(slo)
    await assess(slo, clock.now(), state="violated", sli=0.91, error_budget_remaining=-8.0)
    await results_once(lifecycle, {"slo_met_with_coverage": "fail"})
    ended = {"slo": "checkout-availability", "service": "checkout-api", "revision": 1}
    await slo.says("slo.ended", "slo/checkout-availability", **ended)

    gate = await results_once(lifecycle, {"slo_met_with_coverage": "unknown"})

    assert "no SLO is known" in [check["detail"] for check in gate["checks"]]
