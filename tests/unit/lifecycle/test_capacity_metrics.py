"""A service whose demand is counted in several metrics: the tightest bounds its plan."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from libs.events import codec
from libs.events.testing import given
from services.lifecycle.contract import CAPACITY
from services.lifecycle.domain.capacity.commands import (
    BoundMetric,
    Command,
    DropMetric,
    EstimateDemand,
    ImportDemand,
    KeepForecast,
    SetInorganic,
)
from services.lifecycle.domain.capacity.errors import CapacityFaultError, MetricChangedError, MetricUnknownError
from services.lifecycle.domain.capacity.events import (
    Backtest,
    DemandEstimated,
    Domain,
    Event,
    ForecastMade,
    InorganicSet,
    MetricBounded,
    MetricDropped,
    Plan,
    PlanChanged,
    ShortfallForecast,
    Supply,
    SupplyMeasured,
)
from services.lifecycle.domain.capacity.facts import CapacityFacts, stale, unfed
from services.lifecycle.domain.capacity.outlook import look, planned_with
from services.lifecycle.domain.capacity.state import Basis, Capacity, rebased
from services.lifecycle.domain.people import Actor

DAY = timedelta(days=1)
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
TODAY = AT.date()
ANA = Actor("ana", is_person=True)
SUPPLY = Supply("pod", 100.0, TODAY - 10 * DAY, "https://ci.example/31", (Domain("zone-a", 12, 1.0),))
READY: tuple[Event, ...] = (
    DemandEstimated("s", "rps", 500.0, TODAY, 0.0, "the old cart", "ana", AT),
    SupplyMeasured("s", SUPPLY, "ana", AT),
    PlanChanged("s", Plan(365, 42, 2, 0.7), "", "ana", AT),
)
BOUND = BoundMetric(
    service="s", metric="GiB", unit_capacity=8.0, tested_on=TODAY - DAY, url="https://ci.example/32", by=ANA, at=AT
)
BOUNDED = MetricBounded("s", "GiB", 8.0, TODAY - DAY, "https://ci.example/32", "ana", AT)
MEMORY = EstimateDemand(
    service="s", metric="GiB", peak=60.0, start=TODAY, growth_a_year=0.0, basis="a guess", by=ANA, at=AT
)


def after(*events: Event) -> Capacity:
    return CAPACITY.fold(CAPACITY.initial, events)


def then(past: tuple[Event, ...], *commands: Command) -> tuple[Event, ...]:
    for command in commands:
        past += CAPACITY.decide(command, after(*past))
    return past


def test_the_metric_that_takes_most_of_what_is_there_bounds_the_plan() -> None:
    first = look(after(*READY, BOUNDED).basis, TODAY)
    both = look(after(*then((*READY, BOUNDED), MEMORY)).basis, TODAY)

    assert first is not None
    assert both is not None
    assert (first.metric, first.needs[0].needed) == ("rps", 10)  # ceil(500 / 70) + 2
    assert (both.metric, both.needs[0].needed) == ("GiB", 13)  # ceil(60 / 5.6) + 2
    assert both.shortfall is not None


def test_a_shortfall_names_the_metric_that_runs_short() -> None:
    *_, news = CAPACITY.decide(MEMORY, after(*READY, BOUNDED))

    assert isinstance(news, ShortfallForecast)
    assert (news.metric, news.needed, news.there) == ("GiB", 13, 12)


def test_an_earlier_shortfall_is_tighter_than_a_larger_one() -> None:
    soon = SetInorganic(
        service="s",
        name="sale",
        title="Sale",
        start=TODAY + 5 * DAY,
        until=None,
        delta=400,
        confidence=1,
        by=ANA,
        at=AT,
    )
    later = replace(soon, name="import", start=TODAY + 50 * DAY, metric="GiB", delta=1000)

    found = look(after(*then((*READY, BOUNDED), replace(MEMORY, peak=10.0), soon, later)).basis, TODAY)

    assert found is not None
    assert found.shortfall is not None
    assert (found.metric, found.shortfall.day) == ("rps", TODAY + 5 * DAY)


def test_demand_of_each_metric_is_kept_and_forecast_on_its_own() -> None:
    week = ImportDemand(
        service="s",
        metric="GiB",
        source="csv",
        query="",
        first=TODAY - 3 * DAY,
        peaks=(40.0, 41.0),
        replaces=False,
        by=ANA,
        at=AT,
    )
    past = then((*READY, BOUNDED), week)
    made = ForecastMade(
        service="s",
        model="linear",
        yearly=False,
        history=90,
        until=TODAY - 2 * DAY,
        backtest=Backtest(30, 0.02, 0.06, 0.04),
        growth_a_year=0.0,
        weeks=(42.0,) * 104,
        imports=1,
        at=AT,
        metric="GiB",
    )
    known = after(*then(past, KeepForecast("s", made, AT)))

    assert (len(after(*past).days), len(after(*past).others["GiB"].days)) == (0, 2)
    assert after(*past).others["GiB"].basis.forecast_due
    assert known.others["GiB"].basis.forecast == made
    assert known.basis.others["GiB"] == known.others["GiB"].basis
    assert known.basis.forecast is None
    dropped = then(past, DropMetric(service="s", metric="GiB", reason="", by=ANA, at=AT))
    assert CAPACITY.decide(KeepForecast("s", made, AT), after(*dropped)) == ()


def test_what_comes_beside_is_of_one_metric() -> None:
    sale = SetInorganic(
        service="s",
        name="sale",
        title="Sale",
        start=TODAY,
        until=None,
        delta=5,
        confidence=1,
        metric="GiB",
        by=ANA,
        at=AT,
    )
    (said, *_) = CAPACITY.decide(sale, after(*READY, BOUNDED))

    assert isinstance(said, InorganicSet)
    assert said.metric == "GiB"
    assert "sale" in after(*READY, BOUNDED, said).basis.others["GiB"].inorganic
    assert after(*READY, BOUNDED, said).basis.inorganic == {}


@pytest.mark.parametrize(
    ("past", "command", "error"),
    [
        (READY, MEMORY, None),  # its demand counts only when it is known what a unit can do
        (READY, replace(BOUND, metric="rps"), CapacityFaultError),
        ((), BOUND, CapacityFaultError),
        (READY, replace(BOUND, tested_on=TODAY + DAY), CapacityFaultError),
        (READY, DropMetric(service="s", metric="GiB", reason="", by=ANA, at=AT), MetricUnknownError),
    ],
)
def test_what_cannot_be_counted_is_refused(past: tuple[Event, ...], command: Command, error: Any) -> None:
    if error is not None:
        given(CAPACITY, *past).when(command).refuses(error)
        return
    week = ImportDemand(
        service="s",
        metric="GiB",
        source="csv",
        query="",
        first=TODAY - DAY,
        peaks=(1.0,),
        replaces=False,
        by=ANA,
        at=AT,
    )
    measured = then(past, replace(week, metric="rps"))
    given(CAPACITY, *measured).when(week).refuses(MetricChangedError)


def test_a_metric_said_again_is_one_and_one_said_otherwise_keeps_its_demand() -> None:
    past = then((*READY, BOUNDED), MEMORY)

    given(CAPACITY, *past).when(BOUND).then()
    changed = after(*then(past, replace(BOUND, unit_capacity=16.0)))
    assert changed.others["GiB"].basis.estimate is not None
    found = look(changed.basis, TODAY)
    assert found is not None
    assert found.metric == "rps"  # 60 GiB are six pods now
    assert after(*past, MetricDropped("s", "GiB", "", "ana", AT)).basis.others == {}


def test_a_gate_knows_nothing_while_a_metric_has_no_demand_or_only_an_estimate() -> None:
    bare, estimated = after(*READY, BOUNDED).basis, after(*then((*READY, BOUNDED), MEMORY)).basis

    assert unfed(bare) == ("GiB",)
    cover = CapacityFacts(bare).cover(TODAY, least_days=183, spare=2, stale_days=90)
    assert (cover.state, cover.detail) == ("unknown", "nobody has said: demand in GiB")
    assert CapacityFacts(estimated).cover(TODAY, least_days=183, spare=2, stale_days=90).state == "unknown"
    assert any("the load test of GiB" in each for each in stale(bare, TODAY + 90 * DAY, 90))


def test_what_is_known_of_several_metrics_is_read_back_as_it_was_stored() -> None:
    basis = Basis()
    for event in then((*READY, BOUNDED), MEMORY):
        basis = rebased(basis, event)

    assert codec.convert(msgspec.to_builtins(basis), Basis) == basis
    assert set(planned_with(basis)) == {"rps", "GiB"}
