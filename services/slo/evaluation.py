"""What the buckets say about an SLO at a time: a pure function of both, for a reader and for the worker."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial, reduce
from typing import Final

from sqlalchemy import Connection

from libs.events.ids import new_id
from services.slo.domain.adjustments import NOTHING_EXCUSED, Adjustment, Excused, excused
from services.slo.domain.assessment import Assessment, Terms
from services.slo.domain.budget.commands import Assess, Reading
from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.burn_rate import History, Tier, Verdict, burn_rate, judge, trusted
from services.slo.domain.composite import Composite, Leaf, leaves_of, weighed
from services.slo.domain.day_sums import DAY_MIN
from services.slo.domain.error_budget import Counts, Projection
from services.slo.domain.methods import Tally
from services.slo.domain.openslo.promise import minutes
from services.slo.domain.windows import Rolling, minute_at
from services.slo.measurements.book import Book, DayTally, Promised
from services.slo.measurements.buckets import Found, Inputs, Want, inputs, read
from services.slo.measurements.buckets import minutes as kept_minutes
from services.slo.measurements.composite_book import CompositeBook, read_into
from services.slo.measurements.series_reader import Reader, read_composite, read_measured
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
    book = _opened(connection, promised, at, tuple(windows.values()))
    assessment, tally = book.assess(at), book.tally
    period = book.period_minutes(at)
    books = book.books if isinstance(book, CompositeBook) else [book]
    until = max(filter(None, (_observed_until(connection, each, period) for each in books)), default=None)
    return Status(
        figures=_assessed(promised, assessment, book.inputs.version, at),
        burn_rates={text: burn_rate(promised.terms.target, tally.spent(window)) for text, window in windows.items()},
        data_until=None if until is None else datetime.fromtimestamp(until * 60, UTC),
        projection=assessment.projection,
    )


def measured(
    connection: Connection, slo: str, terms: Terms, windows: Sequence[range], reader: Reader = read_measured
) -> Tally | Composite:
    """What answers for *windows* of *slo* as *terms* have it, with the adjustments that hold for it now."""

    def excusing(slos: Sequence[str], windows: Sequence[range]) -> Excused:
        return excuses_of(connection, slos, windows)

    if terms.parts:
        return read_composite(connection, slo, terms, windows, excusing, reader)
    return reader(connection, slo, terms, windows, excusing([slo], windows))


def taken_in(connection: Connection, slo: str, terms: Terms) -> Inputs:
    """What was taken in for *slo*, or for the components of a composite."""
    names = {path[-1].key for path in leaves_of(terms.parts)} or {slo}
    return reduce(Inputs.and_also, inputs(connection, names).values(), Inputs())


def spent(connection: Connection, promised: Promised, windows: Sequence[range]) -> list[Counts]:
    """Good and all of what the budget counts in each of *windows*, and their observed minutes."""
    tally = measured(connection, promised.slo, promised.terms, windows)
    return [tally.spent(window) for window in windows]


def spent_by_parts(
    connection: Connection, promised: Promised, windows: Sequence[range], whole: range
) -> list[tuple[list[Counts], Fraction]]:
    """What each component counts in each of *windows*, and what one event or slice is worth in the SLI of *whole*.

    An SLO that is no composite is its own component. Nothing if the *whole* has no SLI.
    """
    tally = measured(connection, promised.slo, promised.terms, (*windows, whole))
    parts = ((part, by, part.sli(whole)[1]) for _, part, by in weighed(tally, whole))
    return [([part.spent(each) for each in windows], by / total) for part, by, total in parts if total]


def excuses_of(connection: Connection, slos: Sequence[str], windows: Sequence[range]) -> Excused:
    """The minutes that adjustments of any of *slos* cover, as far as any of *windows* reaches."""
    found = adjustments_of(connection, slos)
    if not found:
        return NOTHING_EXCUSED
    first, stop = min(window.start for window in windows), max(window.stop for window in windows)
    since, until = (datetime.fromtimestamp(minute * 60, UTC) for minute in (first, stop))
    return excused([each for some in found.values() for each in some], since, until)


def excused_too(connection: Connection, promises: Sequence[Promised]) -> list[Promised]:
    """*promises* with the adjustments that hold for them and for their components now."""
    parts = {each.slo: sorted(_names_in(each.terms)) for each in promises if each.terms.parts}
    names = {each.slo for each in promises}.union(*parts.values())
    found = adjustments_of(connection, names)
    return [_excused(each, parts.get(each.slo, ()), found) for each in promises]


def _names_in(terms: Terms) -> set[str]:
    return {part.key for path in leaves_of(terms.parts) for part in path}


def _excused(promised: Promised, parts: Sequence[str], found: Mapping[str, Sequence[Adjustment]]) -> Promised:
    held = tuple(found.get(promised.slo, ()))
    of_parts = tuple([(name, tuple(found[name])) for name in parts if name in found])
    if (promised.adjustments, promised.of_parts) == (held, of_parts):
        return promised
    return replace(promised, adjustments=held, of_parts=of_parts)


def _opened(
    connection: Connection, promised: Promised, at: datetime, windows: Collection[range]
) -> Book | CompositeBook:
    """All that is to be known of *promised* for its period, its alert conditions and *windows*."""
    if not promised.terms.parts:
        book = Book(promised, at, _LONGEST_MIN)
        open_books(connection, {promised.slo: book}, at)
        complete(connection, {promised.slo: book}, at, windows)
        return book
    composite = CompositeBook(promised, at, _LONGEST_MIN)
    read_into(connection, composite.first_wants(at))
    complete_composites(connection, [composite], at, windows)
    return composite


def complete_composites(
    connection: Connection, books: Sequence[CompositeBook], at: datetime, windows: Collection[range] = ()
) -> None:
    """Read what *books* lack; see `complete`."""
    while wants := [want for book in books for want in book.lacks(at, (*windows, *_alert_windows(book, at)))]:
        read_into(connection, wants)


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


def assessment(book: Book | CompositeBook, at: datetime, quiet_for: timedelta) -> Assess:
    """What the buckets say of an SLO.

    Figures are those of *at*. Alert conditions are judged where an SLO's data ends, so data that is a few minutes
    late judges the same; data that ended longer ago than a condition's long window says nothing.

    Raises:
        MissingDayError: The book lacks something; `complete` reads it.
    """
    promised = book.promised
    found = book.assess(at)
    end = _end(book, at)
    until = datetime.fromtimestamp(end * 60, UTC)
    readings: list[Reading] = []
    history: History | None = None
    for tier in promised.tiers:
        if minute_at(at) - end > tier.long_min:
            readings.append(Reading(tier, "unknown", 0.0, 0.0, alert=str(new_id()), data_until=until))
            continue
        if isinstance(book, CompositeBook):
            verdict, rates = _weighed(book, tier, at, end)
        else:
            if history is None:
                period = book.period_minutes(at)
                history = _history(promised, book.tally.spent(period), book.inputs.first, period, end)
            verdict, rates = _judged(promised, book.tally, tier, end, history)
        readings.append(Reading(tier, verdict, *rates, str(new_id()) if verdict == "burning" else "", until))
    return Assess(_assessed(promised, found, book.inputs.version, at), tuple(readings), quiet_for)


def _judged(
    promised: Promised, tally: DayTally | Composite, tier: Tier, end: int, history: History | None
) -> tuple[Verdict, tuple[float, float]]:
    """What the windows of *tier* that end at *end* say, and their burn rates; without *history* they are trusted."""
    target = promised.terms.target
    short, long = map(tally.spent, tier.windows(end))
    rates = burn_rate(target, short) or 0.0, burn_rate(target, long) or 0.0
    history = history or History(long, tier.long_min, promised.period_min)
    return judge(tier, target, short, long, history, partial(_earlier, tally, tier, end)), rates


def _weighed(book: CompositeBook, tier: Tier, at: datetime, end: int) -> tuple[Verdict, tuple[float, float]]:
    """As `_judged`; of a component the tier waits for data by itself, and until there is enough it counts as good."""
    promised, tally, period = book.promised, book.tally, book.period_minutes(at)
    long = tier.windows(end)[1]

    def doubted(leaf: Leaf) -> bool:
        history = _history(promised, leaf.counted(period), leaf.first, period, end)
        return not trusted(tier, promised.terms.target, leaf.counted(long), history)

    tally = tally.doubting(doubted)
    verdict, rates = _judged(promised, tally, replace(tier, least_events=0), end, None)
    return "few" if tally.counts(long).total < tier.least_events else verdict, rates


def _history(promised: Promised, counts: Counts, first: int, period: range, end: int) -> History:
    first = min(first, end)  # a calendar's period may have begun just now, with data before it
    rolling = isinstance(promised.terms.window, Rolling)
    return History(counts, end - (max(first, period.start) if rolling else first), promised.period_min)


def _earlier(tally: DayTally | Composite, tier: Tier, end: int) -> list[tuple[Counts, Counts]]:
    """The windows of *tier* that ended 1, 2 ... minutes before *end*."""
    ends = range(end - 1, end - 1 - tier.after_min, -1)
    return [(tally.spent(short), tally.spent(long)) for short, long in map(tier.windows, ends)]


def _end(book: Book | CompositeBook, at: datetime) -> int:
    """Where alert conditions are judged: behind the last observed minute, but not in the future."""
    return min(book.inputs.last + 1, minute_at(at))


def _alert_windows(book: Book | CompositeBook, at: datetime) -> Iterator[range]:
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
