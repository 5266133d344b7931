"""The checks themselves: what each finds in the facts. Whether it blocks is the gate's affair (`gates.py`).

Unknown means that there is no data, or that it is stale. A violated SLO or a spent budget is a fail, whatever the
coverage.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.evaluation.events import Evidence, Result, Value
from services.lifecycle.domain.facts import Assessment, Facts, OpenIncident, Slo
from services.lifecycle.domain.policy import Check, Policy


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; *how_to_fix* is empty where the policy's own words say it."""

    result: Result
    detail: str
    evidence: tuple[Evidence, ...] = ()
    how_to_fix: str = ""


_MEASURE = "send measurements of the window, empty minutes too"
_RECOVER = "stop risky changes until the failures leave the window and the budget has recovered"

Measure = Callable[[Policy, Facts, datetime], Finding]


def attestation(kind: str, check: Check, facts: Facts, at: datetime) -> Finding:
    """Whether something was done for the service, and recently enough."""
    done = facts.attestations.get(kind)
    if done is None:
        return Finding("unknown", f"no {kind} is recorded")
    evidence = (Evidence(done.evidence, kind, done.at, {"url": done.url, "by": done.by}),)
    if check.since_phase_began and done.at < facts.phase_since:
        return Finding(
            "unknown", f"the last {kind} is from before the phase began ({_day(facts.phase_since)})", evidence
        )
    if check.max_age_days is not None and at - done.at > check.max_age_days.days:
        detail = f"the last {kind} is of {_day(done.at)}; it counts for {check.max_age_days.value:g} days"
        return Finding("unknown", detail, evidence)
    return Finding("pass", f"done on {_day(done.at)}", evidence)


def owner_and_tier_set(_policy: Policy, facts: Facts, at: datetime) -> Finding:
    """Whether somebody answers for the service, and how critical it is."""
    values: dict[str, Value] = {"owner_team": facts.owner_team or None, "tier": facts.tier or None}
    evidence = (Evidence(facts.service, "service", at, values),)
    missing = [name for name, value in values.items() if value is None]
    if missing:
        fix = f"set the service's {' and '.join(missing)}"
        return Finding("fail", f"not set: {', '.join(missing)}", evidence, fix)
    return Finding("pass", f"tier {facts.tier}, owned by {facts.owner_team}", evidence)


def slo_met_with_coverage(policy: Policy, facts: Facts, at: datetime) -> Finding:
    """Whether every SLO is met over the trailing window, with enough data to say so."""
    return _all_of(facts.slos, lambda slo: _met(policy, slo, at))


def error_budget_left_and_no_freeze(policy: Policy, facts: Facts, at: datetime) -> Finding:
    """Whether every SLO has budget left, and the error-budget policy has not stopped releases."""
    found = _all_of(facts.slos, lambda slo: _budget_left(policy, slo, at))
    if facts.freeze is None:
        return found
    freeze = facts.freeze
    detail = f"releases are frozen since {_day(freeze.at)}: {freeze.reason}"
    evidence = (Evidence(freeze.id, "policy.frozen", freeze.at), *found.evidence)
    return Finding("fail", detail, evidence, _RECOVER)


def no_open_sev1_2_incident(policy: Policy, facts: Facts, _at: datetime) -> Finding:
    """Whether nothing severe is going on."""
    severe = [incident for incident in facts.incidents if incident.severity in policy.blocking_severities]
    if not severe:
        return Finding("pass", f"no open incident is {' or '.join(policy.blocking_severities)}")
    named = ", ".join(f"{incident.number} ({incident.severity})" for incident in severe)
    return Finding("fail", f"open: {named}", tuple(map(_seen, severe)), f"resolve {named}")


MEASURES: Mapping[str, Measure] = {
    measure.__name__: measure
    for measure in (
        owner_and_tier_set,
        slo_met_with_coverage,
        error_budget_left_and_no_freeze,
        no_open_sev1_2_incident,
    )
}


def _all_of(slos: Sequence[Slo], judge: Callable[[Slo], Finding]) -> Finding:
    """The worst of what *judge* finds, in words about every SLO that is as bad."""
    if not slos:
        return Finding("unknown", "no SLO is known", how_to_fix="define an SLO for the service and send measurements")
    findings = [(slo.name, judge(slo)) for slo in slos]
    results = {finding.result for _, finding in findings}
    worst: Result = "fail" if "fail" in results else "unknown" if "unknown" in results else "pass"
    told = [(name, finding) for name, finding in findings if finding.result == worst]
    return Finding(
        worst,
        "; ".join(f"{name}: {finding.detail}" for name, finding in told),
        tuple(evidence for _, finding in findings for evidence in finding.evidence),
        "; ".join(f"{name}: {finding.how_to_fix}" for name, finding in told if finding.how_to_fix),
    )


def _met(policy: Policy, slo: Slo, at: datetime) -> Finding:
    assessment = _current(policy, slo, at)
    if isinstance(assessment, Finding):
        return assessment
    evidence = _assessed(slo, assessment)
    window = policy.slo_window_days.days
    if assessment.window_end - assessment.window_start < window:
        fix = f"give it a window of at least {window.days} days"
        return Finding("unknown", f"its window is shorter than {window.days} days", evidence, fix)
    if assessment.sli is None:
        return Finding("unknown", "nothing was measured", evidence, _MEASURE)
    said = f"SLI {assessment.sli:.6g}, target {assessment.target:.6g}, coverage {assessment.coverage:.1%}"
    if assessment.sli < assessment.target or assessment.state == "violated":
        fix = f"bring the SLI back to its target over {window.days} days"
        return Finding("fail", f"violated: {said}", evidence, fix)
    if assessment.coverage < policy.slo_coverage.value:
        fix = f"send the missing measurements, for at least {policy.slo_coverage.value:.0%} of the window"
        return Finding("unknown", f"too little data: {said}", evidence, fix)
    return Finding("pass", f"met: {said}", evidence)


def _budget_left(policy: Policy, slo: Slo, at: datetime) -> Finding:
    if slo.exhausted is not None:
        evidence = (Evidence(slo.exhausted.id, "budget.exhausted", slo.exhausted.at),)
        return Finding("fail", f"its budget is spent since {_day(slo.exhausted.at)}", evidence, _RECOVER)
    assessment = _current(policy, slo, at)
    if isinstance(assessment, Finding):
        return assessment
    evidence = _assessed(slo, assessment)
    if assessment.remaining is None:
        return Finding("unknown", "nothing was measured", evidence, _MEASURE)
    detail = f"{assessment.remaining:.1%} of the error budget is left"
    if assessment.remaining <= 0:
        return Finding("fail", detail, evidence, _RECOVER)
    return Finding("pass", detail, evidence)


def _current(policy: Policy, slo: Slo, at: datetime) -> Assessment | Finding:
    """The SLO's assessment, if it speaks of its present definition and of now."""
    assessment = slo.assessment
    if assessment is None:
        return Finding("unknown", "it was never assessed", how_to_fix=_MEASURE)
    if assessment.revision != slo.revision:
        detail = f"revision {slo.revision} was not assessed yet"
        return Finding("unknown", detail, _assessed(slo, assessment), "wait for the next assessment")
    if at - assessment.window_end > policy.assessment_fresh_days.days:
        detail = f"stale: the last assessment is of {_day(assessment.window_end)}"
        return Finding("unknown", detail, _assessed(slo, assessment), _MEASURE)
    return assessment


def _assessed(slo: Slo, assessment: Assessment) -> tuple[Evidence, ...]:
    values: dict[str, Value] = {
        "slo": slo.name,
        "revision": assessment.revision,
        "state": assessment.state,
        "target": assessment.target,
        "sli": assessment.sli,
        "coverage": assessment.coverage,
        "error_budget_remaining": assessment.remaining,
    }
    return (Evidence(assessment.id, "budget.assessed", assessment.window_end, values),)


def _seen(incident: OpenIncident) -> Evidence:
    values: dict[str, Value] = {"number": incident.number, "severity": incident.severity}
    return Evidence(incident.id, "incident", incident.at, values)


def _day(at: datetime) -> str:
    return at.date().isoformat()
