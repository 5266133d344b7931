"""Checks of what the slo service has said.

Unknown means that there is no data, or that it is stale. A violated SLO or a spent budget is a fail, whatever the
coverage.
"""

from collections.abc import Callable
from datetime import timedelta

from services.lifecycle.domain.checks.finding import Finding, Question, day, silence, worst_of
from services.lifecycle.domain.evaluation.events import Evidence, Value
from services.lifecycle.domain.facts import Assessment, Slo

_MEASURE = "send measurements of the window, empty minutes too"
_RECOVER = "stop risky changes until the failures leave the window and the budget has recovered"


def sli_emitting(question: Question) -> Finding | None:
    """Whether an SLO is drafted and its SLI was measured long enough; None while no SLO is known."""
    return _each(question, _emitting) if question.facts.slos else None


def slo_drafted(question: Question) -> Finding | None:
    """Whether an SLO is written down."""
    slos = question.facts.slos
    return Finding("pass", ", ".join(slo.name for slo in slos)) if slos else None


def slo_agreed(question: Question) -> Finding | None:
    """Whether all three sides agreed to what each SLO promises now; None while one was never agreed on here."""
    slos = question.facts.slos
    found = [(slo.name, _agreed(slo)) for slo in slos]
    judged = [(name, finding) for name, finding in found if finding is not None]
    if any(finding.result == "fail" for _, finding in judged) or (slos and len(judged) == len(slos)):
        return worst_of(judged)
    return None


def slo_met_with_coverage(question: Question) -> Finding:
    """Whether every SLO is met over the trailing window, with enough data to say so."""
    return _each(question, _met)


def error_budget_left_and_no_freeze(question: Question) -> Finding:
    """Whether every SLO has budget left, and the error-budget policy has not stopped releases."""
    found, freeze = _each(question, _budget_left), question.facts.freeze
    if freeze is None:
        return (found.result == "pass" and silence(question, "slo")) or found
    detail = f"releases are frozen since {day(freeze.at)}: {freeze.reason}"
    evidence = (Evidence(freeze.id, "policy.frozen", freeze.at), *found.evidence)
    return Finding("fail", detail, evidence, _RECOVER)


def _each(question: Question, judge: Callable[[Question, Slo], Finding]) -> Finding:
    slos = question.facts.slos
    if not slos:
        return Finding("unknown", "no SLO is known", how_to_fix="define an SLO for the service and send measurements")
    return worst_of([(slo.name, judge(question, slo)) for slo in slos])


def _emitting(question: Question, slo: Slo) -> Finding:
    assessment = _current(question, slo)
    if isinstance(assessment, Finding):
        return assessment
    measured = assessment.coverage * (assessment.window_end - assessment.window_start)
    days, wanted = measured / timedelta(days=1), question.number("days")
    evidence = _assessed(slo, assessment)
    if days < wanted:
        return Finding("fail", f"measured for {days:.1f} days", evidence, f"go on measuring, for {wanted:g} days")
    return Finding("pass", f"measured for {days:.1f} days", evidence)


def _agreed(slo: Slo) -> Finding | None:
    if slo.agreed is None:
        return None
    values: dict[str, Value] = {"slo": slo.name, "revision": slo.agreed.revision}
    evidence = (Evidence(slo.agreed.id, "revision.agreed", slo.agreed.at, values),)
    if slo.revision > slo.agreed.revision:
        detail = f"revision {slo.revision} was not agreed; the last that was is {slo.agreed.revision}"
        return Finding("fail", detail, evidence, "propose it, and have development, SRE and product agree")
    return Finding("pass", f"agreed by development, SRE and product on {day(slo.agreed.at)}", evidence)


def _met(question: Question, slo: Slo) -> Finding:
    assessment = _current(question, slo)
    if isinstance(assessment, Finding):
        return assessment
    evidence = _assessed(slo, assessment)
    window = question.days("window_days")
    if assessment.window_end - assessment.window_start < window:
        fix = f"give it a window of at least {window.days} days"
        return Finding("unknown", f"its window is shorter than {window.days} days", evidence, fix)
    if assessment.sli is None:
        return Finding("unknown", "nothing was measured", evidence, _MEASURE)
    said = f"SLI {assessment.sli:.6g}, target {assessment.target:.6g}, coverage {assessment.coverage:.1%}"
    if assessment.sli < assessment.target or assessment.state == "violated":
        fix = f"bring the SLI back to its target over {window.days} days"
        return Finding("fail", f"violated: {said}", evidence, fix)
    if assessment.coverage < question.number("coverage"):
        fix = f"send the missing measurements, for at least {question.number('coverage'):.0%} of the window"
        return Finding("unknown", f"too little data: {said}", evidence, fix)
    return Finding("pass", f"met: {said}", evidence)


def _budget_left(question: Question, slo: Slo) -> Finding:
    if slo.exhausted is not None:
        evidence = (Evidence(slo.exhausted.id, "budget.exhausted", slo.exhausted.at),)
        return Finding("fail", f"its budget is spent since {day(slo.exhausted.at)}", evidence, _RECOVER)
    assessment = _current(question, slo)
    if isinstance(assessment, Finding):
        return assessment
    evidence = _assessed(slo, assessment)
    if assessment.remaining is None:
        return Finding("unknown", "nothing was measured", evidence, _MEASURE)
    detail = f"{assessment.remaining:.1%} of the error budget is left"
    if assessment.remaining <= 0:
        return Finding("fail", detail, evidence, _RECOVER)
    return Finding("pass", detail, evidence)


def _current(question: Question, slo: Slo) -> Assessment | Finding:
    """The SLO's assessment, if it speaks of its present definition and of now."""
    assessment = slo.assessment
    if assessment is None:
        return Finding("unknown", "it was never assessed", how_to_fix=_MEASURE)
    if assessment.revision != slo.revision:
        detail = f"revision {slo.revision} was not assessed yet"
        return Finding("unknown", detail, _assessed(slo, assessment), "wait for the next assessment")
    if question.at - assessment.window_end > question.days("fresh_days"):
        detail = f"stale: the last assessment is of {day(assessment.window_end)}"
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
