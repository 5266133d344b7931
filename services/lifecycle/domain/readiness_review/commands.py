"""What can be asked of a readiness review."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.events import (
    Condition,
    FollowUp,
    FrameworkVersion,
    Model,
    Reviewer,
)
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.readiness_review.state import Review
from services.lifecycle.domain.review_template.checklist import Item, Severity
from services.lifecycle.domain.service.commands import Actor

FindingStep = Literal["start", "fix", "verify", "close", "reject", "reopen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Ask for a review; the fields are those of `ReviewRequested`.

    Args:
        service_phase: Where the service stands.
        items: What is asked.
        previous: The review that this one is a delta of.
        changed: Items and axes that are looked at anew in a delta review.
        finding_ids: Ids for the findings that go on in this review, by their ids in the previous one.
        tier: Of the service.
        policy: The numbers that hold.
    """

    review: str
    service: str
    number: int
    model: Model
    target_phase: Phase
    template: str
    template_version: int
    items: tuple[Item, ...]
    owner_team: str
    service_phase: Phase
    tier: int
    reviewers: tuple[Reviewer, ...]
    decides_blockers: str
    frameworks: tuple[FrameworkVersion, ...]
    previous: Review
    changed: tuple[str, ...]
    finding_ids: dict[str, str]
    supersedes: str
    policy: ReviewPolicy
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReviewers:
    """Let others review."""

    review: str
    reviewers: tuple[Reviewer, ...]
    decides_blockers: str
    policy: ReviewPolicy
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Go on to the next stage; *checks* are what the platform knows now."""

    review: str
    to: Literal["engagement", "analysis", "improvements"]
    checks: tuple[CheckResult, ...]
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """Answer the items that the platform knows about."""

    review: str
    checks: tuple[CheckResult, ...]
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that somebody gives; *at* is when it was so."""

    item: str
    verdict: Literal["met", "not_met", "not_applicable"]
    url: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Answer items, all of them or none."""

    review: str
    answers: tuple[Said, ...]
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Say that the service is ready, under *conditions* or none."""

    review: str
    conditions: tuple[Condition, ...]
    looked_at: str
    checks: tuple[CheckResult, ...]
    tier: int
    policy: ReviewPolicy
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetCondition:
    """Say that a condition is met, as a reviewer who does not own it."""

    review: str
    condition: str
    url: str
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """Say that the service is not ready, and what would make it so."""

    review: str
    guidance: str
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Give the review up."""

    review: str
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Go on with what follows an approval."""

    review: str
    to: FollowUp
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMajorChange:
    """Say that the service is not what was reviewed any more: the approval is over."""

    review: str
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Supersede:
    """A later review of the service was approved."""

    review: str
    superseded_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Lapse:
    """Say what has run out: the approval, conditions, waivers."""

    review: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFinding:
    """Record that something is not as it should be."""

    review: str
    finding: str
    item: str
    title: str
    text: str
    severity: Severity
    source: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """Give a finding to somebody, until a day."""

    review: str
    finding: str
    owner: str
    due: date
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reclassify:
    """Say how severe a finding is."""

    review: str
    finding: str
    severity: Severity
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveFinding:
    """Take a finding a step further, or open it again."""

    review: str
    finding: str
    step: FindingStep
    url: str
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waive:
    """Live with a finding until a time, because *control* is in place."""

    review: str
    finding: str
    control: str
    control_url: str
    until: datetime
    policy: ReviewPolicy
    by: Actor
    reason: str
    at: datetime


FindingCommand = OpenFinding | Triage | Reclassify | MoveFinding | Waive
Command = (
    Request
    | ChangeReviewers
    | Advance
    | Collect
    | Answer
    | Approve
    | MeetCondition
    | Decline
    | Withdraw
    | Follow
    | ReportMajorChange
    | Supersede
    | Lapse
    | FindingCommand
)
