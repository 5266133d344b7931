"""Checks of demand and of what there is for it."""

from datetime import UTC

from services.lifecycle.domain.checks.finding import Finding, Question
from services.lifecycle.domain.evaluation.events import Evidence, Value


def demand_estimate(question: Question) -> Finding | None:
    """Whether there is a first idea of the demand; None while there is none here."""
    capacity = question.facts.capacity
    if capacity is None or not capacity.demand_known:
        return None
    values: dict[str, Value] = {"demand": capacity.demand_known}
    return Finding("pass", capacity.demand_known, (Evidence(question.facts.service, "capacity", question.at, values),))


def capacity_covers_demand(question: Question) -> Finding | None:
    """Whether there is enough for the longer of lead time and what is asked for, units to spare in every domain.

    None while nothing is known here, and while it does not suffice to say so but somebody attests it.
    """
    capacity = question.facts.capacity
    if capacity is None:
        return None
    cover = capacity.cover(
        question.at.astimezone(UTC).date(),
        least_days=int(question.number("least_days")),
        spare=int(question.number("spare_units")),
        stale_days=int(question.number("stale_days")),
    )
    if cover.state == "unknown" and question.name in question.facts.attestations:
        return None
    values: dict[str, Value] = {"state": cover.state, "until": cover.until.isoformat() if cover.until else None}
    evidence = (Evidence(question.facts.service, "capacity", question.at, values),)
    match cover.state:
        case "covered":
            return Finding("pass", cover.detail, evidence)
        case "short":
            return Finding("fail", cover.detail, evidence, f"order in time: {cover.detail}")
        case "unknown":
            return Finding("unknown", cover.detail, evidence)
