"""Rows that add up, summed per day: any window is the whole days in it and a part of the day at either end.

A part of a day needs that day in detail; days that no window begins or ends in are a few numbers. So an SLO costs the
same few look-ups whatever the length of its window, and as much memory as days plus a handful of detailed ones.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np

from services.slo.domain.methods import Rows
from services.slo.domain.series import Ints

DAY_MIN: Final = 24 * 60
_SMALL = 2**32  # sums below it take four bytes


class MissingDayError(LookupError):
    """A window begins or ends in a day that is not there in detail."""

    def __init__(self, day: int) -> None:
        super().__init__(f"day {day} is not there in detail")
        self.day = day


class DaySums:
    """Sums over any range of keys.

    Args:
        key_min: Minutes of one key: 1, or the length of a slice. A key belongs to the day in which it starts.
        width: How many columns rows have.
    """

    def __init__(self, key_min: int, width: int) -> None:
        self.key_min = key_min
        self._nothing = (0,) * (width + 1)
        self._days: dict[int, tuple[int, ...]] = {}
        self._details: dict[int, _Detail] = {}
        self._order: list[int] = []
        self._running: list[tuple[int, ...]] | None = [self._nothing]  # sums of the days before each of _order

    def keys_of(self, days: range) -> range:
        """The keys that start in *days*."""
        return range(-(-days.start * DAY_MIN // self.key_min), -(-days.stop * DAY_MIN // self.key_min))

    def put_sums(self, sums: Mapping[int, tuple[int, ...]]) -> None:
        """Set what days sum up to: how many keys, and each column."""
        self._days.update(sums)
        self.forget(sums)
        self._running = None

    def put(self, day: int, rows: Rows, step: int = 1) -> None:
        """Set the rows of *day*.

        Args:
            day: Since the epoch.
            rows: Their keys lie in the day.
            step: How many keys a row stands for, when finer ones are not kept any more; a window that begins or ends
                among them leaves them out. The first column is how many of them there were, instead of their number.
        """
        keys = self.keys_of(range(day, day + 1))
        found, columns = rows
        if step == 1:
            columns = (np.ones(len(found), np.int64), *columns)
        detail = _Detail.of(keys, found, columns, step)
        self._days[day] = detail.whole
        self._details[day] = detail
        self._running = None

    def forget(self, days: Iterable[int]) -> None:
        """Keep only the sums of *days*."""
        for day in days:
            self._details.pop(day, None)

    def drop_before(self, day: int) -> None:
        """Keep nothing of the days before *day*."""
        old = [each for each in self._days if each < day]
        for each in old:
            del self._days[each]
            self._details.pop(each, None)
        if old:
            self._running = None

    def add(self, key: int, more: Sequence[int]) -> None:
        """Add *more* (how many keys, and to each column) at *key*.

        Raises:
            MissingDayError: Its day is not there in detail.
        """
        day = key * self.key_min // DAY_MIN
        detail = self._details.get(day)
        if detail is None:
            if day in self._days:
                raise MissingDayError(day)
            self.put(day, (_NO_KEYS, tuple(_NO_KEYS for _ in self._nothing[1:])))
            detail = self._details[day]
        detail.add(key, more)
        self._days[day] = detail.whole
        if self._running is not None and (not self._order or self._order[-1] != day):
            self._running = None

    @property
    def detailed(self) -> Sequence[int]:
        """The days that are there in detail."""
        return list(self._details)

    @property
    def days_held(self) -> Collection[int]:
        """The days that hold anything, in any order."""
        return self._days.keys()

    @property
    def days(self) -> Sequence[int]:
        """The days that hold anything, ascending."""
        return sorted(self._days)

    def missing(self, wanted: range) -> Iterator[int]:
        """The days that `over` would need in detail and has not."""
        if wanted:
            first, last = self._day(wanted.start), self._day(wanted[-1])
            for day in {first, last}:
                if day in self._days and day not in self._details and not self._holds(wanted, day):
                    yield day

    def over(self, wanted: range) -> tuple[int, ...]:
        """How many keys in *wanted* have rows, and the sum of each column over them.

        Raises:
            MissingDayError: A day is not there in detail.
        """
        if not wanted:
            return self._nothing
        start, stop, key_min = wanted.start, wanted.stop, self.key_min
        first, last = start * key_min // DAY_MIN, (stop - 1) * key_min // DAY_MIN
        if first == last:
            return self._part(first, start, stop)
        head, tail = self._part(first, start, stop), self._part(last, start, stop)
        if last - first == 1:
            return tuple([a + b for a, b in zip(head, tail, strict=True)])
        below, above = self._before(first + 1), self._before(last)
        return tuple([a + b + c - d for a, b, c, d in zip(head, tail, above, below, strict=True)])

    def _part(self, day: int, start: int, stop: int) -> tuple[int, ...]:
        """What of *day* lies in the keys from *start* to *stop*."""
        detail = self._details.get(day)
        if detail is not None:
            return detail.over(start, stop)
        whole = self._days.get(day)
        if whole is None:
            return self._nothing
        if self._holds(range(start, stop), day):
            return whole
        raise MissingDayError(day)

    def _holds(self, wanted: range, day: int) -> bool:
        keys = self.keys_of(range(day, day + 1))
        return wanted.start <= keys.start and keys.stop <= wanted.stop

    def _day(self, key: int) -> int:
        return key * self.key_min // DAY_MIN

    def _before(self, day: int) -> tuple[int, ...]:
        """The sums of all days before *day*."""
        if self._running is None:
            self._order = sorted(self._days)
            columns = zip(self._nothing, *(self._days[each] for each in self._order[:-1]), strict=True)
            self._running = list(zip(*map(accumulate, columns), strict=True))
        place = bisect_left(self._order, day)
        if place < len(self._running):
            return self._running[place]
        return _plus(self._running[-1], self._days[self._order[-1]]) if self._order else self._nothing


@dataclass(slots=True, eq=False)
class _Detail:
    """One day: running sums, one more than it has steps."""

    keys: range
    step: int
    sums: list[Ints]

    @classmethod
    def of(cls, keys: range, found: Ints, columns: Sequence[Ints], step: int) -> "_Detail":
        size = len(keys) // step + 1
        places = None if len(found) == size - 1 else (found - keys.start) // step + 1
        return cls(keys, step, [_spread(column, places, size) for column in columns])

    @property
    def whole(self) -> tuple[int, ...]:
        return tuple([column.item(-1) for column in self.sums])

    def over(self, start: int, stop: int) -> tuple[int, ...]:
        first, step = self.keys.start, self.step
        low, high = start - first, stop - first
        if step > 1:
            low, high = -(-low // step), high // step
        low = 0 if low < 0 else low  # noqa: FURB136  max() takes twice as long
        if high >= len(self.sums[0]):
            high = -1
        elif high <= low:
            return (0,) * len(self.sums)
        if low == 0:
            return tuple([column.item(high) for column in self.sums])
        return tuple([column.item(high) - column.item(low) for column in self.sums])

    def add(self, key: int, more: Sequence[int]) -> None:
        place = (key - self.keys.start) // self.step + 1
        for number, (column, each) in enumerate(zip(self.sums, more, strict=True)):
            if each == 0:
                continue
            if column.dtype == np.uint32 and column.item(-1) + each >= _SMALL:
                column = self.sums[number] = column.astype(np.int64)  # noqa: PLW2901  it is the new one now
            if each < 0:
                column[place:] -= column.dtype.type(-each)
            else:
                column[place:] += column.dtype.type(each)


_NO_KEYS = np.zeros(0, np.int64)


def _spread(column: Ints, places: Ints | None, size: int) -> Ints:
    running = np.zeros(size, column.dtype)
    if places is None:  # every step has a row
        column.cumsum(out=running[1:])
    else:
        running[places] = column
        running.cumsum(out=running)
    small = column.dtype != object and int(running[-1]) < _SMALL
    return running.astype(np.uint32) if small else running  # pyright: ignore[reportReturnType]  half the space, whole numbers all the same


def _plus(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([x + y for x, y in zip(a, b, strict=True)])
