"""Checks of what the service's own record says."""

from services.lifecycle.domain.checks.finding import Finding, Question, day
from services.lifecycle.domain.evaluation.events import Evidence, Value
from services.lifecycle.domain.phases import Phase


def owner_and_tier_set(question: Question) -> Finding:
    """Whether somebody answers for the service, and how critical it is."""
    facts = question.facts
    values: dict[str, Value] = {"owner_team": facts.owner_team or None, "tier": facts.tier or None}
    evidence = (Evidence(facts.service, "service", question.at, values),)
    missing = [name for name, value in values.items() if value is None]
    if missing:
        fix = f"set the service's {' and '.join(missing)}"
        return Finding("fail", f"not set: {', '.join(missing)}", evidence, fix)
    return Finding("pass", f"tier {facts.tier}, owned by {facts.owner_team}", evidence)


def time_in_limited_availability(question: Question) -> Finding | None:
    """Whether the service was with some users long enough, or somebody answers for going on earlier."""
    facts = question.facts
    if facts.phase is not Phase.LIMITED_AVAILABILITY:
        return Finding("fail", "it was not in limited availability", how_to_fix="pass through it, or have this waived")
    until = facts.phase_since + question.days("days")
    evidence = (Evidence(facts.service, "service", facts.phase_since, {"phase": facts.phase.value}),)
    if question.at >= until:
        return Finding("pass", f"there since {day(facts.phase_since)}", evidence)
    decided = facts.attestations.get(question.name)
    if decided is not None and decided.at >= facts.phase_since:
        return None
    fix = f"wait until {day(until)}, or record evidence of kind {question.name} that links to the decision not to wait"
    return Finding("fail", f"there since {day(facts.phase_since)} only", evidence, fix)


def dependencies_listed(question: Question) -> Finding | None:
    """Whether every dependency is known with its SLO and with what happens without it."""
    dependencies = question.facts.dependencies
    if dependencies is None:
        return None
    values: dict[str, Value] = {dependency.name: dependency.described for dependency in dependencies}
    evidence = (Evidence(question.facts.service, "dependencies", question.at, values),)
    vague = [dependency.name for dependency in dependencies if not dependency.described]
    if vague:
        fix = f"say of {', '.join(vague)} which SLO it keeps and what the service does without it"
        return Finding("fail", f"without SLO or failure behaviour: {', '.join(vague)}", evidence, fix)
    if not question.facts.dependencies_confirmed:
        fix = "look whether the list of dependencies is complete, and confirm it"
        return Finding("fail", "nobody has confirmed that the list is complete", evidence, fix)
    return Finding("pass", f"{len(dependencies)} dependencies, each with SLO and failure behaviour", evidence)


def no_dependents(question: Question) -> Finding | None:
    """Whether no live service says that it needs this one."""
    dependents = question.facts.dependents
    if not dependents:
        return None  # who uses it without saying so is not known: people attest that nobody does
    named = ", ".join(dependents)
    evidence = (Evidence(question.facts.service, "dependents", question.at, {"dependents": named}),)
    return Finding("fail", f"still needed by {named}", evidence, f"have {named} depend on something else")
