"""A readiness review's rules: every pair of state and command has one line below.

    requested > engagement > analysis > improvements > approved, with conditions or without > training > onboarding
    > continuous; declined and withdrawn from any of the first four; an approval expires, or a later one takes its place

Sources: SRE book ch. 32 (the models and stages); AWS operational readiness review (repeated each year, and on a major
change); Kubernetes production-readiness review (N/A needs a reason).
"""

from datetime import datetime

from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError, UnknownReferenceError
from services.lifecycle.domain.readiness_review.answering import answered, by_frameworks, carried, collected
from services.lifecycle.domain.readiness_review.commands import (
    Advance,
    Answer,
    Approve,
    ChangeReviewers,
    Collect,
    Command,
    Decline,
    Follow,
    Lapse,
    MeetCondition,
    MoveFinding,
    OpenFinding,
    Reclassify,
    ReportMajorChange,
    Request,
    Supersede,
    Triage,
    Waive,
    Withdraw,
)
from services.lifecycle.domain.readiness_review.errors import (
    CannotBeReviewedError,
    ConditionsError,
    FrameworksError,
    IllegalStepError,
    InvalidDueError,
    NothingAskedError,
    NotReadyError,
    UnknownPartError,
)
from services.lifecycle.domain.readiness_review.events import (
    ChecklistFixed,
    ConditionMet,
    ConditionOverdue,
    Event,
    FindingWaiverExpired,
    FollowUpBegun,
    ReviewAdvanced,
    ReviewApproved,
    ReviewDeclined,
    ReviewersChanged,
    ReviewExpired,
    ReviewRequested,
    ReviewSuperseded,
    ReviewWithdrawn,
)
from services.lifecycle.domain.readiness_review.findings import Found, about_finding, gone_on
from services.lifecycle.domain.readiness_review.readiness import Missing, readiness
from services.lifecycle.domain.readiness_review.rights import (
    Reviewers,
    require_decider,
    require_reviewer,
    require_reviewers,
    require_text,
)
from services.lifecycle.domain.readiness_review.state import (
    FOLLOW_UPS,
    STAGES,
    Approved,
    Ended,
    Record,
    Review,
    ReviewState,
    Underway,
    end_of,
    evolve,
    state_of,
)
from services.lifecycle.domain.review_template.checklist import Item

VERBS: dict[ReviewState, tuple[str, ...]] = {
    "requested": ("engage", "answer", "decline", "withdraw"),
    "engagement": ("analyze", "answer", "decline", "withdraw"),
    "analysis": ("improve", "answer", "decline", "withdraw"),
    "improvements": ("approve", "answer", "decline", "withdraw"),
    "approved": ("train", "onboard", "continue", "report-major-change"),
    "approved_with_conditions": ("conditions:meet", "train", "onboard", "continue", "report-major-change"),
    "expired": (),
    "declined": (),
    "withdrawn": (),
    "superseded": (),
}
_ENTERED_BY = {"engagement": "engage", "analysis": "analyze", "improvements": "improve"}
_FOLLOWED_BY = {"training": "train", "onboarding": "onboard", "continuous": "continue"}


def decide(command: Command, state: Review) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  a table
    """The facts *command* produces; none if it was already carried out.

    Raises:
        ReviewError: It is refused (`errors.py`).
        UnknownError: There is no such review.
    """
    if state is None:
        return _first(command)
    match state, command:
        case Underway() | Approved(), ChangeReviewers():
            return _reviewed_by(command, state)
        case Underway(), Advance():
            return _advanced(command, state)
        case Underway(), Collect():
            return collected(state.record, command.checks, command.at)
        case Underway(), Answer():
            return answered(state.record, command)
        case Underway(), Approve():
            return _approved(command, state)
        case Approved(approval=approval), Approve() if (approval.by, approval.conditions) == (
            command.by.name,
            command.conditions,
        ):
            return ()
        case Underway(), Decline():
            return _declined(command, state)
        case Ended(ending=ReviewDeclined(guidance=guidance)), Decline() if guidance == command.guidance:
            return ()
        case Underway(record), Withdraw():
            require_text(command.reason, "reason", "whoever asks for the next review wants to know why this one ended")
            request = record.request
            return (ReviewWithdrawn(request.review, request.service, command.by.name, command.reason, command.at),)
        case Ended(ending=ReviewWithdrawn()), Withdraw():
            return ()
        case Approved(), MeetCondition():
            return _met(command, state)
        case Approved(expired=None), Follow():
            return _followed(command, state)
        case Approved(), ReportMajorChange():
            return _outgrown(command, state)
        case Approved(), Supersede():
            request = state.record.request
            return (ReviewSuperseded(request.review, request.service, command.superseded_by, command.at),)
        case Underway() | Approved(), Lapse():
            return _lapsed(state, command.at)
        case Underway() | Ended(), Supersede():
            return ()
        case Ended(), Lapse():
            return ()
        case Underway() | Approved(), OpenFinding() | Triage() | Reclassify() | MoveFinding() | Waive():
            record = state.record
            found = Found(record.request.service, record.items, record.findings, Reviewers(record))
            return about_finding(command, found)
        case _, Request():
            raise RecordedOtherwiseError("readiness review", command.review)
        case _, _:
            raise IllegalStepError("review", state_of(state), _verb(command), VERBS[state_of(state)])


def _first(command: Command) -> tuple[Event, ...]:
    match command:
        case Request():
            return _requested(command)
        case Supersede() | Lapse():
            return ()
        case _:
            raise UnknownError("readiness review", command.review)


def _requested(command: Request) -> tuple[Event, ...]:
    policy = command.policy
    if command.service_phase not in policy.start.phases:
        raise CannotBeReviewedError(command.service, command.service_phase, policy.start.phases)
    require_reviewers(command.reviewers, command.decides_blockers, command.by.name, command.owner_team, policy)
    if (command.model == "framework") != bool(command.frameworks):
        raise FrameworksError(command.model)
    if not any(item.severity == "blocking" for item in command.items if _asked(command, item)):
        raise NothingAskedError(command.target_phase, command.tier or 1)
    requested = ReviewRequested(
        review=command.review,
        service=command.service,
        number=command.number,
        model=command.model,
        target_phase=command.target_phase,
        template=command.template,
        template_version=command.template_version,
        owner_team=command.owner_team,
        reviewers=command.reviewers,
        decides_blockers=command.decides_blockers,
        frameworks=command.frameworks,
        delta_of=command.previous.record.request.review if command.previous else "",
        supersedes=command.supersedes,
        policy_version=policy.version,
        by=command.by.name,
        reason=command.reason,
        at=command.at,
    )
    return (
        requested,
        ChecklistFixed(command.review, command.service, command.items),
        *by_frameworks(command),
        *carried(command),
        *gone_on(command),
    )


def _reviewed_by(command: ChangeReviewers, state: Underway | Approved) -> tuple[Event, ...]:
    record = state.record
    request = record.request
    require_reviewers(command.reviewers, command.decides_blockers, request.by, request.owner_team, command.policy)
    if (record.reviewers, record.decides_blockers) == (command.reviewers, command.decides_blockers):
        return ()
    if not command.by.is_person or command.by.name == record.request.by:
        # otherwise whoever wants the approval would choose who gives it, after hearing what they think
        require_reviewer(record, command.by)
    return (
        ReviewersChanged(
            request.review,
            request.service,
            command.reviewers,
            command.decides_blockers,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _advanced(command: Advance, state: Underway) -> tuple[Event, ...]:
    now, wanted = STAGES.index(state.stage), STAGES.index(command.to)
    if wanted == now:
        return ()
    if wanted != now + 1:
        raise IllegalStepError("review", state.stage, _verb(command), VERBS[state.stage])
    require_reviewer(state.record, command.by)
    request = state.record.request
    return (
        *collected(state.record, command.checks, command.at),
        ReviewAdvanced(
            request.review, request.service, state.stage, command.to, command.by.name, command.reason, command.at
        ),
    )


def _approved(command: Approve, state: Underway) -> tuple[Event, ...]:
    if state.stage != "improvements":
        raise IllegalStepError("review", state.stage, _verb(command), VERBS[state.stage])
    request = state.record.request
    require_decider(state.record, command.by, request.by)
    answers = collected(state.record, command.checks, command.at)
    record = _record_after(state, answers)
    found = readiness(record, request.target_phase, command.tier)
    if not found.ready:
        raise NotReadyError(found)
    if not record.findings:
        require_text(command.looked_at, "looked_at", "nothing was found, which is no all-clear; say what was looked at")
    _require_conditions(command, record, found.conditional, found.conditional_findings)
    return (
        *answers,
        ReviewApproved(
            review=request.review,
            service=request.service,
            conditions=command.conditions,
            looked_at=command.looked_at,
            expires_at=command.at + command.policy.approval.span,
            by=command.by.name,
            reason=command.reason,
            at=command.at,
        ),
    )


def _require_conditions(
    command: Approve, record: Record, items: tuple[Missing, ...], findings: tuple[str, ...]
) -> None:
    latest = (command.at + command.policy.condition.span).date()
    for index, condition in enumerate(command.conditions):
        place = f"/conditions/{index}"
        if condition.item and condition.item not in record.items:
            raise UnknownReferenceError("item", condition.item, f"{place[1:]}/item")
        if condition.finding and condition.finding not in record.findings:
            raise UnknownReferenceError("finding", condition.finding, f"{place[1:]}/finding")
        if not command.at.date() <= condition.due <= latest:
            raise InvalidDueError(condition.due, latest, command.policy.condition.source, f"{place}/due")
        if not {*record.people} - {condition.owner}:
            detail = f"{condition.owner} is the only reviewer, and nobody passes their own work; name another owner"
            raise ConditionsError(detail, f"{place}/owner")
    covered = {condition.item for condition in command.conditions}
    covered |= {condition.finding for condition in command.conditions}
    bare = [
        *(f"item {missing.item}" for missing in items if missing.item not in covered),
        *(f"finding {finding}" for finding in findings if finding not in covered),
    ]
    if bare:
        detail = f"conditional and not met: {', '.join(bare)}; name a condition with owner and due day for each"
        raise ConditionsError(detail)


def _met(command: MeetCondition, state: Approved) -> tuple[Event, ...]:
    request = state.record.request
    condition = next((each for each in state.approval.conditions if each.condition == command.condition), None)
    if condition is None:
        raise UnknownPartError("condition", command.condition)
    if command.condition in state.met:
        return ()
    require_reviewer(state.record, command.by, condition.owner)
    require_text(command.url, "url", "a condition is met by what can be seen")
    return (
        ConditionMet(
            request.review,
            request.service,
            command.condition,
            command.url,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _declined(command: Decline, state: Underway) -> tuple[Event, ...]:
    request = state.record.request
    require_decider(state.record, command.by)
    require_text(command.guidance, "guidance", "say what would make the service ready")
    return (
        ReviewDeclined(request.review, request.service, command.guidance, command.by.name, command.reason, command.at),
    )


def _followed(command: Follow, state: Approved) -> tuple[Event, ...]:
    if state.follow_up == command.to:
        return ()
    done = FOLLOW_UPS.index(state.follow_up) + 1 if state.follow_up else 0
    if FOLLOW_UPS.index(command.to) != done:
        allowed = [_FOLLOWED_BY[each] for each in FOLLOW_UPS[done : done + 1]]
        raise IllegalStepError("review", state.follow_up or "approved", _verb(command), allowed)
    require_reviewer(state.record, command.by)
    request = state.record.request
    return (FollowUpBegun(request.review, request.service, command.to, command.by.name, command.reason, command.at),)


def _outgrown(command: ReportMajorChange, state: Approved) -> tuple[Event, ...]:
    if state.expired:
        return ()
    require_text(command.reason, "reason", "say what has changed, so that the next review can look at that")
    request = state.record.request
    return (
        ReviewExpired(request.review, request.service, "major_change", command.reason, command.by.name, command.at),
    )


def _lapsed(state: Underway | Approved, at: datetime) -> tuple[Event, ...]:
    request = state.record.request
    events: list[Event] = [
        FindingWaiverExpired(request.review, request.service, name, at)
        for name, finding in state.record.findings.items()
        if finding.state == "waived" and finding.waiver and finding.waiver.until <= at
    ]
    if isinstance(state, Approved) and not state.expired:
        events += [
            ConditionOverdue(request.review, request.service, each.condition, each.owner, each.due, at)
            for each in state.unmet
            if each.condition not in state.overdue and end_of(each.due) <= at
        ]
        if state.approval.expires_at <= at:
            reason = f"approved on {state.approval.at.date().isoformat()}"
            events.append(ReviewExpired(request.review, request.service, "age", reason, "", at))
    return tuple(events)


def _record_after(state: Underway, events: tuple[Event, ...]) -> Record:
    after: Review = state
    for event in events:
        after = evolve(after, event)
    return after.record if after else state.record


def _asked(command: Request, item: Item) -> bool:
    return item.is_asked(command.target_phase, command.tier)


def _verb(command: Command) -> str:
    match command:
        case Advance():
            return _ENTERED_BY[command.to]
        case Follow():
            return _FOLLOWED_BY[command.to]
        case MeetCondition():
            return "conditions:meet"
        case ReportMajorChange():
            return "report-major-change"
        case _:
            return type(command).__name__.lower()
