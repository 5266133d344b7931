"""When a gate is open: blocking and advisory, waived and grandfathered, reused and outdated."""

from dataclasses import replace
from datetime import timedelta

import pytest

from libs.events.testing import given
from services.lifecycle.contract import EVALUATION
from services.lifecycle.domain.errors import EvaluationOutdatedError
from services.lifecycle.domain.evaluation.commands import Keep
from services.lifecycle.domain.evaluation.events import GateEvaluated
from services.lifecycle.domain.facts import Engagement, Facts, Grandfathered
from services.lifecycle.domain.gates import Verdict, demotion, evaluate, keeping, remaining, reuse
from services.lifecycle.domain.phases import TRANSITIONS, Phase
from tests.fixtures.lifecycle import NOW, POLICY, attested, attested_all, evidence, facts, slo, waiver

DESIGN, DEVELOPMENT, LIMITED, GENERAL, DEPRECATION, ABANDONED, UNSUPPORTED = Phase
VALID = POLICY.evaluation_valid_days.days
READY = attested_all(DEVELOPMENT, slos=())


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
    assert set(results(verdict)) == set(POLICY.gates["limited_availability"])
    assert set(results(verdict).values()) == {"pass"}


def test_an_advisory_check_never_closes_a_gate() -> None:
    calm = {kind: done for kind, done in READY.attestations.items() if kind != "chaos_experiment"}

    verdict = evaluate(POLICY, replace(READY, attestations=calm), LIMITED, NOW)

    assert (results(verdict)["chaos_experiment"], verdict.passed) == ("unknown", True)


def test_unknown_closes_a_gate_as_fail_does() -> None:
    known = {kind: done for kind, done in READY.attestations.items() if kind != "load_test"}

    verdict = evaluate(POLICY, replace(READY, owner_team="", attestations=known), LIMITED, NOW)

    assert [(check.id, check.result) for check in verdict.failed] == [
        ("owner_and_tier_set", "fail"),
        ("load_test", "unknown"),
    ]


def test_a_check_shows_who_asks_and_each_number_with_its_source() -> None:
    (check,) = (check for check in evaluate(POLICY, READY, LIMITED, NOW).checks if check.id == "load_test")

    assert (check.measured, check.source) == (False, "[D] at 1.5 times the expected peak")
    assert [(limit.name, limit.value, bool(limit.source)) for limit in check.limits] == [
        ("max_age_days", 90, True),
        ("at_least.peak_ratio", 1.5, True),
    ]


def test_a_number_may_differ_by_tier() -> None:
    drill = POLICY.checks["rollback_drill"]
    by_tier = replace(drill, max_age_days=replace(drill.max_age_days, by_tier={"4": 90.0}))
    policy = replace(POLICY, checks={**POLICY.checks, "rollback_drill": by_tier})
    aged = {**READY.attestations, "rollback_drill": evidence("rollback_drill", days_ago=60)}
    aged.pop("production_rollback")

    passed = [evaluate(policy, replace(READY, tier=tier, attestations=aged), LIMITED, NOW).passed for tier in (1, 4)]

    assert passed == [False, True]


def test_whatever_keeps_a_gate_closed_says_how_to_fix_it() -> None:
    for target in Phase:
        for check in evaluate(POLICY, facts(owner_team=""), target, NOW).failed:
            assert check.detail
            assert check.how_to_fix


def test_whatever_keeps_a_gate_closed_names_the_teams_that_open_it() -> None:
    engaged = replace(facts(), owner_team="checkout", engagement=Engagement("e", "sre-core"))
    verdict = evaluate(POLICY, engaged, GENERAL, NOW)

    for check in verdict.checks:
        asked = POLICY.checks[check.id].who
        teams = tuple({"owner": "checkout", "sre": "sre-core"}[side] for side in asked)
        assert check.who == (() if check.result in {"pass", "not_applicable"} else teams)
    alone = evaluate(POLICY, replace(engaged, engagement=None), GENERAL, NOW)
    assert {team for check in alone.checks for team in check.who} == {"checkout"}


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
    waivers = {"slo_met_with_coverage": waiver("slo_met_with_coverage", days_left=days_left)}
    known = attested_all(LIMITED, slos=(slo(sli=0.9),), waivers=waivers)

    verdict = evaluate(POLICY, known, GENERAL, NOW)

    (check,) = (check for check in verdict.checks if check.id == "slo_met_with_coverage")
    assert (check.result, verdict.passed) == (result, result == "waived")
    assert "violated" in check.detail
    assert check.how_to_fix


def test_a_waiver_of_what_is_met_is_not_needed() -> None:
    known = facts(slos=(slo(),), waivers={"slo_met_with_coverage": waiver("slo_met_with_coverage")})

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
    old = {**READY.attestations, "rollback_drill": evidence("rollback_drill", days_ago=28)}
    old["production_rollback"] = evidence("production_rollback", days_ago=100)
    aged = replace(READY, attestations=old)
    at_start = evaluate(POLICY, aged, LIMITED, NOW)

    moved = reuse(kept(at_start), evaluate(POLICY, aged, LIMITED, later), VALID)

    assert not evaluate(POLICY, aged, LIMITED, later).passed
    assert moved.passed
    assert moved.based_on == "v1"
    assert moved.at == later
    assert reuse(kept(earlier), evaluate(POLICY, READY, LIMITED, later), VALID).passed


def test_measured_checks_are_looked_at_again_at_the_move() -> None:
    met, violated = attested_all(LIMITED), attested_all(LIMITED, slos=(slo(sli=0.9, state="violated"),))

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
        (replace(READY, waivers={"load_test": waiver("load_test")}), timedelta(), "changed since: waiver load_test"),
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
    earlier = kept(evaluate(POLICY, attested_all(LIMITED), GENERAL, NOW))
    now = evaluate(POLICY, attested_all(LIMITED, slos=(slo(id="assessed-2", sli=0.999),)), GENERAL, NOW)

    assert reuse(earlier, now, VALID).passed


def test_a_waiver_that_has_ended_outdates_an_evaluation() -> None:
    known = replace(READY, waivers={"load_test": waiver("load_test", days_left=1)})
    earlier = kept(evaluate(POLICY, known, LIMITED, NOW))

    with pytest.raises(EvaluationOutdatedError, match="changed since: waiver load_test"):
        reuse(earlier, evaluate(POLICY, known, LIMITED, NOW + timedelta(days=1)), VALID)


def test_a_grace_that_has_ended_blocks_at_the_move_whatever_was_said_during_it() -> None:
    grace = Grandfathered(LIMITED, NOW + timedelta(days=1))
    known = facts(DEVELOPMENT, grandfathered=grace)
    earlier = kept(evaluate(POLICY, known, LIMITED, NOW))

    moved = reuse(earlier, evaluate(POLICY, known, LIMITED, NOW + timedelta(days=1)), VALID)

    assert (earlier.passed, moved.passed) == (True, False)


def test_what_a_service_keeps_showing_is_asked_while_it_is_in_its_phase() -> None:
    checks = keeping(POLICY, attested_all(GENERAL), NOW)

    assert [check.id for check in checks] == list(POLICY.keeps[GENERAL])
    assert {check.result for check in checks} == {"pass", "not_applicable"}
    assert {check.blocking for check in checks} == {True}


def test_an_import_keeps_showing_in_an_advisory_way_during_its_grace() -> None:
    imported = facts(GENERAL, grandfathered=Grandfathered(GENERAL, NOW + timedelta(days=1)))

    assert {check.blocking for check in keeping(POLICY, imported, NOW)} == {False}


@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        (attested_all(GENERAL), []),
        (facts(GENERAL), []),  # what is unknown suggests nothing
        (
            facts(
                GENERAL, attestations={"capacity_covers_demand": evidence("capacity_covers_demand", outcome="failed")}
            ),
            ["capacity_covers_demand"],
        ),
        (
            facts(GENERAL, attestations={"no_open_security_finding": evidence("x", outcome="failed")}),
            ["no_open_security_finding"],
        ),
        (facts(LIMITED, attestations={"no_open_security_finding": evidence("x", outcome="failed")}), []),
    ],
)
def test_a_step_back_is_suggested_by_what_fails_and_blocks_nothing(known: Facts, reasons: list[str]) -> None:
    checks = demotion(POLICY, known, NOW)

    assert [check.id for check in checks if check.result == "fail"] == reasons
    assert {check.blocking for check in checks} <= {False}


def test_a_service_is_decommissioned_when_nothing_of_it_is_left() -> None:
    left = remaining(POLICY, facts(UNSUPPORTED), NOW)

    assert {check.result for check in left.failed} == {"unknown"}
    assert len(left.failed) == 7
    assert remaining(
        POLICY, facts(UNSUPPORTED, phase_since=NOW - timedelta(days=9), attestations=attested(*POLICY.checks)), NOW
    ).passed


GATED = [(phase, target) for (phase, target), move in TRANSITIONS.items() if move.gates]


@pytest.mark.parametrize(("phase", "target"), GATED, ids=[f"{phase}>{target}" for phase, target in GATED])
def test_every_gate_of_the_table_of_phases_passes_fails_and_is_unknown(phase: Phase, target: Phase) -> None:
    never_there = "time_in_limited_availability"
    waivers = {} if phase is LIMITED else {never_there: waiver(never_there)}
    known = attested_all(phase, waivers=waivers)
    asked = [check for check in evaluate(POLICY, known, target, NOW).checks if check.blocking]

    assert evaluate(POLICY, known, target, NOW).passed
    for name in (check.id for check in asked if not check.measured and check.id not in waivers):
        kinds = (name, *POLICY.checks[name].met_by)
        without = {kind: done for kind, done in known.attestations.items() if kind not in kinds}
        failed = {kind: evidence(kind, outcome="failed") for kind in kinds}
        unknown = evaluate(POLICY, replace(known, attestations=without), target, NOW)
        failing = evaluate(POLICY, replace(known, attestations=without | failed), target, NOW)
        assert [(check.id, check.result) for check in unknown.failed if check.id == name] == [(name, "unknown")]
        assert [(check.id, check.result) for check in failing.failed if check.id == name] == [(name, "fail")]
