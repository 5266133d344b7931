"""What the metrics of some services over a period are computed from: asked once, whatever is counted of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from services.lifecycle.domain.engagement.measures import Shift, SloDay
from services.lifecycle.domain.metrics import (
    WEEK,
    Counted,
    Delivered,
    Side,
    Times,
    Value,
    attainment,
    code,
    delivery,
    incidents,
    mondays,
    operational,
    pages,
    per_day,
)
from services.lifecycle.domain.operational_work.events import OPERATIONAL, Kind
from services.lifecycle.projections.ci_reports import counted_of
from services.lifecycle.projections.deployments import deployed, lead_times
from services.lifecycle.projections.happenings import shifts_of
from services.lifecycle.projections.incident_times import times_of
from services.lifecycle.projections.operational_work import recorded_hours
from services.lifecycle.projections.slo_days import slo_days_with_ends

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is measured: services, and the teams of both sides that work for them; *as_of*: as far as known then."""

    subject: str
    services: Sequence[str]
    dev_teams: Sequence[str]
    sre_teams: Sequence[str]
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """The metrics of a period, those of as long a time before it, and the deployments of each of its days."""

    values: tuple[Value, ...]
    before: tuple[Value, ...]
    days: tuple[tuple[str, int], ...]


def measured(connection: Connection, scope: Scope, since: datetime, until: datetime) -> Measured:
    """The metrics of *scope* over [since, until), and over as long a time before."""
    earlier = since - (until - since)
    heard = _heard(connection, scope, earlier, until)
    days = per_day((each for each in heard.deployments if since <= each.at < until), since, until)
    return Measured(tuple(heard.values(since, until)), tuple(heard.values(earlier, since)), tuple(days))


def weekly(
    connection: Connection, scope: Scope, since: datetime, until: datetime
) -> list[tuple[datetime, list[Value]]]:
    """The metrics of each whole week, from Monday to Monday, that lies in [since, until); and when it began."""
    heard = _heard(connection, scope, since, until)
    return [(monday, heard.values(monday, monday + WEEK)) for monday in mondays(since, until)]


@dataclass(frozen=True, slots=True)
class _Heard:
    """Everything that is counted, of a longer time: each with the moment by which it belongs to a period."""

    scope: Scope
    deployments: Sequence[Delivered]
    leads: Sequence[tuple[datetime, timedelta]]
    slo_days: Sequence[tuple[datetime, SloDay]]
    incidents: Sequence[tuple[datetime, Times]]
    shifts: Sequence[tuple[datetime, Shift]]
    hours: Sequence[tuple[str, date, Kind, float]]
    reports: Sequence[Counted]

    def values(self, since: datetime, until: datetime) -> list[Value]:
        """The metrics of [since, until); a shift that closes with the period belongs to it."""
        scope = self.scope
        shifts = [shift for at, shift in self.shifts if since < at <= until]
        first, last = since.date(), (until - _INSTANT).date()
        slo_days = [day for at, day in self.slo_days if first <= day.day and at <= until]
        return [
            *delivery(
                [each for each in self.deployments if since <= each.at < until],
                [lead for at, lead in self.leads if since <= at < until],
                since,
                until,
            ),
            attainment((day.target, day.sli) for day in slo_days),
            *incidents([times for at, times in self.incidents if since <= at < until]),
            *(pages(side, [shift.pages for shift in shifts if shift.side == side]) for side in ("dev", "sre")),
            self._operational("dev", scope.dev_teams, first, last),
            self._operational("sre", scope.sre_teams, first, last),
            *code([each for each in self.reports if since <= each.at < until], scope.services, since, until),
        ]

    def _operational(self, side: Side, teams: Sequence[str], first: date, last: date) -> Value:
        """The operational share of one side, by what was recorded for days after the first."""
        found = [(kind, hours) for team, day, kind, hours in self.hours if team in teams and first < day <= last]
        total = sum(hours for _, hours in found)
        share = sum(hours for kind, hours in found if kind in OPERATIONAL) / total if total else None
        return operational(side, share, len(found))


def _heard(connection: Connection, scope: Scope, since: datetime, until: datetime) -> _Heard:
    asked = connection, scope.services, since, until, scope.as_of
    known_until = min(until, scope.as_of) if scope.as_of else until
    teams = (*scope.dev_teams, *scope.sre_teams)
    return _Heard(
        scope,
        [Delivered(each.at, each.unplanned, each.failed_at, each.recovered_at) for each in deployed(*asked)],
        lead_times(*asked),
        slo_days_with_ends(connection, scope.services, since, known_until),
        times_of(*asked),
        shifts_of(*asked),
        recorded_hours(connection, since.date(), (until - _INSTANT).date(), teams, scope.as_of),
        counted_of(*asked),
    )
