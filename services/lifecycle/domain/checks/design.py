"""Checks of the design and of the architecture, as their reviews tell."""

from datetime import datetime

from services.lifecycle.domain.checks.attestations import by_an_outsider
from services.lifecycle.domain.checks.finding import Finding, Question, day
from services.lifecycle.domain.evaluation.events import Evidence, Value


def design_review(question: Question) -> Finding | None:
    """Whether somebody outside the team approved the design, lately enough."""
    design = question.facts.design
    if design is None or design.state == "withdrawn":
        return by_an_outsider(question)
    values: dict[str, Value] = {"review": design.review, "title": design.title, "state": design.state}
    evidence = (Evidence(design.event, "design-review", design.since, values | {"approved_by": design.approved_by}),)
    if design.state != "approved":
        fix = f"have design review {design.review} approved by somebody outside the team"
        return Finding("fail", f"the design review is {design.state.replace('_', ' ')}", evidence, fix)
    if _is_old(question, design.since):
        return Finding(
            "unknown", f"the design was approved on {day(design.since)}", evidence, "open a new design review"
        )
    return Finding("pass", f"approved by {design.approved_by} on {day(design.since)}", evidence)


def no_open_blocking_antipattern(question: Question) -> Finding | None:
    """Whether nothing that blocks is known to be wrong with it; None: both sides have not signed a review lately."""
    known = question.facts.architecture
    if known is None:
        return None
    if known.blocking:
        named = ", ".join(f"{each.title} ({each.item})" if each.item else each.title for each in known.blocking)
        evidence = tuple(
            Evidence(each.event, "finding", each.since, {"finding": each.finding, "state": each.state})
            for each in known.blocking
        )
        return Finding("fail", f"open: {named}", evidence, "fix and verify them, or have them waived")
    if known.reviewed_at is None or _is_old(question, known.reviewed_at):
        return None
    seen: dict[str, Value] = {"review": known.review, "findings": known.findings, "waived": len(known.waived)}
    evidence = (Evidence(known.review, "architecture-review", known.reviewed_at, seen),)
    return Finding("pass", f"both sides signed the review on {day(known.reviewed_at)}", evidence)


def _is_old(question: Question, at: datetime) -> bool:
    most = question.check.max_age_days
    return most is not None and question.at - at > most.days_at(question.facts.tier)
