"""Measurements as they are kept: minute buckets per source, and sums per hour and per day.

Storage of record, not a read model: backed up, never rebuilt. An hour is always the sum of its minutes and a day that
of its hours, made anew in the transaction that changes them; so any window is a few ranges of few rows, exact however
late its data came.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    case,
    cast,
    distinct,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from services.slo.domain.error_budget import Counts
from services.slo.measurements import Measurement

_HOUR, _DAY = 60, 24 * 60  # minutes
_MOST_SLOS = 500  # in one question
METADATA = MetaData()


def _sums(name: str, unit: str) -> Table:
    return Table(
        name,
        METADATA,
        Column("slo", Text, primary_key=True),
        Column(unit, BigInteger, primary_key=True, autoincrement=False),
        Column("good", BigInteger, nullable=False),
        Column("total", BigInteger, nullable=False),
        Column("observed", Integer, nullable=False),  # minutes with a bucket
        sqlite_with_rowid=False,
    )


MINUTES = Table(
    "slo_minutes",
    METADATA,
    Column("slo", Text, primary_key=True),
    Column("minute", BigInteger, primary_key=True, autoincrement=False),  # since the epoch
    Column("source", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("good", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
HOURS = _sums("slo_hours", "hour")
DAYS = _sums("slo_days", "day")
INPUTS = Table(
    "slo_inputs",
    METADATA,
    Column("slo", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),  # measurements taken in
    Column("first", BigInteger, nullable=False),  # the earliest observed minute
    Column("last", BigInteger, nullable=False),  # the latest
    sqlite_with_rowid=False,
)
_LEVELS = ((MINUTES, 1), (HOURS, _HOUR), (DAYS, _DAY))


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was taken in for one SLO.

    Args:
        version: How many measurements.
        first: The earliest observed minute.
        last: The latest.
    """

    version: int
    first: int
    last: int


def take_in(connection: Connection, measurements: Sequence[Measurement]) -> None:
    """Keep *measurements* and bring the sums over them up to date, in the caller's transaction."""
    if not measurements:
        return
    newest: dict[tuple[str, int, str], Measurement] = {}
    taken: dict[str, list[int]] = {}
    for measurement in measurements:
        minute = measurement.minute
        key = measurement.slo, minute, measurement.source
        held = newest.get(key)
        if held is None or held.revision <= measurement.revision:
            newest[key] = measurement
        taken.setdefault(measurement.slo, []).append(minute)
    _keep(connection, newest)
    _sum_up(connection, taken)
    _note(connection, taken)


def inputs(connection: Connection, slos: Collection[str]) -> dict[str, Inputs]:
    """What was taken in, per SLO that has anything."""
    found: dict[str, Inputs] = {}
    for some in _chunks(slos):
        rows = connection.execute(select(INPUTS).where(INPUTS.c.slo.in_(some)))
        found |= {row.slo: Inputs(row.version, row.first, row.last) for row in rows}
    return found


def counts(connection: Connection, slos: Collection[str], windows: Sequence[range]) -> dict[str, list[Counts]]:
    """The counts of each SLO in each of *windows* (minutes since the epoch)."""
    parts = [(number, *part) for number, window in enumerate(windows) for part in split(window)]
    found = {slo: [Counts()] * len(windows) for slo in slos}
    for some in _chunks(slos):
        for level, (table, _) in enumerate(_LEVELS):
            ranges = [(number, first, end) for number, at_level, first, end in parts if at_level == level]
            if ranges:
                for slo, number, good, total, observed in _range_sums(connection, table, some, ranges):
                    found[slo][number] += Counts(good, total, observed)
    return found


def observed_at(connection: Connection, slo: str, window: range) -> tuple[int, int] | None:
    """The first and the last observed minute of *window*; None if there is none."""
    ends = (
        select(end(MINUTES.c.minute))  # each of its own: together they would read the whole window
        .where(MINUTES.c.slo == slo, MINUTES.c.minute >= window.start, MINUTES.c.minute < window.stop)
        .scalar_subquery()
        for end in (func.min, func.max)
    )
    found: Any = connection.execute(select(*ends)).one()
    first, last = found
    return None if first is None else (first, last)


def split(window: range) -> Iterator[tuple[int, int, int]]:
    """*window* as ranges of whole days, the whole hours beside them, and the minutes beside those.

    Yields:
        The level (0 minutes, 1 hours, 2 days), first and end, counted in that level's own unit.
    """
    yield from _split(window.start, window.stop, 0)


def _split(start: int, stop: int, level: int) -> Iterator[tuple[int, int, int]]:
    unit = _LEVELS[level][1]
    if level + 1 < len(_LEVELS):
        above = _LEVELS[level + 1][1]
        first, end = -(-start // above) * above, stop // above * above
        if first < end:
            yield from _split(start, first, level)
            yield from _split(first, end, level + 1)
            yield from _split(end, stop, level)
            return
    if start < stop:
        yield level, start // unit, stop // unit


def _range_sums(
    connection: Connection, table: Table, slos: Collection[str], ranges: Sequence[tuple[int, int, int]]
) -> Iterable[Any]:
    # Text: SQLAlchemy compiles VALUES anew each time, which takes longer than all the rest. Ranges are whole numbers.
    unit = table.c[1].name
    observed = "COUNT(DISTINCT minute)" if table is MINUTES else "SUM(observed)"
    query = text(
        f"WITH wanted (part, first, stop) AS (VALUES {', '.join(map(str, ranges))})"  # noqa: S608
        " SELECT slo, part, CAST(SUM(good) AS BIGINT), CAST(SUM(total) AS BIGINT),"  # a sum of bigints is numeric
        f" CAST({observed} AS BIGINT)"
        f" FROM {table.name} JOIN wanted ON {unit} >= first AND {unit} < stop"
        " WHERE slo IN :slos GROUP BY slo, part"
    )
    return connection.execute(query.bindparams(bindparam("slos", slos, expanding=True)))


def _keep(connection: Connection, newest: Mapping[tuple[str, int, str], Measurement]) -> None:
    new = _insert(connection, MINUTES)
    upsert = new.on_conflict_do_update(
        index_elements=MINUTES.primary_key.columns,
        set_={name: new.excluded[name] for name in ("revision", "good", "total")},
        where=new.excluded.revision >= MINUTES.c.revision,
    )
    rows = [
        {
            "slo": slo,
            "minute": minute,
            "source": source,
            "revision": measurement.revision,
            "good": measurement.good,
            "total": measurement.total,
        }
        for (slo, minute, source), measurement in sorted(newest.items(), key=lambda item: item[0])
    ]
    connection.execute(upsert, rows)


def _sum_up(connection: Connection, taken: Mapping[str, Iterable[int]]) -> None:
    """Make the hours and days around the minutes *taken* in anew from what is below them."""
    for into, below, unit in ((HOURS, MINUTES, _HOUR), (DAYS, HOURS, _DAY)):
        per_unit = unit // (1 if below is MINUTES else _HOUR)
        places = [
            {"of": slo, "first": first * per_unit, "stop": stop * per_unit}
            for slo, minutes in sorted(taken.items())
            for first, stop in _runs({minute // unit for minute in minutes})
        ]
        connection.execute(_make_anew(connection, into, below, per_unit), places)


def _make_anew(connection: Connection, into: Table, below: Table, per_unit: int) -> Any:  # noqa: ANN401  of a dialect
    at = below.c[1]
    unit = literal_column(f"{at.name} / {per_unit}")  # whole numbers divide to whole ones
    sums = (
        select(
            below.c.slo,
            unit,
            cast(func.sum(below.c.good), BigInteger),
            cast(func.sum(below.c.total), BigInteger),
            cast(_observed(below), Integer),
        )
        .where(below.c.slo == bindparam("of"), at >= bindparam("first"), at < bindparam("stop"))
        .group_by(below.c.slo, unit)
    )
    new = _insert(connection, into).from_select(list(into.c), sums)
    return new.on_conflict_do_update(
        index_elements=into.primary_key.columns,
        set_={name: new.excluded[name] for name in ("good", "total", "observed")},
    )


def _observed(table: Table) -> ColumnElement[int]:
    """How many minutes rows of *table* observed; two sources observe the same minute once."""
    return func.count(distinct(MINUTES.c.minute)) if table is MINUTES else func.sum(table.c.observed)


def _note(connection: Connection, taken: Mapping[str, Sequence[int]]) -> None:
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
    rows = [
        {"slo": slo, "version": len(minutes), "first": min(minutes), "last": max(minutes)}
        for slo, minutes in sorted(taken.items())
    ]
    connection.execute(upsert, rows)


def _insert(connection: Connection, table: Table) -> Any:  # noqa: ANN401  the two dialects' inserts share no type
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def _runs(units: Collection[int]) -> Iterator[tuple[int, int]]:
    """*units* as ranges without gaps."""
    first = end = None
    for unit in sorted(units):
        if unit != end:
            if first is not None and end is not None:
                yield first, end
            first = unit
        end = unit + 1
    if first is not None and end is not None:
        yield first, end


def _chunks(slos: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(slos)
    for start in range(0, len(ordered), _MOST_SLOS):
        yield ordered[start : start + _MOST_SLOS]
