"""What is sent to and answered by incidents.

Bodies are pydantic models; answers are dataclasses, so that one thing looks the same alone (folded from its stream,
written by msgspec) and in a list (read from a projection).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StrictBool

from libs.web.schemas import Body, Line, Moment, Name, Text, example
from services.incidents.domain.action.decider import Action, Completed, Dropped, is_overdue
from services.incidents.domain.action.events import Kind, Priority
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.incident.decider import Active, Incident
from services.incidents.domain.incident.events import Severity, Stage
from services.incidents.domain.milestones import Figures
from services.incidents.domain.postmortem.decider import Postmortem, Published

T = TypeVar("T")

IncidentState = Literal["triage", "active", "mitigated", "resolved", "closed", "cancelled"]
PostmortemState = Literal["draft", "in_review", "published"]
ActionState = Literal["open", "in_progress", "completed", "dropped"]


Label = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")]
Reference = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]


class Why(Body):
    """Why it is done."""

    model_config = example(reason="rolled back")

    reason: Text = ""


class Resolution(Why):
    """Why it is over; *force* goes ahead while alerts fire, and needs a reason."""

    model_config = example(force=True, reason="the alert needs an hour to see that it is over")

    force: StrictBool = False


class Classification(Why):
    """Of what class of outage it is: the word that others of its kind have, such as an antipattern's name."""

    model_config = example(outage_class="retry-storm", reason="clients retried without a limit")

    outage_class: Label


class Declaration(Why):
    """Something is wrong; the times default to the moment of declaring."""

    model_config = example(title="Checkout fails", service="checkout-api", severity="sev2")

    title: Line
    service: Name
    severity: Severity
    impact_started: Moment | None = None
    detected: Moment | None = None


class Times(Why):
    """Better times for what was reached; those left out stay."""

    model_config = example(impact_started="2026-11-21T09:40:00Z", reason="the graph shows it")

    impact_started: Moment | None = None
    detected: Moment | None = None
    declared: Moment | None = None
    acknowledged: Moment | None = None
    mitigated: Moment | None = None
    resolved: Moment | None = None
    closed: Moment | None = None


class Entry(Body):
    """What somebody wants to see in the timeline; it happened now unless it says when."""

    model_config = example(text="Roll back to the release before.", kind="decision", starred=True)

    text: Annotated[Text, Field(min_length=1)]
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = "note"
    occurred_at: Moment | None = None
    starred: StrictBool = False


class Draft(Why):
    """Which incident to look back at: its number or its id."""

    model_config = example(incident="INC-42")

    incident: Reference


class Amendment(Body):
    """A merge patch of what a postmortem says; null empties a section."""

    model_config = example(root_causes="A queue without a limit.", trigger="A deployment.")

    title: Line | None = None
    authors: Annotated[list[Label], Field(max_length=50)] | None = None
    summary: Text | None = None
    impact: Text | None = None
    root_causes: Text | None = None
    trigger: Text | None = None
    detection: Text | None = None
    response: Text | None = None
    resolution: Text | None = None
    vulnerabilities: Text | None = None
    went_well: Text | None = None
    went_wrong: Text | None = None
    got_lucky: Text | None = None
    supporting_information: Text | None = None
    glossary: Text | None = None
    no_action_reason: Text | None = None


class Task(Why):
    """What somebody shall do by a day, and which postmortem it follows from."""

    model_config = example(
        postmortem="019aa5f0-1c00-7b20-8a3b-5d6e7f801234",
        title="Limit the queue",
        owner="ana",
        type="prevent",
        priority="P1",
        due="2026-12-24",
    )

    postmortem: Reference
    title: Line
    owner: Label
    type: Kind
    priority: Priority
    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAnswer:
    """An incident; `stage` only while it is active."""

    id: str
    number: str
    title: str
    service: str
    severity: Severity
    state: IncidentState
    stage: Stage | None
    declared_by: str
    acknowledged_by: str
    outage_class: str
    alerts: list[str]
    alerts_firing: list[str]
    impact_started: datetime
    detected: datetime
    declared: datetime
    acknowledged: datetime | None
    mitigated: datetime | None
    resolved: datetime | None
    closed: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAnswer:
    """One thing that happened, or that somebody wrote down."""

    id: str
    kind: str
    text: str
    author: str
    source: Literal["system", "person"]
    starred: bool
    occurred_at: datetime
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All that happened to an incident, in order; one page holds it."""

    items: list[EntryAnswer]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemItem:
    """What a postmortem is about."""

    id: str
    incident: str
    number: str
    service: str
    title: str
    state: PostmortemState
    authors: list[str]
    actions: list[str]
    drafted_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemAnswer(PostmortemItem):
    """A postmortem whole; sections are Markdown, `timeline` is where the incident's stands."""

    timeline: str
    figures: Figures
    alerts: int
    summary: str
    impact: str
    root_causes: str
    trigger: str
    detection: str
    response: str
    resolution: str
    vulnerabilities: str
    went_well: str
    went_wrong: str
    got_lucky: str
    supporting_information: str
    glossary: str
    no_action_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionAnswer:
    """An action item; `overdue` is as of the day it is read."""

    id: str
    postmortem: str
    incident: str
    service: str
    title: str
    owner: str
    type: Kind
    priority: Priority
    state: ActionState
    due: date
    overdue: bool
    opened_at: datetime
    ended_at: datetime | None


def of_row(answer: type[T], row: Mapping[Any, Any], **computed: object) -> T:
    """A projection's row as *answer*, whose fields are columns or *computed*."""
    names = (field.name for field in fields(answer))  # pyright: ignore[reportArgumentType]  every answer is a dataclass
    return answer(**{name: computed[name] if name in computed else row[name] for name in names})


def incident_answer(incident: Incident) -> IncidentAnswer:
    """The incident as it is answered.

    Raises:
        AbsentError: There is none.
    """
    if incident is None:
        raise AbsentError("incident")
    record = incident.record
    return IncidentAnswer(
        id=record.incident,
        number=record.number,
        title=record.title,
        service=record.service,
        severity=record.severity,
        state=incident.name,
        stage=incident.stage if isinstance(incident, Active) else None,
        declared_by=record.declared_by,
        acknowledged_by=record.acknowledged_by,
        outage_class=record.outage_class,
        alerts=list(record.alerts),
        alerts_firing=list(record.firing),
        **asdict(record.milestones),
    )


def postmortem_answer(postmortem: Postmortem) -> PostmortemAnswer:
    """The postmortem as it is answered.

    Raises:
        AbsentError: There is none.
    """
    if postmortem is None:
        raise AbsentError("postmortem")
    content = postmortem.content
    drafted = content.drafted
    return PostmortemAnswer(
        id=drafted.postmortem,
        incident=drafted.incident,
        number=drafted.number,
        service=drafted.service,
        state=postmortem.name,
        authors=list(content.authors),
        actions=list(content.actions),
        drafted_at=drafted.at,
        published_at=postmortem.published.at if isinstance(postmortem, Published) else None,
        timeline=f"/v1/incidents/{drafted.incident}/timeline",
        figures=drafted.origin.figures,
        alerts=drafted.origin.alerts,
        **asdict(content.sections),
    )


def action_answer(action: Action, today: date) -> ActionAnswer:
    """The action item as it is answered on *today*.

    Raises:
        AbsentError: There is none.
    """
    if action is None:
        raise AbsentError("action")
    opened = action.opened
    return ActionAnswer(
        id=opened.action,
        postmortem=opened.postmortem,
        incident=opened.incident,
        service=opened.service,
        title=opened.title,
        owner=opened.owner,
        type=opened.type,
        priority=opened.priority,
        state=action.name,
        due=opened.due,
        overdue=is_overdue(action.name, opened.due, today),
        opened_at=opened.at,
        ended_at=action.ended_at if isinstance(action, Completed | Dropped) else None,
    )
