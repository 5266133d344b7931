"""Stretches of time, and what is left of them: cutting, joining, taking away. All are half-open."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter


@dataclass(slots=True, order=True, unsafe_hash=True)  # as if frozen, which would take five times as long to make
class Span:
    """From *start* until just before *end*."""

    start: datetime
    end: datetime

    @property
    def lasts(self) -> timedelta:
        """How long."""
        return self.end - self.start


def cut(span: Span, openings: Sequence[Span]) -> Iterator[Span]:
    """The parts of *span* inside *openings*, which are in order and apart."""
    for index in range(_first_after(openings, span.start), len(openings)):
        opening = openings[index]
        if opening.start >= span.end:
            return
        yield Span(max(span.start, opening.start), min(span.end, opening.end))


def without(span: Span, taken: Sequence[Span]) -> Iterator[Span]:
    """The parts of *span* outside *taken*, which are in order and apart."""
    start = span.start
    for index in range(_first_after(taken, start), len(taken)):
        other = taken[index]
        if other.start >= span.end:
            break
        if other.start > start:
            yield Span(start, other.start)
        start = max(start, other.end)
    if start < span.end:
        yield Span(start, span.end)


def _first_after(spans: Sequence[Span], moment: datetime) -> int:
    """The place of the first of *spans* that ends after *moment*."""
    return bisect_right(spans, moment, key=lambda span: span.end)


def joined(spans: Iterable[Span]) -> list[Span]:
    """*spans* in order, those that meet or overlap as one."""
    found: list[Span] = []
    for span in sorted(spans, key=attrgetter("start")):
        if found and span.start <= found[-1].end:
            if span.end > found[-1].end:
                found[-1] = Span(found[-1].start, span.end)
        elif span.end > span.start:
            found.append(span)
    return found
