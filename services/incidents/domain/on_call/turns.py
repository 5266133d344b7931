"""Whose turn it is: hand-offs counted on the wall clock of the rotation's zone.

    handoff_k = first_instant(start_wall + k * length)

The shift at t runs from the last hand-off that is not after t to the next, so that start <= t < end at every moment.
Shifts of no length, inside a spring-forward gap, are not counted: nobody is skipped. With `advance: active_shifts`
neither are those in which the restrictions open never, so that a rota of working days comes round to everybody.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from math import gcd
from typing import Final, Literal
from zoneinfo import ZoneInfo

from services.incidents.domain.on_call.errors import NoParticipantsError, TimeRangeError
from services.incidents.domain.on_call.spans import Span, cut
from services.incidents.domain.on_call.wall_clock import (
    EARLIEST,
    LATEST,
    checked,
    first_instant,
    gaps,
    wall_of,
    zone_named,
)
from services.incidents.domain.on_call.windows import Window, check_windows, meets, openings

Length = Literal["hourly", "daily", "weekly", "monthly"]
Advance = Literal["calendar", "active_shifts"]
MOST_SHIFTS: Final = 50_000
MOST_OPENINGS: Final = 100_000  # days, times the windows that may open in each

_UNIT: Final = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(weeks=1)}
_LEAST_MONTH: Final = timedelta(days=28)
_A_WEEK: Final = {"hourly": 168, "daily": 7, "weekly": 1}
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Rota:
    """Who takes turns, from when on, for how long each.

    Args:
        zone: On whose clocks it is counted.
        type: The unit of *length*.
        length: How many units a shift lasts.
        start: The wall time of the first hand-off; it also tells those before it.
        participants: In their order.
        restrictions: When somebody is on call at all; always, where there are none.
        advance: Whether a shift without any open time counts as somebody's turn.
    """

    zone: str
    type: Length
    length: int
    start: datetime
    participants: tuple[str, ...]
    restrictions: tuple[Window, ...] = ()
    advance: Advance = "calendar"

    @property
    def clock(self) -> ZoneInfo:
        """The zone."""
        return zone_named(self.zone)

    @property
    def lasts(self) -> timedelta:
        """How long a shift is, or may be at least."""
        return self.length * _UNIT.get(self.type, _LEAST_MONTH)

    def wall(self, number: int) -> datetime:
        """The wall time of a hand-off."""
        if self.type != "monthly":
            return self.start + number * self.length * _UNIT[self.type]
        months = self.start.year * _MONTHS + self.start.month - 1 + number * self.length
        year, month = divmod(months, _MONTHS)
        return self.start.replace(year=year, month=month + 1, day=min(self.start.day, _days(year, month + 1)))

    def handoff(self, number: int) -> datetime:
        """The moment of a hand-off, in UTC."""
        return first_instant(self.wall(number), self.clock)

    def number_at(self, moment: datetime) -> int:
        """The shift in which *moment* lies."""
        number = self.number_on_wall(wall_of(moment, self.clock))
        while self.handoff(number + 1) <= moment:  # of times that come twice, or of several hand-offs at once
            number += 1
        return number

    def number_on_wall(self, wall: datetime) -> int:
        """The shift that a wall time lies in, were no clock ever moved."""
        if self.type != "monthly":
            return (wall - self.start) // (self.length * _UNIT[self.type])
        months = (wall.year - self.start.year) * _MONTHS + wall.month - self.start.month
        number = months // self.length
        return number if self.wall(number) <= wall else number - 1

    def turn(self, number: int) -> int:
        """How many turns lie between the start and this shift; negative before the start."""
        return _counted(self, 0, number) if number >= 0 else -_counted(self, number, 0)

    def counts(self, number: int, start: datetime, end: datetime) -> bool:
        """Whether the shift from *start* to *end* is somebody's turn."""
        if start >= end:
            return False
        if self.advance == "calendar" or not self.restrictions:
            return True
        if not meets(self.restrictions, self.wall(number), self.wall(number + 1)):
            return False
        return any(cut(Span(start, end), openings(self.restrictions, self.clock, start, end)))


@dataclass(slots=True, unsafe_hash=True)  # as if frozen, which would take five times as long to make
class Shift:
    """Somebody's turn, or a part of it that the restrictions leave; *begins* is the hand-off of the whole."""

    participant: str
    start: datetime
    end: datetime
    begins: datetime


def check_rota(rota: Rota, field: str = "") -> None:
    """Nothing, if the rota means something.

    Raises:
        OnCallError: It does not; the error says where.
    """
    zone_named(rota.zone, f"{field}zone")
    if not rota.participants:
        place = f"{field}participants"
        raise NoParticipantsError(place, "nobody takes part; name at least one person")
    checked(rota.start, f"{field}start")
    check_windows(rota.restrictions, f"{field}restrictions")


def shifts(rota: Rota, start: datetime, until: datetime) -> Iterator[Shift]:
    """Every shift that begins not after *until* and ends after *start*, cut by the restrictions, not by those two.

    Raises:
        TimeRangeError: They are too many, or too far away.
    """
    low, high = _range(rota, start, until)
    open_at = openings(rota.restrictions, rota.clock, rota.handoff(low), rota.handoff(high + 1))
    first = 0
    for turn, begins, ends in _turns(rota, low, high):
        participant = rota.participants[turn % len(rota.participants)]
        if not rota.restrictions:
            yield Shift(participant, begins, ends, begins)
            continue
        while first < len(open_at) and open_at[first].end <= begins:
            first += 1
        for index in range(first, len(open_at)):
            opening = open_at[index]
            if opening.start >= ends:
                break
            piece = Shift(participant, max(begins, opening.start), min(ends, opening.end), begins)
            if piece.start <= until and piece.end > start:
                yield piece


def _turns(rota: Rota, low: int, high: int) -> Iterator[tuple[int, datetime, datetime]]:
    """The shifts from *low* to *high* that count, with the number of the turn."""
    turn, zone = rota.turn(low), rota.clock
    begins = rota.handoff(low)
    always = rota.advance == "calendar" or not rota.restrictions
    for number in range(low, high + 1):
        ends = first_instant(rota.wall(number + 1), zone)
        if begins < ends if always else rota.counts(number, begins, ends):
            yield turn, begins, ends
            turn += 1
        begins = ends


def _range(rota: Rota, start: datetime, until: datetime) -> tuple[int, int]:
    if until < start:
        detail = f"it ends at {until.isoformat()}, before it starts at {start.isoformat()}; swap them"
        raise TimeRangeError("until", detail)
    for field, moment in (("from", start), ("until", until)):
        checked(moment, field)
    if rota.type != "monthly" and (until - start) / (rota.length * _UNIT[rota.type]) > MOST_SHIFTS:
        detail = f"that is more than {MOST_SHIFTS:,} shifts; ask for less time at once"
        raise TimeRangeError("until", detail)
    if (until - start).days * len(rota.restrictions) > MOST_OPENINGS:
        detail = f"{len(rota.restrictions)} restrictions over {(until - start).days:,} days; ask for less time at once"
        raise TimeRangeError("until", detail)
    years = EARLIEST.year - 1, LATEST.year + 1
    with suppress(OverflowError, ValueError):
        low, high = rota.number_at(start), rota.number_at(until)
        if years[0] <= rota.wall(low).year and rota.wall(high + 1).year <= years[1]:
            return low, high
    detail = f"a shift of {rota.length} {rota.type} units reaches beyond the years {years[0]} to {years[1]}"
    raise TimeRangeError("length", detail)


def _counted(rota: Rota, low: int, high: int) -> int:
    """How many of the shifts from *low* to just before *high* are somebody's turn."""
    if low >= high:
        return 0
    return _on_wall(rota, high) - _on_wall(rota, low) - sum(_lost(rota, low, high))


def _on_wall(rota: Rota, number: int) -> int:
    """How many shifts from 0 to just before *number* would be turns, were no clock ever moved; as a difference."""
    if rota.advance == "calendar" or not rota.restrictions or rota.type == "monthly":
        return number
    pattern = _pattern(rota)
    rounds, rest = divmod(number, len(pattern) - 1)
    return rounds * pattern[-1] + pattern[rest]


@lru_cache(maxsize=1024)
def _pattern(rota: Rota) -> tuple[int, ...]:
    """The turns up to each shift, from 0 on, until weekdays and hours begin anew."""
    shifts_in_round = _A_WEEK[rota.type] // gcd(rota.length, _A_WEEK[rota.type])
    is_open = (meets(rota.restrictions, rota.wall(k), rota.wall(k + 1)) for k in range(shifts_in_round))
    return tuple(accumulate(is_open, initial=0))


def _lost(rota: Rota, low: int, high: int) -> Iterator[bool]:
    """True for each shift that a jump of the clock leaves without time."""
    if rota.type in {"weekly", "monthly"} and (rota.advance == "calendar" or not rota.restrictions):
        return  # no clock jumps by a week
    for year in range(rota.wall(low).year, rota.wall(high).year + 1):
        yield from (low <= number < high for number in _lost_in(rota, year))


@lru_cache(maxsize=4096)
def _lost_in(rota: Rota, year: int) -> tuple[int, ...]:
    """The shifts without time that touch a gap of this year."""
    found: dict[int, None] = {}
    for gap in gaps(rota.clock, year):
        for number in range(rota.number_on_wall(gap.before) - 1, rota.number_on_wall(gap.after) + 2):
            on_wall = _on_wall(rota, number + 1) > _on_wall(rota, number)
            if on_wall and not rota.counts(number, rota.handoff(number), rota.handoff(number + 1)):
                found[number] = None
    return tuple(found)


def _days(year: int, month: int) -> int:
    first = datetime(year, month, 1)  # noqa: DTZ001  a wall time
    following = datetime(year + month // _MONTHS, month % _MONTHS + 1, 1)  # noqa: DTZ001  as above
    return (following - first).days
