"""What is said about an error budget, when an alert fires and when it clears."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.events.testing import given
from services.slo.contract import BUDGET
from services.slo.domain.budget.commands import Assess, Reading
from services.slo.domain.budget.events import (
    AlertFired,
    AlertResolved,
    BudgetAssessed,
    BudgetExhausted,
    BudgetRecovered,
)
from services.slo.domain.burn_rate import Verdict, default_tiers
from services.slo.domain.error_budget import Target

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
PAGE = default_tiers(28 * 24 * 60, Target.of(0.999))[0][0]
MET = BudgetAssessed(
    slo="checkout-availability",
    service="checkout-api",
    revision=1,
    state="met",
    target=0.999,
    sli=0.9995,
    good=9_995,
    total=10_000,
    coverage=0.5,
    window="28d",
    window_start=AT - timedelta(days=28),
    window_end=AT,
    error_budget_consumed=0.5,
    error_budget_remaining=0.5,
    input_version=7,
    at=AT,
)
FIRED = AlertFired(
    "a-1", MET.slo, MET.service, "page", "page-5m-1h", "5m", "1h", 13.44, 1000.0, 90.0, MET.input_version, AT
)


def _assess(figures: BudgetAssessed, verdict: Verdict = "unknown", alert: str = "a-1") -> Assess:
    return Assess(figures, (Reading(PAGE, verdict, 1000.0, 90.0, alert),))


def _later(figures: BudgetAssessed, by: timedelta, **changes: object) -> BudgetAssessed:
    return replace(figures, at=AT + by, **changes)  # pyright: ignore[reportArgumentType]  fields of the event


def test_the_first_figures_are_published() -> None:
    given(BUDGET).when(_assess(MET)).then(MET)


def test_the_same_figures_are_not_published_again() -> None:
    given(BUDGET, MET).when(_assess(_later(MET, timedelta(minutes=5)))).then()


@pytest.mark.parametrize(
    "changes",
    [{"state": "at_risk"}, {"revision": 2}],
    ids=["another state", "another revision"],
)
def test_a_change_is_published_at_once(changes: dict[str, object]) -> None:
    now = _later(MET, timedelta(seconds=1), **changes)
    given(BUDGET, MET).when(_assess(now)).then(now)


def test_a_point_of_budget_is_published_at_most_once_a_minute() -> None:
    soon = _later(MET, timedelta(seconds=59), error_budget_remaining=0.49)
    given(BUDGET, MET).when(_assess(soon)).then()
    then = _later(MET, timedelta(seconds=60), error_budget_remaining=0.49)
    given(BUDGET, MET).when(_assess(then)).then(then)


def test_a_point_of_coverage_is_published_at_once() -> None:
    """History was sent: a gate that waits for coverage does not wait for the minute too."""
    now = _later(MET, timedelta(seconds=1), coverage=0.51)
    given(BUDGET, MET).when(_assess(now)).then(now)


def test_less_than_a_point_of_movement_waits() -> None:
    given(BUDGET, MET).when(_assess(_later(MET, timedelta(hours=1), error_budget_remaining=0.495))).then()


def test_figures_are_repeated_after_a_day() -> None:
    now = _later(MET, timedelta(days=1))
    given(BUDGET, MET).when(_assess(now)).then(now)


def test_figures_of_fewer_measurements_say_nothing() -> None:
    late = _later(MET, timedelta(minutes=1), state="violated", input_version=6)
    given(BUDGET, MET).when(_assess(late, "burning")).then()


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    earlier = _later(MET, -timedelta(hours=1), state="at_risk")
    given(BUDGET, MET).when(_assess(earlier)).then(earlier)


def test_a_budget_below_zero_is_exhausted_once() -> None:
    violated = _later(MET, timedelta(minutes=1), state="violated", error_budget_remaining=-0.1)
    exhausted = BudgetExhausted(MET.slo, MET.service, -0.1, violated.at)
    given(BUDGET, MET).when(_assess(violated)).then(violated, exhausted)
    given(BUDGET, MET, violated, exhausted).when(_assess(violated)).then()


def test_a_budget_back_at_zero_has_recovered() -> None:
    back = _later(MET, timedelta(minutes=2), state="at_risk", error_budget_remaining=0.0)
    past = (MET, BudgetExhausted(MET.slo, MET.service, -0.1, AT))
    given(BUDGET, *past).when(_assess(back)).then(back, BudgetRecovered(MET.slo, MET.service, 0.0, back.at))


def test_data_that_ends_says_nothing_about_an_exhausted_budget() -> None:
    nothing = _later(MET, timedelta(days=40), state="undefined", error_budget_remaining=None)
    given(BUDGET, MET, BudgetExhausted(MET.slo, MET.service, -0.1, AT)).when(_assess(nothing)).then(nothing)


def test_an_alert_fires_once_while_its_windows_burn() -> None:
    given(BUDGET, MET).when(_assess(MET, "burning")).then(FIRED)
    given(BUDGET, MET, FIRED).when(_assess(MET, "burning", alert="a-2")).then()


def test_missing_data_holds_an_alert_as_it_is() -> None:
    given(BUDGET, MET, FIRED).when(_assess(MET, "unknown")).then()
    given(BUDGET, MET).when(_assess(MET, "unknown")).then()


def test_an_alert_clears_when_its_windows_are_quiet() -> None:
    resolved = AlertResolved("a-1", MET.slo, MET.service, "page", "page-5m-1h", MET.input_version, AT)
    given(BUDGET, MET, FIRED).when(_assess(MET, "quiet")).then(resolved)
    given(BUDGET, MET, FIRED, resolved).when(_assess(MET, "quiet")).then()


def test_an_alert_whose_condition_is_gone_from_the_slo_clears() -> None:
    resolved = AlertResolved("a-1", MET.slo, MET.service, "page", "page-5m-1h", MET.input_version, AT)
    given(BUDGET, MET, FIRED).when(Assess(MET, ())).then(resolved)
