"""What the buckets say about an SLO at a time: a pure function of both, for a reader and for the worker."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection

from libs.events.ids import new_id
from services.slo.domain.adjustments import NOTHING_EXCUSED, excused
from services.slo.domain.assessment import Assessment
from services.slo.domain.budget.commands import Assess, Reading
from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.burn_rate import History, Tier, burn_rate, judge
from services.slo.domain.day_sums import DAY_MIN
from services.slo.domain.error_budget import Counts, Projection
from services.slo.domain.openslo.promise import minutes
from services.slo.domain.windows import Rolling, minute_at
from services.slo.measurements.book import Book, Promised
from services.slo.measurements.buckets import Found, Want, read
from services.slo.measurements.buckets import minutes as kept_minutes
from services.slo.measurements.series_reader import read_measured
from services.slo.projections.adjustments import adjustments_of

BURN_WINDOWS: Final[Mapping[str, int]] = {
    text: minutes(text) for text in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
}  # all windows of the SRE Workbook's tiers
_LONGEST_MIN: Final = max(BURN_WINDOWS.values())


@dataclass(frozen=True, slots=True)
class Status:
    """The figures of an SLO, its burn rates, how fresh the data under them is, and what its period may come to."""

    figures: BudgetAssessed
    burn_rates: Mapping[str, float | None]
    data_until: datetime | None
    projection: Projection | None


def status(connection: Connection, promised: Promised, at: datetime) -> Status:
    """The SLO at *at*, which may be any time, with the adjustments that hold for it now."""
    (promised,) = excused_too(connection, [promised])
    return status_of(connection, promised, at)


def status_of(connection: Connection, promised: Promised, at: datetime) -> Status:
    """As `status`, with the adjustments that *promised* names."""
    stop = minute_at(at)
    windows = {text: range(stop - length, stop) for text, length in BURN_WINDOWS.items()}
    book = Book(promised, at, besides_min=_LONGEST_MIN)
    open_books(connection, {promised.slo: book}, at)
    complete(connection, {promised.slo: book}, at, tuple(windows.values()))
    assessment = book.assess(at)
    until = _observed_until(connection, book, book.period_minutes(at))
    return Status(
        figures=_assessed(promised, assessment, book.inputs.version, at),
        burn_rates={
            text: burn_rate(promised.terms.target, book.tally.spent(window)) for text, window in windows.items()
        },
        data_until=None if until is None else datetime.fromtimestamp(until * 60, UTC),
        projection=assessment.projection,
    )


def spent(connection: Connection, promised: Promised, windows: Sequence[range]) -> list[Counts]:
    """Good and all of what the budget counts in each of *windows*, and their observed minutes."""
    (promised,) = excused_too(connection, [promised])
    first, last = min(window.start for window in windows), max(window.stop for window in windows)
    since, until = (datetime.fromtimestamp(minute * 60, UTC) for minute in (first, last))
    excuses = excused(promised.adjustments, since, until) if promised.adjustments else NOTHING_EXCUSED
    tally = read_measured(connection, promised.slo, promised.terms, windows, excuses)
    return [tally.spent(window) for window in windows]


def excused_too(connection: Connection, promises: Sequence[Promised]) -> list[Promised]:
    """*promises* with the adjustments that hold for them now."""
    found = adjustments_of(connection, [promised.slo for promised in promises])
    now = ((promised, tuple(found.get(promised.slo, ()))) for promised in promises)
    return [each if each.adjustments == held else replace(each, adjustments=held) for each, held in now]


def open_books(connection: Connection, books: Mapping[str, Book], at: datetime) -> None:
    """Fill new *books* with what is kept."""
    wants = first_wants(books, at)
    fill(books, wants, read(connection, wants))


def complete(connection: Connection, books: Mapping[str, Book], at: datetime, windows: Collection[range] = ()) -> None:
    """Read what *books* lack for their alert conditions, their period, and *windows*."""
    while wants := lacking(books, at, windows):
        fill(books, wants, read(connection, wants))


def first_wants(books: Mapping[str, Book], at: datetime) -> Mapping[str, Want]:
    """What is to be read for new *books*."""
    return {slo: book.first_want(at) for slo, book in books.items()}


def lacking(books: Mapping[str, Book], at: datetime, windows: Collection[range] = ()) -> Mapping[str, Want]:
    """What is to be read for *books* that hold something already; see `complete`."""
    lacks = {slo: book.lacks(at, (*windows, *_alert_windows(book, at))) for slo, book in books.items()}
    return {slo: want for slo, want in lacks.items() if want is not None}


def fill(books: Mapping[str, Book], wants: Mapping[str, Want], found: Mapping[str, Found]) -> None:
    """Put what was read into *books*."""
    for slo, want in wants.items():
        books[slo].fill(found[slo], want)


def assessment(book: Book, at: datetime, quiet_for: timedelta) -> Assess:
    """What the buckets say of an SLO.

    Figures are those of *at*. Alert conditions are judged where an SLO's data ends, so data that is a few minutes
    late judges the same; data that ended longer ago than a condition's long window says nothing.

    Raises:
        MissingDayError: The book lacks something; `complete` reads it.
    """
    promised = book.promised
    target = promised.terms.target
    found = book.assess(at)
    end = _end(book, at)
    until = datetime.fromtimestamp(end * 60, UTC)
    readings: list[Reading] = []
    history: History | None = None
    for tier in promised.tiers:
        if minute_at(at) - end > tier.long_min:
            readings.append(Reading(tier, "unknown", 0.0, 0.0, alert=str(new_id()), data_until=until))
            continue
        short, long = map(book.tally.spent, tier.windows(end))
        rates = burn_rate(target, short) or 0.0, burn_rate(target, long) or 0.0
        if history is None:
            period = book.period_minutes(at)
            first = min(book.inputs.first, end)  # a calendar's period may have begun just now, with data before it
            rolling = isinstance(promised.terms.window, Rolling)
            age = end - (max(first, period.start) if rolling else first)
            history = History(book.tally.spent(period), age, promised.period_min)
        verdict = judge(tier, target, short, long, history, partial(_earlier, book, tier, end))
        readings.append(Reading(tier, verdict, *rates, str(new_id()) if verdict == "burning" else "", until))
    return Assess(_assessed(promised, found, book.inputs.version, at), tuple(readings), quiet_for)


def _earlier(book: Book, tier: Tier, end: int) -> list[tuple[Counts, Counts]]:
    """The windows of *tier* that ended 1, 2 ... minutes before *end*."""
    ends = range(end - 1, end - 1 - tier.after_min, -1)
    return [(book.tally.spent(short), book.tally.spent(long)) for short, long in map(tier.windows, ends)]


def _end(book: Book, at: datetime) -> int:
    """Where alert conditions are judged: behind the last observed minute, but not in the future."""
    return min(book.inputs.last + 1, minute_at(at))


def _alert_windows(book: Book, at: datetime) -> Iterator[range]:
    end = _end(book, at)
    for tier in book.promised.tiers:
        if minute_at(at) - end <= tier.long_min:
            for last in {end, end - tier.after_min}:
                yield from tier.windows(last)


def _observed_until(connection: Connection, book: Book, window: range) -> int | None:
    """The minute after the last observed one in *window*; None if there is none."""
    last = book.inputs.last
    if last < window.stop:
        return last + 1 if last >= window.start else None
    for day in book.observed_days(window):
        whole = range(day * DAY_MIN, (day + 1) * DAY_MIN)
        part = range(max(whole.start, window.start), min(whole.stop, window.stop))
        found = kept_minutes(connection, book.promised.slo, part).minute
        if len(found):
            return int(found[-1]) + 1
        if not len(kept_minutes(connection, book.promised.slo, whole).minute):
            return part.stop  # of which only hours are kept
    return None


def _assessed(promised: Promised, found: Assessment, version: int, at: datetime) -> BudgetAssessed:
    return BudgetAssessed(
        slo=promised.slo,
        service=promised.service,
        revision=promised.revision,
        state=found.figures.state,
        target=float(promised.terms.target),
        sli=found.figures.sli,
        good=found.counts.good,
        total=found.counts.total,
        coverage=1.0 if found.coverage is None else found.coverage,
        window=promised.window,
        window_start=found.window.start,
        window_end=found.window.end,
        error_budget_consumed=found.figures.consumed,
        error_budget_remaining=found.figures.remaining,
        input_version=version,
        at=at,
    )
