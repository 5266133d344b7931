"""What goes out about the capacity of a service."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal

from services.lifecycle.api.capacity.capacity_forecast_views import ForecastView, forecast_view
from services.lifecycle.api.capacity.capacity_steps import Around, CapacityStep, next_steps
from services.lifecycle.domain.capacity.events import (
    DemandEstimated,
    DemandSource,
    InorganicSet,
    Plan,
    Side,
    Source,
    Strategy,
    Supply,
)
from services.lifecycle.domain.capacity.facts import stale
from services.lifecycle.domain.capacity.outlook import (
    Missing,
    Outlook,
    likely,
    look,
    missing,
    overdue,
    planned_with,
)
from services.lifecycle.domain.capacity.state import Basis, Capacity
from services.lifecycle.domain.policy import Number


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
class DemandSourceView(DemandSource):
    """What is asked for demand day by day; `days_behind` counts the days that are over and not known yet."""

    state: Literal["waiting", "working", "failing"]
    failing_since: datetime | None
    detail: str
    known_until: date | None
    days_behind: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyView(Supply):
    """What is there; `stale` when the load test is too old to count."""

    stale: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderView:
    """Units that are ordered; `counted` of them are planned with, none while they are `overdue`."""

    order: str
    domain: str
    units: int
    arrives: date
    confidence: float
    counted: int
    state: Literal["coming", "overdue"]
    note: str
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
class CapacityMetricView:
    """What else demand is counted in; `outlook` is what the plan comes to in it, null while its demand is unknown."""

    metric: str
    unit_capacity: float
    tested_on: date
    url: str
    stale: bool
    history: HistoryView | None
    demand_source: DemandSourceView | None
    estimate: DemandEstimated | None
    forecast: ForecastView
    inorganic: tuple[InorganicSet, ...]
    outlook: Outlook | None
    bounds: bool


@dataclass(frozen=True, slots=True)
class CapacityView:
    """How much is asked of a service, how much it can do, and by when more must be ordered.

    Of several metrics `outlook` is about the tightest; what is not under `metrics` is about the first, or about all.
    """

    service: str
    metric: str
    metrics: tuple[CapacityMetricView, ...]
    history: HistoryView | None
    demand_source: DemandSourceView | None
    estimate: DemandEstimated | None
    forecast: ForecastView
    inorganic: tuple[InorganicSet, ...]
    supply: SupplyView | None
    orders: tuple[OrderView, ...]
    plan: PlanView | None
    strategy: StrategyView | None
    outlook: OutlookView | None
    missing: tuple[Missing, ...]
    stale: tuple[str, ...]
    limits: dict[str, Number]
    policy_version: str
    next: tuple[CapacityStep, ...]


def capacity_view(state: Capacity, around: Around) -> CapacityView:
    """The capacity of a service as it is answered."""
    basis, policy = state.basis, around.policy
    outlook = look(basis, around.today)
    return CapacityView(
        service=around.service,
        metric=basis.metric,
        metrics=tuple(_metrics(state, outlook, around)),
        history=_history(state),
        demand_source=_source(state, around),
        estimate=basis.estimate,
        forecast=forecast_view(state),
        inorganic=_inorganic(basis),
        supply=_supply(state, around),
        orders=tuple(_orders(state, around)),
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
        next=tuple(next_steps(state, outlook, around)),
    )


def _metrics(state: Capacity, tightest: Outlook | None, around: Around) -> Iterator[CapacityMetricView]:
    planned = planned_with(state.basis)
    for name, known in state.others.items():
        basis, bound = known.basis, known.basis.bound
        if bound is not None:
            yield CapacityMetricView(
                metric=name,
                unit_capacity=bound.unit_capacity,
                tested_on=bound.tested_on,
                url=bound.url,
                stale=(around.today - bound.tested_on).days > around.policy.stale_days.value,
                history=_history(known),
                demand_source=_source(known, around),
                estimate=basis.estimate,
                forecast=forecast_view(known),
                inorganic=_inorganic(basis),
                outlook=look(planned[name], around.today),
                bounds=tightest is not None and tightest.metric == name,
            )


def _inorganic(basis: Basis) -> tuple[InorganicSet, ...]:
    return tuple(sorted(basis.inorganic.values(), key=lambda each: (each.start, each.name)))


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


def _source(state: Capacity, around: Around) -> DemandSourceView | None:
    source, failing, until = state.basis.source, state.failing, state.basis.measured_until
    if source is None:
        return None
    return DemandSourceView(
        **_fields(source),
        state="failing" if failing else "working" if until else "waiting",
        failing_since=failing.at if failing else None,
        detail=failing.detail if failing else "",
        known_until=until,
        days_behind=(around.today - until).days - 1 if until else None,
    )


def _supply(state: Capacity, around: Around) -> SupplyView | None:
    said = state.basis.supply
    if said is None:
        return None
    one = said.supply
    old = (around.today - one.tested_on).days > around.policy.stale_days.value
    return SupplyView(**_fields(one), stale=old, by=said.by, at=said.at)


def _orders(state: Capacity, around: Around) -> Iterator[OrderView]:
    late = {each.order for each in overdue(state.basis, around.today)}
    for each in sorted(state.basis.orders.values(), key=lambda each: (each.arrives, each.order)):
        yield OrderView(
            order=each.order,
            domain=each.domain,
            units=each.units,
            arrives=each.arrives,
            confidence=each.confidence,
            counted=0 if each.order in late else likely(each),
            state="overdue" if each.order in late else "coming",
            note=each.note,
            by=each.by,
            at=each.at,
        )


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


def _fields(value: Supply | Plan | Outlook | DemandSource) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _cost(state: Capacity, found: Outlook) -> CostView | None:
    supply = state.basis.supply.supply if state.basis.supply else None
    if supply is None or supply.cost is None:
        return None
    total = supply.cost.amount * sum(domain.units for domain in supply.domains)
    per_demand = total / found.today.peak if found.today.peak else None
    return CostView(supply.cost.currency, supply.cost.amount, total, supply.cost.amount * found.surplus, per_demand)
