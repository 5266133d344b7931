"""A readiness review as it stands: under way, approved, or over; and the findings in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from services.lifecycle.domain.readiness_review.events import (
    ChecklistFixed,
    Condition,
    ConditionMet,
    ConditionOverdue,
    Event,
    FindingEvent,
    FindingMoved,
    FindingOpened,
    FindingReclassified,
    FindingState,
    FindingTriaged,
    FindingWaived,
    FindingWaiverExpired,
    FollowUp,
    FollowUpBegun,
    ItemAnswered,
    ReviewAdvanced,
    ReviewApproved,
    ReviewDeclined,
    Reviewer,
    ReviewersChanged,
    ReviewExpired,
    ReviewRequested,
    ReviewSuperseded,
    ReviewWithdrawn,
    Stage,
)
from services.lifecycle.domain.review_template.checklist import Item, Severity

ReviewState = Literal[
    "requested",
    "engagement",
    "analysis",
    "improvements",
    "approved",
    "approved_with_conditions",
    "expired",
    "declined",
    "withdrawn",
    "superseded",
]
STAGES: tuple[Stage, ...] = ("requested", "engagement", "analysis", "improvements")
FOLLOW_UPS: tuple[FollowUp, ...] = ("training", "onboarding", "continuous")
UNSETTLED: frozenset[FindingState] = frozenset({"open", "triaged", "in_progress", "fixed"})


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a finding, by whom and why."""

    state: FindingState
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be, and who does what about it."""

    opened: FindingOpened
    severity: Severity
    state: FindingState
    owner: str
    due: date | None
    history: tuple[Change, ...]
    url: str = ""
    fixed_by: str = ""
    waiver: FindingWaived | None = None
    waivers: int = 0

    @property
    def is_unsettled(self) -> bool:
        """Whether it is neither verified, closed, waived nor rejected."""
        return self.state in UNSETTLED


@dataclass(frozen=True, slots=True)
class Record:
    """What every review has, however it stands."""

    request: ReviewRequested
    reviewers: tuple[Reviewer, ...]
    decides_blockers: str
    items: Mapping[str, Item] = field(default_factory=dict[str, Item])
    answers: Mapping[str, ItemAnswered] = field(default_factory=dict[str, ItemAnswered])
    findings: Mapping[str, Finding] = field(default_factory=dict[str, Finding])
    steps: tuple[ReviewAdvanced, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Who reviews."""
        return tuple(reviewer.person for reviewer in self.reviewers)


@dataclass(frozen=True, slots=True)
class Underway:
    """A review that nobody has decided."""

    record: Record
    stage: Stage = "requested"


@dataclass(frozen=True, slots=True)
class Approved:
    """A review that found the service ready, and what follows from that."""

    record: Record
    approval: ReviewApproved
    met: Mapping[str, ConditionMet] = field(default_factory=dict[str, ConditionMet])
    overdue: frozenset[str] = frozenset()
    follow_up: FollowUp | None = None
    expired: ReviewExpired | None = None

    @property
    def unmet(self) -> tuple[Condition, ...]:
        """The conditions that are still to be met."""
        return tuple(each for each in self.approval.conditions if each.condition not in self.met)


@dataclass(frozen=True, slots=True)
class Ended:
    """A review that lets nobody through."""

    record: Record
    ending: ReviewDeclined | ReviewWithdrawn | ReviewSuperseded


Review = Underway | Approved | Ended | None  # None: no such review


def state_of(review: Underway | Approved | Ended) -> ReviewState:
    """In one word."""
    match review:
        case Underway(stage=stage):
            return stage
        case Approved(expired=None):
            return "approved_with_conditions" if review.unmet else "approved"
        case Approved():
            return "expired"
        case Ended(ending=ReviewDeclined()):
            return "declined"
        case Ended(ending=ReviewWithdrawn()):
            return "withdrawn"
        case Ended():
            return "superseded"


def end_of(day: date) -> datetime:
    """The first moment after *day* (UTC)."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def evolve(state: Review, event: Event) -> Review:  # noqa: C901, PLR0911, PLR0912  a table, one line a pair
    """The review after one more fact."""
    match state, event:
        case _, ReviewRequested():
            return Underway(Record(event, event.reviewers, event.decides_blockers))
        case None, _:
            return None
        case _, ChecklistFixed():
            return _with(state, items={item.id: item for item in event.items})
        case _, ReviewersChanged():
            return _with(state, reviewers=event.reviewers, decides_blockers=event.decides_blockers)
        case _, ItemAnswered():
            return _with(state, answers={**state.record.answers, event.item: event})
        case Underway(record), ReviewAdvanced():
            return Underway(replace(record, steps=(*record.steps, event)), event.to_stage)
        case Underway(record), ReviewApproved():
            return Approved(record, event)
        case Approved(), FollowUpBegun():
            return replace(state, follow_up=event.step)
        case Approved(), ConditionMet():
            return replace(state, met={**state.met, event.condition: event})
        case Approved(), ConditionOverdue():
            return replace(state, overdue=state.overdue | {event.condition})
        case Approved(), ReviewExpired():
            return replace(state, expired=event)
        case _, ReviewDeclined() | ReviewWithdrawn() | ReviewSuperseded():
            return Ended(state.record, event)
        case (
            _,
            FindingOpened()
            | FindingTriaged()
            | FindingReclassified()
            | FindingMoved()
            | FindingWaived()
            | FindingWaiverExpired(),
        ):
            return _with(state, findings=after_finding(state.record.findings, event))
        case _:
            return state


def after_finding(findings: Mapping[str, Finding], event: FindingEvent) -> Mapping[str, Finding]:
    """*findings* after one more fact about one of them."""
    after = _found(event) if isinstance(event, FindingOpened) else _after(findings[event.finding], event)
    return {**findings, event.finding: after}


def _with(state: Underway | Approved | Ended, **changes: object) -> Review:
    return replace(state, record=replace(state.record, **changes))


def _found(event: FindingOpened) -> Finding:
    state: FindingState = "triaged" if event.owner else "open"
    change = Change(state, event.by, "found" if not event.carried_from else "carried over", event.at)
    return Finding(event, event.severity, state, event.owner, event.due, (change,))


def _after(
    finding: Finding,
    event: FindingTriaged | FindingReclassified | FindingMoved | FindingWaived | FindingWaiverExpired,
) -> Finding:
    match event:
        case FindingTriaged():
            change = Change("triaged", event.by, event.reason, event.at)
            finding = replace(finding, owner=event.owner, due=event.due)
        case FindingReclassified():
            change = Change(finding.state, event.by, event.reason, event.at)
            finding = replace(finding, severity=event.severity)
        case FindingMoved():
            change = Change(event.to_state, event.by, event.reason, event.at)
            if event.to_state == "fixed":
                finding = replace(finding, url=event.url, fixed_by=event.by)
        case FindingWaived():
            change = Change("waived", event.by, event.reason, event.at)
            finding = replace(finding, waiver=event, waivers=finding.waivers + 1)
        case FindingWaiverExpired():
            change = Change("open", "", "the waiver is over", event.at)
    return replace(finding, state=change.state, history=(*finding.history, change))
