"""The rules of a service's capacity: who may say what, and when there is news of a shortfall.

strategy: proposed by a side > agreed by the other; the one that was agreed before holds until then
shortfall: none > forecast > forecast for another day > cleared
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from services.lifecycle.domain.capacity.commands import (
    AgreeStrategy,
    BoundMetric,
    ChangePlan,
    Command,
    DropMetric,
    EstimateDemand,
    ImportDemand,
    KeepForecast,
    Look,
    MeasureSupply,
    NoteDemandSource,
    OrderUnits,
    ProposeStrategy,
    RemoveDemandSource,
    RemoveInorganic,
    SetDemandSource,
    SetInorganic,
    TakeDelivery,
    WithdrawOrder,
)
from services.lifecycle.domain.capacity.errors import (
    CapacityFaultError,
    InorganicUnknownError,
    MetricChangedError,
    MetricUnknownError,
    NoStrategyError,
    SecondSideError,
)
from services.lifecycle.domain.capacity.events import (
    DemandEstimated,
    DemandImported,
    Domain,
    Event,
    InorganicRemoved,
    InorganicSet,
    MetricBounded,
    MetricDropped,
    PlanChanged,
    ShortfallCleared,
    ShortfallForecast,
    StrategyAgreed,
    StrategyProposed,
    SupplyMeasured,
)
from services.lifecycle.domain.capacity.ordering import of_orders
from services.lifecycle.domain.capacity.outlook import look
from services.lifecycle.domain.capacity.sourcing import of_source
from services.lifecycle.domain.capacity.state import NOTHING_KNOWN, Capacity, evolve, named

_ROUNDING = 1e-6  # three thirds are a whole
_IN_SIGHT = timedelta(days=1_096)  # three years, as far as an import reaches too
_LOOKED_AT_JUST_NOW = timedelta(days=1)  # the same plan sent again is a repetition, not another look at it


def decide(command: Command, state: Capacity) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        CapacityError: It is refused (`errors.py`).
    """
    said, after = _said(command, _about(command, state)), state
    for event in said:
        after = evolve(after, event)
    looked = bool(said) or isinstance(command, Look)
    return (*said, *_news(after, command)) if looked else ()


def _about(command: Command, state: Capacity) -> Capacity:
    """What is known of the metric that *command* is about.

    Raises:
        MetricUnknownError: Nobody has said what a unit can do in it.
    """
    match command:
        case ImportDemand(metric=name) | EstimateDemand(metric=name):
            return state.others.get(name, state)  # which refuses one that it does not know
        case SetDemandSource(source=source) | NoteDemandSource(source=source):
            return state.others.get(source.metric, state)
        case KeepForecast(found=found):
            return state.by_metric.get(found.metric, NOTHING_KNOWN)  # if dropped meanwhile, nothing is kept of it
        case SetInorganic(metric=name) | RemoveInorganic(metric=name) | RemoveDemandSource(metric=name):
            found = {state.basis.metric: state, **state.by_metric}.get(name)
            if found is None:
                raise MetricUnknownError(name, state.others)
            return found
        case _:
            return state


def _said(command: Command, state: Capacity) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  a table, one line a command
    match command:
        case ImportDemand():
            return _imported(command, state)
        case EstimateDemand():
            return _estimated(command, state)
        case SetInorganic():
            return _expected(command, state)
        case RemoveInorganic(name=name) if name not in state.basis.inorganic:
            raise InorganicUnknownError(name)
        case RemoveInorganic(name=name, reason=reason):
            metric = _other(state)
            return (InorganicRemoved(command.service, name, reason, command.by.name, command.at, metric),)
        case MeasureSupply():
            return _measured(command, state)
        case SetDemandSource() | RemoveDemandSource() | NoteDemandSource():
            return of_source(command, state)
        case BoundMetric() | DropMetric():
            return _counted_in(command, state)
        case OrderUnits() | TakeDelivery() | WithdrawOrder():
            return of_orders(command, state)
        case ChangePlan():
            return _planned(command, state)
        case ProposeStrategy():
            return _proposed(command, state)
        case AgreeStrategy():
            return _agreed(command, state)
        case KeepForecast(found=found):
            basis = state.basis
            current = found.imports == basis.imports and basis.changed_from is not None
            return (replace(found, at=command.at),) if current else ()
        case Look():
            return ()


def _imported(command: ImportDemand, state: Capacity) -> tuple[Event, ...]:
    before = state.basis.metric
    if before and command.metric != before and not command.replaces:
        raise MetricChangedError(command.metric, before)
    event = DemandImported(
        command.service,
        command.metric,
        command.source,
        command.query,
        command.first,
        command.peaks,
        command.replaces,
        command.by.name,
        command.at,
    )
    if command.replaces:
        return () if dict(named(event)) == state.days and command.metric == before else (event,)
    new = [None if state.days.get(day) == peak else peak for day, peak in _with_days(event)]
    known = [number for number, peak in enumerate(new) if peak is not None]
    if not known:
        return ()
    first, last = known[0], known[-1]
    return (replace(event, first=event.first + timedelta(days=first), peaks=tuple(new[first : last + 1])),)


def _with_days(event: DemandImported) -> Iterator[tuple[date, float | None]]:
    return ((event.first + timedelta(days=number), peak) for number, peak in enumerate(event.peaks))


def _estimated(command: EstimateDemand, state: Capacity) -> tuple[Event, ...]:
    before = state.basis.metric
    if abs(command.start - command.at.date()) > _IN_SIGHT:
        detail = f"{command.start} is too far away to be estimated for; choose a day within {_IN_SIGHT.days} of today"
        raise CapacityFaultError(detail, "/start")
    if before and command.metric != before and state.days:
        raise MetricChangedError(command.metric, before)
    event = DemandEstimated(
        command.service,
        command.metric,
        command.peak,
        command.start,
        command.growth_a_year,
        command.basis,
        command.by.name,
        command.at,
    )
    was = state.basis.estimate
    return () if was and replace(was, by=event.by, at=event.at) == event else (event,)


def _expected(command: SetInorganic, state: Capacity) -> tuple[Event, ...]:
    if command.until is not None and command.until < command.start:
        detail = f"it ends on {command.until}, before it begins on {command.start}"
        raise CapacityFaultError(detail, "/until")
    event = InorganicSet(
        command.service,
        command.name,
        command.title,
        command.start,
        command.until,
        command.delta,
        command.confidence,
        command.by.name,
        command.at,
        _other(state),
    )
    was = state.basis.inorganic.get(command.name)
    return () if was and replace(was, by=event.by, at=event.at) == event else (event,)


def _other(state: Capacity) -> str:
    """The name of the metric that *state* is about, as events have it: the first has none."""
    return state.basis.metric if state.basis.bound else ""


def _counted_in(command: BoundMetric | DropMetric, state: Capacity) -> tuple[Event, ...]:
    name, by, at = command.metric, command.by.name, command.at
    if isinstance(command, DropMetric):
        if name not in state.others:
            raise MetricUnknownError(name, state.others)
        return (MetricDropped(command.service, name, command.reason, by, at),)
    if name == state.basis.metric or not state.basis.metric:
        detail = "it is the first metric, of which the supply says what a unit can do; PUT .../supply"
        if not state.basis.metric:
            detail = "there is no first metric yet; import or estimate the demand in it, then add others"
        raise CapacityFaultError(detail, "/metric")
    if command.tested_on > at.date():
        detail = f"{command.tested_on} is still to come; say when the load test was"
        raise CapacityFaultError(detail, "/tested_on")
    event = MetricBounded(command.service, name, command.unit_capacity, command.tested_on, command.url, by, at)
    was = state.basis.others[name].bound if name in state.others else None
    return () if was and replace(was, by=by, at=at) == event else (event,)


def _measured(command: MeasureSupply, state: Capacity) -> tuple[Event, ...]:
    supply, today = command.supply, command.at.date()
    if supply.tested_on > today:
        detail = f"{supply.tested_on} is still to come; say when the load test was"
        raise CapacityFaultError(detail, "/tested_on")
    _check_domains(supply.domains)
    was = state.basis.supply
    return (
        () if was and was.supply == supply else (SupplyMeasured(command.service, supply, command.by.name, command.at),)
    )


def _check_domains(domains: tuple[Domain, ...]) -> None:
    names = [domain.name for domain in domains]
    for index, name in enumerate(names):
        if name in names[:index]:
            detail = f"{name!r} stands here twice; give each failure domain once"
            raise CapacityFaultError(detail, f"/domains/{index}/name")
    if sum(domain.share for domain in domains) < 1 - _ROUNDING:
        detail = "together the failure domains carry less than all demand; let the shares add up to 1 or more"
        raise CapacityFaultError(detail, "/domains")


def _planned(command: ChangePlan, state: Capacity) -> tuple[Event, ...]:
    plan, most, was = command.plan, command.policy.most_horizon_days, state.basis.plan
    if plan.horizon_days > most.value:
        detail = f"{plan.horizon_days} days are too far ahead; at most {most.value:g} ({most.source})"
        raise CapacityFaultError(detail, "/horizon_days")
    if plan.horizon_days < plan.lead_time_days:
        detail = f"a shortfall within the lead time would not be seen; look at least {plan.lead_time_days} days ahead"
        raise CapacityFaultError(detail, "/horizon_days")
    if was and was.plan == plan and command.at - was.at < _LOOKED_AT_JUST_NOW:
        return ()
    return (PlanChanged(command.service, plan, command.reason, command.by.name, command.at),)


def _proposed(command: ProposeStrategy, state: Capacity) -> tuple[Event, ...]:
    strategy, was = command.strategy, state.proposed
    if strategy.max_units is not None and strategy.max_units < strategy.min_units:
        detail = f"at most {strategy.max_units} units are fewer than the {strategy.min_units} it keeps at least"
        raise CapacityFaultError(detail, "/max_units")
    if strategy.kind == "automatic" and (not strategy.trigger or strategy.max_units is None):
        pointer = "/max_units" if strategy.trigger else "/trigger"
        raise CapacityFaultError("what scales by itself needs a trigger and a limit", pointer)
    if was and (was.strategy, was.side) == (strategy, command.side):
        return ()
    edition = was.edition + 1 if was else 1
    return (StrategyProposed(command.service, edition, strategy, command.side, command.by.name, command.at),)


def _agreed(command: AgreeStrategy, state: Capacity) -> tuple[Event, ...]:
    proposed = state.proposed
    if proposed is None:
        raise NoStrategyError
    if state.agreed:
        return ()
    other = "sre" if proposed.side == "dev" else "dev"
    if command.both_sides and command.side != other:
        raise SecondSideError(command.by.name, f"somebody who speaks for the {other} side")
    if not command.by.is_person or command.by.name == proposed.by:
        raise SecondSideError(command.by.name, f"another person than {proposed.by}")
    agreed = StrategyAgreed(
        command.service, proposed.edition, proposed.strategy, command.side, command.by.name, command.at
    )
    return (agreed,)


def _news(state: Capacity, command: Command) -> tuple[Event, ...]:
    """What is to be told of a shortfall, if it is another than was told before."""
    told, found = state.shortfall, look(state.basis, command.at.date())
    if found is None:
        return ()
    short = found.shortfall
    if short is None:
        return (ShortfallCleared(command.service, command.at),) if told else ()
    news = ShortfallForecast(
        command.service,
        short.day,
        short.order_by,
        short.domain,
        short.needed,
        short.there,
        command.at,
        found.metric if found.metric in state.others else "",
    )
    return () if told and replace(told, at=news.at) == news else (news,)
