"""An SLO at a moment: its window there, and what the measurements in it amount to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol

from services.slo.domain.adjustments import NOTHING_EXCUSED, Excused
from services.slo.domain.composite import Part
from services.slo.domain.error_budget import Counts, Figures, Projection, Target, coverage, figures, projection
from services.slo.domain.methods import DEFAULT_SLICING, Measured, Method, Ratio, Slicing
from services.slo.domain.series import Series
from services.slo.domain.windows import Bounds, Rolling, Window, bounds, periods

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised, and how it is measured; *parts* are the components of a composite."""

    target: Target
    window: Window
    method: Method = "occurrences"
    slicing: Slicing = DEFAULT_SLICING
    parts: tuple[Part, ...] = ()


def measured_as(terms: Terms, leaf: Part) -> Terms:
    """*terms* of a composite for one component that is measured."""
    return replace(terms, method=leaf.method, slicing=leaf.slicing, parts=())


class Measurable(Protocol):
    """What knows counts and SLI of windows, such as `Measured` and `Composite`."""

    def counts(self, window: range) -> Counts:
        """The events in the minutes of *window*."""
        ...

    def expected(self, window: range) -> int:
        """How many minutes of *window* are expected to be observed: all but those that adjustments remove."""
        ...

    def sli(self, window: range) -> Ratio:
        """The SLI of the minutes in *window*."""
        ...

    def judged(self, passed: Bounds) -> Ratio:
        """The SLI of the time that has passed of a window."""
        ...


@dataclass(frozen=True, slots=True)
class Assessment:
    """An SLO in one window.

    Args:
        window: The whole of it; a calendar period may end in the future.
        until: Up to when it was assessed.
        counts: The events in it, whatever the method.
        figures: Under the terms; for a calendar period that runs, to date.
        coverage: Observed / expected minutes so far, without those that adjustments remove; None if none is expected.
        projection: Of a calendar period that runs.
    """

    window: Bounds
    until: datetime
    counts: Counts
    figures: Figures
    coverage: float | None
    projection: Projection | None


def assess(measured: Measurable, terms: Terms, at: datetime) -> Assessment:
    """The SLO at *at*: in the rolling window before it, or in the calendar period that holds it.

    Args:
        measured: Under the same method and slicing.
        terms: What is promised.
        at: Up to when; measurements after it do not count.
    """
    return assess_within(measured, terms, bounds(terms.window, at), at)


def history(measured: Measurable, terms: Terms, since: datetime, until: datetime) -> Iterator[Assessment]:
    """The SLO over the past, oldest first.

    Yields:
        Each calendar period that shares time with [since, until); of a rolling window, one a day, the last at *until*.
    """
    if isinstance(terms.window, Rolling):
        for back in range((until - since) // _DAY, -1, -1):
            yield assess(measured, terms, until - back * _DAY)
    else:
        for period in periods(terms.window, since, until):
            yield assess_within(measured, terms, period, until)


def what_if(
    series: Series, terms: Terms, since: datetime, until: datetime, excuses: Excused = NOTHING_EXCUSED
) -> list[Assessment]:
    """What the past would have been under other *terms*, as `history` has it."""
    return list(history(Measured(series, terms.method, terms.slicing, excuses), terms, since, until))


def assess_within(measured: Measurable, terms: Terms, window: Bounds, at: datetime) -> Assessment:
    """The SLO in *window*, of which at most what lies before *at* counts."""
    passed = Bounds(window.start, min(window.end, at))
    counts = measured.counts(passed.minutes)
    sli = measured.judged(passed)
    expected = measured.expected(passed.minutes)
    return Assessment(
        window=window,
        until=passed.end,
        counts=counts,
        figures=figures(terms.target, *sli),
        coverage=coverage(counts.observed, expected) if expected else None,
        projection=_projected(measured, terms, sli, counts, expected, window) if passed.end < window.end else None,
    )


def _projected(
    measured: Measurable, terms: Terms, sli: Ratio, counts: Counts, elapsed_min: int, window: Bounds
) -> Projection | None:
    whole_min = measured.expected(window.minutes)
    found = projection(terms.target, *sli, elapsed_min, whole_min)
    if found is None or not terms.parts:
        return found
    # The SLI of a composite is made of ratios, not of its events.
    return replace(found, total=Fraction(counts.total * whole_min, elapsed_min))
