"""What is said about an error budget, when an alert fires and when it clears."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.events.testing import given
from services.slo.contract import BUDGET
from services.slo.domain.budget.commands import Assess, Reading, Review
from services.slo.domain.budget.events import (
    AlertCorrected,
    AlertFired,
    AlertResolved,
    BudgetAssessed,
    BudgetExhausted,
    BudgetRecovered,
)
from services.slo.domain.burn_rate import Verdict, default_tiers
from services.slo.domain.error_budget import Target

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
PAGE, SLOW, *_ = default_tiers(28 * 24 * 60, Target.of(0.999))[0]
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
    alert="a-1",
    slo=MET.slo,
    service=MET.service,
    severity="page",
    tier="page-5m-1h",
    short_window="5m",
    long_window="1h",
    factor=13.44,
    burn_rate_short=1000.0,
    burn_rate_long=90.0,
    input_version=MET.input_version,
    at=AT,
    revision=1,
    target=0.999,
    data_until=AT,
)


def _assess(figures: BudgetAssessed, verdict: Verdict = "unknown", alert: str = "a-1") -> Assess:
    return Assess(figures, (Reading(PAGE, verdict, 1000.0, 90.0, alert, AT),))


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
    resolved = AlertResolved("a-1", MET.slo, MET.service, "page", "page-5m-1h", MET.input_version, AT, AT)
    given(BUDGET, MET, FIRED).when(_assess(MET, "quiet")).then(resolved)
    given(BUDGET, MET, FIRED, resolved).when(_assess(MET, "quiet")).then()


def test_an_alert_whose_condition_is_gone_from_the_slo_clears() -> None:
    resolved = AlertResolved("a-1", MET.slo, MET.service, "page", "page-5m-1h", MET.input_version, AT)
    given(BUDGET, MET, FIRED).when(Assess(MET, ())).then(resolved)


def test_each_tier_fires_and_clears_by_itself() -> None:
    slow = Reading(SLOW, "burning", 20.0, 7.0, "a-2", AT)
    fired = replace(FIRED, alert="a-2", tier="page-30m-6h", short_window="30m", long_window="6h", factor=5.6,
                    burn_rate_short=20.0, burn_rate_long=7.0)  # fmt: skip
    page = Reading(PAGE, "quiet", 0.0, 2.0, "a-3", AT)
    resolved = AlertResolved("a-1", MET.slo, MET.service, "page", "page-5m-1h", MET.input_version, AT, AT)
    given(BUDGET, MET, FIRED).when(Assess(MET, (page, slow))).then(resolved, fired)


def test_data_that_stops_fires_the_alerts_that_ask_for_it_once_data_had_come() -> None:
    reading = Reading(replace(PAGE, on_no_data=True), "unknown", 0.0, 0.0, "a-1", AT)
    fired = replace(FIRED, burn_rate_short=0.0, burn_rate_long=0.0, no_data=True)
    given(BUDGET, MET).when(Assess(MET, (reading,))).then(fired)
    given(BUDGET, MET, fired).when(Assess(MET, (reading,))).then()
    never = replace(MET, input_version=0)
    given(BUDGET, never).when(Assess(never, (reading,))).then()


def test_too_few_events_hold_an_alert_as_it_is() -> None:
    given(BUDGET, MET, FIRED).when(_assess(MET, "few")).then()
    given(BUDGET, MET).when(Assess(MET, (Reading(replace(PAGE, on_no_data=True), "few", 9.0, 9.0, "a-1"),))).then()


def test_who_hears_of_the_end_is_said_by_the_policy() -> None:
    fired = replace(FIRED, targets=("on-call",), tell_resolved=True)
    resolved = AlertResolved("a-1", MET.slo, MET.service, "page", "page-5m-1h", MET.input_version, AT, AT, ("on-call",))
    given(BUDGET, MET, fired).when(_assess(MET, "quiet")).then(resolved)
    given(BUDGET, MET, replace(fired, tell_resolved=False)).when(_assess(MET, "quiet")).then(
        replace(resolved, targets=())
    )


REVIEWED = Review("a-1", burning=False, burn_rate_short=0.0, burn_rate_long=2.0, input_version=9, at=AT)
CORRECTED = AlertCorrected(
    "a-1", MET.slo, MET.service, "page", "page-5m-1h", False, 13.44, 0.0, 2.0, 9, AT  # noqa: FBT003  of the event
)  # fmt: skip


def test_measurements_that_would_not_have_fired_an_alert_correct_it_once_and_leave_it_firing() -> None:
    given(BUDGET, MET, FIRED).when(replace(REVIEWED, burning=True)).then()
    given(BUDGET, MET, FIRED).when(REVIEWED).then(CORRECTED)
    given(BUDGET, MET, FIRED, CORRECTED).when(REVIEWED).then()
    assert BUDGET.fold(BUDGET.initial, (MET, FIRED, CORRECTED)).firing == {"page-5m-1h": FIRED}


def test_a_correction_that_was_wrong_is_corrected_too_also_after_the_alert_ended() -> None:
    resolved = AlertResolved("a-1", MET.slo, MET.service, "page", "page-5m-1h", MET.input_version, AT, AT)
    again = replace(REVIEWED, burning=True, burn_rate_long=90.0, input_version=10)
    given(BUDGET, MET, FIRED, CORRECTED, resolved).when(again).then(
        replace(CORRECTED, would_fire=True, burn_rate_long=90.0, input_version=10)
    )


def test_an_alert_that_is_not_known_is_not_corrected() -> None:
    given(BUDGET, MET, FIRED).when(replace(REVIEWED, alert="a-0")).then()
