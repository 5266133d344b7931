"""What the incidents service has said of schedules, and of the shifts that are over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Integer, Text, bindparam, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.facts import Member, Rota, Shift, Side
from services.lifecycle.projections.by_service import ByService


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Somebody in a schedule."""

    person: str
    side: Side
    site: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleChanged:
    """What is read of a schedule."""

    schedule: str
    services: tuple[str, ...]
    members: tuple[Scheduled, ...]
    active_since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class ShiftClosed:
    """What is read of a shift that is over."""

    shift: str
    services: tuple[str, ...]
    person: str
    side: Side
    start: datetime
    end: datetime
    pages: int
    interrupt_minutes: int
    at: datetime


def _schedule_columns() -> Sequence[Column[Any]]:
    return (
        Column("schedule", Text, primary_key=True),
        Column("covers", Text, nullable=False),  # " checkout-api till-api ": looked for with the blanks around a name
        Column("members", Json(), nullable=False),
        Column("active_since", Instant(), nullable=False),
        Column("event", Text, nullable=False),
        Column("at", Instant(), nullable=False),
    )


def _schedule_keys(event: ScheduleChanged, _: Recorded) -> Sequence[Key]:
    return ((event.schedule,),)


def _changed(_: Row | None, event: ScheduleChanged, recorded: Recorded, __: Key) -> Row:
    return {
        "schedule": event.schedule,
        "covers": f" {' '.join(event.services)} ",
        "members": [[member.person, member.side, member.site] for member in event.members],
        "active_since": event.active_since,
        "event": str(recorded.event_id),
        "at": event.at,
    }


FACTS_SCHEDULES: Final = Projection(
    name="facts_schedules",
    columns=_schedule_columns,
    events=EventRegistry({"io.concordat.incidents.schedule.changed.v1": ScheduleChanged}),
    folds={ScheduleChanged: Fold(_schedule_keys, _changed)},
    sources=("incidents",),
)


def _shift_columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("shift", Text, primary_key=True),
        Column("person", Text, nullable=False),
        Column("side", Text, nullable=False),
        Column("start", Instant(), nullable=False),
        Column("end", Instant(), nullable=False),
        Column("pages", Integer, nullable=False),
        Column("interrupt_minutes", Integer, nullable=False),
        Column("event", Text, nullable=False),
    )


def _shift_keys(event: ShiftClosed, _: Recorded) -> Sequence[Key]:
    return [(service, event.shift) for service in event.services]


def _closed(_: Row | None, event: ShiftClosed, recorded: Recorded, key: Key) -> Row:
    return {
        "service": key[0],
        "shift": event.shift,
        "person": event.person,
        "side": event.side,
        "start": event.start,
        "end": event.end,
        "pages": event.pages,
        "interrupt_minutes": event.interrupt_minutes,
        "event": str(recorded.event_id),
    }


FACTS_SHIFTS: Final = Projection(
    name="facts_shifts",
    columns=_shift_columns,
    events=EventRegistry({"io.concordat.incidents.shift.closed.v1": ShiftClosed}),
    folds={ShiftClosed: Fold(_shift_keys, _closed)},
    indexes=(("service", "end"),),
    sources=("incidents",),
)


_ROTAS: Final = FACTS_SCHEDULES.view
_ALL_ROTAS: Final = select(_ROTAS).order_by(_ROTAS.c.schedule)
_COVERING: Final = _ALL_ROTAS.where(_ROTAS.c.covers.contains(bindparam("covered")))  # a name has nothing to escape
_SHIFTS: Final = FACTS_SHIFTS.view
_ENDED: Final = ByService.of(
    select(_SHIFTS).where(_SHIFTS.c.end > bindparam("since")).order_by(_SHIFTS.c.start, _SHIFTS.c.shift),
    _SHIFTS.c.service,
)


def rotas(connection: Connection, *services: str) -> dict[str, list[Rota]]:
    """The schedules that cover each of *services*, of all when none is named."""
    found: dict[str, list[Rota]] = {}
    if len(services) == 1:
        rows = connection.execute(_COVERING, {"covered": f" {services[0]} "})
    else:
        rows = connection.execute(_ALL_ROTAS)
    for row in rows.mappings():
        members = tuple(Member(person, side, site) for person, side, site in row["members"])
        rota = Rota(row["event"], row["schedule"], members, row["active_since"], row["at"])
        for service in row["covers"].split():
            found.setdefault(service, []).append(rota)
    return found


def shifts_since(connection: Connection, since: datetime, *services: str) -> dict[str, list[Shift]]:
    """The shifts of *services*, of all when none is named, that ended after *since*; the earliest first."""
    found: dict[str, list[Shift]] = {}
    for row in _ENDED.rows(connection, services, since=since):
        shift = Shift(
            row["event"],
            row["person"],
            row["side"],
            row["start"],
            row["end"],
            row["pages"],
            row["interrupt_minutes"],
        )
        found.setdefault(row["service"], []).append(shift)
    return found
