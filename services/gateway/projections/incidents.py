"""Incidents, and whether they still need somebody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, RowMapping, Text, bindparam, func, or_, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry

OPEN: Final = ("triage", "active", "mitigated")  # the states in which somebody still has work


@dataclass(frozen=True, slots=True)
class Declared:
    """What is read of a declaration."""

    incident: str
    number: str
    service: str
    title: str
    severity: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Fact:
    """What is read of every later event."""

    incident: str
    severity: str
    at: datetime


class Taken(_Fact):
    """Somebody works on it: acknowledged, at another stage, or reopened."""


class Mitigated(_Fact):
    """Users feel it no more."""


class Resolved(_Fact):
    """It is over."""


class Closed(_Fact):
    """Nothing is left to do."""


class Cancelled(_Fact):
    """It was a false alarm."""


class Merged(_Fact):
    """It is a part of another."""


class SeverityChanged(_Fact):
    """It is more or less severe than was thought."""


@dataclass(frozen=True, slots=True)
class Affected:
    """A service beside its own that users feel it in."""

    service: str


@dataclass(frozen=True, slots=True)
class ImpactChanged:
    """What is read when it affects other services."""

    incident: str
    affected: tuple[Affected, ...]


@dataclass(frozen=True, slots=True)
class Amended:
    """What is read when it is called otherwise."""

    incident: str
    title: str


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("incident", Text, primary_key=True),
        Column("number", Text, nullable=False),
        Column("service", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("severity", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("declared_at", Instant(), nullable=False),
        Column("state_since", Instant(), nullable=False),
        Column("affected", Json(), nullable=False),
    )


def _keys(event: Declared | Amended | ImpactChanged | _Fact, _: Recorded) -> Sequence[Key]:
    return ((event.incident,),)


def _declared(_: Row | None, event: Declared, __: Recorded, ___: Key) -> Row:
    at = event.at
    return {
        "incident": event.incident,
        "number": event.number,
        "service": event.service,
        "title": event.title,
        "severity": event.severity,
        "state": "triage",
        "declared_at": at,
        "state_since": at,
        "affected": [],
    }


def _now(state: str) -> Callable[[Row | None, _Fact, Recorded, Key], Row | None]:
    def apply(row: Row | None, event: _Fact, _: Recorded, __: Key) -> Row | None:
        since = row["state_since"] if row and row["state"] == state else event.at
        return row and row | {"state": state, "severity": event.severity, "state_since": since}

    return apply


def _graded(row: Row | None, event: SeverityChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {"severity": event.severity}


def _affects(row: Row | None, event: ImpactChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {"affected": [each.service for each in event.affected]}


def _amended(row: Row | None, event: Amended, _: Recorded, __: Key) -> Row | None:
    return row and row | {"title": event.title}


INCIDENTS: Final = Projection(
    name="incidents",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.incidents.incident.declared.v1": Declared,
            "io.concordat.incidents.incident.acknowledged.v1": Taken,
            "io.concordat.incidents.incident.stage-changed.v1": Taken,
            "io.concordat.incidents.incident.mitigated.v1": Mitigated,
            "io.concordat.incidents.incident.resolved.v1": Resolved,
            "io.concordat.incidents.incident.closed.v1": Closed,
            "io.concordat.incidents.incident.cancelled.v1": Cancelled,
            "io.concordat.incidents.incident.reopened.v1": Taken,
            "io.concordat.incidents.incident.merged.v1": Merged,
            "io.concordat.incidents.incident.severity-changed.v1": SeverityChanged,
            "io.concordat.incidents.incident.amended.v1": Amended,
            "io.concordat.incidents.incident.impact-changed.v1": ImpactChanged,
        }
    ),
    folds={
        Declared: Fold(_keys, _declared),
        Taken: Fold(_keys, _now("active")),
        Mitigated: Fold(_keys, _now("mitigated")),
        Resolved: Fold(_keys, _now("resolved")),
        Closed: Fold(_keys, _now("closed")),
        Cancelled: Fold(_keys, _now("cancelled")),
        Merged: Fold(_keys, _now("merged")),
        SeverityChanged: Fold(_keys, _graded),
        Amended: Fold(_keys, _amended),
        ImpactChanged: Fold(_keys, _affects),
    },
    sources=("incidents",),
    indexes=(("service", "state"),),
)


def incident_named(connection: Connection, name: str) -> tuple[str, frozenset[str]] | None:
    """The id and the services of the incident with this id or number; None: nothing was heard of it."""
    view = INCIDENTS.view.c
    named = or_(view.incident == name, view.number == name.upper())
    row = connection.execute(select(view.incident, view.service, view.affected).where(named).limit(1)).first()
    return None if row is None else (row[0], frozenset((row[1], *row[2])))


_OPEN_OF_SERVICE: Final = (  # made once: making it takes as long as asking
    select(INCIDENTS.view)
    .where(INCIDENTS.view.c.service == bindparam("service"), INCIDENTS.view.c.state.in_(OPEN))
    .order_by(INCIDENTS.view.c.declared_at, INCIDENTS.view.c.incident)
)


def open_incidents_of(connection: Connection, service: str) -> Sequence[RowMapping]:
    """The open incidents of *service*, the oldest first."""
    return connection.execute(_OPEN_OF_SERVICE, {"service": service}).mappings().all()


def count_open_by_severity(connection: Connection) -> dict[str, int]:
    """How many incidents are open, by severity; severities without any are left out."""
    view = INCIDENTS.view
    query = select(view.c.severity, func.count()).where(view.c.state.in_(OPEN)).group_by(view.c.severity)
    return {name: count for name, count in connection.execute(query)}  # noqa: C416  rows are no pairs to the type checker


def severe_incidents(connection: Connection, limit: int) -> Sequence[RowMapping]:
    """The open incidents of severity 1 and 2, by service; at most *limit*."""
    view = INCIDENTS.view
    query = select(view).where(view.c.state.in_(OPEN), view.c.severity.in_(("sev1", "sev2")))
    return connection.execute(query.order_by(view.c.service, view.c.declared_at).limit(limit)).mappings().all()
