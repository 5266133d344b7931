"""Stored measurements, as the arithmetic of the domain reads them."""

from collections.abc import Callable, Sequence

import numpy as np
from sqlalchemy import Connection

from services.slo.domain.adjustments import NOTHING_EXCUSED, Excused
from services.slo.domain.assessment import Terms, measured_as
from services.slo.domain.composite import Composite, Part, asked, composed, leaves_of
from services.slo.domain.day_sums import DAY_MIN
from services.slo.domain.methods import Measured, Tally
from services.slo.domain.series import Series, joined_series
from services.slo.measurements.blocks import Hours, hourly, joined_hours
from services.slo.measurements.book import DayTally
from services.slo.measurements.buckets import Inputs, Want, inputs, minutes, read

HOUR = 60  # minutes
Excusing = Callable[[Sequence[str], Sequence[range]], Excused]  # the SLOs that contain each other, some windows
Reader = Callable[[Connection, str, Terms, Sequence[range], Excused], Tally]


def read_series(connection: Connection, slo: str, window: range) -> Series:
    """The observed minutes of *slo* in *window* (minutes since the epoch), all sources together."""
    return minutes(connection, slo, window)


def read_events(connection: Connection, slo: str, window: range) -> Series:
    """As `read_series`; where only hours are kept, all of an hour stands at its first minute. Not for slices."""
    days = frozenset(range(window.start // DAY_MIN, -(-window.stop // DAY_MIN)))
    found = read(connection, {slo: Want(window, days)})[slo]
    hours = found.hours.take(~np.isin(found.hours.hour // 24, list(found.days)))
    both = joined_series([Series(hours.hour * HOUR, hours.good, hours.total), *found.days.values()])
    order = both.minute.argsort()
    return Series(both.minute[order], both.good[order], both.total[order]).within(window)


def read_hours(connection: Connection, slo: str, hours: range) -> Hours:
    """The hours of *slo* in *hours* since the epoch."""
    found = read(connection, {slo: Want(range(hours.start * HOUR, hours.stop * HOUR))})[slo]
    old = found.hours.take(~np.isin(found.hours.hour // 24, list(found.days)))
    both = joined_hours([old, *map(hourly, found.days.values())])
    both = both.take(both.hour.argsort())
    return both.take((both.hour >= hours.start) & (both.hour < hours.stop))


def read_measured(
    connection: Connection, slo: str, terms: Terms, windows: Sequence[range], excuses: Excused = NOTHING_EXCUSED
) -> DayTally:
    """What answers for *windows* (minutes since the epoch) of *slo* under the method of *terms*.

    It is exact where minutes are kept; where only hours are, a window has the whole hours in it.
    """
    tally = DayTally(terms, excuses)
    span = range(min(window.start for window in windows), max(window.stop for window in windows))
    edges = {edge // DAY_MIN for window in windows for edge in (window.start, window.stop) if edge % DAY_MIN}
    want = tally.wanted(span, edges)
    found = read(connection, {slo: want})[slo]
    tally.begin(found.hours)
    tally.fill({*want.days, *found.days}, found.days, found.hours)
    return tally


def read_buckets(
    connection: Connection, slo: str, terms: Terms, windows: Sequence[range], excuses: Excused = NOTHING_EXCUSED
) -> Measured:
    """As `read_measured`, with every bucket or slice at hand."""
    span = range(min(window.start for window in windows), max(window.stop for window in windows))
    reader = read_events if terms.method == "occurrences" else read_series
    return Measured(reader(connection, slo, span), terms.method, terms.slicing, excuses)


def read_composite(
    connection: Connection,
    slo: str,
    terms: Terms,
    windows: Sequence[range],
    excusing: Excusing,
    reader: Reader = read_measured,
) -> Composite:
    """What answers for *windows* of the composite *slo*."""
    paths = list(leaves_of(terms.parts))
    taken = inputs(connection, {path[-1].key for path in paths})

    def measured(path: tuple[Part, ...]) -> tuple[Tally, int]:
        leaf, names = path[-1], [slo, *(part.key for part in path)]
        excuses = excusing(names, asked(leaf, NOTHING_EXCUSED, windows))
        wanted = asked(leaf, excuses, windows)
        tally = reader(connection, leaf.key, measured_as(terms, leaf), wanted, excuses)
        return tally, taken.get(leaf.key, Inputs()).first

    return composed(terms.parts, map(measured, paths))
