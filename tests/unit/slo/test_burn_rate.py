"""Burn rates and their alert conditions: the Workbook's numbers, and when too little is known."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.burn_rate import History, Tier, Verdict, burn_rate, burns, default_tiers, duration, judge
from services.slo.domain.error_budget import Counts, Target

DAY = 24 * 60
MONTH = 30 * DAY
TARGET = Target.of(0.999)
PAGE = default_tiers(MONTH, TARGET)[0][0]
LONG_KNOWN = History(Counts(10**6, 10**6, MONTH), MONTH, MONTH)


@pytest.mark.parametrize(("days", "factor"), [(30, 14.4), (28, 13.44), (7, 13.44), (90, 43.2)])
def test_the_page_tier_spends_the_same_share_of_every_period(days: int, factor: float) -> None:
    tiers, warnings = default_tiers(days * DAY, TARGET)
    assert ([float(tier.factor) for tier in tiers], warnings) == ([factor], ())
    assert tiers[0].name == "page-5m-1h"


def test_no_default_factor_is_below_one() -> None:
    assert default_tiers(DAY, TARGET)[0][0].factor == 1


@pytest.mark.parametrize(("target", "possible"), [("0.9306", True), ("0.9305", False), (0.9, False)])
def test_a_tier_that_could_never_fire_is_left_out_with_the_arithmetic(target: float | str, *, possible: bool) -> None:
    """14.4 needs a target of at least 93.06 %: the largest burn rate is 1/b."""
    tiers, warnings = default_tiers(MONTH, Target.of(target))
    assert (bool(tiers), bool(warnings)) == (possible, not possible)
    assert possible or "a burn rate above 14.4 is impossible" in warnings[0]


def test_a_long_window_over_a_third_of_the_period_is_left_out() -> None:
    assert default_tiers(2 * 60, TARGET) == ((), ("page-5m-1h is left out: its long window is over a third of 2h",))


def test_without_events_there_is_no_burn_rate() -> None:
    assert burn_rate(TARGET, Counts(0, 0, 60)) is None
    assert burn_rate(TARGET, Counts(99, 100, 60)) == pytest.approx(10)


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.fractions(min_value=1, max_value=100, max_denominator=10**4))
def test_a_threshold_is_compared_without_rounding(bad: int, good: int, factor: Fraction) -> None:
    counts = Counts(good, good + bad, 1)
    assert burns(TARGET, counts, factor) == (Fraction(bad, good + bad) / Fraction(1, 1000) > factor)


@pytest.mark.parametrize(
    ("short", "long", "verdict"),
    [
        (Counts(0, 500, 5), Counts(5400, 6000, 60), "burning"),
        (Counts(500, 500, 5), Counts(5400, 6000, 60), "quiet"),
        (Counts(0, 500, 5), Counts(5999, 6000, 60), "quiet"),
        (Counts(), Counts(5400, 6000, 60), "unknown"),
        (Counts(0, 0, 5), Counts(5400, 6000, 60), "quiet"),
    ],
    ids=["both windows", "short one recovered", "long one unharmed", "no data", "observed, but no traffic"],
)
def test_an_alert_needs_both_windows_and_missing_data_says_nothing(
    short: Counts, long: Counts, verdict: Verdict
) -> None:
    assert judge(PAGE, TARGET, short, long, LONG_KNOWN) == verdict


def test_a_new_slo_does_not_page_on_its_first_bad_requests() -> None:
    """Ten minutes old, 3 of 1,000 failed: the ratio is high, but 2 % of the period's budget is not spent."""
    counts = Counts(985, 1000, 10)
    assert judge(PAGE, TARGET, counts, counts, History(counts, 10, MONTH)) == "quiet"


def test_a_new_slo_pages_when_the_tiers_share_of_the_budget_is_spent_already() -> None:
    """100 requests a minute are 4.32 million a period; 2 % of 0.1 % of them are 86.4."""
    counts = Counts(913, 1000, 10)
    history = History(counts, 10, MONTH)
    assert judge(PAGE, TARGET, counts, counts, history) == "burning"
    spared = Counts(914, 1000, 10)
    assert judge(PAGE, TARGET, spared, spared, History(spared, 10, MONTH)) == "quiet"


@pytest.mark.parametrize(("minutes", "text"), [(5, "5m"), (60, "1h"), (90, "90m"), (360, "6h"), (1440, "1d")])
def test_windows_are_written_in_their_largest_unit(minutes: int, text: str) -> None:
    assert duration(minutes) == text


def test_a_tier_is_named_by_what_makes_it_its_own_condition() -> None:
    assert Tier("ticket", 120, DAY, Fraction(1, 10), Fraction(3)).name == "ticket-2h-1d"
