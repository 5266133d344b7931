"""A postmortem's rules: draft > in_review > approved > published, by both sides; reopened it is a draft again.

It is published when it says enough, when an action item or a reason why none is needed follows, and when SRE and
product engineering approved what it says. Without their approval it needs a reason, and a policy that lets it.
"""

from dataclasses import replace
from typing import Any, TypeVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.errors import (
    AbsentError,
    IllegalTransitionError,
    PostmortemIncompleteError,
    ReasonMissingError,
)
from services.incidents.domain.postmortem.commands import (
    AddAction,
    Amend,
    Approve,
    Command,
    Draft,
    Publish,
    Reopen,
    RequestChanges,
    Submit,
)
from services.incidents.domain.postmortem.drafting import origin_of, sections_of
from services.incidents.domain.postmortem.errors import (
    NoReviewerError,
    ReviewMissingError,
    SideMissingError,
    TimelineOrderError,
)
from services.incidents.domain.postmortem.events import (
    Event,
    Moment,
    PostmortemActionAdded,
    PostmortemAmended,
    PostmortemChangesRequested,
    PostmortemDrafted,
    PostmortemFact,
    PostmortemPublished,
    PostmortemReopened,
    PostmortemSideApproved,
    PostmortemStep,
    PostmortemSubmitted,
    Sections,
    Side,
)
from services.incidents.domain.postmortem.state import (
    SIDES,
    Approved,
    Content,
    Drafted,
    InReview,
    Postmortem,
    Published,
)

F = TypeVar("F", bound=PostmortemFact | PostmortemStep)


def decide(command: Command, state: Postmortem) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  this is the table
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such postmortem.
        IllegalTransitionError: Not in this state.
        PostmortemIncompleteError: It does not say enough to be published.
        ReviewMissingError: A side has not approved it.
        NoReviewerError: Who asks may not approve it.
        SideMissingError: It is not said for which side.
        TimelineOrderError: The timeline is not in the order of its times.
        ReasonMissingError: What is asked needs a reason.
    """
    match state, command:
        case None, Draft():
            return _drafted(command)
        case None, _:
            raise AbsentError("postmortem")
        case _, Draft():
            return ()
        case _, AddAction(action=action):
            known = action in state.content.actions
            return () if known else (PostmortemActionAdded(action=action, by=command.by, at=command.at),)
        case Drafted(content), Amend():
            return _amended(content, command)
        case InReview(content), Amend():
            return _read_anew(content, command)
        case Drafted(content), Submit():
            return (_submitted(content, command),)
        case InReview(content), Submit(reviewers=reviewers) if reviewers and reviewers != content.reviewers:
            return (_submitted(content, command),)
        case InReview(content), Approve():
            return _approved(content, command)
        case ((InReview() | Approved()), RequestChanges()):
            _reason(command)
            return (_step(PostmortemChangesRequested, state.content, command),)
        case ((Drafted(content) | InReview(content) | Approved(content)), Publish()):
            return (_published(content, command),)
        case ((Approved(content) | Published(content)), Reopen()):
            _reason(command)
            return (_fact(PostmortemReopened, content, command),)
        case (InReview(), Submit()) | (Published(), Publish()) | (Drafted(), Reopen() | RequestChanges()):
            return ()
        case Approved(content), Approve(by=by) if any(each.by == by for each in content.approvals):
            return ()
        case _, Amend() | Submit() | Approve() | RequestChanges() | Reopen():
            raise IllegalTransitionError("postmortem", state.name, command.verb, state.allowed)


def evolve(state: Postmortem, event: Event) -> Postmortem:  # noqa: PLR0911  one line per kind of event
    """The state after one more fact."""
    if isinstance(event, PostmortemDrafted):
        return Drafted(Content(event, Sections(title=event.title), (event.by,)))
    if state is None:
        return None
    content = state.content
    match event:
        case PostmortemAmended(sections=sections, authors=authors):
            return replace(state, content=replace(content, sections=sections, authors=authors, approvals=()))
        case PostmortemActionAdded(action=action):
            return replace(state, content=replace(content, actions=(*content.actions, action)))
        case PostmortemSubmitted(reviewers=reviewers):
            return InReview(replace(content, reviewers=reviewers, approvals=()))
        case PostmortemSideApproved(complete=complete):
            after = replace(content, approvals=(*content.approvals, event))
            return Approved(after) if complete else InReview(after)
        case PostmortemChangesRequested() | PostmortemReopened():
            return Drafted(replace(content, approvals=()))
        case PostmortemPublished():
            return Published(content, event)


def _drafted(command: Draft) -> tuple[Event, ...]:
    incident = command.incident
    drafted = PostmortemDrafted(
        postmortem=command.postmortem,
        incident=incident.incident,
        number=incident.number,
        service=incident.service,
        title=incident.title,
        by=command.by,
        reason=command.reason,
        at=command.at,
        origin=origin_of(command),
    )
    amended = PostmortemAmended(
        sections=sections_of(command), authors=(command.by,), by=command.by, reason=command.reason, at=command.at
    )
    return (drafted, amended)


def _amended(content: Content, command: Amend) -> tuple[Event, ...]:
    sections = replace(content.sections, **command.sections)
    authors = content.authors if command.authors is None else command.authors
    if (sections, authors) == (content.sections, content.authors):
        return ()
    if sections.timeline != content.sections.timeline:
        _check(sections.timeline, command)
    amended = PostmortemAmended(sections=sections, authors=authors, by=command.by, reason=command.reason, at=command.at)
    return (amended,)


def _read_anew(content: Content, command: Amend) -> tuple[Event, ...]:
    """While others read it: whoever approved it, or is its author now, reads something else than before."""
    amended = _amended(content, command)
    authors = content.authors if command.authors is None else command.authors
    if not amended or not (content.approvals or authors != content.authors):
        return amended
    asked = _step(PostmortemSubmitted, replace(content, authors=authors), command, reviewers=content.reviewers)
    return (*amended, asked)


def _check(timeline: tuple[Moment, ...], command: Amend) -> None:
    for index, moment in enumerate(timeline):
        if moment.at > command.at:
            raise TimelineOrderError(index, f"{moment.at.isoformat()} cannot lie in the future")
        if index and moment.at < timeline[index - 1].at:
            rule = f"{moment.at.isoformat()} lies before the entry in front of it; send the entries in their order"
            raise TimelineOrderError(index, rule)


def _submitted(content: Content, command: Submit) -> PostmortemSubmitted:
    for index, reviewer in enumerate(command.reviewers):
        place = f"/reviewers/{index}/person"
        if reviewer.person in content.authors:
            raise NoReviewerError(reviewer.person, "is an author; name somebody else", place)
        if any(reviewer.person == other.person for other in command.reviewers[:index]):
            raise NoReviewerError(reviewer.person, "stands here twice; each side has its own reviewers", place)
    return _step(PostmortemSubmitted, content, command, reviewers=command.reviewers)


def _approved(content: Content, command: Approve) -> tuple[Event, ...]:
    by = command.by
    side = _side(content, command)
    if any((each.by, each.side) == (by, side) for each in content.approvals):
        return ()
    if not command.is_person:
        raise NoReviewerError(by, "is a machine; a person approves what was read")
    if by in content.authors:
        raise NoReviewerError(by, "is an author; somebody else approves it")
    if any(each.by == by for each in content.approvals):
        raise NoReviewerError(by, "approved it for the other side; each side approves by its own people")
    if command.belongs_to not in {None, side}:
        raise NoReviewerError(by, f"belongs to the side {command.belongs_to}; {side} approves by its own people")
    named = [each.person for each in content.reviewers if each.side == side]
    if named and by not in named:
        raise NoReviewerError(by, f"was not asked; for {side} it is reviewed by {', '.join(named)}")
    if side not in content.missing_sides:
        return ()
    missing = tuple(each for each in content.missing_sides if each != side)
    return (_step(PostmortemSideApproved, content, command, side=side, complete=not missing, missing=missing),)


def _side(content: Content, command: Approve) -> Side:
    if command.side is not None:
        return command.side
    for each in content.reviewers:
        if each.person == command.by:
            return each.side
    if command.belongs_to is not None:
        return command.belongs_to
    raise SideMissingError(SIDES)


def _published(content: Content, command: Publish) -> PostmortemPublished:
    sections = content.sections
    missing = [name for name in content.drafted.origin.required if not _says(getattr(sections, name, ""))]
    if not content.actions and not sections.no_action_reason.strip():
        missing.append("no_action_reason")
    if missing:
        raise PostmortemIncompleteError(missing)
    sides = content.missing_sides
    if sides and not (command.may_skip_review and command.reason.strip()):
        raise ReviewMissingError(sides, may_be_skipped=command.may_skip_review)
    return _fact(PostmortemPublished, content, command, reviewed=not sides, causes=sections.causes)


def _says(value: object) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def _reason(command: RequestChanges | Reopen) -> None:
    if not command.reason.strip():
        raise ReasonMissingError(command.verb)


def _step(event: type[F], content: Content, command: Asked, **more: Any) -> F:  # noqa: ANN401  the event's own fields
    return _fact(event, content, command, authors=content.authors, **more)


def _fact(event: type[F], content: Content, command: Asked, **more: Any) -> F:  # noqa: ANN401  the event's own fields
    drafted = content.drafted
    return event(
        postmortem=drafted.postmortem,
        incident=drafted.incident,
        number=drafted.number,
        service=drafted.service,
        title=content.sections.title,
        by=command.by,
        reason=command.reason,
        at=command.at,
        **more,
    )
