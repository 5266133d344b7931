"""Whether a service is ready for a phase, as far as its review knows.

That every item is answered says little (5 of 429 Kubernetes reviews answered all 25 questions): what counts is the
blocking items of the phase. Nor is an empty list of findings an all-clear.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.events import ItemAnswered, Verdict
from services.lifecycle.domain.readiness_review.state import Finding, Record
from services.lifecycle.domain.review_template.checklist import Item

_SETTLED: frozenset[Verdict] = frozenset({"met", "not_applicable", "waived"})


@dataclass(frozen=True, slots=True)
class Missing:
    """An item that is not met, and what is known about it."""

    item: str
    axis: str
    text: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far a service is from being ready for a phase.

    Args:
        phase: Which phase.
        tier: Of the service; 1 until it is set.
        blocking: How many blocking items are asked.
        met: How many of them are.
        not_applicable: How many of them somebody has said to be, with a reason.
        missing: The others.
        conditional: The conditional items that are not met; an approval needs a condition for each.
        blocking_findings: The ids of those that are unsettled.
        conditional_findings: Likewise; an approval needs a condition for each.
        answered: How many of all items of the checklist are answered: interesting, and no gate.
        items: How many there are.
    """

    phase: Phase
    tier: int
    blocking: int
    met: int
    not_applicable: int
    missing: tuple[Missing, ...]
    conditional: tuple[Missing, ...]
    blocking_findings: tuple[str, ...]
    conditional_findings: tuple[str, ...]
    answered: int
    items: int

    @property
    def ready(self) -> bool:
        """Whether nothing blocks."""
        return not self.missing and not self.blocking_findings


def readiness(record: Record, phase: Phase, tier: int) -> Readiness:
    """How far the service of *record*, of *tier*, is from *phase*."""
    asked = [item for item in record.items.values() if item.is_asked(phase, tier)]
    blocking = [item for item in asked if item.severity == "blocking"]
    verdicts = [record.answers[item.id].verdict for item in blocking if item.id in record.answers]
    return Readiness(
        phase=phase,
        tier=tier or 1,
        blocking=len(blocking),
        met=sum(verdict in {"met", "waived"} for verdict in verdicts),
        not_applicable=verdicts.count("not_applicable"),
        missing=_missing(blocking, record.answers),
        conditional=_missing([item for item in asked if item.severity == "conditional"], record.answers),
        blocking_findings=_unsettled(record.findings, "blocking"),
        conditional_findings=_unsettled(record.findings, "conditional"),
        answered=sum(answer.verdict != "unknown" for answer in record.answers.values()),
        items=len(record.items),
    )


def _missing(items: list[Item], answers: Mapping[str, ItemAnswered]) -> tuple[Missing, ...]:
    return tuple(
        Missing(item.id, item.axis, item.text, _why_not(answers.get(item.id)))
        for item in items
        if item.id not in answers or answers[item.id].verdict not in _SETTLED
    )


def _why_not(answer: ItemAnswered | None) -> str:
    if answer is None:
        return "not answered"
    return f"{answer.verdict.replace('_', ' ')}: {answer.note}"


def _unsettled(findings: Mapping[str, Finding], severity: str) -> tuple[str, ...]:
    return tuple(name for name, each in findings.items() if each.severity == severity and each.is_unsettled)
