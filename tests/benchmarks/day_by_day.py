"""Who is on call in a year, as a scheduler says it that goes day by day: the reference of `bench_on_call.py`.

Written for the benchmark, after GoAlert's way: each day has the rotations' shifts, the restrictions, the layers and the
overrides laid over each other, and what goes on after midnight is joined. It asks nothing of the resolver, and knows
no more than the benchmark's schedule has: one revision, shifts of fixed lengths, covers, no shadows.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.incidents.domain.on_call.roster import Layer, Roster
from services.incidents.domain.on_call.turns import Rota
from services.incidents.domain.on_call.windows import WEEKDAYS, Window

_DAY = timedelta(days=1)
_MARGIN = 15  # days; the longest shift takes two weeks
_UNIT = {"hourly": timedelta(hours=1), "daily": _DAY, "weekly": 7 * _DAY}


class Duty(NamedTuple):
    """Somebody on call; *of* is the shift that it is a part of."""

    person: str
    start: datetime
    end: datetime
    of: tuple[str, int]


def day_by_day(roster: Roster, start: datetime, days: int) -> list[tuple[str, datetime, datetime]]:
    """Everybody's duties that touch the time, whole."""
    found: dict[tuple[str, int], list[Duty]] = {}
    for number in range(-_MARGIN, days + _MARGIN):  # a duty that touches the time may last longer than it
        day = start + number * _DAY
        for duty in _day(roster, day, day + _DAY):
            parts = found.setdefault(duty.of, [])
            if parts and parts[-1].end == duty.start and parts[-1].person == duty.person:
                parts[-1] = parts[-1]._replace(end=duty.end)
            else:
                parts.append(duty)
    until = start + days * _DAY
    return [
        (it.person, it.start, it.end) for parts in found.values() for it in parts if it.start < until and it.end > start
    ]


def _day(roster: Roster, start: datetime, end: datetime) -> list[Duty]:
    """Who is on call on a day: the layers from the highest down, then who covers for all."""
    (revision,) = roster.revisions
    left: list[Duty] = []
    for priority in sorted({layer.priority for layer in revision.layers}, reverse=True):
        higher = [(it.start, it.end) for it in left]
        for layer in revision.layers:
            if layer.priority == priority:
                (turned,) = roster.rotations[layer.rotation]
                duties = _of_layer(layer, turned.rota, ZoneInfo(revision.zone), start, end)
                left += [part for duty in duties for part in _minus(duty, higher)]
    covers = [it for it in roster.overrides if it.start < end and it.end > start]
    left = [part for duty in left for part in _minus(duty, [(it.start, it.end) for it in covers])]
    return left + [Duty(it.person, max(it.start, start), min(it.end, end), (it.override, 0)) for it in covers]


def _of_layer(layer: Layer, rota: Rota, zone: ZoneInfo, start: datetime, end: datetime) -> list[Duty]:
    duties = _shifts(layer.name, rota, start, end)
    if not layer.restrictions:
        return duties
    open_at = _open(layer.restrictions, zone, start, end)
    return [
        duty._replace(start=max(duty.start, opens), end=min(duty.end, closes))
        for duty in duties
        for opens, closes in open_at
        if duty.start < closes and duty.end > opens
    ]


def _shifts(layer: str, rota: Rota, start: datetime, end: datetime) -> list[Duty]:
    """The parts of the shifts that lie in a day."""
    zone, lasts = ZoneInfo(rota.zone), rota.length * _UNIT[rota.type]
    number = (start.astimezone(zone).replace(tzinfo=None) - rota.start) // lasts - 1
    begins, found = _moment(rota.start + number * lasts, zone), list[Duty]()
    while begins < end:
        ends = _moment(rota.start + (number + 1) * lasts, zone)
        if ends > start:
            person = rota.participants[number % len(rota.participants)]
            found.append(Duty(person, max(begins, start), min(ends, end), (layer, number)))
        number, begins = number + 1, ends
    return found


def _open(
    windows: tuple[Window, ...], zone: ZoneInfo, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """When any of *windows* is open on a day; they do not overlap."""
    found: list[tuple[datetime, datetime]] = []
    date = start.astimezone(zone).date() - _DAY
    for day in (date, date + _DAY, date + 2 * _DAY):
        for window in windows:
            if WEEKDAYS[day.weekday()] in window.days:
                closes_on = day if window.end > window.start else day + _DAY
                opens = _moment(datetime.combine(day, window.start), zone)
                closes = _moment(datetime.combine(closes_on, window.end), zone)
                if opens < end and closes > start:
                    found.append((max(opens, start), min(closes, end)))
    return sorted(found)


def _minus(duty: Duty, taken: list[tuple[datetime, datetime]]) -> list[Duty]:
    left = [duty]
    for start, end in taken:
        parts: list[Duty] = []
        for each in left:
            if each.end <= start or each.start >= end:
                parts.append(each)
                continue
            if each.start < start:
                parts.append(each._replace(end=start))
            if each.end > end:
                parts.append(each._replace(start=end))
        left = parts
    return left


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a wall time; no shift of the benchmark begins where a clock jumps."""
    return wall.replace(tzinfo=zone).astimezone(UTC)
