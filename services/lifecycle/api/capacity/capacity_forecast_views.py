"""What goes out about the demand to come, week by week, and how far it can be foretold."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.lifecycle.api.capacity.capacity_steps import Around
from services.lifecycle.domain.capacity.events import (
    Backtest,
    Model,
    RefusalCode,
)
from services.lifecycle.domain.capacity.outlook import Demand as DayOfDemand
from services.lifecycle.domain.capacity.outlook import (
    Missing,
    Shortfall,
    demand,
    look,
    missing,
    needs,
    planned_with,
)
from services.lifecycle.domain.capacity.state import Capacity

_WEEK = 7


@dataclass(frozen=True, slots=True)
class ForecastView:
    """How demand goes on by itself, or why nobody can say; `pending`: a worker is about to make it."""

    state: Literal["made", "refused", "pending", "none"]
    code: RefusalCode | None = None
    detail: str = ""
    model: Model | None = None
    yearly: bool = False
    history_days: int = 0
    history_until: date | None = None
    backtest: Backtest | None = None
    growth_a_year: float | None = None
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CapacityWeekView:
    """The day of a week with the highest demand, and the units of all failure domains on it."""

    week: date
    demand: DayOfDemand
    needed: int
    there: int
    short: bool


@dataclass(frozen=True, slots=True)
class ForecastWeeks:
    """The demand of the coming weeks up to the plan's horizon, in the metric that is the tightest."""

    service: str
    metric: str
    forecast: ForecastView
    shortfall: Shortfall | None
    weeks: tuple[CapacityWeekView, ...]
    missing: tuple[Missing, ...]


def forecast_weeks(state: Capacity, around: Around) -> ForecastWeeks:
    """The coming weeks as they are answered."""
    found = look(state.basis, around.today)
    basis = planned_with(state.basis)[found.metric if found else state.basis.metric]
    known = state.others.get(basis.metric, state)
    weeks: list[CapacityWeekView] = []
    if found and basis.plan and basis.supply:
        plan = basis.plan.plan
        days = list(demand(basis, plan, around.today))
        for first in range(0, len(days), _WEEK):
            highest = max(days[first : first + _WEEK], key=lambda each: each.peak)
            each = needs(basis, highest, plan, around.today)
            needed, there = sum(need.needed for need in each), sum(need.there for need in each)
            short = any(need.needed > need.there for need in each)
            weeks.append(CapacityWeekView(days[first].day, highest, needed, there, short))
    return ForecastWeeks(
        around.service,
        basis.metric,
        forecast_view(known),
        found.shortfall if found else None,
        tuple(weeks),
        missing(state.basis),
    )


def forecast_view(state: Capacity) -> ForecastView:
    """What is known of how demand goes on."""
    basis = state.basis
    made, refused = basis.forecast, basis.refused
    if made:
        return ForecastView(
            state="made",
            model=made.model,
            yearly=made.yearly,
            history_days=made.history,
            history_until=made.until,
            backtest=made.backtest,
            growth_a_year=made.growth_a_year,
            made_at=made.at,
        )
    if basis.forecast_due:
        return ForecastView("pending", detail="a worker is about to make it; ask again in some seconds")
    if refused:
        return ForecastView(
            state="refused",
            code=refused.code,
            detail=refused.detail,
            history_until=refused.until,
            backtest=refused.backtest,
            made_at=refused.at,
        )
    return ForecastView("none", detail="no demand was imported")
