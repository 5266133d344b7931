"""Windows of time: rolling, or calendar in an IANA zone; always half-open [start, end).

A calendar window is civil: its boundaries are wall times counted from an anchor, each derived from the anchor itself
and only then turned into UTC. So a day may have 23 hours, a month is not 30 days, and an anchor on 31 January gives
28 or 29 February and then 31 March. A wall time that the clocks skip or repeat is read as RFC 5545 reads it: with the
offset from before the change, so of a repeated one the first.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.slo.domain.errors import InvalidWindowError

Unit = Literal["m", "h", "d", "w", "M", "Q", "Y"]  # OpenSLO v1's: `m` is minutes, `M` months

_EPOCH, _MINUTE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1)
_ELAPSED: Final = {"m": _MINUTE, "h": timedelta(hours=1)}
_DAYS: Final = {"d": timedelta(days=1), "w": timedelta(weeks=1)}
_MONTHS: Final = {"M": 1, "Q": 3, "Y": 12}


@dataclass(frozen=True, slots=True)
class Rolling:
    """The time before the moment of asking.

    Args:
        length_min: Its length, minutes.

    Raises:
        InvalidWindowError: It has no length.
    """

    length_min: int

    def __post_init__(self) -> None:
        if self.length_min < 1:
            raise InvalidWindowError("length", self.length_min, "use at least one minute")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A period of the civil calendar, repeated without end in both directions.

    Args:
        count: How many units one period has.
        unit: Days and longer are civil; minutes and hours are elapsed time.
        anchor: The wall time at which some period starts, without an offset.
        zone: IANA name, such as `Europe/Berlin`.

    Raises:
        InvalidWindowError: The parts make no calendar.
    """

    count: int
    unit: Unit
    anchor: datetime
    zone: str

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InvalidWindowError("length", f"{self.count}{self.unit}", f"use at least 1{self.unit}")
        if self.unit not in _ELAPSED | _DAYS | _MONTHS:
            raise InvalidWindowError("unit", self.unit, "use m, h, d, w, M, Q or Y")
        if self.anchor.tzinfo is not None:
            raise InvalidWindowError("anchor", self.anchor.isoformat(), "leave out the offset; the zone says it")
        zone_of(self.zone)


Window = Rolling | Calendar


@dataclass(frozen=True, slots=True)
class Bounds:
    """One window laid out in time: [start, end), both UTC."""

    start: datetime
    end: datetime

    @property
    def minutes(self) -> range:
        """The minutes since the epoch that start inside: each bucket belongs to exactly one period."""
        return range(minute_at(self.start), minute_at(self.end))

    @property
    def closed_minutes(self) -> range:
        """The minutes wholly inside: what slices are cut from, since an open slice does not count yet."""
        return range(minute_at(self.start), (self.end - _EPOCH) // _MINUTE)


def minute_at(at: datetime) -> int:
    """The first minute since the epoch that starts at or after *at*."""
    return -((_EPOCH - at) // _MINUTE)


def zone_of(name: str) -> ZoneInfo:
    """The zone called *name*.

    Raises:
        InvalidWindowError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a path, or a folder of zones
        raise InvalidWindowError("zone", name, "use an IANA time zone, such as Europe/Berlin") from error


def bounds(window: Window, at: datetime) -> Bounds:
    """Where *window* lies at the aware time *at*: before it, or the calendar period that holds it.

    Raises:
        InvalidWindowError: That is beyond the years 1 to 9999.
    """
    try:
        if isinstance(window, Rolling):
            end = at.astimezone(UTC)
            return Bounds(end - window.length_min * _MINUTE, end)
        index = _index(window, at)
        return Bounds(_boundary(window, index), _boundary(window, index + 1))
    except (OverflowError, ValueError) as error:
        raise InvalidWindowError(
            "time", at.isoformat(), "the window around it reaches beyond the years 1 to 9999"
        ) from error


def periods(window: Window, since: datetime, until: datetime) -> Iterator[Bounds]:
    """The windows that share time with [since, until), oldest first.

    Calendar periods are whole. Rolling windows stand back to back, the last of them ending at *until*.

    Raises:
        InvalidWindowError: They reach beyond the years 1 to 9999.
    """
    if since >= until:
        return
    if isinstance(window, Rolling):
        length = window.length_min * _MINUTE
        for back in range(-((since - until) // length), 0, -1):
            yield bounds(window, until - (back - 1) * length)
        return
    period = bounds(window, since)
    while period.start < until:
        yield period
        period = bounds(window, period.end)


def _index(window: Calendar, at: datetime) -> int:
    """Of the period that holds *at*; the anchor's is 0."""
    if window.unit in _ELAPSED:
        return (at - _boundary(window, 0)) // (_ELAPSED[window.unit] * window.count)
    wall = at.astimezone(zone_of(window.zone)).replace(tzinfo=None)
    if window.unit in _DAYS:
        index = (wall - window.anchor) // (_DAYS[window.unit] * window.count)
    else:
        months = (wall.year - window.anchor.year) * 12 + wall.month - window.anchor.month
        index = months // (_MONTHS[window.unit] * window.count)
    while _boundary(window, index) > at:  # the anchor is later in its month, or the wall clock was set back
        index -= 1
    while _boundary(window, index + 1) <= at:  # the wall clock skipped a period, as Samoa's did 30 December 2011
        index += 1
    return index


def _boundary(window: Calendar, index: int) -> datetime:
    anchor, steps = window.anchor, index * window.count
    if window.unit in _ELAPSED:
        return anchor.replace(tzinfo=zone_of(window.zone)).astimezone(UTC) + steps * _ELAPSED[window.unit]
    if window.unit in _DAYS:
        wall = anchor + steps * _DAYS[window.unit]
    else:
        years, month = divmod(anchor.month - 1 + steps * _MONTHS[window.unit], 12)
        year = anchor.year + years
        last = calendar.monthrange(year, month + 1)[1]
        wall = anchor.replace(year=year, month=month + 1, day=min(anchor.day, last))
    return wall.replace(tzinfo=zone_of(window.zone), fold=0).astimezone(UTC)
