"""What people attest, with a date and a link, because the platform cannot see it."""

from services.lifecycle.domain.checks.finding import Finding, Question, day
from services.lifecycle.domain.evaluation.events import Evidence, Value
from services.lifecycle.domain.evidence.events import EvidenceRecorded


def attestation(question: Question) -> Finding:
    """Whether something was done for the service, went well, and recently enough."""
    kind, check, facts = question.name, question.check, question.facts
    done = facts.attestations.get(kind)
    if done is None:
        return Finding("unknown", f"no {kind} is recorded")
    evidence = (attested(done),)
    if check.since_phase_began and done.at < facts.phase_since:
        began = day(facts.phase_since)
        return Finding("unknown", f"the last {kind} is from before the phase began ({began})", evidence)
    if check.max_age_days is not None and question.at - done.at > check.max_age_days.days_at(facts.tier):
        counts = check.max_age_days.at(facts.tier)
        return Finding("unknown", f"the last {kind} is of {day(done.at)}; it counts for {counts:g} days", evidence)
    if done.outcome == "failed":
        return Finding("fail", f"the last {kind}, of {day(done.at)}, failed", evidence)
    if missed := _missed(question, done):
        return Finding("fail", f"the last {kind}, of {day(done.at)}: {'; '.join(missed)}", evidence)
    return Finding("pass", f"done on {day(done.at)}{_untold(question, done)}", evidence)


def by_an_outsider(question: Question) -> Finding | None:
    """Whether somebody outside the owner team did it, as far as it is known who that is."""
    done = question.facts.attestations.get(question.name)
    if done is None or done.by not in question.facts.owners:
        return None
    detail = f"{done.by} is of {question.facts.owner_team}; somebody outside the team must approve it"
    return Finding("fail", detail, (attested(done),))


def attested(done: EvidenceRecorded) -> Evidence:
    """An attestation, as the evidence of a check."""
    values: dict[str, Value] = {"url": done.url, "by": done.by, **done.figures}
    return Evidence(done.evidence, done.kind, done.at, values)


def _missed(question: Question, done: EvidenceRecorded) -> list[str]:
    """The figures that miss what the policy asks for."""
    check, tier = question.check, question.facts.tier
    bounds = [
        *((name, number.at(tier), True) for name, number in check.at_least.items()),
        *((name, number.at(tier), False) for name, number in check.at_most.items()),
    ]
    missed: list[str] = []
    for name, bound, at_least in bounds:
        figure = done.figures.get(name)
        if isinstance(figure, int | float) and (figure < bound if at_least else figure > bound):
            missed.append(f"{name} is {figure:g}, it must be at {'least' if at_least else 'most'} {bound:g}")
        elif figure is not None and not isinstance(figure, int | float):
            missed.append(f"{name} is {figure!r}, which is no number")
    return missed


def _untold(question: Question, done: EvidenceRecorded) -> str:
    wanted = [name for name in (*question.check.at_least, *question.check.at_most) if name not in done.figures]
    return f", without a figure of {', '.join(wanted)}" if wanted else ""
