"""A composite SLO in memory: a book for each component that is measured, over the composite's window."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import reduce

from sqlalchemy import Connection

from services.slo.domain.assessment import Assessment, assess_within, measured_as
from services.slo.domain.composite import Composite, Part, asked, composed, leaves_of
from services.slo.measurements.book import Book, Promised
from services.slo.measurements.buckets import Inputs, Want, read

Wanted = tuple[Book, Want]


class CompositeBook:
    """What is known of one composite SLO; used as a `Book` is.

    Args:
        promised: The SLO.
        at: When it is evaluated first.
        besides_min: See `Book`.
    """

    def __init__(self, promised: Promised, at: datetime, besides_min: int = 0) -> None:
        self.promised = promised
        self._paths = list(leaves_of(promised.terms.parts))
        longest = max(2 * promised.longest_alert_min, besides_min)  # where data ended, windows end earlier
        self.books = [Book(_component(promised, path), at, longest + path[-1].delay_min) for path in self._paths]
        self.keys = frozenset(book.promised.slo for book in self.books)  # what its components are measured under

    def holds_for(self, promised: Promised, at: datetime) -> bool:
        """Whether it can still be used for *promised* as it is now."""
        return self.promised == promised and all(book.holds_for(book.promised, at) for book in self.books)

    @property
    def inputs(self) -> Inputs:
        """What was taken in for all components."""
        return reduce(Inputs.and_also, {book.promised.slo: book.inputs for book in self.books}.values(), Inputs())

    @property
    def tally(self) -> Composite:
        """What answers for windows.

        Raises:
            MissingDayError: Something is lacking.
        """
        return composed(self.promised.terms.parts, [(book.sums, book.inputs.first) for book in self.books])

    def is_behind(self, taken: Mapping[str, Inputs], slos: Collection[str]) -> bool:
        """Whether more was *taken* in of any of *slos*."""
        return any(
            book.inputs != taken.get(book.promised.slo, Inputs()) for book in self.books if book.promised.slo in slos
        )

    def first_wants(self, at: datetime) -> list[Wanted]:
        """What is to be read before anything can be said."""
        return [(book, book.first_want(at)) for book in self.books]

    def lacks(self, at: datetime, windows: Collection[range]) -> list[Wanted]:
        """What is to be read before these *windows* and the period at *at* can be summed."""
        windows = [self.period_minutes(at), *windows]
        found = (
            (book, book.lacks(at, asked(path[-1], book.tally.excuses, windows)))
            for book, path in zip(self.books, self._paths, strict=True)
        )
        return [(book, want) for book, want in found if want is not None]

    def take_many(self, slo: str, measured: Collection[tuple[int, str, int, int]]) -> None:
        """Add measurements of a component that have just been kept; see `Book.take_many`."""
        for book in self.books:
            if book.promised.slo == slo:
                book.take_many(measured)

    def assess(self, at: datetime) -> Assessment:
        """The SLO at *at*.

        Raises:
            MissingDayError: Something is lacking.
        """
        return assess_within(self.tally, self.promised.terms, self.books[0].period(at), at)

    def period_minutes(self, at: datetime) -> range:
        """The minutes of the period up to *at*."""
        return self.books[0].period_minutes(at)

    def tidy(self, at: datetime) -> None:
        """See `Book.tidy`."""
        for book in self.books:
            book.tidy(at)


def read_into(connection: Connection, wanted: Sequence[Wanted]) -> None:
    """Fill books with what they want; what several want of one SLO is read once."""
    wants: dict[str, Want] = {}
    for book, want in wanted:
        slo = book.promised.slo
        wants[slo] = _both(wants[slo], want) if slo in wants else want
    found = read(connection, wants) if wants else {}
    for book, _ in wanted:
        book.fill(found[book.promised.slo], wants[book.promised.slo])


def _component(promised: Promised, path: Sequence[Part]) -> Promised:
    """The last of *path* as if it were promised by itself; what excuses those above it excuses it too."""
    leaf, excused = path[-1], dict(promised.of_parts)
    return replace(
        promised,
        slo=leaf.key,
        terms=measured_as(promised.terms, leaf),
        adjustments=(*promised.adjustments, *(each for part in path for each in excused.get(part.key, ()))),
        of_parts=(),
    )


def _both(one: Want, other: Want) -> Want:
    span = range(min(one.span.start, other.span.start), max(one.span.stop, other.span.stop))
    return Want(span, one.days | other.days)
