"""What happens to a readiness review."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.lifecycle.domain.evaluation.events import Evidence
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.review_template.checklist import Item, Severity

Model = Literal["simple", "early", "framework"]
Stage = Literal["requested", "engagement", "analysis", "improvements"]
FollowUp = Literal["training", "onboarding", "continuous"]
Verdict = Literal["met", "not_met", "not_applicable", "unknown", "waived"]
FindingState = Literal["open", "triaged", "in_progress", "fixed", "verified", "closed", "waived", "rejected"]
Cause = Literal["age", "major_change"]


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who reviews, for which team, and whether that is another one than the service's."""

    person: str
    team: str
    outside: bool


@dataclass(frozen=True, slots=True)
class FrameworkVersion:
    """A framework that the service is built on."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What an approval depends on: an item or a finding that somebody brings in order until a day."""

    condition: str
    text: str
    owner: str
    due: date
    item: str = ""
    finding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequested:
    """A review was asked for.

    Args:
        review: Its id.
        service: What is reviewed.
        number: Which review of the service it is, from 1.
        model: `simple` (launched, or taken over), `early` (designed or rewritten), `framework` (built on one).
        target_phase: The phase that the service is to be ready for.
        template: The checklist.
        template_version: Of the checklist; a later one does not change this review.
        owner_team: The development team whose service it is.
        reviewers: Who reviews.
        decides_blockers: Which of them says what blocks.
        frameworks: What the service is built on.
        delta_of: The earlier review whose answers it takes over, or empty.
        supersedes: The approved review that ends when this one is approved, or empty.
        policy_version: Of the numbers that hold.
        by: Who asked.
        reason: Why.
        at: When.
    """

    review: str
    service: str
    number: int
    model: Model
    target_phase: Phase
    template: str
    template_version: int
    owner_team: str
    reviewers: tuple[Reviewer, ...]
    decides_blockers: str
    frameworks: tuple[FrameworkVersion, ...]
    delta_of: str
    supersedes: str
    policy_version: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChecklistFixed:
    """The items of a review, as its template had them when it was asked for."""

    review: str
    service: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class ReviewersChanged:
    """Others review from now on."""

    review: str
    service: str
    reviewers: tuple[Reviewer, ...]
    decides_blockers: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReviewAdvanced:
    """A review went on to its next stage."""

    review: str
    service: str
    from_stage: Stage
    to_stage: Stage
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAnswered:
    """An item was answered, by people or by what the platform knows.

    Args:
        review: Which review.
        service: Of which service.
        item: Which item.
        axis: Of the item.
        severity: Of the item.
        verdict: `met`, `not_met`, `not_applicable`; `unknown` and `waived` come from gate checks.
        url: Where to see it.
        note: What was done, what is missing, why it does not apply; of a check, what it found.
        evidence: What the check looked at.
        carried_from: The earlier review that the answer is from, or empty.
        by: Who says so.
        at: Of when the answer is.
    """

    review: str
    service: str
    item: str
    axis: str
    severity: Severity
    verdict: Verdict
    url: str
    note: str
    evidence: tuple[Evidence, ...]
    carried_from: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewApproved:
    """A service is ready, as far as the conditions are met.

    Args:
        review: Which review.
        service: Of which service.
        conditions: What it depends on; none: it is simply approved.
        looked_at: What was examined where nothing was found; empty when there were findings.
        expires_at: When it is over.
        by: Who decided.
        reason: Why.
        at: When.
    """

    review: str
    service: str
    conditions: tuple[Condition, ...]
    looked_at: str
    expires_at: datetime
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConditionMet:
    """A condition of an approval was met."""

    review: str
    service: str
    condition: str
    url: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConditionOverdue:
    """The day of a condition has passed: the approval lets nobody through until it is met."""

    review: str
    service: str
    condition: str
    owner: str
    due: date
    at: datetime


@dataclass(frozen=True, slots=True)
class ReviewDeclined:
    """A service is not ready; *guidance* says what would make it so."""

    review: str
    service: str
    guidance: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReviewWithdrawn:
    """A review was given up."""

    review: str
    service: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FollowUpBegun:
    """What follows an approval went on: training of those who will run it, taking it over, looking after it."""

    review: str
    service: str
    step: FollowUp
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReviewExpired:
    """An approval is over: it is too old, or the service is not what was reviewed any more."""

    review: str
    service: str
    because: Cause
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReviewSuperseded:
    """A later review of the service was approved."""

    review: str
    service: str
    superseded_by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingOpened:
    """Something was found that is not as it should be.

    Args:
        review: In which review.
        service: Of which service.
        finding: Its id.
        item: The item that it is about, or empty.
        title: What people read in lists.
        text: What is wrong, and what would be right.
        severity: As of items.
        source: What brought it to light, such as a chaos experiment.
        carried_from: The finding of an earlier review that it goes on from, or empty.
        owner: Of a finding that goes on; empty until somebody has it.
        due: Of a finding that goes on.
        by: Who found it.
        at: When.
    """

    review: str
    service: str
    finding: str
    item: str
    title: str
    text: str
    severity: Severity
    source: str
    carried_from: str
    owner: str
    due: date | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FindingTriaged:
    """Somebody has a finding, until a day."""

    review: str
    service: str
    finding: str
    owner: str
    due: date
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FindingReclassified:
    """The one who decides blockers said how severe a finding is."""

    review: str
    service: str
    finding: str
    severity: Severity
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FindingMoved:
    """A finding went on: `in_progress`, `fixed` (with evidence), `verified`, `closed`, `rejected`, or `open` again."""

    review: str
    service: str
    finding: str
    from_state: FindingState
    to_state: FindingState
    url: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FindingWaived:
    """A finding is lived with until a time, because a control that is in place makes up for it."""

    review: str
    service: str
    finding: str
    control: str
    control_url: str
    until: datetime
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FindingWaiverExpired:
    """The waiver of a finding is over: the finding is open again."""

    review: str
    service: str
    finding: str
    at: datetime


FindingEvent = (
    FindingOpened | FindingTriaged | FindingReclassified | FindingMoved | FindingWaived | FindingWaiverExpired
)
Event = (
    ReviewRequested
    | ChecklistFixed
    | ReviewersChanged
    | ReviewAdvanced
    | ItemAnswered
    | ReviewApproved
    | ConditionMet
    | ConditionOverdue
    | ReviewDeclined
    | ReviewWithdrawn
    | FollowUpBegun
    | ReviewExpired
    | ReviewSuperseded
    | FindingEvent
)
