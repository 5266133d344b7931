"""What being on call costs whom: hours, nights, weekends, on everybody's own clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import accumulate
from typing import Final

from services.incidents.domain.on_call.roster import OnCall
from services.incidents.domain.on_call.spans import Span, cut, joined
from services.incidents.domain.on_call.wall_clock import wall_of, zone_named
from services.incidents.domain.on_call.windows import DAY, WEEKDAYS, Window, openings
from services.incidents.domain.person.events import Side

HOUR: Final = timedelta(hours=1)
NIGHT: Final = Window(WEEKDAYS, time(22), time(8))  # when people sleep (incidents.md, Metrics)
WEEKEND: Final = Window(WEEKDAYS[5:], time(), time())
_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a schedule."""

    person: str
    side: Side
    site: str
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Share:
    """What one person has of a time: hours, nights and days of weekends that are touched, shifts."""

    hours: float = 0.0
    nights: int = 0
    weekends: int = 0
    shifts: int = 0


def shares_of(
    duty: Iterable[OnCall], members: Mapping[str, Member], start: datetime, until: datetime
) -> dict[str, Share]:
    """What each of *members* and of those on duty has between two moments, each moment once."""
    theirs: dict[str, list[Span]] = {person: [] for person in members}
    for each in duty:
        if not each.shadow:
            theirs.setdefault(each.person, []).extend(cut(Span(each.since, each.until), [Span(start, until)]))
    return {
        person: _share(spans, members[person].zone if person in members else "UTC") for person, spans in theirs.items()
    }


def at_once(theirs: Iterable[OnCall], most: float = 1) -> list[Span]:
    """When somebody is on call by more than *most* schedules."""
    by_schedule: dict[str, list[Span]] = {}
    for each in theirs:
        by_schedule.setdefault(each.schedule, []).append(Span(each.since, each.until))
    held = [span for spans in by_schedule.values() for span in joined(spans)]
    edges = sorted(edge for span in held for edge in ((span.start, 1), (span.end, -1)))
    depth = accumulate(change for _, change in edges)
    return joined(
        Span(moment, following)
        for (moment, _), (following, _), number in zip(edges, edges[1:], depth, strict=False)
        if number > most
    )


def balance(shares: Iterable[float]) -> float | None:
    """The least over the most: 1 where all have the same; None where nobody has anything."""
    values = list(shares)
    most = max(values, default=0.0)
    return round(min(values) / most, 4) if most else None


def _share(pieces: Sequence[Span], zone: str) -> Share:
    spans = joined(pieces)
    if not spans:
        return Share()
    hours = sum((span.lasts for span in spans), timedelta()) / HOUR
    clock = zone_named(zone)
    nights = openings([NIGHT], clock, spans[0].start, spans[-1].end)
    weekends = openings([WEEKEND], clock, spans[0].start, spans[-1].end)
    days = {
        wall_of(part.start, clock).date() + DAY * number
        for span in spans
        for part in cut(span, weekends)
        for number in range((wall_of(part.end - _MOMENT, clock).date() - wall_of(part.start, clock).date()).days + 1)
    }
    touched = {night.start for night in nights for _ in cut(night, spans)}
    return Share(round(hours, 2), len(touched), len(days), len(pieces))
