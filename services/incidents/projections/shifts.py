"""Shifts that were closed or handed over, and the pages that are counted for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Integer, Text, func, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.escalation.events import PageSent
from services.incidents.domain.on_call.spans import Span, joined
from services.incidents.domain.shift.events import ShiftClosed
from services.incidents.projections.incidents import INCIDENTS


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What a time on call held."""

    pages: int
    incidents: int
    minutes: int


def _shift_columns() -> Sequence[Column[Any]]:
    return (
        Column("shift", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("schedule", "person", "side")),
        Column("start", Instant(), nullable=False),
        Column("end", Instant(), nullable=False),
        *(Column(name, Integer, nullable=False) for name in ("pages", "incidents", "interrupt_minutes")),
    )


def _closed(_: Row | None, event: ShiftClosed, __: Recorded, ___: Key) -> Row:
    names = ("shift", "schedule", "person", "side", "start", "end", "pages", "incidents", "interrupt_minutes")
    return {name: getattr(event, name) for name in names}


SHIFTS: Final = Projection(
    name="shifts",
    columns=_shift_columns,
    events=CONTRACT,
    folds={ShiftClosed: Fold(lambda event, _: ((event.shift,),), _closed)},
    sources=(SERVICE,),
    indexes=(("schedule", "end"),),
)


def _page_columns() -> Sequence[Column[Any]]:
    return (
        Column("page", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("person", "schedule", "incident")),
        Column("at", Instant(), nullable=False),
    )


def _sent(_: Row | None, event: PageSent, __: Recorded, ___: Key) -> Row:
    return {name: getattr(event, name) for name in ("page", "person", "schedule", "incident", "at")}


PAGES: Final = Projection(
    name="pages",
    columns=_page_columns,
    events=CONTRACT,
    folds={PageSent: Fold(lambda event, _: ((event.page,),), _sent)},
    sources=(SERVICE,),
    indexes=(("schedule", "person", "at"),),
)
_S, _P, _I = SHIFTS.view.c, PAGES.view.c, INCIDENTS.view.c


class Page(NamedTuple):
    """Somebody was called, because of an incident of a service."""

    person: str
    service: str
    severity: str
    at: datetime


def pages_between(connection: Connection, since: datetime, until: datetime) -> list[Page]:
    """Who was called in [since, until), in order."""
    query = select(_P.person, _I.service, _I.severity, _P.at).join(INCIDENTS.view, _I.id == _P.incident)
    rows = connection.execute(query.where(_P.at >= since, _P.at < until).order_by(_P.at, _P.page))
    return [Page(*row) for row in rows]


def closed_until(connection: Connection, schedule: str) -> datetime | None:
    """When the last shift of *schedule* ended that was closed; None where none was."""
    return connection.execute(select(func.max(_S.end)).where(_S.schedule == schedule)).scalar_one()


def closed_since(connection: Connection, schedule: str, since: datetime) -> set[str]:
    """The shifts of *schedule* that ended at *since* or later and were closed."""
    query = select(_S.shift).where(_S.schedule == schedule, _S.end >= since)
    return set(connection.execute(query).scalars())


def interrupted(connection: Connection, schedule: str, person: str, span: Span) -> Interrupted:
    """The pages of a person in a time; each interrupts them until its incident is mitigated, or their time is over."""
    query = (
        select(_P.at, _P.incident, _I.mitigated, _I.resolved)
        .join(INCIDENTS.view, _I.id == _P.incident, isouter=True)
        .where(_P.schedule == schedule, _P.person == person, _P.at >= span.start, _P.at < span.end)
    )
    rows = connection.execute(query).all()
    busy = joined(Span(at, min(mitigated or resolved or span.end, span.end)) for at, _, mitigated, resolved in rows)
    minutes = sum(each.lasts.total_seconds() for each in busy) / 60
    return Interrupted(len(rows), len({incident for _, incident, _, _ in rows}), round(minutes))


def pages_by_person(connection: Connection, schedule: str, start: datetime, until: datetime) -> dict[str, int]:
    """How often each was paged for *schedule* between two moments."""
    query = select(_P.person, func.count()).where(_P.schedule == schedule, _P.at >= start, _P.at < until)
    return {person: count for person, count in connection.execute(query.group_by(_P.person))}  # noqa: C416  rows are no pairs to the type checker
