"""When a gate is open: blocking and advisory, waived and grandfathered, reused and outdated."""

from dataclasses import replace
from datetime import timedelta

import pytest

from libs.events.testing import given
from services.lifecycle.contract import EVALUATION
from services.lifecycle.domain.errors import EvaluationOutdatedError
from services.lifecycle.domain.evaluation.commands import Keep
from services.lifecycle.domain.evaluation.events import GateEvaluated
from services.lifecycle.domain.facts import Facts, Grandfathered
from services.lifecycle.domain.gates import Verdict, evaluate, reuse
from services.lifecycle.domain.phases import Phase
from tests.fixtures.lifecycle import NOW, POLICY, attested, evidence, facts, slo

DESIGN, DEVELOPMENT, LIMITED, GENERAL, DEPRECATION, ABANDONED, UNSUPPORTED = Phase
VALID = POLICY.evaluation_valid_days.days
READY = facts(DEVELOPMENT, attestations=attested("rollback_drill", "load_test"))


def results(verdict: Verdict) -> dict[str, str]:
    return {check.id: check.result for check in verdict.checks}


def kept(verdict: Verdict) -> GateEvaluated:
    state = (
        given(EVALUATION).when(Keep("v1", verdict, "ana")).then(*EVALUATION.decide(Keep("v1", verdict, "ana"), None))
    )
    assert state is not None
    return state


def test_a_gate_is_open_when_every_blocking_check_passes() -> None:
    verdict = evaluate(POLICY, READY, LIMITED, NOW)

    assert verdict.passed
    assert results(verdict) == {
        "owner_and_tier_set": "pass",
        "rollback_drill": "pass",
        "load_test": "pass",
        "restore_test": "unknown",
        "chaos_experiment": "unknown",
    }


def test_unknown_closes_a_gate_as_fail_does() -> None:
    verdict = evaluate(POLICY, facts(DEVELOPMENT, owner_team=""), LIMITED, NOW)

    assert [(check.id, check.result) for check in verdict.failed] == [
        ("owner_and_tier_set", "fail"),
        ("rollback_drill", "unknown"),
        ("load_test", "unknown"),
    ]


def test_whatever_keeps_a_gate_closed_says_how_to_fix_it() -> None:
    for target in Phase:
        for check in evaluate(POLICY, facts(owner_team=""), target, NOW).failed:
            assert check.detail
            assert check.how_to_fix


def test_leaving_a_phase_out_asks_for_both_gates_once() -> None:
    names = [check.id for check in evaluate(POLICY, READY, GENERAL, NOW).checks]

    assert names == [*dict.fromkeys((*POLICY.gates["limited_availability"], *POLICY.gates["general_availability"]))]


def test_a_cancelled_design_need_not_show_that_it_has_no_traffic() -> None:
    assert results(evaluate(POLICY, facts(DESIGN), UNSUPPORTED, NOW)) == {
        "no_traffic": "not_applicable",
        "no_dependents": "not_applicable",
        "data_disposition": "not_applicable",
    }


def test_a_step_back_asks_for_nothing() -> None:
    verdict = evaluate(POLICY, facts(GENERAL), LIMITED, NOW)

    assert (verdict.passed, verdict.checks) == (True, ())


def test_a_return_from_abandoned_asks_for_a_new_review() -> None:
    assert results(evaluate(POLICY, facts(ABANDONED), GENERAL, NOW)) == {"readiness_review": "unknown"}


@pytest.mark.parametrize(("tier", "blocking"), [(1, True), (2, False), (0, True)])
def test_a_check_blocks_the_tiers_it_names_and_an_unset_tier_counts_as_the_most_critical(
    tier: int, *, blocking: bool
) -> None:
    load_test = replace(POLICY.checks["load_test"], blocking_tiers=(1,))
    policy = replace(POLICY, checks={**POLICY.checks, "load_test": load_test})

    verdict = evaluate(policy, facts(DEVELOPMENT, tier=tier), LIMITED, NOW)

    assert {check.id: check.blocking for check in verdict.checks}["load_test"] is blocking


@pytest.mark.parametrize(("days_left", "result"), [(1, "waived"), (0, "fail")])
def test_a_waiver_lets_through_while_it_is_in_force_and_hides_nothing(days_left: int, result: str) -> None:
    waivers = {"slo_met_with_coverage": NOW + timedelta(days=days_left)}
    known = facts(slos=(slo(sli=0.9),), waivers=waivers)

    verdict = evaluate(POLICY, known, GENERAL, NOW)

    (check,) = (check for check in verdict.checks if check.id == "slo_met_with_coverage")
    assert (check.result, verdict.passed) == (result, result == "waived")
    assert "violated" in check.detail
    assert check.how_to_fix


def test_a_waiver_of_what_is_met_is_not_needed() -> None:
    known = facts(slos=(slo(),), waivers={"slo_met_with_coverage": NOW + timedelta(days=1)})

    assert results(evaluate(POLICY, known, GENERAL, NOW))["slo_met_with_coverage"] == "pass"


@pytest.mark.parametrize(
    ("phase", "imported_at", "target", "until_days", "passed"),
    [
        (GENERAL, GENERAL, GENERAL, 1, True),  # the gates it did not pass here
        (GENERAL, GENERAL, GENERAL, 0, False),  # the grace is over
        (LIMITED, LIMITED, GENERAL, 1, False),  # the next gate is for everyone
        (LIMITED, GENERAL, GENERAL, 1, True),  # it went a step back and returns
    ],
)
def test_an_import_makes_the_gates_up_to_its_phase_advisory_for_a_while(
    phase: Phase, imported_at: Phase, target: Phase, until_days: int, *, passed: bool
) -> None:
    known = facts(phase, grandfathered=Grandfathered(imported_at, NOW + timedelta(days=until_days)))

    assert evaluate(POLICY, known, target, NOW).passed is passed


def test_an_evaluation_is_good_for_fourteen_days_with_its_attestations_gone_stale() -> None:
    earlier = evaluate(POLICY, READY, LIMITED, NOW)
    later = NOW + VALID
    aged = replace(
        READY, attestations={**READY.attestations, "rollback_drill": evidence("rollback_drill", days_ago=28)}
    )
    at_start = evaluate(POLICY, aged, LIMITED, NOW)

    moved = reuse(kept(at_start), evaluate(POLICY, aged, LIMITED, later), VALID)

    assert not evaluate(POLICY, aged, LIMITED, later).passed
    assert moved.passed
    assert moved.based_on == "v1"
    assert moved.at == later
    assert reuse(kept(earlier), evaluate(POLICY, READY, LIMITED, later), VALID).passed


def test_measured_checks_are_looked_at_again_at_the_move() -> None:
    met, violated = facts(slos=(slo(),)), facts(slos=(slo(sli=0.9, state="violated"),))

    moved = reuse(kept(evaluate(POLICY, met, GENERAL, NOW)), evaluate(POLICY, violated, GENERAL, NOW), VALID)

    assert [check.id for check in moved.failed] == ["slo_met_with_coverage"]


@pytest.mark.parametrize(
    ("now", "later_by", "reason"),
    [
        (READY, VALID + timedelta(seconds=1), "older than 14 days"),
        (replace(READY, tier=2), timedelta(), "changed since: tier 2"),
        (replace(READY, owner_team="till"), timedelta(), "changed since: owner till"),
        (replace(READY, slos=(slo(),)), timedelta(), "changed since: slo checkout-availability revision 1"),
        (
            replace(READY, attestations={**READY.attestations, "load_test": evidence("load_test", number=2)}),
            timedelta(),
            "changed since: evidence load_test load_test-2",
        ),
        (replace(READY, phase=LIMITED), timedelta(), "it is for checkout-api from active_development"),
        (replace(READY, service="search-api"), timedelta(), "it is for checkout-api from active_development"),
    ],
)
def test_an_evaluation_that_no_longer_speaks_for_the_service_is_refused(
    now: Facts, later_by: timedelta, reason: str
) -> None:
    earlier = kept(evaluate(POLICY, READY, LIMITED, NOW))

    with pytest.raises(EvaluationOutdatedError, match=reason):
        reuse(earlier, evaluate(POLICY, now, LIMITED, NOW + later_by), VALID)


def test_a_new_version_of_the_policy_outdates_an_evaluation() -> None:
    earlier = kept(evaluate(POLICY, READY, LIMITED, NOW))
    now = evaluate(replace(POLICY, version="next"), READY, LIMITED, NOW)

    with pytest.raises(EvaluationOutdatedError, match="changed since: policy next"):
        reuse(earlier, now, VALID)


def test_a_new_assessment_does_not_outdate_an_evaluation() -> None:
    earlier = kept(evaluate(POLICY, facts(slos=(slo(),)), GENERAL, NOW))
    now = evaluate(POLICY, facts(slos=(slo(id="assessed-2", sli=0.999),)), GENERAL, NOW)

    assert reuse(earlier, now, VALID).passed
