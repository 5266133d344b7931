"""The arithmetic of error budgets: vectors from the literature, and properties against plain fractions."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.error_budget import UNDEFINED, Projection, Target, coverage, figures, projection
from services.slo.domain.errors import InvalidTargetError

TARGETS = st.decimals(min_value=0, max_value=Decimal("0.999999"), places=6)


@st.composite
def _counts(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(st.integers(0, 10**12))
    return draw(st.integers(0, total)), total


def test_a_target_is_the_ratio_its_decimal_notation_means() -> None:
    """0.999 has no exact binary fraction; its budget is one in a thousand all the same."""
    assert Target.of(0.999) == Target(999, 1000)
    assert Target.of_percent(99.9) == Target.of("0.999")


@pytest.mark.parametrize("value", [1, 1.0, 1.5, -0.1, "nan", "inf"])
def test_a_target_without_a_budget_is_refused(value: float | str) -> None:
    with pytest.raises(InvalidTargetError, match="at least 0 and below 1"):
        Target.of(value)


def test_no_events_are_undefined_rather_than_met() -> None:
    assert figures(Target.of(0.999), 0, 0) == UNDEFINED


def test_the_published_vector() -> None:
    """111 good of 118 under 95 %: SLI 94.0678 %, 118.644 % of the budget consumed."""
    got = figures(Target.of(0.95), 111, 118)
    assert got.sli == pytest.approx(0.940678, abs=1e-6)
    assert got.consumed == pytest.approx(1.18644, abs=1e-5)
    assert got.remaining == pytest.approx(-0.18644, abs=1e-5)
    assert got.state == "violated"


@pytest.mark.parametrize(
    ("bad", "state"),
    [(0, "met"), (74, "met"), (75, "at_risk"), (100, "at_risk"), (101, "violated")],
)
def test_three_quarters_spent_is_at_risk_and_all_of_it_is_not_yet_violated(bad: int, state: str) -> None:
    """Of 100,000 events under 99.9 %, 100 may fail."""
    assert figures(Target.of(0.999), 100_000 - bad, 100_000).state == state


def test_a_budget_that_is_spent_to_the_last_event_leaves_exactly_nothing() -> None:
    got = figures(Target.of(0.999), 99_900, 100_000)
    assert (got.consumed, got.remaining) == (1.0, 0.0)


@given(_counts(), TARGETS)
def test_figures_are_the_exact_fractions_divided_once(counts: tuple[int, int], target: Decimal) -> None:
    good, total = counts
    got = figures(Target.of(target), good, total)
    if not total:
        assert got == UNDEFINED
        return
    sli, budget = Fraction(good, total), 1 - Fraction(target)
    consumed = (1 - sli) / budget
    assert got.sli == float(sli)
    assert got.consumed == float(consumed)
    assert got.remaining == float(1 - consumed)
    assert (got.state == "violated") == (sli < Fraction(target))


def test_coverage_is_observed_over_expected() -> None:
    assert coverage(84, 28 * 24 * 60) == 84 / 40_320


def test_a_period_that_runs_is_projected_at_the_rate_so_far() -> None:
    """Ten days of thirty, 5 bad of 10,000 under 99.9 %: half of the budget to date, a sixth of the whole period's."""
    got = projection(Target.of(0.999), 9_995, 10_000, 10 * 1440, 30 * 1440)
    assert got == Projection(Fraction(30_000), 5 / 30, 25 / 30)
    assert figures(Target.of(0.999), 9_995, 10_000).consumed == 0.5


def test_at_its_end_a_projection_is_what_was_consumed() -> None:
    got, ended = projection(Target.of(0.9), 7, 9, 60, 60), figures(Target.of(0.9), 7, 9)
    assert got is not None
    assert (got.total, got.consumed, got.remaining) == (9, ended.consumed, ended.remaining)


def test_without_events_there_is_nothing_to_project() -> None:
    assert projection(Target.of(0.9), 0, 0, 60, 120) is None
    assert projection(Target.of(0.9), 1, 1, 0, 120) is None
