"""Burn rates and their alert conditions: the Workbook's numbers, and when too little is known."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.burn_rate import (
    History,
    Tier,
    Verdict,
    burn_rate,
    burns,
    default_tiers,
    duration,
    judge,
    tiers_of_period,
    tiers_of_policies,
)
from services.slo.domain.error_budget import Counts, Target
from services.slo.domain.openslo.definition import Condition, Notification, Operator, Policy

DAY = 24 * 60
MONTH = 30 * DAY
TARGET = Target.of(0.999)
PAGE = default_tiers(MONTH, TARGET)[0][0]
LONG_KNOWN = History(Counts(10**6, 10**6, MONTH), MONTH, MONTH)


@pytest.mark.parametrize(
    ("days", "factors"),
    [
        (30, [14.4, 6, 3, 1]),
        (28, [13.44, 5.6, 2.8, 14 / 15]),
        (7, [13.44, 3.5, 1.4, 1]),
        (90, [43.2, 18, 9, 3]),
        (14, [6.72, 2.8, 1.4, 1]),
    ],
)
def test_the_tiers_spend_the_same_shares_of_every_period(days: int, factors: list[float]) -> None:
    """SRE Workbook, table 5-8, for 30 days; a week has Sloth's shares; no factor of another period is below 1."""
    tiers, warnings = default_tiers(days * DAY, TARGET)
    assert ([float(tier.factor) for tier in tiers], warnings) == (factors, ())
    assert [tier.name for tier in tiers] == ["page-5m-1h", "page-30m-6h", "ticket-2h-1d", "ticket-6h-3d"]


@given(st.integers(60, 366 * DAY))
def test_every_period_has_a_page_and_no_window_over_a_third_of_it_but_a_week(period_min: int) -> None:
    tiers, _ = tiers_of_period(period_min)
    assert tiers[0].severity == "page"
    assert all(tier.short_min < tier.long_min for tier in tiers)
    assert period_min == 7 * DAY or all(tier.long_min * 3 <= period_min for tier in tiers)
    assert period_min in {28 * DAY, 30 * DAY} or all(tier.factor >= 1 for tier in tiers)


@pytest.mark.parametrize(("target", "possible"), [("0.9306", True), ("0.9305", False), (0.9, False)])
def test_a_tier_that_could_never_fire_is_left_out_with_the_arithmetic(target: float | str, *, possible: bool) -> None:
    """14.4 needs a target of at least 93.06 %: the largest burn rate is 1/b."""
    tiers, warnings = default_tiers(MONTH, Target.of(target))
    assert (len(tiers), bool(warnings)) == (3 + possible, not possible)
    assert possible or "a burn rate above 14.4 is impossible" in warnings[0]


def test_a_long_window_over_a_third_of_the_period_is_left_out_and_the_first_one_shortened() -> None:
    tiers, warnings = default_tiers(2 * 60, TARGET)
    assert [tier.name for tier in tiers] == ["page-3m-40m"]
    assert warnings[0] == "page-30m-6h is left out: its long window is over a third of 2h"


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
        (Counts(), Counts(5400, 6000, 60), "few"),
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


def test_history_that_is_still_being_sent_does_not_make_a_window_covered() -> None:
    """An hour at 30 times the budget; of the six hours before, nothing has arrived yet, though older data has."""
    slow, counts = default_tiers(MONTH, TARGET)[0][1], Counts(58_200, 60_000, 60)
    history = History(Counts(10**7, 10**7, 10**4), MONTH, MONTH)
    assert judge(slow, TARGET, counts, counts, history) == "quiet"
    assert judge(slow, TARGET, counts, counts, replace(history, counts=Counts(10**6, 10**6, 10**4))) == "burning"


def test_a_source_that_leaves_minutes_out_is_judged_by_its_ratios_all_the_same() -> None:
    """A bucket every five minutes."""
    counts = Counts(5, 10, 12)
    history = History(Counts(8000, 8640, MONTH // 5), MONTH, MONTH)
    assert judge(PAGE, TARGET, Counts(0, 1, 1), counts, history) == "burning"


@pytest.mark.parametrize(("minutes", "text"), [(5, "5m"), (60, "1h"), (90, "90m"), (360, "6h"), (1440, "1d")])
def test_windows_are_written_in_their_largest_unit(minutes: int, text: str) -> None:
    assert duration(minutes) == text


def test_a_tier_is_named_by_what_makes_it_its_own_condition() -> None:
    assert Tier("ticket", 120, DAY, Fraction(1, 10), Fraction(3)).name == "ticket-2h-1d"


NOTIFIED = Notification("on-call", "pager", "")
SLOW = Condition("slow", "ticket", "gte", Fraction(2), 12 * 60, 10, "")
FAST = Condition("fast", "critical", "gt", Fraction(10), 60, 0, "")
POLICY = Policy("pages", "", "", False, True, True, (FAST, SLOW), (NOTIFIED,))  # noqa: FBT003  as the document has it


def test_the_conditions_of_a_policy_take_the_place_of_the_default_tiers() -> None:
    """The share of the budget follows from factor and windows: 10 over an hour of 30 days is 1.39 %."""
    tiers, warnings = tiers_of_policies([POLICY], MONTH, TARGET)
    fast, slow = tiers
    assert (fast.name, fast.severity, fast.short_min, fast.long_min, fast.factor) == ("pages.fast", "page", 5, 60, 10)
    assert (slow.name, slow.severity, slow.short_min, slow.op, slow.after_min) == (
        "pages.slow",
        "ticket",
        60,
        "gte",
        10,
    )
    assert (fast.share, fast.targets, fast.tell_resolved, warnings) == (Fraction(10, 720), ("on-call",), True, ())


def test_of_two_tiers_of_one_name_the_first_counts_and_a_warning_says_so() -> None:
    tiers, warnings = tiers_of_policies([POLICY, POLICY], MONTH, TARGET)
    assert len(tiers) == 2
    assert warnings[0] == "pages.fast is left out: an earlier policy has it too; give it another name"


@pytest.mark.parametrize(
    ("when_breaching", "when_no_data", "burning"),
    [(True, False, True), (True, True, True), (False, False, True), (False, True, False)],
)
def test_a_policy_for_want_of_data_alone_does_not_fire_for_what_burns(
    *, when_breaching: bool, when_no_data: bool, burning: bool
) -> None:
    policy = replace(POLICY, when_breaching=when_breaching, when_no_data=when_no_data)
    tier = tiers_of_policies([policy], MONTH, TARGET)[0][0]
    counts = Counts(0, 500, 60)
    assert judge(tier, TARGET, counts, counts, LONG_KNOWN) == ("burning" if burning else "quiet")


def test_too_few_events_neither_fire_an_alert_nor_end_it() -> None:
    tier = replace(PAGE, least_events=100)
    assert judge(tier, TARGET, Counts(0, 9, 5), Counts(0, 99, 60), LONG_KNOWN) == "few"
    assert judge(tier, TARGET, Counts(0, 9, 5), Counts(0, 100, 60), LONG_KNOWN) == "burning"


def test_a_condition_that_must_hold_is_looked_at_in_every_minute_before() -> None:
    """As Prometheus's `for`."""
    bad, good = Counts(0, 500, 60), Counts(500, 500, 60)
    tier = replace(PAGE, after_min=2)
    verdicts = [
        judge(tier, TARGET, bad, bad, LONG_KNOWN, lambda pairs=pairs: pairs)
        for pairs in ([(bad, bad), (bad, bad)], [(bad, bad), (good, bad)])
    ]
    assert verdicts == ["burning", "quiet"]


@pytest.mark.parametrize(
    ("op", "bad", "burning"), [("gt", 10, False), ("gte", 10, True), ("lt", 9, True), ("lte", 10, True)]
)
def test_an_operator_decides_about_equality(op: Operator, bad: int, *, burning: bool) -> None:
    assert burns(TARGET, Counts(1000 - bad, 1000, 1), Fraction(10), op) == burning
    assert not burns(TARGET, Counts(0, 0, 1), Fraction(10), op)
