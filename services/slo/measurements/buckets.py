"""Measurements as they are kept (decision 0015): minutes in blocks of a day, hours in blocks of 32 days, a journal.

Storage of record, not a read model: backed up, never rebuilt. What arrives is written to the journal of its partition,
a row for each batch, and merged into the blocks later, so a block is not written anew for every minute. Whoever reads
sees both. Hours are always the sums of their minutes, made anew in the transaction that changes these; they stay when
the minutes are removed (`retention.py`), and what then comes for such a day is too late: what it would replace is gone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from libs.events.bus import MEASUREMENTS
from libs.events.partition import partition_of
from services.slo.domain.series import Series, joined_series
from services.slo.measurements.blocks import (
    DAY_MIN,
    Entries,
    Hours,
    by_day,
    current,
    hourly,
    joined,
    joined_hours,
    latest,
    pack,
    pack_hours,
    series,
    unpack,
    unpack_hours,
    unpack_series,
)
from services.slo.measurements.topic import Measurement

SPAN_DAYS: Final = 32  # of hours in a block
_HOURS_OF_DAY = 24
_MOST_SLOS = 500  # in one question
METADATA = MetaData()

JOURNAL = Table(
    "slo_journal",
    METADATA,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # in the order of arrival
    Column("arrived", Integer, nullable=False),  # minute since the epoch
    Column("entries", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
MINUTES = Table(
    "slo_minute_blocks",
    METADATA,
    Column("slo", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # since the epoch
    Column("changed", Integer, nullable=False),  # minute since the epoch
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
HOURS = Table(
    "slo_hour_blocks",
    METADATA,
    Column("slo", Text, primary_key=True),
    Column("span", Integer, primary_key=True, autoincrement=False),  # of SPAN_DAYS, since the epoch
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
INPUTS = Table(
    "slo_inputs",
    METADATA,
    Column("slo", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),  # measurements taken in
    Column("first", BigInteger, nullable=False),  # the earliest observed minute
    Column("last", BigInteger, nullable=False),  # the latest
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was taken in for one SLO.

    Args:
        version: How many measurements.
        first: The earliest observed minute.
        last: The latest.
    """

    version: int = 0
    first: int = 2**53
    last: int = -1

    def and_also(self, more: "Inputs") -> "Inputs":
        """Both."""
        return Inputs(self.version + more.version, min(self.first, more.first), max(self.last, more.last))


@dataclass(frozen=True, slots=True)
class Want:
    """What is asked about one SLO.

    Args:
        span: The minutes whose hours are wanted.
        days: Since the epoch; wanted minute by minute. The last day with data always is.
    """

    span: range
    days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """What is kept of one SLO.

    Args:
        inputs: What was taken in.
        hours: Of the wanted days; where *days* holds a day, that is newer.
        days: Minutes of the wanted days that are kept as such, and of those that the journal changes.
        latest: The last minute of each source on the last day with data.
    """

    inputs: Inputs = Inputs()
    hours: Hours = field(default_factory=lambda: NO_HOURS)
    days: dict[int, Series] = field(default_factory=dict[int, Series])
    latest: dict[str, int] = field(default_factory=dict[str, int])


_NONE = np.zeros(0, np.int64)
NO_HOURS: Final = Hours(_NONE, _NONE, _NONE, _NONE)


def take_in(connection: Connection, measurements: Sequence[Measurement], now: datetime) -> None:
    """Keep *measurements*, in the caller's transaction."""
    parts: dict[int, list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        parts[partition_of_slo(measurement.slo)].append(measurement)
    rows = [
        {"of": partition, "at": _minute(now), "size": len(some), "packed": pack(Entries.of(some))}
        for partition, some in sorted(parts.items())
    ]
    if rows:
        connection.execute(_JOURNAL_ROW, rows)


def journaled(connection: Connection, partitions: Collection[int]) -> dict[int, tuple[int, int, int]]:
    """How many rows and measurements the journal of each partition holds, and when the first arrived."""
    j = JOURNAL.c
    found = connection.execute(
        select(j.partition, func.count(), func.sum(j.entries), func.min(j.arrived))
        .where(j.partition.in_(sorted(partitions)))
        .group_by(j.partition)
    )
    return {partition: (rows, int(entries), arrived) for partition, rows, entries, arrived in found}


def merge(connection: Connection, partition: int, now: datetime) -> int:
    """Merge the journal of *partition* into the blocks.

    Two processes may do so at once: each has the rows that it removed, and the second reads what the first wrote.

    Returns:
        How many measurements came too late: the minutes of their day are no longer kept.
    """
    j = JOURNAL.c
    rows = connection.execute(delete(JOURNAL).where(j.partition == partition).returning(j.number, j.data)).all()
    if not rows:
        return 0
    new = by_day(joined([unpack(data) for _, data in sorted(tuple(row) for row in rows)]))
    return merge_entries(connection, new, now)


def merge_entries(connection: Connection, new: Mapping[tuple[str, int], Entries], now: datetime) -> int:
    """Merge what arrived for SLOs and days into the blocks; see `merge`."""
    days: dict[int, list[str]] = defaultdict(list)
    spans: dict[int, set[str]] = defaultdict(set)
    for slo, day in new:
        days[day].append(slo)
        spans[day // SPAN_DAYS].add(slo)
    held = {place: unpack(data) for place, data in _minute_blocks(connection, days)}
    hours = {
        (slo, span): found for span, slos in spans.items() for slo, found in _hour_blocks(connection, slos, span, span)
    }
    taken: dict[str, Inputs] = {}
    blocks: list[dict[str, Any]] = []
    too_late = 0
    for (slo, day), entries in new.items():
        block, place = held.get((slo, day)), (slo, day // SPAN_DAYS)
        sums = hours.get(place, NO_HOURS)
        if block is None and _of_day(sums, day).any():
            too_late += len(entries)
            taken[slo] = taken.get(slo, Inputs()).and_also(Inputs(len(entries)))
            continue
        kept = current(entries if block is None else joined([block, entries]))
        blocks.append({"slo": slo, "day": day, "changed": _minute(now), "data": pack(kept)})
        hours[place] = _replaced(sums, day, hourly(series(kept)))
        taken[slo] = taken.get(slo, Inputs()).and_also(_inputs_of(entries))
    changed = sorted({(row["slo"], row["day"] // SPAN_DAYS) for row in blocks})
    spanned = [{"slo": slo, "span": span, "data": pack_hours(hours[slo, span])} for slo, span in changed]
    noted = [
        {"slo": slo, "version": each.version, "first": each.first, "last": each.last}
        for slo, each in sorted(taken.items())
    ]
    if blocks:
        _upsert(connection, MINUTES, sorted(blocks, key=lambda row: (row["slo"], row["day"])))
        _upsert(connection, HOURS, spanned)
    if noted:
        _note(connection, noted)
    return too_late


def inputs(connection: Connection, slos: Collection[str]) -> dict[str, Inputs]:
    """What was taken in, per SLO that has anything."""
    return _inputs(connection, slos, _journal(connection, slos))


def read(connection: Connection, wants: Mapping[str, Want]) -> dict[str, Found]:
    """What is kept of many SLOs, in a few questions however many they are."""
    journal = _journal(connection, wants)
    taken = _inputs(connection, wants, journal)
    found = {slo: Found(taken.get(slo, Inputs())) for slo in wants}
    spans: dict[tuple[int, int], list[str]] = defaultdict(list)
    for slo, want in wants.items():
        if want.span:
            first, last = want.span.start // DAY_MIN, (want.span.stop - 1) // DAY_MIN
            spans[first // SPAN_DAYS, last // SPAN_DAYS].append(slo)
    hours: dict[str, list[Hours]] = defaultdict(list)
    for (first, last), slos in spans.items():
        for slo, some in _hour_blocks(connection, slos, first, last):
            hours[slo].append(some)
    for slo, parts in hours.items():
        span = wants[slo].span
        both = joined_hours(parts)
        inside = (both.hour >= span.start // DAY_MIN * _HOURS_OF_DAY) & (both.hour * 60 < span.stop)
        found[slo] = Found(found[slo].inputs, both.take(inside))
    days: dict[int, list[str]] = defaultdict(list)
    for slo, want in wants.items():
        for day in _days(want, journal.get(slo, {}), found[slo].inputs):
            days[day].append(slo)
    blocks = dict(_minute_blocks(connection, days))
    for day, slos in days.items():
        for slo in slos:
            _add(found[slo], day, blocks.get((slo, day)), journal.get(slo, {}).get(day))
    return found


def minutes(connection: Connection, slo: str, window: range) -> Series:
    """The minutes of *slo* in *window*, as far as they are kept."""
    days = frozenset(range(window.start // DAY_MIN, -(-window.stop // DAY_MIN)))
    held = read(connection, {slo: Want(window, days)})[slo].days
    return joined_series([held[day] for day in sorted(held)]).within(window)


def partition_of_slo(slo: str) -> int:
    """Where its measurements lie."""
    return partition_of(slo, MEASUREMENTS.partitions)


def _days(want: Want, journal: Mapping[int, Entries], taken: Inputs) -> Iterable[int]:
    span = range(want.span.start // DAY_MIN, -(-want.span.stop // DAY_MIN))
    changed = {day for day in journal if day in span}
    return {*want.days, *changed, taken.last // DAY_MIN} if taken.version else ()


def _add(found: Found, day: int, block: bytes | None, journal: Entries | None) -> None:
    """Put the minutes of *day* into what was found."""
    if journal is None:
        if block is None:
            return
        found.days[day], last = unpack_series(block)
    else:
        if block is None and _of_day(found.hours, day).any():
            return
        kept = current(journal if block is None else joined([unpack(block), journal]))
        found.days[day], last = series(kept), latest(kept)
    if day == found.inputs.last // DAY_MIN:
        found.latest.update(last)


def _journal(connection: Connection, slos: Collection[str]) -> dict[str, dict[int, Entries]]:
    """What the journal holds for *slos*, per day."""
    wanted = set(slos)
    j = JOURNAL.c
    query = select(j.partition, j.data).where(j.partition.in_(sorted({partition_of_slo(slo) for slo in slos})))
    parts: dict[int, list[Entries]] = defaultdict(list)
    for partition, data in connection.execute(query.order_by(j.partition, j.number)):
        entries = unpack(data)
        ours = np.array([name in wanted for name in entries.slos], np.bool_)
        parts[partition].append(entries if ours.all() else entries.take(ours[entries.slo]))
    found: dict[str, dict[int, Entries]] = defaultdict(dict)
    for some in parts.values():
        for (slo, day), entries in by_day(joined(some)).items():
            found[slo][day] = entries
    return found


def _inputs(
    connection: Connection, slos: Collection[str], journal: Mapping[str, Mapping[int, Entries]]
) -> dict[str, Inputs]:
    found: dict[str, Inputs] = {}
    for some in _chunks(slos):
        rows = connection.execute(select(INPUTS).where(INPUTS.c.slo.in_(some)))
        found |= {row.slo: Inputs(row.version, row.first, row.last) for row in rows}
    for slo, days in journal.items():
        for entries in days.values():
            found[slo] = found.get(slo, Inputs()).and_also(_inputs_of(entries))
    return found


def _minute_blocks(
    connection: Connection, days: Mapping[int, Collection[str]]
) -> Iterator[tuple[tuple[str, int], bytes]]:
    m = MINUTES.c
    for day, slos in days.items():
        for some in _chunks(slos):
            for slo, data in connection.execute(select(m.slo, m.data).where(m.day == day, m.slo.in_(some))):
                yield (slo, day), data


def _hour_blocks(connection: Connection, slos: Collection[str], first: int, last: int) -> Iterator[tuple[str, Hours]]:
    h = HOURS.c
    for some in _chunks(slos):
        query = select(h.slo, h.data).where(h.span >= first, h.span <= last, h.slo.in_(some)).order_by(h.slo, h.span)
        for slo, data in connection.execute(query):
            yield slo, unpack_hours(data)


def _of_day(hours: Hours, day: int) -> Any:  # noqa: ANN401  a numpy array of bools
    return hours.hour // _HOURS_OF_DAY == day


def _replaced(hours: Hours, day: int, new: Hours) -> Hours:
    """*hours* with those of *day* as they are now."""
    if not len(hours.hour):
        return new
    return joined_hours(
        [hours.take(hours.hour < day * _HOURS_OF_DAY), new, hours.take(hours.hour >= (day + 1) * _HOURS_OF_DAY)]
    )


def _inputs_of(entries: Entries) -> Inputs:
    return Inputs(len(entries), int(entries.minute.min()), int(entries.minute.max()))


def _minute(now: datetime) -> int:
    return int(now.timestamp()) // 60


def _journal_row() -> Any:  # noqa: ANN401  an insert's type does not say so
    j = JOURNAL.c
    of = bindparam("of", type_=Integer)
    values = select(
        of,
        func.coalesce(func.max(j.number), 0) + 1,
        bindparam("at", type_=Integer),
        bindparam("size", type_=Integer),
        bindparam("packed", type_=LargeBinary),
    ).where(j.partition == of)
    return insert(JOURNAL).from_select(list(JOURNAL.c), values)


_JOURNAL_ROW = _journal_row()


def _upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    new = _insert(connection, table)
    values = {column.name: new.excluded[column.name] for column in table.c if not column.primary_key}
    connection.execute(new.on_conflict_do_update(index_elements=table.primary_key.columns, set_=values), rows)


def _note(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    held = INPUTS.c
    new = _insert(connection, INPUTS)
    upsert = new.on_conflict_do_update(
        index_elements=[held.slo],
        set_={
            "version": held.version + new.excluded.version,
            "first": case((new.excluded.first < held.first, new.excluded.first), else_=held.first),
            "last": case((new.excluded.last > held.last, new.excluded.last), else_=held.last),
        },
    )
    connection.execute(upsert, rows)


def _insert(connection: Connection, table: Table) -> Any:  # noqa: ANN401  the two dialects' inserts share no type
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def _chunks(slos: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(slos)
    for start in range(0, len(ordered), _MOST_SLOS):
        yield ordered[start : start + _MOST_SLOS]
