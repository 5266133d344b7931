"""Forecasts: plain where the past is plain, honest where it is not."""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from services.slo.domain.error_budget import Target
from services.slo.domain.forecast import Forecast, NotEnoughData, Past, forecast
from services.slo.domain.windows import Calendar, Rolling, Window

NOW = datetime(2026, 3, 11, tzinfo=UTC)
NINE = Target.of("0.9")
MONTH = Rolling(30 * 24 * 60)
MARCH = Calendar(1, "M", datetime.fromisoformat("2026-01-01"), "UTC")
WEEK = 7 * 24


def past(bad: npt.NDArray[np.float64], total: float | npt.NDArray[np.float64] = 100.0) -> Past:
    return Past(NOW, bad, np.broadcast_to(np.float64(1) * total, bad.shape).copy(), np.ones(len(bad), np.bool_))


def made(target: Target, window: Window, held: Past) -> Forecast:
    got = forecast(target, window, held)
    assert isinstance(got, Forecast)
    return got


def hours(count: int) -> timedelta:
    return timedelta(hours=count)


def test_a_steady_burn_runs_out_when_the_arithmetic_says() -> None:
    """30 days at 5 %, then 10 days at 20 % under 90 %: x hours of 20 % replace 5 % until the mean is 10 %."""
    bad = np.concatenate((np.full(480, 5.0), np.full(240, 20.0)))
    got = made(NINE, MONTH, past(bad))
    assert got.expected == NOW  # (480*5 + 240*20) / 720 = 10 % exactly
    bad = np.concatenate((np.full(552, 5.0), np.full(168, 20.0)))
    got = made(NINE, MONTH, past(bad))
    assert got.expected == NOW + hours(72)


def test_a_burn_within_the_budget_never_runs_out() -> None:
    got = made(NINE, MONTH, past(np.full(720, 9.0)))
    assert (got.earliest, got.expected, got.latest) == (None, None, None)
    assert got.until == NOW + timedelta(days=30)


def test_a_steady_past_leaves_no_doubt() -> None:
    got = made(NINE, MONTH, past(np.full(240, 9.9)))
    assert (got.back_test.mean_absolute_error, got.back_test.bias) == pytest.approx((0, 0), abs=1e-9)
    assert got.earliest == got.expected == got.latest


def test_an_uneven_past_gives_an_interval_around_the_forecast() -> None:
    rng = np.random.default_rng(7)
    got = made(NINE, MONTH, past(np.clip(rng.poisson(11, 24 * 30) + (rng.random(720) < 0.03) * 60.0, 0, 100)))
    assert got.earliest is not None
    assert got.expected is not None
    assert got.earliest <= got.expected
    assert got.latest is None or got.expected <= got.latest
    assert got.back_test.mean_absolute_error is not None
    assert got.back_test.mean_absolute_error > 0
    assert 0 <= got.back_test.inside <= 1


def test_a_calendar_period_has_the_budget_of_its_forecast_total() -> None:
    """Ten days of March at 20 %: 4,800 of the 7,440 bad events that 31 days at 100 an hour may have."""
    bad = np.concatenate((np.zeros(240), np.full(240, 20.0)))
    got = made(NINE, MARCH, past(bad))
    assert got.expected == NOW + hours((7_440 - 4_800) // 20)
    assert got.until == datetime(2026, 4, 1, tzinfo=UTC)


def test_what_an_earlier_period_spent_is_forgotten() -> None:
    bad = np.concatenate((np.full(240, 100.0), np.zeros(240)))
    assert made(NINE, MARCH, past(bad)).expected is None


def test_weekly_traffic_is_recognised_when_there_is_enough_of_it() -> None:
    weeks = np.tile(np.concatenate((np.full(120, 100.0), np.zeros(48))), 6)
    held = past(weeks * 0.05, weeks)
    got = made(NINE, MONTH, held)
    assert (got.back_test.model, got.back_test.horizon_h) == ("weekly", WEEK)
    assert got.back_test.mean_absolute_error == pytest.approx(0, abs=1e-9)


def test_a_few_weeks_are_not_enough_for_a_season() -> None:
    got = made(NINE, MONTH, past(np.full(4 * WEEK, 9.0)))
    assert (got.back_test.model, got.back_test.horizon_h) == ("flat", WEEK)


def test_hours_without_data_say_nothing() -> None:
    full = past(np.full(720, 9.0))
    holes = past(np.full(720, 9.0))
    for array in (holes.bad, holes.total, holes.observed):
        array[::3] = 0
    assert made(NINE, MONTH, holes).back_test.mean_absolute_error == pytest.approx(0, abs=1e-9)
    assert made(NINE, MONTH, holes).expected == made(NINE, MONTH, full).expected


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (past(np.zeros(0)), "no events"),
        (past(np.zeros(720), 0.0), "no events"),
        (past(np.full(6 * 24, 5.0)), "6.0 days were observed; 7 are needed"),
        (
            Past(NOW, np.full(720, 5.0), np.full(720, 100.0), np.arange(720) >= 700),
            "0.8 days were observed",
        ),
    ],
)
def test_too_little_is_said_to_be_too_little(held: Past, reason: str) -> None:
    got = forecast(NINE, MONTH, held)
    assert isinstance(got, NotEnoughData)
    assert reason in got.reason


def test_seven_days_are_enough() -> None:
    got = made(NINE, MONTH, past(np.full(WEEK, 5.0)))
    assert (got.back_test.origins, got.back_test.horizon_h) == (5, 24)


def test_nothing_bad_has_no_relative_error() -> None:
    got = made(NINE, MONTH, past(np.zeros(WEEK)))
    assert (got.expected, got.back_test.mean_absolute_error) == (None, None)
