"""Measurements as columns, and how columns are packed into bytes (decision 0015).

A column of whole numbers is kept as its least value and the rest in as few bytes each as the largest needs, byte by
byte (all lowest bytes first), and the whole is deflated. Minutes and revisions are kept as differences, good events as
bad ones: what is regular then costs almost nothing.
"""

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from services.slo.domain.series import Ints, Series
from services.slo.measurements.topic import Measurement

DAY_MIN = 24 * 60
_HOUR_MIN = 60
_DIFFERING, _DIFFERING_OF_HOURS = (2, 3), (0,)  # columns that are kept as differences: minutes, revisions; hours
_OF_SERIES = (2, 4, 5)  # columns: minutes, total and bad events
_FAST = 1  # of zlib; more costs three times the time for a tenth of the space


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Measurements as columns.

    Args:
        slos: Names; *slo* says which.
        sources: Names; *source* says which.
        slo: Per measurement.
        source: Per measurement.
        minute: Since the epoch.
        revision: Of the source's count.
        good: Good events.
        total: All events.
    """

    slos: tuple[str, ...]
    sources: tuple[str, ...]
    slo: Ints
    source: Ints
    minute: Ints
    revision: Ints
    good: Ints
    total: Ints

    def __len__(self) -> int:
        return len(self.minute)

    @classmethod
    def of(cls, measurements: Sequence[Measurement]) -> "Entries":
        """*measurements* in the same order."""
        slos: dict[str, int] = {}
        sources: dict[str, int] = {}
        columns = (  # a list for each takes half the time of a tuple for each measurement
            [slos.setdefault(each.slo, len(slos)) for each in measurements],
            [sources.setdefault(each.source, len(sources)) for each in measurements],
            [each.minute for each in measurements],
            [each.revision for each in measurements],
            [each.good for each in measurements],
            [each.total for each in measurements],
        )
        return cls(tuple(slos), tuple(sources), *(np.array(column, np.int64) for column in columns))

    def take(self, which: Ints | slice | npt.NDArray[np.bool_]) -> "Entries":
        """Some of them."""
        columns = (self.slo, self.source, self.minute, self.revision, self.good, self.total)
        return Entries(self.slos, self.sources, *(column[which] for column in columns))


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Sums per hour of one SLO.

    Args:
        hour: Since the epoch, ascending.
        observed: Minutes with a bucket.
        good: Good events.
        total: All events.
    """

    hour: Ints
    observed: Ints
    good: Ints
    total: Ints

    def take(self, which: Ints | slice | npt.NDArray[np.bool_]) -> "Hours":
        """Some of them."""
        return Hours(self.hour[which], self.observed[which], self.good[which], self.total[which])


def joined_hours(parts: Sequence[Hours]) -> Hours:
    """*parts* one after the other."""
    return Hours(
        np.concatenate([part.hour for part in parts]),
        np.concatenate([part.observed for part in parts]),
        np.concatenate([part.good for part in parts]),
        np.concatenate([part.total for part in parts]),
    )


def joined(parts: Sequence[Entries]) -> Entries:
    """*parts* one after the other."""
    if len(parts) == 1:
        return parts[0]
    slos: dict[str, int] = {}
    sources: dict[str, int] = {}
    return Entries(
        slo=np.concatenate([_renamed(part.slos, part.slo, slos) for part in parts]),
        source=np.concatenate([_renamed(part.sources, part.source, sources) for part in parts]),
        slos=tuple(slos),
        sources=tuple(sources),
        minute=np.concatenate([part.minute for part in parts]),
        revision=np.concatenate([part.revision for part in parts]),
        good=np.concatenate([part.good for part in parts]),
        total=np.concatenate([part.total for part in parts]),
    )


def _renamed(names: Sequence[str], column: Ints, known: dict[str, int]) -> Ints:
    """*column* of indexes into *names*, as indexes into *known*, which takes up new names."""
    return np.array([known.setdefault(name, len(known)) for name in names], np.int64)[column]


def by_day(entries: Entries) -> dict[tuple[str, int], Entries]:
    """*entries* of each SLO and day, in the same order."""
    if not len(entries):
        return {}
    days = entries.minute // DAY_MIN
    order = np.lexsort((days, entries.slo))  # stable
    slo, days = entries.slo[order], days[order]
    firsts = np.flatnonzero(np.diff(slo, prepend=-1) | np.diff(days, prepend=days[:1]))
    stops = [*firsts[1:].tolist(), len(order)]
    return {
        (entries.slos[slo[first]], int(days[first])): _of_one_slo(entries.take(order[first:stop]))
        for first, stop in zip(firsts.tolist(), stops, strict=True)
    }


def _of_one_slo(entries: Entries) -> Entries:
    """*entries*, all of one SLO, without the names of others and of their sources."""
    slos = (entries.slos[entries.slo[0]],)
    sources, source = entries.sources, entries.source
    if len(sources) > 1:
        used, source = np.unique(source, return_inverse=True)
        sources = tuple(sources[each] for each in used.tolist())
    zeros = np.zeros(len(entries), np.int64)
    return Entries(slos, sources, zeros, source, entries.minute, entries.revision, entries.good, entries.total)


def current(entries: Entries) -> Entries:
    """Of each SLO, source and minute the measurement that counts: the highest revision, of equal ones the last."""
    if len(entries.slos) == len(entries.sources) == 1 and bool((entries.minute[1:] > entries.minute[:-1]).all()):
        return entries  # in order, each once
    key = entries.slo * len(entries.sources) + entries.source
    order = np.lexsort((entries.revision, entries.minute, key))  # stable
    key, minute = key[order], entries.minute[order]
    last = np.append((np.diff(key) != 0) | (np.diff(minute) != 0), True)
    return entries.take(order[last[: len(order)]])


def series(entries: Entries) -> Series:
    """The minutes of `current` *entries* of one SLO: sources add up."""
    if len(entries.sources) == 1:
        return Series(entries.minute, entries.good, entries.total)
    order = entries.minute.argsort(kind="stable")
    minute = entries.minute[order]
    firsts = np.flatnonzero(np.diff(minute, prepend=minute[:1] - 1))
    good, total = (
        np.add.reduceat(column[order], firsts) if len(firsts) else column for column in (entries.good, entries.total)
    )
    return Series(minute[firsts], good, total)


def latest(entries: Entries) -> dict[str, int]:
    """The last minute of each source of *entries*."""
    last = np.full(len(entries.sources), -1)
    np.maximum.at(last, entries.source, entries.minute)
    return dict(zip(entries.sources, last.tolist(), strict=True))


def hourly(found: Series) -> Hours:
    """*found* summed up per hour."""
    hour = found.minute // _HOUR_MIN
    firsts = np.flatnonzero(np.diff(hour, prepend=hour[:1] - 1))
    if not len(firsts):
        return Hours(hour, hour, hour, hour)
    observed = np.diff(firsts, append=len(hour))
    return Hours(hour[firsts], observed, np.add.reduceat(found.good, firsts), np.add.reduceat(found.total, firsts))


def pack(entries: Entries) -> bytes:
    """*entries* as bytes."""
    bad = entries.total - entries.good
    columns = (entries.slo, entries.source, entries.minute, entries.revision, entries.total, bad)
    return _squeezed(columns, _DIFFERING, entries.slos, entries.sources)


def unpack(data: bytes) -> Entries:
    """What `pack` made bytes of."""
    return _entries(_opened(data))


def unpack_series(data: bytes) -> tuple[Series, dict[str, int]]:
    """The minutes of the `current` entries of one SLO that `pack` made bytes of, and the last one of each source."""
    packed = _opened(data)
    if len(packed.sources) > 1:
        entries = _entries(packed)
        return series(entries), latest(entries)
    minute, total, bad = _stretched(packed, _DIFFERING, _OF_SERIES)  # revisions take longer than all the rest
    return Series(minute, total - bad, total), {source: int(minute[-1]) for source in packed.sources}


def pack_hours(hours: Hours) -> bytes:
    """*hours* as bytes."""
    return _squeezed((hours.hour, hours.observed, hours.total, hours.total - hours.good), _DIFFERING_OF_HOURS)


def unpack_hours(data: bytes) -> Hours:
    """What `pack_hours` made bytes of."""
    hour, observed, total, bad = _stretched(_opened(data), _DIFFERING_OF_HOURS, range(4))
    return Hours(hour, observed, total - bad, total)


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    size: int
    slos: tuple[str, ...]
    sources: tuple[str, ...]
    columns: tuple[tuple[int, int, int], ...]  # before the first (if kept as differences), least, bytes each
    data: bytes


def _squeezed(
    columns: Sequence[Ints], differing: Collection[int], slos: tuple[str, ...] = (), sources: tuple[str, ...] = ()
) -> bytes:
    size = len(columns[0])
    heads: list[tuple[int, int, int]] = []
    planes: list[bytes] = []
    for number, given in enumerate(columns):
        start, column = 0, given
        if number in differing and size:
            start = int(given[0])
            column = np.zeros(size, np.int64)
            np.subtract(given[1:], given[:-1], out=column[1:])
        least = int(column.min()) if size else 0
        rest = column - least
        width = (int(rest.max()).bit_length() + 7) // 8 if size else 0
        heads.append((start, least, width))
        planes.append(rest.astype("<i8").view(np.uint8).reshape(size, 8)[:, :width].T.tobytes())
    packed = _Packed(size, slos, sources, tuple(heads), b"".join(planes))
    return zlib.compress(_ENCODER.encode(packed), _FAST)


def _opened(data: bytes) -> _Packed:
    return _DECODER.decode(zlib.decompress(data))


def _entries(packed: _Packed) -> Entries:
    slo, source, minute, revision, total, bad = _stretched(packed, _DIFFERING, range(6))
    return Entries(packed.slos, packed.sources, slo, source, minute, revision, total - bad, total)


def _stretched(packed: _Packed, differing: Collection[int], wanted: Collection[int]) -> list[Ints]:
    """The *wanted* columns."""
    size, at = packed.size, 0
    columns: list[Ints] = []
    planes = np.frombuffer(packed.data, np.uint8)
    for number, (start, least, width) in enumerate(packed.columns):
        end = at + size * width
        if number in wanted:
            column = planes[at : at + size].astype(np.int64) if width else np.zeros(size, np.int64)
            for place in range(1, width):
                column += planes[at + place * size : at + (place + 1) * size].astype(np.int64) << 8 * place
            column += least
            if number in differing and size:
                column[0] += start
                column.cumsum(out=column)
            columns.append(column)
        at = end
    return columns


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Packed)
