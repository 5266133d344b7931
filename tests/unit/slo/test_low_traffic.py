"""Few events: thresholds that mean the same at any traffic, and suggestions with numbers."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.burn_rate import burns, default_tiers
from services.slo.domain.error_budget import Counts, Target
from services.slo.domain.low_traffic import least_events, scaled_factor, suggestions

MONTH = 30 * 24 * 60
THREE_NINES = Target.of(0.999)
PAGE = default_tiers(MONTH, THREE_NINES)[0][0]


def test_the_least_events_of_an_hour_at_14_4() -> None:
    """1/(N*b) <= 14.4 with b = 0.001: N >= 69.4."""
    assert least_events(THREE_NINES, Fraction("14.4")) == 70
    assert least_events(THREE_NINES, Fraction("14.4"), failures=3) == 209


@given(
    st.integers(1, 999).map(lambda p: Target(p, 1000)),
    st.fractions(min_value=Fraction(1, 2), max_value=20, max_denominator=50),
    st.integers(1, 5),
)
def test_one_event_fewer_and_the_failures_fire(target: Target, factor: Fraction, failures: int) -> None:
    least = least_events(target, factor, failures)
    if least > failures:
        assert not burns(target, Counts(least - failures, least), factor)
        assert burns(target, Counts(least - 1 - failures, least - 1), factor)


def test_at_even_traffic_a_scaled_threshold_is_the_plain_one() -> None:
    assert scaled_factor(PAGE.factor, 60, 100, MONTH, 72_000) == PAGE.factor


def test_at_a_tenth_of_the_traffic_it_takes_ten_times_the_burn_rate() -> None:
    assert scaled_factor(PAGE.factor, 60, 10, MONTH, 72_000) == 10 * PAGE.factor


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_scaled_threshold_is_the_same_number_of_bad_events_at_any_traffic(total: int, period_total: int) -> None:
    threshold = scaled_factor(PAGE.factor, 60, total, MONTH, period_total)
    assert threshold is not None
    assert threshold * total * THREE_NINES.budget / THREE_NINES.q == PAGE.share * period_total / 1000


def test_a_window_without_events_has_no_threshold() -> None:
    assert scaled_factor(PAGE.factor, 60, 0, MONTH, 1000) is None


def test_suggestions_say_numbers() -> None:
    """Ten events an hour, where it takes 70."""
    got = {each.kind: each for each in suggestions(THREE_NINES, PAGE, MONTH, 7_200)}
    assert got["longer_window"].value == 7 * 60
    assert got["longer_window"].text == "look at 7h instead of 1h; the alert then fires after 14.0% of the budget"
    assert got["weaker_target"].value == 1 - Fraction(1, 144)
    assert got["merge"].value == 7
    assert got["synthetic_traffic"].value == 1


def test_each_suggestion_does_what_it_says() -> None:
    hourly = 10
    for each in suggestions(THREE_NINES, PAGE, MONTH, hourly * 720):
        match each.kind:
            case "longer_window":
                counts, target = hourly * each.value // 60, THREE_NINES
            case "weaker_target":
                counts, target = Fraction(hourly), Target(*each.value.as_integer_ratio())
            case "merge":
                counts, target = hourly * each.value, THREE_NINES
            case "synthetic_traffic":
                counts, target = hourly + each.value * 60, THREE_NINES
        assert not burns(target, Counts(int(counts) - 1, int(counts)), PAGE.factor)


def test_what_cannot_help_is_not_suggested() -> None:
    """An event a day: the window would be most of the period, and no target makes one of 1/24 events few."""
    assert [each.kind for each in suggestions(THREE_NINES, PAGE, MONTH, 30)] == ["merge", "synthetic_traffic"]


@pytest.mark.parametrize("total", [72_000, 0])
def test_traffic_enough_or_none_at_all_suggests_nothing(total: int) -> None:
    assert suggestions(THREE_NINES, PAGE, MONTH, total) == ()


def test_more_failures_need_more_traffic() -> None:
    assert suggestions(THREE_NINES, PAGE, MONTH, 72_000, failures=2)
