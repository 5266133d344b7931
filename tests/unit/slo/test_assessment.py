"""An SLO at a moment, over its past, and over a past under other terms."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from services.slo.domain.adjustments import Excused
from services.slo.domain.assessment import Terms, assess, history, what_if
from services.slo.domain.error_budget import Target, figures
from services.slo.domain.methods import Measured, Slicing
from services.slo.domain.series import Series
from services.slo.domain.windows import Calendar, Rolling, minute_at

NINE = Target.of("0.9")
DAY = timedelta(days=1)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
START = minute_at(MARCH)
MONTHLY = Calendar(1, "M", datetime.fromisoformat("2026-01-01"), "UTC")


def series(*minutes: tuple[int, int, int]) -> Series:
    """Minutes after the start of March: offset, good, total."""
    return Series.of({START + offset: (good, total) for offset, good, total in minutes})


def test_a_rolling_window_is_assessed_up_to_the_moment() -> None:
    measured = Measured(series((-1, 0, 9), (0, 8, 9), (1, 9, 9), (2, 0, 9)))
    got = assess(measured, Terms(NINE, Rolling(2)), MARCH + timedelta(minutes=2))
    assert got.figures == figures(NINE, 17, 18)
    assert (got.counts.total, got.coverage, got.projection) == (18, 1.0, None)


def test_a_calendar_period_that_runs_is_assessed_to_date_and_projected() -> None:
    measured = Measured(series((0, 95, 100), (31 * 1440 - 1, 0, 100)))
    got = assess(measured, Terms(NINE, MONTHLY), MARCH + 10 * DAY)
    assert (got.window.start, got.window.end, got.until) == (MARCH, MARCH + 31 * DAY, MARCH + 10 * DAY)
    assert got.figures.consumed == 0.5
    assert got.projection is not None
    assert (got.projection.total, got.projection.consumed) == (310, 5 / 31)
    assert got.coverage == 1 / 14_400


def test_a_period_that_just_began_is_undefined_and_expects_nothing() -> None:
    got = assess(Measured(series((0, 1, 1))), Terms(NINE, MONTHLY), MARCH)
    assert (got.figures.state, got.coverage, got.projection) == ("undefined", None, None)


def test_removed_minutes_are_not_expected() -> None:
    excuses = Excused(removed=(range(START, START + 1),))
    measured = Measured(series((0, 0, 9), (1, 9, 9)), excuses=excuses)
    got = assess(measured, Terms(NINE, Rolling(2)), MARCH + timedelta(minutes=2))
    assert (got.coverage, got.figures.sli) == (1.0, 1.0)


def test_an_open_slice_does_not_count_yet() -> None:
    terms = Terms(NINE, Rolling(60), "timeslices", Slicing(5))
    measured = Measured(series((0, 1, 1), (5, 0, 1)), terms.method, terms.slicing)
    assert assess(measured, terms, MARCH + timedelta(minutes=9, seconds=59)).figures.sli == 1.0
    assert assess(measured, terms, MARCH + timedelta(minutes=10)).figures.sli == 0.5


def test_the_history_of_a_calendar_window_is_its_periods() -> None:
    measured = Measured(series((-1, 0, 1), (0, 1, 1)))
    got = list(history(measured, Terms(NINE, MONTHLY), MARCH - DAY, MARCH + DAY))
    assert [a.figures.sli for a in got] == [0.0, 1.0]
    assert [a.projection is None for a in got] == [True, False]


def test_the_history_of_a_rolling_window_is_one_a_day() -> None:
    got = list(history(Measured(series((0, 1, 1))), Terms(NINE, Rolling(1440)), MARCH, MARCH + 2 * DAY))
    assert [a.until for a in got] == [MARCH, MARCH + DAY, MARCH + 2 * DAY]
    assert [a.figures.sli for a in got] == [None, 1.0, None]


def test_other_terms_give_the_same_past_other_figures() -> None:
    past = series(*((offset, 9 - offset % 2, 9) for offset in range(60)))
    until = MARCH + timedelta(hours=1)

    def consumed(terms: Terms) -> float | None:
        return what_if(past, terms, until, until)[-1].figures.consumed

    assert consumed(Terms(NINE, Rolling(60))) == float(Fraction(30, 540) * 10)
    assert consumed(Terms(Target.of("0.99"), Rolling(60))) == float(Fraction(30, 540) * 100)
    assert consumed(Terms(NINE, Rolling(60), "timeslices", Slicing(1, Fraction(9, 10)))) == 5.0
    assert consumed(Terms(NINE, Rolling(1))) == float(Fraction(1, 9) * 10)
