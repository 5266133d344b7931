"""What the incidents service has said of each incident: how severe it is, and whether it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Text, or_, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.facts import OpenIncident
from services.lifecycle.projections.by_service import ByService


@dataclass(frozen=True, slots=True)
class _Incident:
    """What every event of an incident says."""

    incident: str
    number: str
    service: str
    severity: str
    at: datetime


class IncidentGoesOn(_Incident):
    """What is read of an event after which an incident is open."""


class IncidentIsOver(_Incident):
    """What is read of an event after which it is not."""


class IncidentIsGraded(_Incident):
    """What is read of an event after which it is as open as before, and of another severity."""


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("incident", Text, primary_key=True),
        Column("number", Text, nullable=False),
        Column("service", Text, nullable=False),
        Column("severity", Text, nullable=False),
        Column("is_open", Boolean, nullable=False),
        Column("event", Text, nullable=False),
        Column("at", Instant(), nullable=False),
    )


def _keys(event: _Incident, _: Recorded) -> Sequence[Key]:
    return ((event.incident,),)


def _told(_: Row | None, event: _Incident, recorded: Recorded, __: Key) -> Row:
    return {
        "incident": event.incident,
        "number": event.number,
        "service": event.service,
        "severity": event.severity,
        "is_open": isinstance(event, IncidentGoesOn),
        "event": str(recorded.event_id),
        "at": event.at,
    }


def _graded(row: Row | None, event: IncidentIsGraded, _: Recorded, __: Key) -> Row | None:
    return row and row | {"severity": event.severity}


FACTS_INCIDENTS: Final = Projection(
    name="facts_incidents",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.incidents.incident.declared.v1": IncidentGoesOn,
            "io.concordat.incidents.incident.acknowledged.v1": IncidentGoesOn,
            "io.concordat.incidents.incident.stage-changed.v1": IncidentGoesOn,
            "io.concordat.incidents.incident.mitigated.v1": IncidentGoesOn,
            "io.concordat.incidents.incident.reopened.v1": IncidentGoesOn,
            "io.concordat.incidents.incident.resolved.v1": IncidentIsOver,
            "io.concordat.incidents.incident.closed.v1": IncidentIsOver,
            "io.concordat.incidents.incident.cancelled.v1": IncidentIsOver,
            "io.concordat.incidents.incident.merged.v1": IncidentIsOver,
            "io.concordat.incidents.incident.severity-changed.v1": IncidentIsGraded,
        }
    ),
    folds={
        IncidentGoesOn: Fold(_keys, _told),
        IncidentIsOver: Fold(_keys, _told),
        IncidentIsGraded: Fold(_keys, _graded),
    },
    indexes=(("service", "is_open"),),
    sources=("incidents",),
)


_VIEW: Final = FACTS_INCIDENTS.view
_OPEN: Final = ByService.of(select(_VIEW).where(_VIEW.c.is_open).order_by(_VIEW.c.incident), _VIEW.c.service)


def incident_named(connection: Connection, name: str) -> str | None:
    """The id of the incident with this id or number; None: nothing was heard of it."""
    view = FACTS_INCIDENTS.view.c
    query = select(view.incident).where(or_(view.incident == name, view.number == name)).order_by(view.incident)
    return connection.execute(query.limit(1)).scalar_one_or_none()


def open_incidents(connection: Connection, *services: str) -> dict[str, list[OpenIncident]]:
    """The open incidents of *services*, of all when none is named, in the order they were declared."""
    found: dict[str, list[OpenIncident]] = {}
    for row in _OPEN.rows(connection, services):
        incident = OpenIncident(row["event"], row["number"], row["severity"], row["at"])
        found.setdefault(row["service"], []).append(incident)
    return found
