"""Minute buckets as arrays, and prefix sums over them: any window is two look-ups, however long it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]  # of Python integers (dtype object) where 64 bits could overflow
Buckets = Mapping[int, tuple[int, int]]  # minute since the epoch -> good, total

_LARGEST = 2**63
_NONE: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The observed minutes of one SLO, in ascending order.

    Args:
        minute: Since the epoch, each at most once.
        good: Good events of the minute; not more than its total.
        total: All events; a minute with 0 was observed all the same.
    """

    minute: Ints
    good: Ints
    total: Ints

    @classmethod
    def of(cls, buckets: Buckets) -> "Series":
        """From buckets in any order."""
        minutes = sorted(buckets)
        counts = [buckets[minute] for minute in minutes]
        total = ints([n for _, n in counts])
        return cls(ints(minutes), ints([g for g, _ in counts]).astype(total.dtype), total)

    def within(self, window: range) -> "Series":
        """The minutes in *window*."""
        first, stop = self.minute.searchsorted((window.start, window.stop))
        return Series(self.minute[first:stop], self.good[first:stop], self.total[first:stop])


def joined_series(parts: Sequence[Series]) -> Series:
    """*parts*, each of which ends before the next begins, as one."""
    if not parts:
        return Series(_NONE, _NONE, _NONE)
    return Series(
        np.concatenate([part.minute for part in parts]),
        np.concatenate([part.good for part in parts]),
        np.concatenate([part.total for part in parts]),
    )


def ints(values: Sequence[int]) -> Ints:
    """*values* as an array whose sum fits."""
    return np.array(values, dtype=object if sum(map(abs, values)) >= _LARGEST else np.int64)


def wide(values: Ints, factor: int) -> Ints:
    """*values* (0 or more), fit to be multiplied by *factor*."""
    return values if int(values.max(initial=0)) * factor < _LARGEST else values.astype(object)


@dataclass(frozen=True, slots=True, eq=False)
class PrefixSums:
    """Sums over any range of keys.

    Args:
        keys: Ascending, each at most once.
        columns: What is summed; each as long as *keys*, of values whose sum fits.
    """

    keys: Ints
    columns: tuple[Ints, ...]
    _sums: tuple[Sequence[int], ...] = field(init=False)
    _size: int = field(init=False)
    _dense_from: int | None = field(init=False)  # the first key where no key is missing: a place is a difference

    def __post_init__(self) -> None:
        sums = tuple(map(_running, self.columns))
        size = len(self.keys)
        dense = size > 0 and int(self.keys[-1]) - int(self.keys[0]) + 1 == size
        object.__setattr__(self, "_sums", sums)
        object.__setattr__(self, "_size", size)
        object.__setattr__(self, "_dense_from", int(self.keys[0]) if dense else None)

    def over(self, wanted: range) -> tuple[int, ...]:
        """How many keys lie in *wanted*, and the sum of each column over them."""
        first, stop = self._place(wanted.start), self._place(wanted.stop)
        if stop <= first:
            return (0,) * (1 + len(self._sums))
        return (stop - first, *[sums[stop] - sums[first] for sums in self._sums])

    def _place(self, key: int) -> int:
        if self._dense_from is None:
            return int(self.keys.searchsorted(key))
        place = key - self._dense_from
        if place <= 0:
            return 0
        return place if place < self._size else self._size  # noqa: FURB136  min() takes twice as long


def _running(column: Ints) -> Sequence[int]:
    """The sums of the first 0, 1, 2 ... values, such that one is read as a Python integer without delay."""
    sums = np.concatenate((np.zeros(1, column.dtype), column.cumsum()))
    return sums.tolist() if column.dtype == object else sums.data
