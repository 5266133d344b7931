"""What the coming days ask of a service, day by day, and the first day on which there is too little."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from services.lifecycle.domain.capacity.arithmetic import INEXACT, grown, units_needed
from services.lifecycle.domain.capacity.events import Domain, Plan, UnitsOrdered
from services.lifecycle.domain.capacity.state import Basis

_DAY = timedelta(days=1)
_WEEK = 7
Ground = Literal["forecast", "estimate"]
Missing = Literal["demand", "supply", "plan"]


@dataclass(frozen=True, slots=True)
class Demand:
    """The highest demand of a day: what goes on by itself, what comes beside it, and both with the headroom."""

    day: date
    organic: float
    inorganic: float
    peak: float


@dataclass(frozen=True, slots=True)
class Need:
    """What one failure domain needs on a day, and has."""

    domain: str
    needed: int
    there: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The first day on which a failure domain has too few units, and by when more must be ordered."""

    day: date
    order_by: date
    domain: str
    needed: int
    there: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a plan comes to.

    Args:
        ground: Whether demand is forecast from a history, or was estimated.
        until: The last day that was looked at.
        today: The demand of today.
        highest: The day with the highest demand.
        needs: What each failure domain needs on that day.
        shortfall: The first one; None: there is enough until the end.
        surplus: How many units no failure domain needs before new ones could be there.
        metric: What demand is counted in here: the metric that bounds the plan most tightly.
    """

    ground: Ground
    until: date
    today: Demand
    highest: Demand
    needs: tuple[Need, ...]
    shortfall: Shortfall | None
    surplus: int
    metric: str


def missing(basis: Basis) -> tuple[Missing, ...]:
    """What nobody has said yet, and without which nothing can be worked out."""
    parts: dict[Missing, object] = {
        "demand": basis.forecast or basis.estimate,
        "supply": basis.supply,
        "plan": basis.plan,
    }
    return tuple(name for name, part in parts.items() if part is None)


def look(basis: Basis, today: date, *, plan: Plan | None = None) -> Outlook | None:
    """What *basis* comes to from *today* on in the metric that is the tightest; None: something is missing.

    Args:
        basis: Of all metrics.
        today: From when on.
        plan: Another plan than its own.
    """
    found = [each for one in planned_with(basis).values() if (each := _look_at(one, today, plan)) is not None]
    return min(found, key=_slack) if found else None


def planned_with(basis: Basis) -> dict[str, Basis]:
    """What the plan is worked out from in each metric, by its name: all are served by the same units."""
    found = {basis.metric: basis}
    for name, other in basis.others.items():
        supply = basis.supply
        if supply and other.bound:
            said = replace(supply.supply, unit_capacity=other.bound.unit_capacity, tested_on=other.bound.tested_on)
            supply = replace(supply, supply=said)
        found[name] = replace(other, supply=supply, plan=basis.plan, strategy=basis.strategy, orders=basis.orders)
    return found


def _slack(found: Outlook) -> tuple[date, float]:
    """The tighter it is, the less: first by the day of the shortfall, then by how much of what is there is needed."""
    day = found.shortfall.day if found.shortfall else date.max
    return day, -max((each.needed / max(each.there, 1) for each in found.needs), default=0.0)


def _look_at(basis: Basis, today: date, plan: Plan | None) -> Outlook | None:
    plan = plan or (basis.plan and basis.plan.plan)
    if basis.supply is None or plan is None or (basis.forecast or basis.estimate) is None:
        return None
    days = list(demand(basis, plan, today))
    highest = max(days, key=lambda each: each.peak)
    short = next(_short(basis, days, plan), None)
    soon = max(days[: plan.lead_time_days + 1], key=lambda each: each.peak)
    return Outlook(
        ground="forecast" if basis.forecast else "estimate",
        until=days[-1].day,
        today=days[0],
        highest=highest,
        needs=needs(basis, highest, plan, today),
        shortfall=short,
        surplus=sum(max(each.there - each.needed, 0) for each in needs(basis, soon, plan, today)),
        metric=basis.metric,
    )


def demand(basis: Basis, plan: Plan, today: date) -> Iterator[Demand]:
    """The highest demand of each day from *today* to the horizon."""
    for number in range(plan.horizon_days + 1):
        day = today + number * _DAY
        organic, inorganic = _organic(basis, day), _inorganic(basis, day)
        yield Demand(day, organic, inorganic, max(organic + inorganic, 0.0) * (1 + plan.headroom))


def needs(basis: Basis, of: Demand, plan: Plan, today: date) -> tuple[Need, ...]:
    """What each failure domain needs for a day's demand, and has then; nothing, where nobody has said what is there."""
    if basis.supply is None:
        return ()
    supply = basis.supply.supply
    return tuple(
        Need(
            domain.name,
            units_needed(of.peak * domain.share, supply.unit_capacity, plan.utilisation, plan.spare),
            _there(basis, domain, today, of.day),
        )
        for domain in supply.domains
    )


def coming(basis: Basis, domain: str, today: date, day: date) -> int:
    """The ordered units that are expected in *domain* by *day*: of each order the share that is likely to come.

    What was due before *today*, and of which nobody has said that it is there, counts no more.
    """
    return sum(likely(each) for each in basis.orders.values() if each.domain == domain and today <= each.arrives <= day)


def likely(order: UnitsOrdered) -> int:
    """So many of the units are planned with."""
    return math.floor(order.units * order.confidence * (1 + INEXACT))


def overdue(basis: Basis, today: date) -> tuple[UnitsOrdered, ...]:
    """The orders that should be there, and of which nobody has said so, the oldest first."""
    late = (each for each in basis.orders.values() if each.arrives < today)
    return tuple(sorted(late, key=lambda each: (each.arrives, each.order)))


def _short(basis: Basis, days: list[Demand], plan: Plan) -> Iterator[Shortfall]:
    enough = -1.0  # for the highest peak so far, and so for every lower one: units that come do not go
    for each in days:
        if each.peak <= enough:
            continue
        enough = each.peak
        for need in needs(basis, each, plan, days[0].day):
            if need.needed > need.there:
                order_by = each.day - plan.lead_time_days * _DAY
                yield Shortfall(each.day, order_by, need.domain, need.needed, need.there)


def _there(basis: Basis, domain: Domain, today: date, day: date) -> int:
    """What scales by itself has as much as its limit allows."""
    strategy = basis.strategy
    if strategy and strategy.kind == "automatic" and strategy.max_units is not None:
        return strategy.max_units
    return domain.units + coming(basis, domain.name, today, day)


def _organic(basis: Basis, day: date) -> float:
    if basis.forecast:
        ahead = max((day - basis.forecast.until).days - 1, 0) // _WEEK
        return basis.forecast.weeks[min(ahead, len(basis.forecast.weeks) - 1)]
    if basis.estimate and day >= basis.estimate.start:
        return grown(basis.estimate.peak, basis.estimate.growth_a_year, (day - basis.estimate.start).days)
    return 0.0


def _inorganic(basis: Basis, day: date) -> float:
    """What is expected of what comes beside; what has begun before the history ended is in the history."""
    measured = basis.forecast.until if basis.forecast else date.min
    return sum(
        each.delta * each.confidence
        for each in basis.inorganic.values()
        if each.start > measured and each.start <= day and (each.until is None or day <= each.until)
    )
