"""Checks of what is left of a service at its end: what the platform itself still holds; people attest the rest."""

from services.lifecycle.domain.checks.finding import Finding, Question
from services.lifecycle.domain.evaluation.events import Evidence, Value
from services.lifecycle.domain.facts import Facts


def alerts_removed(question: Question) -> Finding | None:
    """Whether no SLO of the service is left, from which alerts would follow."""
    slos = [slo.name for slo in question.facts.slos]
    return _left(question, {"SLO": slos}, "end each of its SLOs") if slos else None


def rota_removed(question: Question) -> Finding | None:
    """Whether no schedule covers the service."""
    schedules = [rota.schedule for rota in question.facts.rotas or ()]
    return _left(question, {"schedule": schedules}, "take the service out of its schedules") if schedules else None


def no_references(question: Question) -> Finding | None:
    """Whether nothing on the platform refers to the service; what the code refers to, a scan says."""
    refers = _references(question.facts)
    return _left(question, refers, "remove each, then scan code and configuration") if refers else None


def _references(facts: Facts) -> dict[str, list[str]]:
    found = {
        "dependent service": list(facts.dependents or ()),
        "SLO": [slo.name for slo in facts.slos],
        "schedule": [rota.schedule for rota in facts.rotas or ()],
        "open incident": [incident.number for incident in facts.incidents],
        "open action": [action.title for action in facts.actions],
        "engagement": [facts.engagement.id] if facts.engagement else [],
    }
    return {noun: names for noun, names in found.items() if names}


def _left(question: Question, found: dict[str, list[str]], fix: str) -> Finding:
    told = "; ".join(f"{noun} {', '.join(names)}" for noun, names in found.items())
    values: dict[str, Value] = {noun.replace(" ", "_"): ", ".join(names) for noun, names in found.items()}
    evidence = (Evidence(question.facts.service, "references", question.at, values),)
    return Finding("fail", f"left: {told}", evidence, fix)
