"""Stored measurements, as the arithmetic of the domain reads them."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, cast, func, select

from services.slo.buckets import HOURS, MINUTES, counts
from services.slo.domain.adjustments import NOTHING_EXCUSED, Excused, adjusted_counts
from services.slo.domain.assessment import Measurable, Terms
from services.slo.domain.error_budget import Counts
from services.slo.domain.methods import Measured, Ratio
from services.slo.domain.series import Ints, PrefixSums, Series, ints

HOUR = 60  # minutes
_ROWS_A_QUESTION = 300  # so many rows are read in the time that asking for one window takes


class Sums(NamedTuple):
    """What was measured per minute or hour, in ascending order; units without measurements are left out.

    Args:
        unit: Since the epoch.
        good: Good events.
        total: All events.
        observed: Minutes with measurements.
    """

    unit: Ints
    good: Ints
    total: Ints
    observed: Ints


def read_series(connection: Connection, slo: str, minutes: range) -> Series:
    """The observed minutes of *slo* in *minutes* since the epoch, all sources together."""
    found = _read_minutes(connection, slo, minutes)
    return Series(found.unit, found.good, found.total)


def read_hours(connection: Connection, slo: str, hours: range) -> Sums:
    """The hours of *slo* in *hours* since the epoch."""
    at = HOURS.c.hour
    query = (
        select(at, HOURS.c.good, HOURS.c.total, HOURS.c.observed)
        .where(HOURS.c.slo == slo, at >= hours.start, at < hours.stop)
        .order_by(at)
    )
    return _sums([tuple(row) for row in connection.execute(query)])


def read_measured(
    connection: Connection, slo: str, terms: Terms, windows: Sequence[range], excuses: Excused = NOTHING_EXCUSED
) -> Measurable:
    """What answers for *windows* (minutes since the epoch) of *slo* under the method of *terms*, exactly.

    It may be asked while *connection* is open. Many windows are prepared for with one read.
    """
    span = range(min(window.start for window in windows), max(window.stop for window in windows))
    if terms.method != "occurrences":
        return Measured(read_series(connection, slo, span), terms.method, terms.slicing, excuses)
    one_by_one = _ROWS_A_QUESTION * len(windows)
    hours = len(_hours(span)) + _ROWS_A_QUESTION * sum(bool(w.start % HOUR or w.stop % HOUR) for w in windows)
    cheapest = min(one_by_one, hours, len(span))
    if cheapest == one_by_one:
        return Stored(connection, slo, excuses)
    if cheapest == hours:
        return Stored(connection, slo, excuses, read_hours(connection, slo, _hours(span)), HOUR)
    return Stored(connection, slo, excuses, _read_minutes(connection, slo, span), 1)


class Stored:
    """Counts under *occurrences*, from sums that are read ahead where they fit, else asked for one by one.

    Args:
        connection: Must be open when this is asked.
        slo: Whose.
        excuses: The minutes that adjustments cover.
        ahead: Sums of all that is asked for in whole units.
        unit_min: Minutes of a unit of *ahead*.
    """

    def __init__(
        self,
        connection: Connection,
        slo: str,
        excuses: Excused = NOTHING_EXCUSED,
        ahead: Sums | None = None,
        unit_min: int = 1,
    ) -> None:
        self.excuses = excuses
        self._connection, self._slo, self._unit_min = connection, slo, unit_min
        self._asked: dict[range, Counts] = {}
        self._ahead = ahead and PrefixSums(ahead.unit, (ahead.good, ahead.total, ahead.observed))

    def counts(self, window: range) -> Counts:
        """The events in the minutes of *window*."""
        return adjusted_counts(self._counts, window, self.excuses)

    def sli(self, window: range) -> Ratio:
        """Good events and all events."""
        found = self.counts(window)
        return found.good, found.total

    def _counts(self, window: range) -> Counts:
        unit = self._unit_min
        if self._ahead and not (window.start % unit or window.stop % unit):
            return Counts(*self._ahead.over(range(window.start // unit, window.stop // unit))[1:])
        if window not in self._asked:
            self._asked[window] = counts(self._connection, [self._slo], [window])[self._slo][0]
        return self._asked[window]


def _read_minutes(connection: Connection, slo: str, minutes: range) -> Sums:
    at = MINUTES.c.minute
    good, total = (cast(func.sum(column), BigInteger) for column in (MINUTES.c.good, MINUTES.c.total))
    query = (
        select(at, good, total)
        .where(MINUTES.c.slo == slo, at >= minutes.start, at < minutes.stop)
        .group_by(at)
        .order_by(at)
    )
    return _sums([(*row, 1) for row in connection.execute(query)])


def _sums(rows: Sequence[tuple[int, ...]]) -> Sums:
    columns = zip(*rows, strict=True) if rows else ((),) * 4
    return Sums(*(ints(column) for column in columns))


def _hours(minutes: range) -> range:
    return range(minutes.start // HOUR, -(-minutes.stop // HOUR))
