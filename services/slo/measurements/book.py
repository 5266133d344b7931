"""One SLO in memory: its sums per day, those days in detail in which a window begins or ends, and what it lacks."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

import numpy as np
from sqlalchemy import RowMapping

from services.slo.domain.adjustments import NOTHING_EXCUSED, Adjustment, Excused, adjusted, excused
from services.slo.domain.assessment import Assessment, Terms, assess_within
from services.slo.domain.burn_rate import Tier, length_min, tiers_of
from services.slo.domain.composite import Part
from services.slo.domain.day_sums import DAY_MIN, DaySums, MissingDayError
from services.slo.domain.methods import DEFAULT_SLICING, Method, Slicing, Tally, rows, slice_row, slices
from services.slo.domain.openslo.definition import Component, Definition, Slices
from services.slo.domain.openslo.encoding import read
from services.slo.domain.series import Series, joined_series
from services.slo.domain.windows import Bounds, Calendar, bounds
from services.slo.measurements.blocks import Hours
from services.slo.measurements.buckets import NO_HOURS, Found, Inputs, Want

METHODS: Final[Mapping[str, Method]] = {
    "Occurrences": "occurrences",
    "Timeslices": "timeslices",
    "RatioTimeslices": "ratio-timeslices",
}  # OpenSLO's names for them
_EXCUSED_AHEAD = timedelta(days=2)  # adjustments are laid out so far, and anew when half of that is over
_FEW = 16  # measurements of one SLO that are added one by one; of more, their days are read anew


def terms_of(definition: Definition) -> Terms:
    """What is promised, and how it is measured."""
    slicing = _slicing(definition.objectives[0].slices)
    components = (each.component for each in definition.objectives)
    parts = tuple([_part(each, definition.name) for each in components if each and each.method])
    return Terms(definition.target, definition.window, METHODS[definition.method], slicing, parts)


def _part(component: Component, within: str) -> Part:
    """*component* of the composite called *within*, whose own indicators are measured under its name and theirs."""
    return Part(
        name=component.name,
        key=component.of if isinstance(component.of, str) else f"{within}.{component.name}",
        weight=component.weight,
        missing=component.missing,
        delay_min=component.delay_min,
        method=METHODS[component.method or "Occurrences"],
        slicing=_slicing(component.slices),
        parts=tuple([_part(each, component.name) for each in component.parts]),
    )


def _slicing(slices: Slices | None) -> Slicing:
    if slices is None:
        return DEFAULT_SLICING
    return Slicing(slices.length_min, slices.target or DEFAULT_SLICING.target)


@dataclass(frozen=True)
class Promised:
    """What an evaluation needs to know of an SLO.

    Args:
        slo: Its name.
        service: Whose reliability it is about.
        revision: Of the SLO.
        window: Its length, such as `28d`.
        terms: What is promised.
        tiers: Its alert conditions.
        adjustments: Time that does not count against it.
        of_parts: Time that does not count against components, by their names.
    """

    slo: str
    service: str
    revision: int
    window: str
    terms: Terms
    tiers: tuple[Tier, ...]
    adjustments: tuple[Adjustment, ...] = ()
    of_parts: tuple[tuple[str, tuple[Adjustment, ...]], ...] = ()

    @classmethod
    def of(cls, row: RowMapping) -> "Promised":
        """From a row of the read model `slos`."""
        return cls.defined(row["slo"], row["service"], row["revision"], row["window"], read(row["definition"]))

    @classmethod
    def defined(cls, slo: str, service: str, revision: int, window: str, definition: Definition) -> "Promised":
        """From a definition."""
        return cls(slo, service, revision, window, terms_of(definition), tiers_of(definition)[0])

    @cached_property
    def period_min(self) -> int:
        """Length of the window; of a calendar's months, their usual one."""
        return length_min(self.terms.window)

    @cached_property
    def longest_alert_min(self) -> int:
        """The longest window of an alert condition."""
        return max((tier.long_min for tier in self.tiers), default=0)


class DayTally(Tally):
    """Stored sums under one method.

    Args:
        terms: The method.
        excuses: The minutes adjustments cover.
    """

    def __init__(self, terms: Terms, excuses: Excused = NOTHING_EXCUSED) -> None:
        self.minutes = DaySums(1, 2)
        self.sliced: DaySums | None = None
        self._spill = 0  # days after the one it starts in into which a slice may reach
        length = terms.slicing.length_min
        if terms.method != "occurrences":
            self.sliced = DaySums(length, 2 if terms.method == "timeslices" else 4)
            self._spill = 0 if DAY_MIN % length == 0 else -(-length // DAY_MIN)
        super().__init__(self.minutes, self.sliced, terms.method, terms.slicing, excuses)

    def wanted(self, span: range, edges: Collection[int]) -> Want:
        """What is to be read first, for windows in the minutes *span* that begin or end in the days *edges*."""
        if self.sliced is not None:  # sums per day are made of minutes
            return Want(span, frozenset(range(span.start // DAY_MIN - self._spill, -(-span.stop // DAY_MIN))))
        touched = (day for each in self.excuses.any for day in _days_of(each) if day in _days_of(span))
        return Want(span, frozenset((*edges, *touched)))

    def lacks(self, windows: Collection[range], stale: Collection[int] = ()) -> Want | None:
        """What is to be read, besides the days *stale*, before *windows* can be summed; None if nothing is."""
        days = set(stale)
        for window in windows:
            days.update(self.minutes.missing(window))
            if self.sliced is not None:
                days.update(self.sliced.missing(slices(window, self.sliced.key_min)))
        if not days:
            return None
        days = {day + by for day in days for by in range(-self._spill, self._spill + 1)}
        return Want(range(min(days) * DAY_MIN, (max(days) + 1) * DAY_MIN), frozenset(days))

    def begin(self, hours: Hours) -> None:
        """Take over sums of whole days; those that adjustments touch are to be filled after."""
        day = hours.hour // 24
        firsts = np.flatnonzero(np.diff(day, prepend=day[:1] - 1))
        if len(firsts):
            columns = [np.add.reduceat(each, firsts).tolist() for each in (hours.observed, hours.total, hours.good)]
            self.minutes.put_sums(dict(zip(day[firsts].tolist(), zip(*columns, strict=True), strict=True)))

    def fill(self, days: Collection[int], found: Mapping[int, Series], hours: Hours = NO_HOURS) -> None:
        """Take over *days* in detail.

        Args:
            days: Which; others next to them count only towards slices that reach into these.
            found: Their minutes, as far as they are kept.
            hours: Of the days whose minutes are not.
        """
        kept = {day: adjusted(found[day], self.excuses) for day in sorted(days) if day in found}
        for day in days:
            if day in kept:
                self.minutes.put(day, (kept[day].minute, (kept[day].total, kept[day].good)))
            elif day in self.minutes.days_held:
                self._fill_hours(day, hours)
        if self.sliced is not None:
            keys, columns = rows(joined_series(list(kept.values())), self.method, self.slicing)
            for day in days:
                if all(day + by in days for by in range(self._spill + 1)):
                    own = self.sliced.keys_of(range(day, day + 1))
                    first, stop = keys.searchsorted((own.start, own.stop))
                    self.sliced.put(day, (keys[first:stop], tuple(column[first:stop] for column in columns)))

    def add(self, minute: int, good: int, total: int) -> None:
        """Add events at *minute*, which may have been observed by another source.

        Raises:
            MissingDayError: Something is lacking.
        """
        seen = 1 - self.minutes.over(range(minute, minute + 1))[0]
        if self.sliced is None:
            self.minutes.add(minute, (seen, total, good))
            return
        key = minute // self.sliced.key_min
        whole = range(key * self.sliced.key_min, (key + 1) * self.sliced.key_min)
        _, all_before, good_before = self.minutes.over(whole)
        self.minutes.add(minute, (seen, total, good))
        old = slice_row(good_before, all_before, self.method, self.slicing)
        new = slice_row(good_before + good, all_before + total, self.method, self.slicing)
        self.sliced.add(key, [b - a for a, b in zip(old, new, strict=True)])

    def tidy(self, first: int, edges: Collection[int]) -> None:
        """Forget the days before *first*, and details of all but *edges*."""
        for sums in (self.minutes, self.sliced):
            if sums is not None:
                sums.drop_before(first - self._spill)
                sums.forget([day for day in sums.detailed if day not in edges])

    def _fill_hours(self, day: int, hours: Hours) -> None:
        """Put *day* as it is known when its minutes are not kept any more."""
        hours = hours.take(hours.hour // 24 == day)
        kept = adjusted(Series(hours.hour * 60, hours.good, hours.total), self.excuses)
        observed: Any = hours.observed[np.isin(hours.hour * 60, kept.minute)]
        self.minutes.put(day, (kept.minute, (observed, kept.total, kept.good)), step=60)


class Book:
    """What is known of one SLO; see `buckets.read` for where it comes from.

    Args:
        promised: The SLO.
        at: When it is evaluated first.
        besides_min: How far before that windows reach that are neither the period nor of an alert condition.
    """

    def __init__(self, promised: Promised, at: datetime, besides_min: int = 0) -> None:
        self.promised = promised
        self.inputs = Inputs()
        self._besides_min = besides_min
        self._period = bounds(promised.terms.window, at)
        self._excused_until = at + _EXCUSED_AHEAD
        self._start = self._reach(at)
        since = datetime.fromtimestamp(self._start * 60, UTC)
        excuses = excused(promised.adjustments, since, self._excused_until) if promised.adjustments else NOTHING_EXCUSED
        self._touched = excuses.any
        self.tally = DayTally(promised.terms, excuses)
        self._stale: set[int] = set()
        self._latest: dict[str, int] = {}

    def holds_for(self, promised: Promised, at: datetime) -> bool:
        """Whether it can still be used for *promised* as it is now."""
        return self.promised == promised and (not promised.adjustments or at < self._excused_until - _EXCUSED_AHEAD / 2)

    def first_want(self, at: datetime) -> Want:
        """What is to be read before anything can be said."""
        stop = self._stop(at)
        looks_back = {length for tier in self.promised.tiers for length in (tier.long_min, tier.short_min)}
        edges = (int(self._period.start.timestamp()) // 60, stop - 1, *(stop - length for length in looks_back))
        return self.tally.wanted(range(self._start, stop + DAY_MIN), {edge // DAY_MIN for edge in edges})

    def period(self, at: datetime) -> Bounds:
        """The window that *at* lies in, or ends."""
        if not isinstance(self.promised.terms.window, Calendar) or not self._period.start <= at < self._period.end:
            self._period = bounds(self.promised.terms.window, at)
        return self._period

    def fill(self, found: Found, want: Want) -> None:
        """Take over what was *found* when asked for *want*."""
        if not self.inputs.version:
            self.tally.begin(found.hours)
        self.inputs, self._latest = found.inputs, found.latest
        days = {*want.days, *found.days}
        self.tally.fill(days, found.days, found.hours)
        self._stale -= days

    def take(self, minute: int, source: str, good: int, total: int) -> None:
        """Add a measurement that has just been kept."""
        taken, day = self.inputs, minute // DAY_MIN
        new = minute > self._latest.get(source, taken.last)
        self.inputs = Inputs(taken.version + 1, min(taken.first, minute), max(taken.last, minute))
        if minute < self._start or day in self._stale:
            return
        if not new or any(minute in each for each in self._touched):
            self._stale.add(day)
            return
        self._latest[source] = minute
        try:
            self.tally.add(minute, good, total)
        except MissingDayError:
            self._stale.add(day)

    def take_many(self, measured: Collection[tuple[int, str, int, int]]) -> None:
        """Add measurements (minute, source, good, total) that have just been kept."""
        if len(measured) <= _FEW:
            for each in measured:
                self.take(*each)
            return
        found = [minute for minute, *_ in measured]
        self.inputs = self.inputs.and_also(Inputs(len(found), min(found), max(found)))
        self._stale |= {minute // DAY_MIN for minute in found if minute >= self._start}

    def lacks(self, at: datetime, windows: Collection[range]) -> Want | None:
        """What is to be read before these *windows* and the period at *at* can be summed; None if nothing is."""
        return self.tally.lacks((self.period_minutes(at), *windows), self._stale)

    def assess(self, at: datetime) -> Assessment:
        """The SLO at *at*.

        Raises:
            MissingDayError: Something is lacking.
        """
        return assess_within(self.sums, self.promised.terms, self.period(at), at)

    @property
    def sums(self) -> DayTally:
        """The tally, when it holds all that was taken.

        Raises:
            MissingDayError: Something is lacking.
        """
        for day in self._stale:
            raise MissingDayError(day)
        return self.tally

    def period_minutes(self, at: datetime) -> range:
        """The minutes of the period up to *at*."""
        period = self.period(at)
        return Bounds(period.start, min(period.end, at)).minutes

    def observed_days(self, window: range) -> Iterator[int]:
        """The days of *window* with data, the last first."""
        return (day for day in reversed(self.tally.minutes.days) if day in _days_of(window))

    def tidy(self, at: datetime) -> None:
        """Forget the days that no window reaches any more, and details that no window begins or ends in now."""
        self._start = self._reach(at)
        first, end = self._start // DAY_MIN, self.inputs.last + 1
        last = max(self._stop(at), end) // DAY_MIN
        edges = {first, last, last - 1, int(self._period.start.timestamp()) // (60 * DAY_MIN)}
        self.tally.tidy(first, edges | {(end - tier.long_min) // DAY_MIN for tier in self.promised.tiers})

    def _reach(self, at: datetime) -> int:
        """The first minute that a window can reach."""
        behind = max(self.promised.longest_alert_min, self._besides_min)
        return min(int(self.period(at).start.timestamp()) // 60, self._stop(at) - behind)

    def _stop(self, at: datetime) -> int:
        return -(-int(at.timestamp()) // 60) + 1


def _days_of(window: range) -> range:
    return range(window.start // DAY_MIN, -(-window.stop // DAY_MIN))
