"""Windows that open every week, on the clock of a zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from services.incidents.domain.on_call.errors import NeverOpenError
from services.incidents.domain.on_call.spans import Span, joined
from services.incidents.domain.on_call.wall_clock import first_instant, wall_of

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Open from *start* to *end* on *days*.

    A window that ends before it starts belongs to the day on which it starts; one that ends when it starts lasts a day.
    """

    days: tuple[Weekday, ...]
    start: time
    end: time

    def opens_on(self, day: datetime) -> bool:
        """Whether it starts on *day*."""
        return WEEKDAYS[day.weekday()] in self.days

    def on(self, day: datetime) -> tuple[datetime, datetime]:
        """Its wall times, where it starts on *day* (a midnight)."""
        end = day if self.end > self.start else day + DAY
        return datetime.combine(day, self.start), datetime.combine(end, self.end)


def check_windows(windows: Sequence[Window], field: str) -> None:
    """Nothing, if every window opens at all.

    Raises:
        NeverOpenError: One has no days.
    """
    for index, window in enumerate(windows):
        if not window.days:
            detail = f"it opens on no day; name one of {', '.join(WEEKDAYS)}, or leave the restriction out"
            place = f"{field}/{index}/days"
            raise NeverOpenError(place, detail)


def openings(windows: Sequence[Window], zone: ZoneInfo, start: datetime, until: datetime) -> list[Span]:
    """When any of *windows* is open between two moments and some days around, joined where they meet."""
    day = datetime.combine(wall_of(start, zone), time()) - 2 * DAY  # of yesterday's, the night; and what it joins
    monday = day - day.weekday() * DAY
    last = wall_of(until, zone) + DAY
    found: list[Span] = []
    while monday <= last:
        found += _week(tuple(windows), zone, monday)
        monday += WEEK
    return joined(found)


@lru_cache(maxsize=4096)
def _week(windows: tuple[Window, ...], zone: ZoneInfo, monday: datetime) -> tuple[Span, ...]:
    """What opens in the week that begins with *monday*."""
    found: list[Span] = []
    for number in range(len(WEEKDAYS)):
        day = monday + number * DAY
        for window in windows:
            if window.opens_on(day):
                opens, closes = window.on(day)
                found.append(Span(first_instant(opens, zone), first_instant(closes, zone)))
    return tuple(found)


def meets(windows: Sequence[Window], start: datetime, end: datetime) -> bool:
    """Whether any of *windows* is open between two wall times, were no clock ever moved."""
    if end - start >= WEEK:
        return True
    day = datetime.combine(start, time()) - DAY
    while day < end:
        for window in windows:
            if window.opens_on(day):
                opens, closes = window.on(day)
                if opens < end and closes > start:
                    return True
        day += DAY
    return False
