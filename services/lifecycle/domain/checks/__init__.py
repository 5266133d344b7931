"""The checks themselves: what each finds in the facts. Whether it blocks is the gate's affair (`gates.py`).

Unknown means that there is no data, or that it is stale. A check is measured wherever the platform has the fact; where
it has none, and the policy says how long one counts, an attestation of the check's name speaks instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from services.lifecycle.domain.checks.attestations import attestation, attested
from services.lifecycle.domain.checks.capacity import capacity_covers_demand, demand_estimate
from services.lifecycle.domain.checks.delivery import production_rollback, progressive_rollout
from services.lifecycle.domain.checks.design import design_review, no_open_blocking_antipattern
from services.lifecycle.domain.checks.exercises import (
    build_observability,
    chaos_experiment,
    exercised,
    initial_monitoring,
)
from services.lifecycle.domain.checks.finding import Finding, Judge, Question
from services.lifecycle.domain.checks.incidents import (
    no_open_sev1_2_incident,
    no_unexplained_exhaustion,
    postmortem_actions_done,
)
from services.lifecycle.domain.checks.migration import replacement_named
from services.lifecycle.domain.checks.on_call import (
    operational_load,
    pages_per_shift,
    receiving_rota_live,
    rota_is_large_enough,
    rota_with_a_developer,
    rota_with_both_sides,
)
from services.lifecycle.domain.checks.removal import alerts_removed, no_references, rota_removed
from services.lifecycle.domain.checks.reviews import (
    error_budget_policy_signed,
    new_readiness_review,
    readiness_review_approved,
    readiness_review_started,
    security_review,
    security_review_opened,
)
from services.lifecycle.domain.checks.risks import risks_accepted
from services.lifecycle.domain.checks.service import (
    dependencies_listed,
    no_dependents,
    owner_and_tier_set,
    time_in_limited_availability,
)
from services.lifecycle.domain.checks.slos import (
    error_budget_left_and_no_freeze,
    sli_emitting,
    slo_agreed,
    slo_drafted,
    slo_met_with_coverage,
)

__all__ = ["MEASURES", "NUMBERS", "Finding", "Question", "find"]


@dataclass(frozen=True, slots=True)
class Measure:
    """How a check is measured, and the numbers of the policy that it needs."""

    judge: Judge
    numbers: tuple[str, ...] = ()


_OF_SHIFTS = ("window_days", "coverage")

MEASURES: Mapping[str, Measure] = {
    "owner_and_tier_set": Measure(owner_and_tier_set),
    "design_review": Measure(design_review),
    "no_open_blocking_antipattern": Measure(no_open_blocking_antipattern),
    "progressive_rollout": Measure(progressive_rollout),
    "production_rollback": Measure(production_rollback),
    "risks_accepted": Measure(risks_accepted),
    "replacement_named": Measure(replacement_named),
    "demand_estimate": Measure(demand_estimate),
    "capacity_covers_demand": Measure(capacity_covers_demand, ("least_days", "spare_units", "stale_days")),
    "load_test": Measure(exercised),
    "restore_test": Measure(exercised),
    "rollback_drill": Measure(exercised),
    "chaos_experiment": Measure(chaos_experiment),
    "build_observability": Measure(build_observability),
    "initial_monitoring": Measure(initial_monitoring),
    "dependencies_listed": Measure(dependencies_listed),
    "slo_drafted": Measure(slo_drafted),
    "sli_emitting": Measure(sli_emitting, ("days", "fresh_days")),
    "slo_agreed": Measure(slo_agreed),
    "slo_met_with_coverage": Measure(slo_met_with_coverage, ("window_days", "coverage", "fresh_days")),
    "error_budget_left_and_no_freeze": Measure(error_budget_left_and_no_freeze, ("fresh_days", "feed_fresh_minutes")),
    "no_open_sev1_2_incident": Measure(no_open_sev1_2_incident, ("feed_fresh_minutes",)),
    "postmortem_actions_done": Measure(postmortem_actions_done, ("feed_fresh_minutes",)),
    "no_unexplained_exhaustion": Measure(no_unexplained_exhaustion, ("window_days", "feed_fresh_minutes")),
    "error_budget_policy_signed": Measure(error_budget_policy_signed),
    "rota_with_a_developer": Measure(rota_with_a_developer),
    "rota_with_both_sides": Measure(rota_with_both_sides),
    "rota_is_large_enough": Measure(rota_is_large_enough, ("people_at_one_site", "people_at_each_of_two_sites")),
    "pages_per_shift": Measure(pages_per_shift, ("pages", "shift_hours", *_OF_SHIFTS)),
    "operational_load": Measure(operational_load, ("share", "working_hours_a_day", *_OF_SHIFTS)),
    "receiving_rota_live": Measure(receiving_rota_live, ("days",)),
    "readiness_review_started": Measure(readiness_review_started),
    "readiness_review_approved": Measure(readiness_review_approved),
    "readiness_review": Measure(new_readiness_review),
    "security_review_opened": Measure(security_review_opened),
    "security_review": Measure(security_review),
    "time_in_limited_availability": Measure(time_in_limited_availability, ("days",)),
    "no_dependents": Measure(no_dependents),
    "alerts_removed": Measure(alerts_removed),
    "rota_removed": Measure(rota_removed),
    "no_references": Measure(no_references),
}
NUMBERS: Mapping[str, tuple[str, ...]] = {name: measure.numbers for name, measure in MEASURES.items()}


def find(question: Question) -> tuple[Finding, bool]:
    """What the check finds, and whether the platform measured it; another check that is more than this one may do."""
    finding, measured = _own(question)
    if finding.result in {"pass", "not_applicable"}:
        return finding, measured
    for name in question.check.met_by:
        other = find(replace(question, name=name, check=question.policy.checks[name]))
        if other[0].result == "pass":
            return replace(other[0], detail=f"{name}: {other[0].detail}"), other[1]
    return finding, measured


def _own(question: Question) -> tuple[Finding, bool]:
    check, facts = question.check, question.facts
    if check.applies_in and facts.phase not in check.applies_in:
        return Finding("not_applicable", f"does not concern a service in {facts.phase}"), True
    if check.unless == "stateless" and facts.stateless:
        return Finding("not_applicable", "the service keeps nothing, says its record"), True
    speaks = check.unless != "stateless" or facts.stateless is None
    spared = facts.attestations.get(check.unless) if check.unless and speaks else None
    if spared is not None and spared.outcome == "passed":
        return Finding("not_applicable", f"the service is {check.unless}, says {spared.by}", (attested(spared),)), False
    measure = MEASURES.get(question.name)
    # a number that not even the policy of the program has: people attest it, as before the platform measured it
    finding = measure.judge(question) if measure and check.numbers.keys() >= set(measure.numbers) else None
    if finding is not None:
        return finding, True
    if check.max_age_days is None:
        return Finding("unknown", "the platform has not heard of it"), True
    return attestation(question), False
