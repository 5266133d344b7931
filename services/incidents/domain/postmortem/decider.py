"""A postmortem's rules: draft > in_review > published; the review may be left out.

It is published when it has a title, a summary, an impact, and an action item or a reason why none is needed.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from services.incidents.domain.errors import AbsentError, IllegalTransitionError, PostmortemIncompleteError
from services.incidents.domain.incident.decider import Record
from services.incidents.domain.milestones import Figures, figures
from services.incidents.domain.postmortem.commands import AddAction, Amend, Command, Draft, Publish, Submit
from services.incidents.domain.postmortem.events import (
    Event,
    Origin,
    PostmortemActionAdded,
    PostmortemAmended,
    PostmortemDrafted,
    PostmortemPublished,
    PostmortemSubmitted,
    Sections,
)


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of a postmortem, whatever its state."""

    drafted: PostmortemDrafted
    sections: Sections
    authors: tuple[str, ...]
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drafted:
    """Being written."""

    name: ClassVar[Literal["draft"]] = "draft"
    allowed: ClassVar[tuple[str, ...]] = ("submit", "publish")

    content: Content


@dataclass(frozen=True, slots=True)
class InReview:
    """Being read by others."""

    name: ClassVar[Literal["in_review"]] = "in_review"
    allowed: ClassVar[tuple[str, ...]] = ("publish",)

    content: Content


@dataclass(frozen=True, slots=True)
class Published:
    """Everybody may learn from it."""

    name: ClassVar[Literal["published"]] = "published"
    allowed: ClassVar[tuple[str, ...]] = ()

    content: Content
    published: PostmortemPublished


Known = Drafted | InReview | Published
Postmortem = Known | None  # None: nothing drafted


def decide(command: Command, state: Postmortem) -> tuple[Event, ...]:  # noqa: PLR0911  this is the table
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such postmortem.
        IllegalTransitionError: Not in this state.
        PostmortemIncompleteError: It does not say enough to be published.
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
        case ((Drafted(content) | InReview(content)), Amend()):
            return _amended(content, command)
        case Drafted(), Submit():
            return (PostmortemSubmitted(by=command.by, reason=command.reason, at=command.at),)
        case ((Drafted(content) | InReview(content)), Publish()):
            return (_published(content, command),)
        case (InReview(), Submit()) | (Published(), Publish()):
            return ()
        case Published(), Amend(verb=verb) | Submit(verb=verb):
            raise IllegalTransitionError("postmortem", state.name, verb, state.allowed)


def evolve(state: Postmortem, event: Event) -> Postmortem:
    """The state after one more fact."""
    if isinstance(event, PostmortemDrafted):
        return Drafted(Content(event, Sections(title=event.title), (event.by,)))
    if state is None:
        return None
    match event:
        case PostmortemAmended(sections=sections, authors=authors):
            return replace(state, content=replace(state.content, sections=sections, authors=authors))
        case PostmortemActionAdded(action=action):
            return replace(state, content=replace(state.content, actions=(*state.content.actions, action)))
        case PostmortemSubmitted():
            return InReview(state.content)
        case PostmortemPublished():
            return Published(state.content, event)


def _drafted(command: Draft) -> tuple[Event, ...]:
    incident = command.incident
    took = figures(incident.milestones)
    origin = Origin(
        incident_version=command.incident_version,
        milestones=incident.milestones,
        figures=took,
        alerts=len(incident.alerts),
    )
    drafted = PostmortemDrafted(
        postmortem=command.postmortem,
        incident=incident.incident,
        number=incident.number,
        service=incident.service,
        title=incident.title,
        by=command.by,
        reason=command.reason,
        at=command.at,
        origin=origin,
    )
    sections = Sections(title=incident.title, summary=_summary(incident), impact=_impact(incident, took))
    return (drafted, PostmortemAmended(sections=sections, authors=(command.by,), by=command.by, at=command.at))


def _amended(content: Content, command: Amend) -> tuple[Event, ...]:
    sections = replace(content.sections, **command.sections)
    authors = content.authors if command.authors is None else command.authors
    if (sections, authors) == (content.sections, content.authors):
        return ()
    return (PostmortemAmended(sections=sections, authors=authors, by=command.by, at=command.at),)


def _published(content: Content, command: Publish) -> PostmortemPublished:
    sections = content.sections
    missing = [name for name in ("title", "summary", "impact") if not getattr(sections, name).strip()]
    if not content.actions and not sections.no_action_reason.strip():
        missing.append("no_action_reason")
    if missing:
        raise PostmortemIncompleteError(missing)
    drafted = content.drafted
    return PostmortemPublished(
        postmortem=drafted.postmortem,
        incident=drafted.incident,
        number=drafted.number,
        service=drafted.service,
        title=sections.title,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )


def _summary(incident: Record) -> str:
    times = incident.milestones
    ended = f"was resolved at {times.resolved:%Y-%m-%d %H:%M} UTC" if times.resolved else "is not resolved yet"
    return (
        f"{incident.number} ({incident.severity}) on {incident.service}: {incident.title}. The impact started at"
        f" {times.impact_started:%Y-%m-%d %H:%M} UTC; the incident {ended}."
    )


def _impact(incident: Record, took: Figures) -> str:
    spans = (
        ("detected", took.to_detect_s),
        ("mitigated", took.to_mitigate_s),
        ("resolved", took.to_resolve_s),
    )
    reached = [f"{name} {_minutes(seconds)} after the impact started" for name, seconds in spans if seconds is not None]
    return f"{'; '.join(reached)}. {len(incident.alerts)} alert(s) belonged to it.".capitalize()


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds} s"  # noqa: PLR2004  seconds of a minute
