"""What teams spent their time on; what was withdrawn counts no more."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Date, Float, Integer, Text, bindparam, func, or_, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.facts import Worked
from services.lifecycle.domain.operational_work.events import OPERATIONAL, Event, Kind, WorkRecorded, WorkWithdrawn


@dataclass(frozen=True, slots=True)
class Hours:
    """What some teams recorded of their hours in a window, by kind of work, and in how many records."""

    by_kind: dict[Kind, float]
    records: int

    @property
    def operational(self) -> float:
        """Hours of operational work."""
        return sum(hours for kind, hours in self.by_kind.items() if kind in OPERATIONAL)

    @property
    def share(self) -> float | None:
        """How much of all recorded hours was operational; None when none were."""
        total = sum(self.by_kind.values())
        return self.operational / total if total else None


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("work", Text, primary_key=True),
        Column("team", Text, nullable=False),
        Column("service", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("hours", Float),
        Column("items", Integer),
        Column("start", Date, nullable=False),
        Column("until", Date, nullable=False),
        Column("notes", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("withdrawn", Boolean, nullable=False),
        Column("withdrawal_recorded_at", Instant()),
        Column("at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.work,),)


def _recorded(_: Row | None, event: WorkRecorded, recorded: Recorded, __: Key) -> Row:
    return {
        "work": event.work,
        "team": event.team,
        "service": event.service,
        "kind": event.kind,
        "hours": event.hours,
        "items": event.items,
        "start": event.start,
        "until": event.until,
        "notes": event.notes,
        "by": event.by,
        "withdrawn": False,
        "withdrawal_recorded_at": None,
        "at": event.at,
        "recorded_at": recorded.recorded_at,
    }


def _withdrawn(row: Row | None, _: WorkWithdrawn, recorded: Recorded, ___: Key) -> Row | None:
    return row and row | {"withdrawn": True, "withdrawal_recorded_at": recorded.recorded_at}


OPERATIONAL_WORK: Final = Projection(
    name="operational_work",
    columns=_columns,
    events=CONTRACT,
    folds={WorkRecorded: Fold(_keys, _recorded), WorkWithdrawn: Fold(_keys, _withdrawn)},
    indexes=(("team", "until"), ("service", "until")),
    sources=("lifecycle",),
)


_V: Final = OPERATIONAL_WORK.view.c
_RECORDED: Final = (
    select(_V.team, _V.kind, _V.hours, _V.until)
    .where(~_V.withdrawn, _V.hours.is_not(None), _V.until > bindparam("since"))
    .where(_V.team.in_(bindparam("teams", expanding=True)))
)


def hours_since(connection: Connection, since: date, teams: Collection[str]) -> dict[str, list[Worked]]:
    """What each of *teams* recorded whose last day lies after *since*."""
    found: dict[str, list[Worked]] = {}
    for team, kind, hours, until in connection.execute(_RECORDED, {"since": since, "teams": list(teams)}):
        found.setdefault(team, []).append(Worked(team, kind in OPERATIONAL, hours, until))
    return found


def hours_of(
    connection: Connection, since: date, until: date, *, teams: Collection[str] = (), services: Collection[str] = ()
) -> Hours:
    """What *teams* recorded, or was recorded for *services*, whose last day lies in (since, until]."""
    view = OPERATIONAL_WORK.view.c
    query = select(view.kind, func.sum(view.hours), func.count()).where(
        ~view.withdrawn, view.hours.is_not(None), view.until > since, view.until <= until
    )
    if teams:
        query = query.where(view.team.in_(teams))
    if services:
        query = query.where(view.service.in_(services))
    rows = connection.execute(query.group_by(view.kind)).all()
    return Hours({kind: float(hours) for kind, hours, _ in rows}, sum(count for _, _, count in rows))


def recorded_hours(
    connection: Connection, since: date, until: date, teams: Collection[str], as_of: datetime | None = None
) -> list[tuple[str, date, Kind, float]]:
    """What *teams* recorded whose last day lies in (since, until]: team, day, kind, hours; *as_of*: as known then."""
    query = select(_V.team, _V.until, _V.kind, _V.hours).where(
        _V.hours.is_not(None), _V.until > since, _V.until <= until, _V.team.in_(teams)
    )
    if as_of is None:
        query = query.where(~_V.withdrawn)
    else:
        known = or_(_V.withdrawal_recorded_at.is_(None), _V.withdrawal_recorded_at > as_of)
        query = query.where(_V.recorded_at <= as_of, known)
    return [(team, day, kind, hours) for team, day, kind, hours in connection.execute(query)]
