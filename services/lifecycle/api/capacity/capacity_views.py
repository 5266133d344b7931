"""What goes out about capacity."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal

from services.lifecycle.domain.capacity.events import (
    Backtest,
    DemandEstimated,
    InorganicSet,
    Model,
    Plan,
    RefusalCode,
    Side,
    Source,
    Strategy,
    Supply,
)
from services.lifecycle.domain.capacity.facts import stale
from services.lifecycle.domain.capacity.outlook import Demand as DayOfDemand
from services.lifecycle.domain.capacity.outlook import Missing, Outlook, Shortfall, demand, look, missing, needs
from services.lifecycle.domain.capacity.policy import CapacityPolicy
from services.lifecycle.domain.capacity.state import Capacity
from services.lifecycle.domain.policy import Number

_WEEK = 7


@dataclass(frozen=True, slots=True)
class CapacityStep:
    """What somebody must do; `team <name>` where it is a team's affair."""

    who: tuple[str, ...]
    what: str
    why: str
    path: str
    due: date | None = None


@dataclass(frozen=True, slots=True)
class HistoryView:
    """The demand that was measured: the highest of each day."""

    since: date
    until: date
    days: int
    last: float
    source: Source | None
    query: str
    imported_by: str
    imported_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyView(Supply):
    """What is there; `stale` when the load test is too old to count."""

    stale: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView(Plan):
    """How it is planned; `stale` when nobody has looked at it for too long."""

    stale: bool
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StrategyView:
    """How the service grows: what both sides agreed, and what waits for the other side."""

    in_force: Strategy | None
    edition: int
    proposed: Strategy
    state: Literal["proposed", "agreed"]
    side: Side
    proposed_by: str
    agreed_by: str | None


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
class CostView:
    """What the units cost in a month: all, and those that nobody needs."""

    currency: str
    unit: float
    total: float
    surplus: float
    per_demand: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlookView(Outlook):
    """What the plan comes to; `order_overdue`: what is ordered today comes too late."""

    order_overdue: bool
    cost: CostView | None


@dataclass(frozen=True, slots=True)
class CapacityView:
    """How much is asked of a service, how much it can do, and by when more must be ordered."""

    service: str
    metric: str
    history: HistoryView | None
    estimate: DemandEstimated | None
    forecast: ForecastView
    inorganic: tuple[InorganicSet, ...]
    supply: SupplyView | None
    plan: PlanView | None
    strategy: StrategyView | None
    outlook: OutlookView | None
    missing: tuple[Missing, ...]
    stale: tuple[str, ...]
    limits: dict[str, Number]
    policy_version: str
    next: tuple[CapacityStep, ...]


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
    """The demand of the coming weeks up to the plan's horizon."""

    service: str
    metric: str
    forecast: ForecastView
    shortfall: Shortfall | None
    weeks: tuple[CapacityWeekView, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What capacity is looked at against: who owns the service, who helps to run it, the numbers, and now."""

    service: str
    owner_team: str
    sre_team: str
    policy: CapacityPolicy
    at: datetime

    @property
    def today(self) -> date:
        """The day."""
        return self.at.date()


def capacity_view(state: Capacity, around: Around) -> CapacityView:
    """The capacity of a service as it is answered."""
    basis, policy = state.basis, around.policy
    outlook = look(basis, around.today)
    return CapacityView(
        service=around.service,
        metric=basis.metric,
        history=_history(state),
        estimate=basis.estimate,
        forecast=_forecast(state),
        inorganic=tuple(sorted(basis.inorganic.values(), key=lambda each: (each.start, each.name))),
        supply=_supply(state, around),
        plan=_plan(state, around),
        strategy=_strategy(state),
        outlook=_outlook(state, outlook, around) if outlook else None,
        missing=missing(basis),
        stale=stale(basis, around.today, policy.stale_days.value),
        limits={
            "stale_days": policy.stale_days,
            "least_days": policy.least_days,
            "most_gaps": policy.most_gaps,
            "most_error": policy.most_error,
            "most_horizon_days": policy.most_horizon_days,
        },
        policy_version=policy.version,
        next=tuple(_next(state, outlook, around)),
    )


def forecast_weeks(state: Capacity, around: Around) -> ForecastWeeks:
    """The coming weeks as they are answered."""
    basis, found = state.basis, look(state.basis, around.today)
    weeks: list[CapacityWeekView] = []
    if found and basis.plan and basis.supply:
        plan, supply = basis.plan.plan, basis.supply.supply
        days = list(demand(basis, plan, around.today))
        for first in range(0, len(days), _WEEK):
            highest = max(days[first : first + _WEEK], key=lambda each: each.peak)
            each = needs(highest, supply, plan, basis.strategy)
            needed, there = sum(need.needed for need in each), sum(need.there for need in each)
            short = any(need.needed > need.there for need in each)
            weeks.append(CapacityWeekView(days[first].day, highest, needed, there, short))
    return ForecastWeeks(
        around.service,
        basis.metric,
        _forecast(state),
        found.shortfall if found else None,
        tuple(weeks),
        missing(basis),
    )


def _history(state: Capacity) -> HistoryView | None:
    if not state.days:
        return None
    last, imported = max(state.days), state.imported
    return HistoryView(
        since=min(state.days),
        until=last,
        days=len(state.days),
        last=state.days[last],
        source=imported.source if imported else None,
        query=imported.query if imported else "",
        imported_by=imported.by if imported else "",
        imported_at=imported.at if imported else None,
    )


def _forecast(state: Capacity) -> ForecastView:
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


def _supply(state: Capacity, around: Around) -> SupplyView | None:
    said = state.basis.supply
    if said is None:
        return None
    one = said.supply
    old = (around.today - one.tested_on).days > around.policy.stale_days.value
    return SupplyView(**_fields(one), stale=old, by=said.by, at=said.at)


def _plan(state: Capacity, around: Around) -> PlanView | None:
    said = state.basis.plan
    if said is None:
        return None
    one = said.plan
    old = (around.today - said.at.date()).days > around.policy.stale_days.value
    return PlanView(**_fields(one), stale=old, reason=said.reason, by=said.by, at=said.at)


def _strategy(state: Capacity) -> StrategyView | None:
    proposed, agreed = state.proposed, state.agreed
    if proposed is None:
        return None
    return StrategyView(
        in_force=state.basis.strategy,
        edition=proposed.edition,
        proposed=proposed.strategy,
        state="agreed" if agreed else "proposed",
        side=proposed.side,
        proposed_by=proposed.by,
        agreed_by=agreed.by if agreed else None,
    )


def _outlook(state: Capacity, found: Outlook, around: Around) -> OutlookView:
    late = found.shortfall is not None and found.shortfall.order_by < around.today
    return OutlookView(**_fields(found), order_overdue=late, cost=_cost(state, found))


def _fields(value: Supply | Plan | Outlook) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _cost(state: Capacity, found: Outlook) -> CostView | None:
    supply = state.basis.supply.supply if state.basis.supply else None
    if supply is None or supply.cost is None:
        return None
    total = supply.cost.amount * sum(domain.units for domain in supply.domains)
    per_demand = total / found.today.peak if found.today.peak else None
    return CostView(supply.cost.currency, supply.cost.amount, total, supply.cost.amount * found.surplus, per_demand)


def _next(state: Capacity, found: Outlook | None, around: Around) -> Iterator[CapacityStep]:
    team = (f"team {around.owner_team}" if around.owner_team else "whoever owns the service",)
    both = (*team, f"team {around.sre_team}") if around.sre_team else team
    path, lacks = f"/v1/services/{around.service}/capacity", missing(state.basis)
    if "demand" in lacks:
        refused = state.basis.refused
        why = refused.detail if refused else "nobody knows what will be asked of it"
        yield CapacityStep(team, "import the demand so far, or estimate it", why, f"{path}/demand")
    if "supply" in lacks:
        yield CapacityStep(
            team, "run a load test, and say what is there", "nobody knows what a unit can do", f"{path}/supply"
        )
    if "plan" in lacks:
        yield CapacityStep(both, "agree how capacity is planned", "there is no plan", f"{path}/plan")
    for old in stale(state.basis, around.today, around.policy.stale_days.value):
        part = "demand" if old.startswith("demand") else "supply" if "load test" in old else "plan"
        why = f"{old}, more than {around.policy.stale_days.value:g} days ago ({around.policy.stale_days.source})"
        yield CapacityStep(team, f"bring the {part} up to date", why, f"{path}/{part}")
    if found and found.shortfall:
        short = found.shortfall
        late = ", which is too late to be there in time" if short.order_by < around.today else ""
        what = f"order {short.needed - short.there} more for {short.domain}{late}"
        why = f"{short.domain} needs {short.needed} on {short.day}, and has {short.there}"
        yield CapacityStep(both, what, why, f"{path}/supply", short.order_by)
    proposed = state.proposed
    if proposed is None:
        yield CapacityStep(both, "agree how the service scales", "nobody has said", f"{path}/strategy")
    elif state.agreed is None:
        other = "sre" if proposed.side == "dev" else "dev"
        who = f"team {around.sre_team if other == 'sre' else around.owner_team}"
        waits = who if around.sre_team else f"anybody but {proposed.by}"
        why = f"{proposed.by} proposed edition {proposed.edition} for the {proposed.side} side"
        yield CapacityStep((waits,), "agree to the scaling strategy, or propose another", why, f"{path}/strategy:agree")
