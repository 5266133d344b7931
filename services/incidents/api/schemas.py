"""What is sent to and answered by incidents.

Bodies are pydantic models; answers are dataclasses, so that one thing looks the same alone (folded from its stream,
written by msgspec) and in a list (read from a projection).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, StrictBool

from libs.web.schemas import Body, Line, Moment, Name, Text, example
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.incident.decider import Active, Incident
from services.incidents.domain.incident.events import Severity, Stage

T = TypeVar("T")

IncidentState = Literal["triage", "active", "mitigated", "resolved", "closed", "cancelled"]


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
