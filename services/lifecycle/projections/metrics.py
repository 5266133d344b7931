"""What the metrics of some services over a period are computed from, and the metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from services.lifecycle.domain.metrics import (
    WEEK,
    Delivered,
    Value,
    attainment,
    delivery,
    incidents,
    mondays,
    operational,
    pages,
    per_day,
)
from services.lifecycle.projections.deployments import deployed, lead_times
from services.lifecycle.projections.happenings import seen
from services.lifecycle.projections.incident_times import times_of
from services.lifecycle.projections.operational_work import hours_of
from services.lifecycle.projections.slo_days import slo_days_of


@dataclass(frozen=True, slots=True)
class Measured:
    """The metrics of a period, those of as long a time before it, and the deployments of each of its days."""

    values: tuple[Value, ...]
    before: tuple[Value, ...]
    days: tuple[tuple[str, int], ...]


def measured(
    connection: Connection,
    services: Sequence[str],
    dev_teams: Sequence[str],
    sre_teams: Sequence[str],
    since: datetime,
    until: datetime,
) -> Measured:
    """The metrics of *services* and their teams over [since, until), and over as long a time before."""
    length = until - since

    def values(start: datetime) -> tuple[Value, ...]:
        return tuple(_values(connection, services, dev_teams, sre_teams, start, start + length))

    days = per_day(_delivered(connection, services, since, until), since, until)
    return Measured(values(since), values(since - length), tuple(days))


def weekly(
    connection: Connection,
    services: Sequence[str],
    dev_teams: Sequence[str],
    sre_teams: Sequence[str],
    since: datetime,
    until: datetime,
) -> list[tuple[datetime, list[Value]]]:
    """The metrics of each whole week, from Monday to Monday, that lies in [since, until); and when it began."""
    return [
        (monday, _values(connection, services, dev_teams, sre_teams, monday, monday + WEEK))
        for monday in mondays(since, until)
    ]


def _values(
    connection: Connection,
    services: Sequence[str],
    dev_teams: Sequence[str],
    sre_teams: Sequence[str],
    since: datetime,
    until: datetime,
) -> list[Value]:
    shifts = seen(connection, services, since, until, severe=frozenset()).shifts
    hours = [
        hours_of(connection, since.date(), (until - timedelta(microseconds=1)).date(), teams=teams) if teams else None
        for teams in (dev_teams, sre_teams)
    ]
    slo_days = slo_days_of(connection, services, since, until)
    return [
        *delivery(
            _delivered(connection, services, since, until), lead_times(connection, services, since, until), since, until
        ),
        attainment((day.target, day.sli) for day in slo_days),
        *incidents(times_of(connection, services, since, until)),
        *(pages(side, [shift.pages for shift in shifts if shift.side == side]) for side in ("dev", "sre")),
        *(
            operational(side, found.share if found else None, found.records if found else 0)
            for side, found in zip(("dev", "sre"), hours, strict=True)
        ),
    ]


def _delivered(connection: Connection, services: Sequence[str], since: datetime, until: datetime) -> list[Delivered]:
    return [
        Delivered(each.at, each.unplanned, each.failed_at, each.recovered_at)
        for each in deployed(connection, services, since, until)
    ]
