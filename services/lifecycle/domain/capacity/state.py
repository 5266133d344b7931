"""The capacity of a service as it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from services.lifecycle.domain.capacity.events import (
    DemandEstimated,
    DemandImported,
    DemandSource,
    DemandSourceFailed,
    DemandSourceRecovered,
    DemandSourceRemoved,
    DemandSourceSet,
    Event,
    ForecastMade,
    ForecastRefused,
    InorganicRemoved,
    InorganicSet,
    MetricBounded,
    MetricDropped,
    OrderWithdrawn,
    PlanChanged,
    ShortfallCleared,
    ShortfallForecast,
    Strategy,
    StrategyAgreed,
    StrategyProposed,
    SupplyMeasured,
    UnitsArrived,
    UnitsOrdered,
)
from services.lifecycle.domain.capacity.policy import REFRESH_DAYS

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan is worked out from; what is None nobody has said.

    Args:
        metric: What demand is counted in.
        measured_until: The last day of the history.
        estimate: What was expected before anything was measured.
        forecast: How the history goes on.
        inorganic: What comes beside it, by name.
        supply: What is there.
        plan: How it is planned.
        strategy: How the service grows, as both sides agreed.
        imports: How often demand was imported.
        changed_from: The first day that has changed since a forecast was last tried.
        refused: Why there is no forecast of the history as it was.
        orders: Units that are on their way, by order.
        source: Where demand is asked for day by day.
        bound: Of another metric than the first, what a unit can do in it.
        others: What is known of the other metrics; supply, plan, orders and strategy are those of the first.
    """

    metric: str = ""
    measured_until: date | None = None
    estimate: DemandEstimated | None = None
    forecast: ForecastMade | None = None
    inorganic: Mapping[str, InorganicSet] = field(default_factory=dict[str, InorganicSet])
    supply: SupplyMeasured | None = None
    plan: PlanChanged | None = None
    strategy: Strategy | None = None
    imports: int = 0
    changed_from: date | None = None
    refused: ForecastRefused | None = None
    orders: Mapping[str, UnitsOrdered] = field(default_factory=dict[str, UnitsOrdered])
    source: DemandSource | None = None
    bound: MetricBounded | None = None
    others: Mapping[str, "Basis"] = field(default_factory=dict[str, "Basis"])

    @property
    def by_metric(self) -> Mapping[str, "Basis"]:
        """This, and that of each other metric; the first is called by an empty name."""
        return {"": self, **self.others}

    @property
    def forecast_due(self) -> bool:
        """Whether the history has become another one since a forecast was last tried."""
        if self.changed_from is None or self.measured_until is None:
            return False
        tried = self.refused or self.forecast
        return (
            tried is None
            or self.changed_from <= tried.until
            or (self.measured_until - tried.until).days >= REFRESH_DAYS
        )


@dataclass(frozen=True, slots=True)
class Capacity:
    """All that is known of it.

    Args:
        basis: What the plan is worked out from.
        days: The highest demand of each day that was measured.
        imported: The import that came last, without its days.
        proposed: The edition of the strategy that was proposed last.
        agreed: Who agreed to it, beside who proposed it.
        shortfall: What was last said of it.
        failing: Since when the source of demand gives no usable answer, and why.
        others: The same of each other metric.
    """

    basis: Basis = Basis()
    days: Mapping[date, float] = field(default_factory=dict[date, float])
    imported: DemandImported | None = None
    proposed: StrategyProposed | None = None
    agreed: StrategyAgreed | None = None
    shortfall: ShortfallForecast | None = None
    failing: DemandSourceFailed | None = None
    others: Mapping[str, "Capacity"] = field(default_factory=dict[str, "Capacity"])

    @property
    def by_metric(self) -> Mapping[str, "Capacity"]:
        """This, and that of each other metric; the first is called by an empty name."""
        return {"": self, **self.others}


NOTHING_KNOWN = Capacity()


def named(event: DemandImported) -> Iterator[tuple[date, float]]:
    """The days that an import names, and their demand."""
    for number, peak in enumerate(event.peaks):
        if peak is not None:
            yield event.first + number * _DAY, peak


def evolve(state: Capacity, event: Event) -> Capacity:  # noqa: C901, PLR0911  a table, one line an event
    """The capacity after one more fact."""
    after = replace(state, basis=rebased(state.basis, event))
    metric = metric_of(event)
    if metric in state.others and not isinstance(event, MetricDropped):
        return replace(after, others={**state.others, metric: evolve(state.others[metric], event)})
    match event:
        case MetricBounded() if metric in after.basis.others:
            return replace(after, others={**state.others, metric: Capacity(after.basis.others[metric])})
        case MetricDropped():
            return replace(after, others={name: each for name, each in state.others.items() if name != metric})
        case DemandImported():
            before = {} if event.replaces else state.days
            return replace(after, days={**before, **dict(named(event))}, imported=replace(event, peaks=()))
        case StrategyProposed():
            return replace(after, proposed=event, agreed=None)
        case StrategyAgreed():
            return replace(after, agreed=event)
        case ShortfallForecast():
            return replace(after, shortfall=event)
        case ShortfallCleared():
            return replace(after, shortfall=None)
        case DemandSourceFailed():
            return replace(after, failing=event)
        case DemandSourceSet() | DemandSourceRemoved() | DemandSourceRecovered():
            return replace(after, failing=None)
        case _:
            return after


def metric_of(event: Event) -> str:
    """The metric that *event* is about; empty where it is about the first, or about all."""
    return event.source.metric if isinstance(event, DemandSourceSet) else getattr(event, "metric", "")


def rebased(basis: Basis, event: Event) -> Basis:  # noqa: C901, PLR0911, PLR0912  a table, one line an event
    """*basis* after one more fact."""
    metric = metric_of(event)
    if metric in basis.others and not isinstance(event, MetricDropped):
        return replace(basis, others={**basis.others, metric: rebased(basis.others[metric], event)})
    match event:
        case MetricBounded() if metric == basis.metric:
            return replace(basis, bound=event)
        case MetricBounded():
            return replace(basis, others={**basis.others, metric: Basis(metric, bound=event)})
        case MetricDropped():
            return replace(basis, others={name: each for name, each in basis.others.items() if name != metric})
        case DemandImported():
            return _measured(basis, event)
        case DemandEstimated():
            return replace(basis, metric=basis.metric or event.metric, estimate=event)
        case InorganicSet():
            return replace(basis, inorganic={**basis.inorganic, event.name: event})
        case InorganicRemoved():
            return replace(basis, inorganic={k: v for k, v in basis.inorganic.items() if k != event.name})
        case SupplyMeasured():
            return replace(basis, supply=event)
        case UnitsOrdered():
            return replace(basis, orders={**basis.orders, event.order: event})
        case UnitsArrived():
            return replace(basis, orders=_without(basis, event.order), supply=_delivered(basis.supply, event))
        case OrderWithdrawn():
            return replace(basis, orders=_without(basis, event.order))
        case DemandSourceSet():
            return replace(basis, metric=basis.metric or event.source.metric, source=event.source)
        case DemandSourceRemoved():
            return replace(basis, source=None)
        case PlanChanged():
            return replace(basis, plan=event)
        case StrategyAgreed():
            return replace(basis, strategy=event.strategy)
        case ForecastMade():
            return replace(_tried(basis, event), forecast=event, refused=None)
        case ForecastRefused():
            return replace(_tried(basis, event), forecast=None, refused=event)
        case _:
            return basis


def _without(basis: Basis, order: str) -> Mapping[str, UnitsOrdered]:
    return {name: each for name, each in basis.orders.items() if name != order}


def _delivered(said: SupplyMeasured | None, event: UnitsArrived) -> SupplyMeasured | None:
    if said is None:
        return None
    domains = tuple(
        replace(each, units=each.units + event.units) if each.name == event.domain else each
        for each in said.supply.domains
    )
    return replace(said, supply=replace(said.supply, domains=domains), by=event.by, at=event.at)


def _measured(basis: Basis, event: DemandImported) -> Basis:
    if event.replaces:
        basis = replace(basis, measured_until=None, forecast=None, refused=None, changed_from=None)
    days = [day for day, _ in named(event)]
    return replace(
        basis,
        metric=event.metric,
        measured_until=max([*days, basis.measured_until or date.min]),
        imports=basis.imports + 1,
        changed_from=min([*days, basis.changed_from or date.max]),
    )


def _tried(basis: Basis, event: ForecastMade | ForecastRefused) -> Basis:
    return replace(basis, changed_from=None) if event.imports == basis.imports else basis
