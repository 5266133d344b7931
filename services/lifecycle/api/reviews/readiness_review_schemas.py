"""What comes in and goes out of readiness reviews."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from libs.web.schemas import Body, Name, Text
from services.lifecycle.api.reviews.review_template_schemas import Version
from services.lifecycle.api.reviews.review_verdict_schemas import ApprovalView, ReviewEndView, approval_view, end_view
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.decider import VERBS
from services.lifecycle.domain.readiness_review.events import (
    FollowUp,
    FrameworkVersion,
    Model,
    Reviewer,
)
from services.lifecycle.domain.readiness_review.next_steps import NextStep, next_steps
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.readiness_review.readiness import Missing, readiness
from services.lifecycle.domain.readiness_review.state import (
    Approved,
    Ended,
    ReviewState,
    Underway,
    state_of,
)


class ReviewerBody(Body):
    """Somebody who reviews, and for which team."""

    person: Name
    team: Name


class FrameworkBody(Body):
    """A framework that the service is built on."""

    name: Name
    version: Version


class ReviewersBody(Body):
    """Who reviews, and which of them decides what blocks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reviewers": [{"person": "bo", "team": "sre-core"}], "decides_blockers": "bo"}]
        }
    )

    reviewers: Annotated[list[ReviewerBody], Field(min_length=1, max_length=10)]
    decides_blockers: Name
    reason: Text = ""


class RequestReview(ReviewersBody):
    """A review to be held."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "service": "checkout-api",
                    "model": "simple",
                    "reviewers": [{"person": "bo", "team": "sre-core"}, {"person": "cy", "team": "sre-core"}],
                    "decides_blockers": "bo",
                    "reason": "before the launch in March",
                }
            ]
        }
    )

    service: Name
    model: Annotated[
        Model,
        Field(description="simple: launched, or taken over; early: designed or rewritten; framework: built on one."),
    ]
    target_phase: Annotated[Phase, Field(description="The phase that the service is to be ready for.")] = (
        Phase.GENERAL_AVAILABILITY
    )
    template: Name = "production-readiness"
    template_version: Annotated[int | None, Field(default=None, ge=1, description="The newest, unless given.")]
    frameworks: Annotated[list[FrameworkBody], Field(default_factory=list[FrameworkBody], max_length=20)]
    delta_of: Annotated[str | None, Field(default=None, description="The review whose answers are taken over.")]
    changed: Annotated[
        list[str],
        Field(default_factory=list[str], max_length=300, description="Items and axes that are looked at anew."),
    ]


@dataclass(frozen=True, slots=True)
class TemplateRef:
    """A version of a template."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class LimitView:
    """A number that holds here, and where it is from."""

    value: int
    source: str


@dataclass(frozen=True, slots=True)
class ReviewStepView:
    """When a review went on, and who took it there."""

    to: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReadinessView:
    """How far the service is from its phase; `answered` is no gate, `ready` is."""

    phase: Phase
    tier: int
    ready: bool
    blocking: int
    met: int
    not_applicable: int
    missing: tuple[Missing, ...]
    conditional: tuple[Missing, ...]
    blocking_findings: tuple[str, ...]
    conditional_findings: tuple[str, ...]
    answered: int
    items: int


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review; `next` is who must do what, and why; `allowed` are the verbs that are possible now."""

    id: str
    service: str
    number: int
    model: Model
    target_phase: Phase
    state: ReviewState
    follow_up: FollowUp | None
    template: TemplateRef
    owner_team: str
    reviewers: tuple[Reviewer, ...]
    decides_blockers: str
    frameworks: tuple[FrameworkVersion, ...]
    delta_of: str | None
    supersedes: str | None
    requested_by: str
    requested_at: datetime
    reason: str
    steps: tuple[ReviewStepView, ...]
    approval: ApprovalView | None
    end: ReviewEndView | None
    readiness: ReadinessView
    findings: dict[str, int]
    allowed: tuple[str, ...]
    next: tuple[NextStep, ...]
    limits: dict[str, LimitView]
    policy_version: str


def review_view(state: Underway | Approved | Ended, tier: int, policy: ReviewPolicy, at: datetime) -> ReviewView:
    """A review of a service of *tier* as it is answered at *at*."""
    record = state.record
    request = record.request
    found = readiness(record, request.target_phase, tier)
    counts: dict[str, int] = {}
    for finding in record.findings.values():
        counts[finding.state] = counts.get(finding.state, 0) + 1
    return ReviewView(
        id=request.review,
        service=request.service,
        number=request.number,
        model=request.model,
        target_phase=request.target_phase,
        state=state_of(state),
        follow_up=state.follow_up if isinstance(state, Approved) else None,
        template=TemplateRef(request.template, request.template_version),
        owner_team=request.owner_team,
        reviewers=record.reviewers,
        decides_blockers=record.decides_blockers,
        frameworks=request.frameworks,
        delta_of=request.delta_of or None,
        supersedes=request.supersedes or None,
        requested_by=request.by,
        requested_at=request.at,
        reason=request.reason,
        steps=tuple(ReviewStepView(each.to_stage, each.by, each.reason, each.at) for each in record.steps),
        approval=approval_view(state) if isinstance(state, Approved) else None,
        end=end_view(state),
        readiness=ReadinessView(
            phase=found.phase,
            tier=found.tier,
            ready=found.ready,
            blocking=found.blocking,
            met=found.met,
            not_applicable=found.not_applicable,
            missing=found.missing,
            conditional=found.conditional,
            blocking_findings=found.blocking_findings,
            conditional_findings=found.conditional_findings,
            answered=found.answered,
            items=found.items,
        ),
        findings=counts,
        allowed=VERBS[state_of(state)],
        next=next_steps(state, tier, policy, at),
        limits={
            "approval_days": LimitView(policy.approval.days, policy.approval.source),
            "condition_days": LimitView(policy.condition.days, policy.condition.source),
            "waiver_days": LimitView(policy.waiver.days, policy.waiver.source),
            "waivers": LimitView(policy.waivers.count, policy.waivers.source),
            "carried_days": LimitView(policy.carried.days, policy.carried.source),
            "reviewers": LimitView(policy.reviewers.count, policy.reviewers.source),
        },
        policy_version=request.policy_version,
    )
