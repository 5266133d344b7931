"""What a history foretells: the right model for what is known, its error on what was held back, or a refusal."""

import math
import random
from collections.abc import Callable
from datetime import date
from itertools import pairwise

import pytest

from services.lifecycle.domain.capacity.events import ForecastMade, ForecastRefused
from services.lifecycle.domain.capacity.policy import WEEKS_AHEAD
from services.lifecycle.forecasting.model import forecast
from services.lifecycle.forecasting.task import Task

FIRST = date(2025, 1, 1)


def history(days: int, level: Callable[[int], float], *, noise: float = 0.03) -> tuple[float, ...]:
    """A level with a week on top, in which the best day lies a fifth above it."""
    chance = random.Random(7)  # noqa: S311  the same numbers every time
    week = [1 + 0.2 * math.sin(2 * math.pi * day / 7) for day in range(7)]
    return tuple(level(day) * week[day % 7] * (1 + chance.uniform(-noise, noise)) for day in range(days))


def task(*days: float | None) -> Task:
    return Task("s", FIRST, days, imports=1, least_days=56, most_gaps=0.2, most_error=0.25)


def made(*days: float | None) -> ForecastMade:
    found = forecast(task(*days))
    assert found.made is not None, found.refused
    return found.made


def refused(*days: float | None) -> ForecastRefused:
    found = forecast(task(*days))
    assert found.refused is not None
    return found.refused


def test_straight_growth_goes_on_straight() -> None:
    found = made(*history(200, lambda day: 1000 + 5 * day))

    assert found.model == "linear"
    assert found.backtest.days == 50
    assert found.backtest.mape < 0.03 < found.backtest.naive_mape
    assert len(found.weeks) == WEEKS_AHEAD
    assert found.weeks[51] == pytest.approx((1000 + 5 * (200 + 7 * 51 + 3)) * 1.2, rel=0.05)
    assert found.growth_a_year == pytest.approx(5 * 364 / 2000, rel=0.1)


def test_growth_by_shares_goes_on_by_shares() -> None:
    found = made(*history(200, lambda day: 1000 * 1.002**day))

    assert (found.model, found.growth_a_year) == ("exponential", pytest.approx(1.002**364 - 1, rel=0.1))


def test_a_few_weeks_are_never_taken_for_exponential_growth() -> None:
    assert made(*history(60, lambda day: 1000 * 1.01**day)).model != "exponential"


def test_from_two_years_on_a_year_repeats() -> None:
    def level(day: int) -> float:
        return (1000 + 2 * day) * (1 + 0.3 * math.sin(2 * math.pi * day / 365.25))

    found = made(*history(800, level))

    assert found.yearly
    assert found.backtest.mape < 0.05
    assert found.weeks[40] == pytest.approx(max(level(800 + 280 + n) for n in range(7)) * 1.2, rel=0.1)


def test_what_stands_still_goes_on_standing_still() -> None:
    found = made(*[250.0] * 90)

    assert (found.backtest.mape, found.growth_a_year) == (0, pytest.approx(0, abs=1e-6))
    assert found.weeks[-1] == pytest.approx(250)


def test_demand_that_falls_ends_at_nothing_and_never_below() -> None:
    found = made(*history(120, lambda day: 1000 - 7 * day))

    assert min(found.weeks) == 0
    assert all(before >= after for before, after in pairwise(found.weeks[:10]))


def test_missing_days_are_filled_in_as_long_as_they_are_few() -> None:
    days: list[float | None] = list(history(100, lambda _: 1000))
    days[10:20] = [None] * 10

    assert made(*days).history == 100
    days[20:45] = [None] * 25
    assert (refused(*days).code, refused(*days).detail[:3]) == ("gaps", "35%")


def test_too_little_history_is_said_and_not_guessed_from() -> None:
    assert refused(*[5.0] * 55).code == "too-little-history"
    assert refused(5.0).until == FIRST


def test_what_nobody_can_foretell_is_refused_with_how_far_off_it_was() -> None:
    chance = random.Random(7)  # noqa: S311  the same numbers every time
    found = refused(*[chance.uniform(0, 1000) for _ in range(200)])

    assert found.code == "not-reliable"
    assert found.backtest is not None
    assert found.backtest.mape > 0.25


def test_demand_that_has_ended_is_refused() -> None:
    assert refused(*[5.0] * 60, *[0.0] * 40).code == "mostly-zero"


def test_the_worst_day_of_the_test_says_how_much_headroom_it_takes() -> None:
    days = list(history(100, lambda _: 1000, noise=0.0))
    days[90] *= 1.5

    assert made(*days).backtest.worst_under == pytest.approx(0.5, abs=0.05)
