"""What comes in and goes out of readiness reviews."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, HttpUrl

from libs.web.schemas import Body, Line, Moment, Name, Text
from services.lifecycle.api.review_template_schemas import Version
from services.lifecycle.domain.evaluation.events import Evidence
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.decider import VERBS
from services.lifecycle.domain.readiness_review.events import (
    FindingState,
    FollowUp,
    FrameworkVersion,
    ItemAnswered,
    Model,
    ReviewDeclined,
    Reviewer,
    ReviewSuperseded,
    ReviewWithdrawn,
    Verdict,
)
from services.lifecycle.domain.readiness_review.findings import VERBS as FINDING_VERBS
from services.lifecycle.domain.readiness_review.next_steps import NextStep, finding_step, next_steps
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.readiness_review.readiness import Missing, readiness
from services.lifecycle.domain.readiness_review.state import (
    Approved,
    Change,
    Ended,
    Finding,
    Record,
    ReviewState,
    Underway,
    state_of,
)
from services.lifecycle.domain.review_template.checklist import Item, Severity

Filled = Annotated[Text, Field(min_length=1)]


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


class Why(Body):
    """Why something is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "agreed in the kick-off of 3 March"}]})

    reason: Text = ""


class ConditionBody(Body):
    """What an approval depends on."""

    text: Filled
    owner: Name
    due: date
    item: Annotated[str, Field(description="The item that it brings in order.")] = ""
    finding: Annotated[str, Field(description="The finding that it brings in order.")] = ""


class ApproveReview(Why):
    """The service is ready, under conditions or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reason": "ready",
                    "conditions": [
                        {
                            "text": "play the disaster-recovery drill",
                            "owner": "ana",
                            "due": "2026-12-18",
                            "item": "recovery-practised",
                        }
                    ],
                }
            ]
        }
    )

    conditions: list[ConditionBody] = Field(default_factory=list[ConditionBody], max_length=50)
    looked_at: Annotated[Text, Field(description="What was examined; needed where nothing was found.")] = ""


class DeclineReview(Why):
    """The service is not ready."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"guidance": "split the shared database first", "reason": "no way back"}]}
    )

    guidance: Annotated[Text, Field(description="What would make it ready.")]


class MeetConditionBody(Why):
    """A condition is met, and where that can be seen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://wiki.example/drills/7"}]})

    url: HttpUrl


class AnswerBody(Body):
    """An answer to one item."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"verdict": "met", "url": "https://wiki.example/checkout/dependencies"}]}
    )

    verdict: Literal["met", "not_met", "not_applicable"]
    url: Annotated[HttpUrl | None, Field(default=None, description="Where to see it.")]
    note: Annotated[Text, Field(description="What was done, what is missing, or why it does not apply.")] = ""
    at: Annotated[Moment | None, Field(default=None, description="When it was so; now, unless given.")]


class ItemAnswerBody(AnswerBody):
    """An answer among several."""

    item: str


class AnswersBody(Body):
    """Several answers, stored together or not at all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "answers": [
                        {"item": "dependencies-known", "verdict": "met", "url": "https://wiki.example/7"},
                        {"item": "data-restored", "verdict": "not_applicable", "note": "it keeps no data"},
                    ]
                }
            ]
        }
    )

    answers: Annotated[list[ItemAnswerBody], Field(min_length=1, max_length=300)]


class OpenFindingBody(Body):
    """Something that is not as it should be."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Retries without a limit",
                    "text": "A slow payment provider is asked again without end; bound the retries, and back off.",
                    "severity": "blocking",
                    "item": "failure-of-each-dependency",
                }
            ]
        }
    )

    title: Line
    text: Filled
    severity: Severity
    item: Annotated[str, Field(description="The item of the checklist that it is about.")] = ""
    source: Annotated[Text, Field(description="What brought it to light, such as a chaos experiment.")] = ""


class TriageBody(Why):
    """Who has a finding, and until when."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"owner": "ana", "due": "2026-12-04"}]})

    owner: Name
    due: date


class ReclassifyBody(Why):
    """How severe a finding is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"severity": "conditional", "reason": "only batch jobs are hit"}]}
    )

    severity: Severity


class FixBody(Why):
    """Where a fix can be seen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://git.example/checkout/pull/42"}]})

    url: HttpUrl


class WaiveBody(Why):
    """Until when a finding is lived with, and what makes up for it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "control": "the queue is drained by hand each morning",
                    "control_url": "https://wiki.example/runbooks/drain",
                    "until": "2026-12-31T00:00:00Z",
                    "reason": "the new queue comes with the next release",
                }
            ]
        }
    )

    control: Annotated[Text, Field(min_length=1, description="What is in place already.")]
    control_url: HttpUrl
    until: Moment


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
class StepView:
    """When a review went on, and who took it there."""

    to: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A condition of an approval."""

    id: str
    text: str
    owner: str
    due: date
    item: str | None
    finding: str | None
    state: Literal["open", "met", "overdue"]
    url: str | None
    confirmed_by: str | None


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """Why a service counts as ready, and for how long."""

    by: str
    at: datetime
    reason: str
    looked_at: str
    expires_at: datetime
    conditions: tuple[ConditionView, ...]


@dataclass(frozen=True, slots=True)
class EndView:
    """Why a review lets nobody through any more."""

    by: str
    at: datetime
    reason: str
    guidance: str | None = None
    superseded_by: str | None = None


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
    steps: tuple[StepView, ...]
    approval: ApprovalView | None
    end: EndView | None
    readiness: ReadinessView
    findings: dict[str, int]
    allowed: tuple[str, ...]
    next: tuple[NextStep, ...]
    limits: dict[str, LimitView]
    policy_version: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer; of a check, with what it looked at."""

    verdict: Verdict
    url: str | None
    note: str
    evidence: tuple[Evidence, ...]
    by: str
    at: datetime
    carried_from: str | None


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item with its answer; `asked` says whether the review's phase and the service's tier ask for it."""

    item: Item
    asked: bool
    blocks: bool
    answer: AnswerView | None


@dataclass(frozen=True, slots=True)
class WaiverView:
    """Until when a finding is lived with, and what makes up for it."""

    control: str
    control_url: str
    until: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding; `next` is who must do what about it, `allowed` the verbs that are possible now."""

    id: str
    review: str
    service: str
    item: str | None
    title: str
    text: str
    severity: Severity
    state: FindingState
    owner: str | None
    due: date | None
    url: str | None
    waiver: WaiverView | None
    source: str
    carried_from: str | None
    opened_by: str
    opened_at: datetime
    history: tuple[Change, ...]
    allowed: tuple[str, ...]
    next: NextStep | None


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
        steps=tuple(StepView(each.to_stage, each.by, each.reason, each.at) for each in record.steps),
        approval=_approval(state) if isinstance(state, Approved) else None,
        end=_end(state),
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


def item_view(record: Record, item: Item, tier: int) -> ItemView:
    """An item with its answer as it is answered."""
    asked = item.is_asked(record.request.target_phase, tier)
    answer = record.answers.get(item.id)
    blocks = asked and item.severity == "blocking" and (answer is None or answer.verdict in {"not_met", "unknown"})
    return ItemView(item, asked, blocks, _answer(answer) if answer else None)


def finding_view(record: Record, finding: Finding) -> FindingView:
    """A finding as it is answered."""
    opened, waiver = finding.opened, finding.waiver
    return FindingView(
        id=opened.finding,
        review=opened.review,
        service=opened.service,
        item=opened.item or None,
        title=opened.title,
        text=opened.text,
        severity=finding.severity,
        state=finding.state,
        owner=finding.owner or None,
        due=finding.due,
        url=finding.url or None,
        waiver=WaiverView(waiver.control, waiver.control_url, waiver.until, waiver.by, waiver.reason)
        if waiver and finding.state == "waived"
        else None,
        source=opened.source,
        carried_from=opened.carried_from or None,
        opened_by=opened.by,
        opened_at=opened.at,
        history=finding.history,
        allowed=FINDING_VERBS[finding.state],
        next=finding_step(record, finding),
    )


def matching(findings: Iterable[Finding], states: list[FindingState], severities: list[Severity]) -> list[Finding]:
    """Those in any of *states* and of any of *severities*; nothing named takes all."""
    return [
        each
        for each in findings
        if (not states or each.state in states) and (not severities or each.severity in severities)
    ]


def _answer(answer: ItemAnswered) -> AnswerView:
    return AnswerView(
        verdict=answer.verdict,
        url=answer.url or None,
        note=answer.note,
        evidence=answer.evidence,
        by=answer.by,
        at=answer.at,
        carried_from=answer.carried_from or None,
    )


def _approval(state: Approved) -> ApprovalView:
    approval = state.approval
    conditions: list[ConditionView] = []
    for each in approval.conditions:
        met = state.met.get(each.condition)
        conditions.append(
            ConditionView(
                id=each.condition,
                text=each.text,
                owner=each.owner,
                due=each.due,
                item=each.item or None,
                finding=each.finding or None,
                state="met" if met else "overdue" if each.condition in state.overdue else "open",
                url=met.url if met else None,
                confirmed_by=met.by if met else None,
            )
        )
    return ApprovalView(
        approval.by, approval.at, approval.reason, approval.looked_at, approval.expires_at, tuple(conditions)
    )


def _end(state: Underway | Approved | Ended) -> EndView | None:
    match state:
        case Approved(expired=expired) if expired:
            return EndView(expired.by, expired.at, expired.reason)
        case Ended(ending=ReviewDeclined() as ending):
            return EndView(ending.by, ending.at, ending.reason, guidance=ending.guidance)
        case Ended(ending=ReviewWithdrawn() as ending):
            return EndView(ending.by, ending.at, ending.reason)
        case Ended(ending=ReviewSuperseded() as ending):
            return EndView("", ending.at, "a later review was approved", superseded_by=ending.superseded_by)
        case _:
            return None
