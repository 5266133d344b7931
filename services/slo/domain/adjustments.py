"""Adjustments: maintenance windows and exclusions that both sides agreed on, once or by an RFC 5545 rule.

What they excuse is a set of minutes, so several that overlap have no double effect; where a minute is both removed
and counted as good, it is removed. As with windows, a minute belongs to an adjustment if it starts inside it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from dateutil.rrule import rrule, rrulestr

from services.slo.domain.error_budget import Counts
from services.slo.domain.errors import InvalidAdjustmentError, InvalidWindowError
from services.slo.domain.series import Ints, Series
from services.slo.domain.windows import Bounds, zone_of

Effect = Literal["remove", "count_as_good"]

_DAY: Final = timedelta(days=1)
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
# A rule that never occurs is searched for until the year 9999; of days that would take seconds.
_OF_MONTHS_AND_YEARS: Final = frozenset({"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYEASTER", "BYSETPOS"})


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Time that the SLO does not hold against the service.

    Args:
        effect: *remove* drops the buckets, *count_as_good* turns their bad events into good ones.
        start: The first occurrence, with an offset; it recurs at the same wall time.
        duration: Elapsed time of each occurrence.
        zone: IANA name of the zone whose wall time recurs.
        rrule: An RFC 5545 recurrence rule, such as `FREQ=WEEKLY;BYDAY=SU`; empty for a single occurrence. *start* is an
            occurrence only if it fits the rule.
        until: From when on nothing is excused any more, also inside an occurrence; None for never.

    Raises:
        InvalidAdjustmentError: The parts make no adjustment; says which and why.
    """

    effect: Effect
    start: datetime
    duration: timedelta
    zone: str = "UTC"
    rrule: str = ""
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise InvalidAdjustmentError("start", self.start.isoformat(), "it needs an offset, such as Z")
        if self.duration <= timedelta():
            raise InvalidAdjustmentError("duration", str(self.duration), "it must be above zero")
        try:
            zone_of(self.zone)
        except InvalidWindowError as error:
            raise InvalidAdjustmentError(error.part, error.value, error.detail) from error
        if self.rrule and next(iter(_rule(self)), None) is None:
            raise InvalidAdjustmentError("rrule", self.rrule, "it never occurs")


@dataclass(frozen=True, slots=True)
class Excused:
    """Minutes since the epoch that adjustments cover: disjoint ranges, ascending; none is in both."""

    removed: tuple[range, ...] = ()
    good: tuple[range, ...] = ()

    @property
    def any(self) -> tuple[range, ...]:
        """Those of either kind."""
        return tuple(merged((*self.removed, *self.good)))

    def expected(self, window: range) -> int:
        """How many minutes of *window* are expected to be observed: all but the removed ones."""
        return len(window) - sum(len(part) for part in clipped(self.removed, window))


NOTHING_EXCUSED: Final = Excused()


def occurrences(adjustment: Adjustment, since: datetime, until: datetime) -> Iterator[Bounds]:
    """Those of *adjustment* that share time with [since, until), oldest first."""
    if not adjustment.rrule:
        starts: Iterable[datetime] = (adjustment.start,)
    else:
        earliest = since - adjustment.duration - _DAY  # a day, for wall times that the clocks skip
        starts = _rule(adjustment).between(earliest, until, inc=True)
    for start in starts:
        begin = start.astimezone(UTC)
        end = begin + adjustment.duration
        if adjustment.until is not None and end > adjustment.until:
            end = adjustment.until
        if begin < end and begin < until and end > since:
            yield Bounds(begin, end)


def excused(adjustments: Iterable[Adjustment], since: datetime, until: datetime) -> Excused:
    """The minutes that *adjustments* cover by the occurrences that share time with [since, until)."""
    covered: dict[Effect, list[range]] = {"remove": [], "count_as_good": []}
    for adjustment in adjustments:
        covered[adjustment.effect] += [found.minutes for found in occurrences(adjustment, since, until)]
    removed = tuple(merged(covered["remove"]))
    return Excused(removed, tuple(_without(merged(covered["count_as_good"]), removed)))


def adjusted(series: Series, excuses: Excused) -> Series:
    """*series* as it counts once *excuses* are made."""
    if excuses == NOTHING_EXCUSED:
        return series
    kept = ~_inside(series.minute, excuses.removed)
    minute, good, total = series.minute[kept], series.good[kept], series.total[kept]
    return Series(minute, np.where(_inside(minute, excuses.good), total, good), total)


def adjusted_counts(counts: Callable[[range], Counts], window: range, excuses: Excused) -> Counts:
    """The counts of *window* once *excuses* are made, from the unadjusted *counts* of some ranges."""
    whole = counts(window)
    removed = sum((counts(part) for part in clipped(excuses.removed, window)), Counts())
    forgiven = sum(counts(part).bad for part in clipped(excuses.good, window))
    return Counts(whole.good - removed.good + forgiven, whole.total - removed.total, whole.observed - removed.observed)


def clipped(ranges: Iterable[range], window: range) -> Iterator[range]:
    """What of *ranges* lies in *window*."""
    for each in ranges:
        part = range(max(each.start, window.start), min(each.stop, window.stop))
        if part:
            yield part


def _rule(adjustment: Adjustment) -> rrule:
    text = adjustment.rrule
    try:
        parts = dict(part.split("=", 1) for part in text.upper().split(";"))
        frequency = parts.get("FREQ")
        if frequency not in _FREQUENCIES:
            raise InvalidAdjustmentError("rrule", text, f"FREQ must be one of {', '.join(_FREQUENCIES)}")
        if frequency in {"DAILY", "WEEKLY"} and not _OF_MONTHS_AND_YEARS.isdisjoint(parts):
            named = ", ".join(sorted(_OF_MONTHS_AND_YEARS & parts.keys()))
            raise InvalidAdjustmentError("rrule", text, f"{named} needs FREQ=MONTHLY or YEARLY")
        if int(parts.get("INTERVAL", 1)) < 1:  # dateutil would never end
            raise InvalidAdjustmentError("rrule", text, "INTERVAL must be at least 1")
        rule = rrulestr(text, dtstart=adjustment.start.astimezone(zone_of(adjustment.zone)))
    except (ValueError, OverflowError, TypeError) as error:
        raise InvalidAdjustmentError("rrule", text, f"it is no RFC 5545 rule: {error}") from error
    if not isinstance(rule, rrule) or len(text.split()) != 1:  # with dates of its own, or exceptions
        raise InvalidAdjustmentError("rrule", text, "give one rule")
    return rule


def merged(ranges: Iterable[range]) -> list[range]:
    """*ranges* as disjoint ones, ascending; those that touch are one."""
    merged: list[range] = []
    for each in sorted((r for r in ranges if r), key=lambda r: r.start):
        if merged and each.start <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(merged[-1].stop, each.stop))
        else:
            merged.append(each)
    return merged


def _without(ranges: Iterable[range], holes: Sequence[range]) -> Iterator[range]:
    """*ranges* less *holes*; both disjoint and ascending."""
    for each in ranges:
        start = each.start
        for hole in clipped(holes, each):
            if start < hole.start:
                yield range(start, hole.start)
            start = hole.stop
        if start < each.stop:
            yield range(start, each.stop)


def _inside(minute: Ints, ranges: Sequence[range]) -> npt.NDArray[np.bool_]:
    """Which of *minute* lie in *ranges*."""
    edges = np.array([edge for each in ranges for edge in (each.start, each.stop)], np.int64)
    return edges.searchsorted(minute, side="right") % 2 == 1
