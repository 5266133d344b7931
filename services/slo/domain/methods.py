"""OpenSLO's budgeting methods: what the SLI of a window is.

- *occurrences*: good events / events.
- *timeslices*: slices whose own ratio reaches the slice target (equal is good) / slices.
- *ratio-timeslices*: the mean of the slices' ratios.

Slices lie on a grid that starts at the epoch; slice i of length L is the minutes [i*L, (i+1)*L). One that is not wholly
inside the window, such as a slice still open at its end, does not count; one without events is what the policy says.

Every method comes down to rows that add up: a key (a minute, or a slice), and columns of integers.

============================  =====================  =========================
method                        key                    columns
============================  =====================  =========================
occurrences                   minute                 total, good
timeslices                    slice with events      1, reached (0 or 1)
ratio-timeslices              slice with events      1, d1, d2, d3
============================  =====================  =========================

The first column's sum is the SLI's denominator, the others are its numerator. So a stored roll-up is one row a day of
two or four 64-bit integers (`daily`), which prefix sums, late data (subtract the slice's old row, add its new one) and
any order of arrival leave exact. Whether empty slices count is decided when read, so it is not in the roll-up; the
slice length and, for timeslices, the slice target are: changing them makes the rows anew from minutes.

**The mean of ratios is fixed-point.** Exact fractions of thousands of denominators have numbers of thousands of digits,
and sums of floats depend on their order. Each ratio is an integer number of 1/SCALE instead, in three digits whose sums
need no carry. SCALE (3e27) is divisible by every number up to 28, by 60, 1440, 10^9 and by most totals people choose:
for those a ratio is exact. Any other is rounded up, so the mean is too high by less than 1/SCALE = 4e-28, which no
float shows; a mean that truly equals the target never counts as below it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Final, Literal, Protocol, TypeVar

import numpy as np

from services.slo.domain.adjustments import NOTHING_EXCUSED, Excused, adjusted, clipped
from services.slo.domain.error_budget import Counts
from services.slo.domain.series import Ints, PrefixSums, Series, wide
from services.slo.domain.windows import Bounds

Method = Literal["occurrences", "timeslices", "ratio-timeslices"]
Empty = Missing = Literal["ignore", "good", "bad"]
Ratio = tuple[int, int]  # an SLI as numerator and denominator; a denominator of 0: undefined
_Number = TypeVar("_Number", int, Ints)
Rows = tuple[Ints, tuple[Ints, ...]]  # keys, columns

_DAY = 24 * 60  # minutes
# Each below 2^31: a rest below 2^32 times one fits 63 bits, and so does the sum of 2^32 digits.
_RADICES: Final = (2**20 * 3**4 * 5**2, 2 * 3**3 * 5**7 * 7**3, 2 * 7 * 11**2 * 13**2 * 17 * 19 * 23)
SCALE: Final = prod(_RADICES)


@dataclass(frozen=True, slots=True)
class Slicing:
    """How time is cut into slices.

    Args:
        length_min: Of one slice.
        target: A slice is good if its own ratio reaches this; equal is good.
        empty: What a slice without events is.
    """

    length_min: int = 1
    target: Fraction = Fraction(95, 100)
    empty: Empty = "ignore"


DEFAULT_SLICING: Final = Slicing()


class Sums(Protocol):
    """Rows of a method, summed over any range of keys."""

    def over(self, wanted: range) -> tuple[int, ...]:
        """How many keys in *wanted* have rows, and the sum of each column over them."""
        ...


class Tally:
    """The sums of one SLO under one method: any window costs the same few look-ups.

    Args:
        minutes: Total and good events of the observed minutes, adjusted.
        slices: The method's rows; None for occurrences, whose rows *minutes* are.
        method: Which figure is the SLI.
        slicing: For the methods that slice.
        excuses: The minutes adjustments cover; at least all that the windows asked for can reach.
    """

    def __init__(
        self, minutes: Sums, slices: Sums | None, method: Method, slicing: Slicing, excuses: Excused = NOTHING_EXCUSED
    ) -> None:
        self.method: Method = method
        self.slicing, self.excuses = slicing, excuses
        self._minutes, self._slices = minutes, slices

    def counts(self, window: range) -> Counts:
        """The events in the minutes of *window*."""
        observed, total, good = self._minutes.over(window)
        return Counts(good, total, observed)

    def sli(self, window: range) -> Ratio:
        """The SLI of the minutes in *window*; for a method that slices, of the slices wholly among them."""
        if self._slices is None:
            _, total, good = self._minutes.over(window)
            return good, total
        grid = slices(window, self.slicing.length_min)
        counted, *sums = self._slices.over(grid)
        if self.slicing.empty == "ignore":
            return ratio(sums)
        length = self.slicing.length_min
        removed = sum(len(part) for part in clipped(_sliced(self.excuses.removed, length), grid))
        excused = sum(
            len(part) - self._slices.over(part)[0] for part in clipped(_sliced(self.excuses.any, length), grid)
        )
        return with_empty(
            ratio(sums), self.method, self.slicing.empty, excused - removed, len(grid) - counted - removed
        )

    def judged(self, passed: Bounds) -> Ratio:
        """The SLI of the time that has passed of a window: an open slice does not count yet."""
        return self.sli(passed.minutes if self._slices is None else passed.closed_minutes)

    def expected(self, window: range) -> int:
        """How many minutes of *window* are expected to be observed."""
        return self.excuses.expected(window)

    def spent(self, window: range) -> Counts:
        """Good and all of what the budget counts in *window* (events or slices), and its observed minutes."""
        counts = self.counts(window)
        return counts if self._slices is None else Counts(*self.sli(window), counts.observed)

    @property
    def key_min(self) -> int:
        """Minutes of one bucket or slice."""
        return 1 if self._slices is None else self.slicing.length_min


class Measured(Tally):
    """The tally of minutes that are all at hand.

    Args:
        series: The observed minutes, unadjusted.
        method: Which figure is the SLI.
        slicing: For the methods that slice.
        excuses: The minutes adjustments cover; at least all that the windows asked for can reach.
    """

    def __init__(
        self,
        series: Series,
        method: Method = "occurrences",
        slicing: Slicing = DEFAULT_SLICING,
        excuses: Excused = NOTHING_EXCUSED,
    ) -> None:
        series = adjusted(series, excuses)
        self._events = PrefixSums(series.minute, (series.total, series.good))
        self._sliced = None if method == "occurrences" else PrefixSums(*rows(series, method, slicing))
        super().__init__(self._events, self._sliced, method, slicing, excuses)

    def bad(self, window: range) -> tuple[Ints, Ints]:
        """Where the budget of *window* was spent.

        Returns:
            The first minute of each bucket or slice (its length is `key_min`), and the badness in it. Together that is
            exactly the SLI's denominator less its numerator.
        """
        if self._sliced is None:
            first, stop = self._events.keys.searchsorted((window.start, window.stop))
            total, good = (column[first:stop] for column in self._events.columns)
            return self._events.keys[first:stop], total - good
        grid = slices(window, self.key_min)
        first, stop = self._sliced.keys.searchsorted((grid.start, max(grid.start, grid.stop)))
        keys, (_, *digits) = self._sliced.keys[first:stop], (c[first:stop] for c in self._sliced.columns)
        unit, value = 1, digits[0]
        if self.method == "ratio-timeslices":
            unit, value = SCALE, _joined(*(digit.astype(object) for digit in digits))
        without = self._empty_and_bad(grid, keys)
        starts = np.concatenate((keys, without)) * self.key_min
        badness = np.concatenate((unit - value, np.full(len(without), unit, value.dtype)))
        order = starts.argsort(kind="stable")
        return starts[order], badness[order]

    def _empty_and_bad(self, grid: range, counted: Ints) -> Ints:
        """The slices of *grid* that count as bad because they held no events."""
        if self.slicing.empty != "bad":
            return counted[:0]
        excused = [np.arange(p.start, p.stop) for p in clipped(_sliced(self.excuses.any, self.key_min), grid)]
        return np.setdiff1d(np.arange(grid.start, grid.stop), np.concatenate((counted, *excused)))


def slices(window: range, length_min: int) -> range:
    """The slices wholly inside the minutes of *window*."""
    return range(-(-window.start // length_min), window.stop // length_min)


def rows(series: Series, method: Method, slicing: Slicing = DEFAULT_SLICING) -> Rows:
    """The rows of *series* (adjusted already) under *method*, as the module's table has them."""
    if method == "occurrences":
        return series.minute, (series.total, series.good)
    index = series.minute // slicing.length_min
    firsts = np.flatnonzero(np.diff(index, prepend=index[:1] - 1))
    total = np.add.reduceat(series.total, firsts)
    seen = total > 0
    index, good, total = index[firsts][seen], np.add.reduceat(series.good, firsts)[seen], total[seen]
    ones = np.ones(len(index), np.int64)
    return index, (
        ones,
        *((_reached(good, total, slicing.target),) if method == "timeslices" else _digits(good, total)),
    )


def slice_row(good: int, total: int, method: Method, slicing: Slicing) -> tuple[int, ...]:
    """What a slice that holds *good* of *total* events adds to the sums of its method: one key, and each column."""
    width = 2 if method == "timeslices" else 4
    if total == 0:
        return (0,) * (width + 1)
    if method == "timeslices":
        return 1, 1, int(good * slicing.target.denominator >= total * slicing.target.numerator)
    digits: list[int] = []
    for radix in _RADICES:
        digit, good = divmod(good * radix, total)
        digits.append(digit)
    return 1, 1, *digits[:-1], digits[-1] + (good > 0)


def daily(found: Rows, key_min: int = 1) -> Rows:
    """*found* summed up per day in which a key starts.

    Args:
        found: Of `rows`.
        key_min: Minutes of one key: 1 for occurrences, else the slice length.

    Returns:
        Days since the epoch, and the sums of each column. A window is exactly the days wholly inside it (a day holds
        the slices of `slices_starting_in`) plus the rows beside them.
    """
    keys, columns = found
    day = keys * key_min // _DAY
    firsts = np.flatnonzero(np.diff(day, prepend=day[:1] - 1))
    return day[firsts], tuple(np.add.reduceat(column, firsts) for column in columns)


def slices_starting_in(days: range, length_min: int) -> range:
    """The slices whose first minute lies in *days* since the epoch; a slice may end after them."""
    return range(-(-days.start * _DAY // length_min), -(-days.stop * _DAY // length_min))


def ratio(sums: Sequence[int]) -> Ratio:
    """The SLI that the *sums* of a method's columns amount to."""
    if len(sums) == 2:  # noqa: PLR2004  a denominator and one digit
        return sums[1], sums[0]
    counted, *digits = sums
    return _joined(*digits), counted * SCALE


def with_empty(sli: Ratio, method: Method, empty: Empty, excused: int, slices_without: int) -> Ratio:
    """*sli* with the slices that held no events, as the policy *empty* counts them.

    Args:
        sli: Of the slices with events.
        method: One that slices.
        empty: The policy.
        excused: Empty slices that adjustments count as good, whatever the policy.
        slices_without: All empty slices, without those that adjustments remove.
    """
    if empty == "ignore":
        return sli
    unit = SCALE if method == "ratio-timeslices" else 1
    return sli[0] + (slices_without if empty == "good" else excused) * unit, sli[1] + slices_without * unit


def _joined(first: _Number, second: _Number, third: _Number) -> _Number:
    return (first * _RADICES[1] + second) * _RADICES[2] + third


def _sliced(ranges: Iterable[range], length_min: int) -> Iterator[range]:
    return (slices(each, length_min) for each in ranges)


def _reached(good: Ints, total: Ints, target: Fraction) -> Ints:
    p, q = target.numerator, target.denominator
    return (wide(good, q) * q >= wide(total, p) * p).astype(np.int64)


def _digits(good: Ints, total: Ints) -> tuple[Ints, ...]:
    """The ratios in the mixed radix, rounded up in the last digit."""
    total = wide(total, max(_RADICES))
    rest, digits = good.astype(total.dtype), list[Ints]()
    for radix in _RADICES:
        digit = rest * radix // total
        rest = rest * radix - digit * total
        digits.append(digit)
    digits[-1] = digits[-1] + (rest > 0)
    return tuple(digit.astype(np.int64) for digit in digits)
