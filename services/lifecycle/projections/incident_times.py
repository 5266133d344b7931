"""When users began to feel each incident, when it was noticed, acknowledged, mitigated and resolved."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Text, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.metrics import Times

_TIMES: Final = ("impact_started", "detected", "acknowledged", "mitigated", "resolved")


@dataclass(frozen=True, slots=True)
class Declared:
    """What is read of its beginning."""

    incident: str
    service: str
    at: datetime
    impact_started: datetime | None = None
    detected: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Moved:
    incident: str
    at: datetime


class Acknowledged(_Moved):
    """Somebody takes care of it."""


class Mitigated(_Moved):
    """Users feel it no more."""


class Resolved(_Moved):
    """It is over."""


class Reopened(_Moved):
    """It was not over after all."""


class Cancelled(_Moved):
    """It was a false alarm, or a part of another, which has the times of both."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """One of its times was another."""

    incident: str
    milestone: str
    time: datetime


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("incident", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("cancelled", Boolean, nullable=False),
        Column("declared_at", Instant(), nullable=False),
        *(Column(name, Instant()) for name in _TIMES),
        Column("told", Json(), nullable=False),  # what was told when: pairs of an instant and what changed by it
    )


def _keys(event: Any, _: Recorded) -> Sequence[Key]:  # noqa: ANN401  any of them names its incident
    return ((event.incident,),)


def _declared(_: Row | None, event: Declared, recorded: Recorded, __: Key) -> Row:
    row: Row = {"incident": event.incident, "service": event.service, "declared_at": event.at, "told": []}
    times: Row = dict.fromkeys(_TIMES)
    times |= {"impact_started": event.impact_started or event.at, "detected": event.detected or event.at}
    return _noted(row, recorded, {"cancelled": False, **times})


def _moved(row: Row | None, event: _Moved, recorded: Recorded, __: Key) -> Row | None:
    if row is None:
        return None
    match event:
        case Acknowledged():
            return _noted(row, recorded, {"acknowledged": row["acknowledged"] or event.at})
        case Mitigated():
            return _noted(row, recorded, {"mitigated": row["mitigated"] or event.at})
        case Resolved():
            return _noted(row, recorded, {"resolved": event.at, "mitigated": row["mitigated"] or event.at})
        case Reopened():
            return _noted(row, recorded, {"resolved": None, "mitigated": None})
        case _:
            return _noted(row, recorded, {"cancelled": True})


def _corrected(row: Row | None, event: Corrected, recorded: Recorded, __: Key) -> Row | None:
    return _noted(row, recorded, {event.milestone: event.time}) if row and event.milestone in _TIMES else row


def _noted(row: Row, recorded: Recorded, changes: Row) -> Row:
    """*row* after *changes*, which it remembers for whoever asks what was known."""
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in changes.items()}
    return row | changes | {"told": [*row["told"], [recorded.recorded_at.isoformat(), plain]]}


INCIDENT_TIMES: Final = Projection(
    name="incident_times",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.incidents.incident.declared.v1": Declared,
            "io.concordat.incidents.incident.acknowledged.v1": Acknowledged,
            "io.concordat.incidents.incident.mitigated.v1": Mitigated,
            "io.concordat.incidents.incident.resolved.v1": Resolved,
            "io.concordat.incidents.incident.reopened.v1": Reopened,
            "io.concordat.incidents.incident.cancelled.v1": Cancelled,
            "io.concordat.incidents.incident.merged.v1": Cancelled,
            "io.concordat.incidents.incident.milestone-corrected.v1": Corrected,
        }
    ),
    folds={
        Declared: Fold(_keys, _declared),
        Acknowledged: Fold(_keys, _moved),
        Mitigated: Fold(_keys, _moved),
        Resolved: Fold(_keys, _moved),
        Reopened: Fold(_keys, _moved),
        Cancelled: Fold(_keys, _moved),
        Corrected: Fold(_keys, _corrected),
    },
    indexes=(("service", "declared_at"),),
    sources=("incidents",),
)


def times_of_incident(connection: Connection, incident: str) -> Times | None:
    """The times of *incident*; None: it was never declared here, or it was a false alarm."""
    view = INCIDENT_TIMES.view.c
    query = select(*(view[name] for name in _TIMES)).where(view.incident == incident, ~view.cancelled)
    row = connection.execute(query).one_or_none()
    return None if row is None else Times(*row)


def times_of(
    connection: Connection, services: Collection[str], since: datetime, until: datetime, as_of: datetime | None = None
) -> list[tuple[datetime, Times]]:
    """The times of the incidents of *services* that were declared in [since, until) and not cancelled, and that time.

    With *as_of* as far as they had been told by then.
    """
    view = INCIDENT_TIMES.view.c
    query = select(view.declared_at, view.cancelled, *(view[name] for name in _TIMES), view.told).where(
        view.service.in_(services), view.declared_at >= since, view.declared_at < until
    )
    found: list[tuple[datetime, Times]] = []
    for row in connection.execute(query.order_by(view.declared_at, view.incident)).mappings():
        known = row if as_of is None else _as_known(row["told"], as_of)
        if not known.get("cancelled", True):
            found.append((row["declared_at"], Times(*(known[name] for name in _TIMES))))
    return found


def _as_known(told: Iterable[tuple[str, Row]], as_of: datetime) -> Row:
    """Whether it was cancelled, and its times, as told by then; nothing where it had not been declared."""
    known: Row = {}
    for at, changes in told:
        if datetime.fromisoformat(at) <= as_of:
            known |= changes
    return {name: datetime.fromisoformat(value) if isinstance(value, str) else value for name, value in known.items()}
