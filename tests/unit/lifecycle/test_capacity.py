"""The arithmetic of capacity, and the rules by which it is planned."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import CAPACITY
from services.lifecycle.domain.capacity.arithmetic import MOST_UNITS, grown, units_needed
from services.lifecycle.domain.capacity.commands import (
    AgreeStrategy,
    ChangePlan,
    Command,
    EstimateDemand,
    ImportDemand,
    KeepForecast,
    Look,
    MeasureSupply,
    OrderUnits,
    ProposeStrategy,
    RemoveInorganic,
    SetInorganic,
    TakeDelivery,
    WithdrawOrder,
)
from services.lifecycle.domain.capacity.errors import (
    CapacityError,
    CapacityFaultError,
    InorganicUnknownError,
    MetricChangedError,
    NoStrategyError,
    OrderUnknownError,
    SecondSideError,
)
from services.lifecycle.domain.capacity.events import (
    Backtest,
    DemandEstimated,
    DemandImported,
    Domain,
    Event,
    ForecastMade,
    ForecastRefused,
    InorganicRemoved,
    InorganicSet,
    OrderWithdrawn,
    Plan,
    PlanChanged,
    ShortfallCleared,
    ShortfallForecast,
    Strategy,
    StrategyAgreed,
    StrategyProposed,
    Supply,
    SupplyMeasured,
    UnitsOrdered,
)
from services.lifecycle.domain.capacity.facts import CapacityFacts, stale
from services.lifecycle.domain.capacity.outlook import demand, look, needs, overdue
from services.lifecycle.domain.capacity.state import Basis, Capacity
from services.lifecycle.domain.people import Actor
from services.lifecycle.domain.policy import InvalidPolicyError

DAY = timedelta(days=1)
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
TODAY = AT.date()
ANA, BO, CI = Actor("ana", is_person=True), Actor("bo", is_person=True), Actor("ci", is_person=False)
POLICY = load_policies(LifecycleSettings()).capacity
SUPPLY = Supply("pod", 100.0, TODAY - 10 * DAY, "https://ci.example/31", (Domain("zone-a", 12, 1.0),))
PLAN = Plan(horizon_days=365, lead_time_days=42, spare=2, utilisation=0.7)
ESTIMATED = DemandEstimated("s", "rps", 700.0, TODAY, 0.0, "the old cart", "ana", AT)
MEASURED = SupplyMeasured("s", SUPPLY, "ana", AT)
PLANNED = PlanChanged("s", PLAN, "", "ana", AT)
READY = (ESTIMATED, MEASURED, PLANNED)  # 700 rps take 10 pods of 100 at 70 %, and 2 more: all 12
AUTOMATIC = Strategy("automatic", "CPU above 60 %", 2, 20)
BACKTEST = Backtest(30, 0.02, 0.06, 0.04)


def basis(*events: Event) -> Basis:
    return CAPACITY.fold(CAPACITY.initial, events).basis


def made(*weeks: float, until: date = TODAY - DAY, imports: int = 1) -> ForecastMade:
    return ForecastMade("s", "linear", yearly=False, history=120, until=until, backtest=BACKTEST, growth_a_year=0.5,
                        weeks=weeks, imports=imports, at=AT)  # fmt: skip


def take(first: date, *peaks: float | None, metric: str = "rps", replaces: bool = False, **more: Any) -> ImportDemand:
    told = {"service": "s", "source": "json", "query": "", "by": ANA, "at": AT, **more}
    return ImportDemand(metric=metric, first=first, peaks=peaks, replaces=replaces, **told)


def taken(first: date, *peaks: float | None, **more: Any) -> DemandImported:
    told: dict[str, Any] = {"metric": "rps", "source": "json", "query": "", "replaces": False, "by": "ana", "at": AT}
    return DemandImported("s", first=first, peaks=peaks, **{**told, **more})


def expect(name: str = "launch", delta: float = 100.0, **more: Any) -> SetInorganic:
    told: dict[str, Any] = {"title": name, "start": TODAY + 50 * DAY, "until": None, "confidence": 0.5}
    return SetInorganic(service="s", name=name, delta=delta, by=ANA, at=AT, **{**told, **more})


def expected(command: SetInorganic) -> InorganicSet:
    return InorganicSet("s", command.name, command.title, command.start, command.until, command.delta,
                        command.confidence, "ana", AT)  # fmt: skip


def change(**parts: Any) -> ChangePlan:
    return ChangePlan(service="s", plan=replace(PLAN, **parts), policy=POLICY, reason="", by=ANA, at=AT)


def propose(strategy: Strategy = AUTOMATIC, by: Actor = ANA, side: Any = "dev") -> ProposeStrategy:
    return ProposeStrategy(service="s", strategy=strategy, side=side, by=by, at=AT)


def agree(by: Actor = BO, side: Any = "sre", *, both_sides: bool = True) -> AgreeStrategy:
    return AgreeStrategy(service="s", side=side, both_sides=both_sides, by=by, at=AT)


PROPOSED = StrategyProposed("s", 1, AUTOMATIC, "dev", "ana", AT)
AGREED = StrategyAgreed("s", 1, AUTOMATIC, "sre", "bo", AT)
SHORT = ShortfallForecast("s", TODAY + 50 * DAY, TODAY + 8 * DAY, "zone-a", 13, 12, AT)


@pytest.mark.parametrize(
    ("peak", "unit_capacity", "utilisation", "spare", "units"),
    [
        (700, 100, 0.7, 2, 12),  # exactly ten, which binary fractions make 10.000000000000002 of
        (701, 100, 0.7, 2, 13),
        (0, 100, 0.7, 2, 2),
        (1, 100, 1, 0, 1),
        (12_500, 450, 0.6, 3, 50),  # 46.3, so 47
        (3, 0.1, 0.3, 0, 100),
    ],
)
def test_units_are_the_peak_through_what_a_unit_may_do_and_k_more(
    peak: float, unit_capacity: float, utilisation: float, spare: int, units: int
) -> None:
    assert units_needed(peak, unit_capacity, utilisation, spare) == units


@for_all(
    peak=st.just(0.0) | st.floats(1e-6, 1e9),
    unit_capacity=st.floats(0.1, 1e6),
    utilisation=st.floats(0.01, 1),
    spare=st.integers(0, 10),
)
def test_the_units_serve_the_peak_and_one_fewer_would_not(
    peak: float, unit_capacity: float, utilisation: float, spare: int
) -> None:
    serving = units_needed(peak, unit_capacity, utilisation, spare) - spare
    each = Fraction(unit_capacity) * Fraction(utilisation)

    assert serving * each >= Fraction(peak) * (1 - Fraction(1, 10**8))
    assert serving == 0 or (serving - 1) * each < Fraction(peak) * (1 + Fraction(1, 10**8))


def test_demand_that_grows_by_a_half_a_year_has_grown_by_that_after_a_year() -> None:
    assert grown(200, 0.5, 1461) == pytest.approx(200 * 1.5**4)  # four years are 1,461 days
    assert grown(200, 0.0, 1000) == 200


def test_what_is_there_is_just_enough() -> None:
    found = look(basis(*READY), TODAY)

    assert found is not None
    assert (found.shortfall, found.surplus, found.ground) == (None, 0, "estimate")
    assert [(need.needed, need.there) for need in found.needs] == [(12, 12)]


@pytest.mark.parametrize("left_out", range(3))
def test_nothing_is_worked_out_while_something_is_missing(left_out: int) -> None:
    some = READY[:left_out] + READY[left_out + 1 :]

    assert look(basis(*some), TODAY) is None
    assert CapacityFacts(basis(*some)).cover(TODAY, least_days=183, spare=2, stale_days=90).state == "unknown"


def test_the_first_day_with_too_few_units_is_the_shortfall_and_an_order_takes_the_lead_time() -> None:
    found = look(basis(made(690, 690, 710, 650), MEASURED, PLANNED), TODAY)

    assert found is not None
    assert found.shortfall is not None
    assert found.shortfall.day == TODAY + 14 * DAY
    assert found.shortfall.order_by == TODAY - 28 * DAY
    assert (found.shortfall.needed, found.shortfall.there) == (13, 12)
    assert (found.ground, found.highest.peak) == ("forecast", 710)


def test_each_failure_domain_has_its_share_and_its_own_spare_units() -> None:
    domains = (Domain("a", 7, 0.5), Domain("b", 6, 0.5))
    found = look(basis(ESTIMATED, replace(MEASURED, supply=replace(SUPPLY, domains=domains)), PLANNED), TODAY)

    assert found is not None
    assert [(need.needed, need.there) for need in found.needs] == [(7, 7), (7, 6)]
    assert found.shortfall is not None
    assert (found.shortfall.domain, found.shortfall.day) == ("b", TODAY)


def test_headroom_is_planned_for_on_top_of_the_peak() -> None:
    found = look(basis(ESTIMATED, MEASURED, replace(PLANNED, plan=replace(PLAN, headroom=0.1))), TODAY)

    assert found is not None
    assert (found.today.peak, found.needs[0].needed) == (pytest.approx(770), 13)


def test_what_is_expected_counts_by_its_confidence_from_its_first_day_to_its_last() -> None:
    campaign = expected(expect(start=TODAY + 5 * DAY, until=TODAY + 6 * DAY, delta=1000, confidence=0.3))
    found = look(basis(*READY, campaign), TODAY)

    assert found is not None
    assert found.highest.day == TODAY + 5 * DAY
    assert (found.highest.organic, found.highest.inorganic) == (700, 300)
    assert found.shortfall is not None
    assert look(basis(*READY, campaign), TODAY + 7 * DAY).shortfall is None  # type: ignore[union-attr]


def test_what_had_begun_before_the_history_ended_is_part_of_the_history() -> None:
    begun = expected(expect(start=TODAY - 5 * DAY, delta=1000))
    found = look(basis(made(600), MEASURED, PLANNED, begun), TODAY)

    assert found is not None
    assert found.highest.inorganic == 0


def test_a_customer_who_goes_takes_demand_away_but_never_below_nothing() -> None:
    gone = expected(expect(start=TODAY + DAY, delta=-10_000, confidence=1.0))
    found = look(basis(*READY, gone), TODAY)

    assert found is not None
    assert found.today.peak == 700
    assert found.surplus == 0
    after = look(basis(*READY, gone), TODAY + 2 * DAY)
    assert after is not None
    assert (after.today.peak, after.surplus) == (0, 10)


def test_what_scales_by_itself_has_as_much_as_its_agreed_limit_allows() -> None:
    more = replace(ESTIMATED, peak=1200.0)  # 18 and 2
    waits = look(basis(more, MEASURED, PLANNED, PROPOSED), TODAY)
    holds = look(basis(more, MEASURED, PLANNED, PROPOSED, AGREED), TODAY)

    assert waits is not None
    assert waits.shortfall is not None
    assert holds is not None
    assert (holds.shortfall, holds.needs[0].there) == (None, 20)


@settings(max_examples=50, deadline=None)
@for_all(
    weeks=st.lists(st.floats(0, 10_000), min_size=1, max_size=20),
    units=st.integers(0, 200),
    spare=st.integers(0, 3),
    lead_time=st.integers(0, 60),
)
def test_before_a_shortfall_there_is_enough_every_day_and_on_it_there_is_not(
    weeks: list[float], units: int, spare: int, lead_time: int
) -> None:
    plan = replace(PLAN, horizon_days=140, spare=spare, lead_time_days=lead_time)
    supply = replace(SUPPLY, domains=(Domain("a", units, 1.0),))
    known = basis(made(*weeks), replace(MEASURED, supply=supply), replace(PLANNED, plan=plan))

    found = look(known, TODAY)

    assert found is not None
    enough = [units_needed(weeks[min(n // 7, len(weeks) - 1)], 100.0, 0.7, spare) <= units for n in range(141)]
    if found.shortfall is None:
        assert all(enough)
    else:
        day = (found.shortfall.day - TODAY).days
        assert all(enough[:day])
        assert not enough[day]
        assert found.shortfall.order_by == found.shortfall.day - lead_time * DAY


def test_a_gate_asks_for_the_longer_of_lead_time_and_six_months_and_its_own_spare_units() -> None:
    weeks = (650.0,) * 20 + (720.0,)
    facts = CapacityFacts(basis(made(*weeks), MEASURED, replace(PLANNED, plan=replace(PLAN, spare=0))))

    near = facts.cover(TODAY, least_days=100, spare=2, stale_days=90)
    far = facts.cover(TODAY, least_days=183, spare=2, stale_days=90)

    assert (near.state, near.until) == ("covered", TODAY + 100 * DAY)
    assert far.state == "short"
    assert "13 units on" in far.detail
    assert "has 12" in far.detail
    slow = replace(PLAN, spare=0, lead_time_days=200)
    assert (
        CapacityFacts(replace(facts.basis, plan=replace(PLANNED, plan=slow)))
        .cover(TODAY, least_days=100, spare=2, stale_days=90)
        .until
        == TODAY + 200 * DAY
    )


def test_an_estimate_is_no_ground_for_a_gate_but_is_a_first_idea_of_the_demand() -> None:
    facts = CapacityFacts(basis(*READY))

    assert facts.cover(TODAY, least_days=183, spare=2, stale_days=90).state == "unknown"
    assert facts.demand_known.startswith("700 rps from 2026-11-21, estimated")
    assert CapacityFacts(basis()).demand_known == ""
    assert CapacityFacts(basis(taken(TODAY - DAY, 5.0))).demand_known == "rps measured until 2026-11-20"


def test_after_90_days_nothing_counts_any_more() -> None:
    facts = CapacityFacts(basis(made(600), MEASURED, PLANNED))

    assert stale(facts.basis, TODAY + 80 * DAY, 90) == ()
    assert len(stale(facts.basis, TODAY + 91 * DAY, 90)) == 3
    assert facts.cover(TODAY + 91 * DAY, least_days=183, spare=2, stale_days=90).state == "unknown"


def test_an_import_keeps_the_days_that_it_changes_alone() -> None:
    before = taken(TODAY - 3 * DAY, 5.0, 6.0)

    state = (
        given(CAPACITY, before)
        .when(take(TODAY - 4 * DAY, 4.0, 5.0, None, 7.0))
        .then(taken(TODAY - 4 * DAY, 4.0, None, None, 7.0))
    )

    assert sorted(state.days.items()) == [(TODAY - n * DAY, 8.0 - n) for n in (4, 3, 2, 1)]
    given(CAPACITY, before).when(take(TODAY - 3 * DAY, 5.0, 6.0)).then()
    given(CAPACITY, before).when(take(TODAY - 3 * DAY, 5.0, 1.0)).then(taken(TODAY - 2 * DAY, 1.0))


def test_another_metric_takes_another_history() -> None:
    before = taken(TODAY - 3 * DAY, 5.0, 6.0)
    command = take(TODAY - DAY, 9.0, metric="GB", replaces=True)

    given(CAPACITY, before).when(take(TODAY - DAY, 9.0, metric="GB")).refuses(MetricChangedError)
    state = given(CAPACITY, before).when(command).then(taken(TODAY - DAY, 9.0, metric="GB", replaces=True))
    assert (dict(state.days), state.basis.metric) == ({TODAY - DAY: 9.0}, "GB")


@pytest.mark.parametrize(
    ("since", "due"),
    [
        ((), False),
        ((taken(TODAY, 5.0),), False),  # one more day
        ((taken(TODAY, *[5.0] * 7),), True),  # a week more
        ((taken(TODAY - 9 * DAY, 5.0),), True),  # an old day was otherwise
        ((taken(TODAY - 9 * DAY, 5.0, replaces=True),), True),
    ],
)
def test_a_forecast_is_due_after_a_week_or_when_the_past_has_changed(since: tuple[Event, ...], *, due: bool) -> None:
    past = (taken(TODAY - 10 * DAY, *[5.0] * 10), made(5.0))

    assert basis(past[0]).forecast_due
    assert basis(*past, *since).forecast_due == due
    refused = ForecastRefused("s", "too-little-history", "10 days", TODAY - DAY, None, 1, AT)
    assert basis(past[0], refused, *since).forecast_due == due


def test_a_forecast_of_a_history_that_has_changed_meanwhile_is_not_kept() -> None:
    history = taken(TODAY - 10 * DAY, *[5.0] * 10)
    keep = KeepForecast("s", made(5.0), AT)

    given(CAPACITY, history).when(keep).then(made(5.0))
    given(CAPACITY, history, taken(TODAY - 10 * DAY, 9.0)).when(keep).then()
    given(CAPACITY, history, made(5.0)).when(keep).then()


def test_a_refused_forecast_takes_the_one_before_out_of_the_plan() -> None:
    history, refused = taken(TODAY - 10 * DAY, 5.0), ForecastRefused("s", "gaps", "so many", TODAY, BACKTEST, 2, AT)

    state = given(CAPACITY, history, made(5.0), taken(TODAY - 9 * DAY, 6.0)).when(KeepForecast("s", refused, AT))
    after = state.then(refused)

    assert (after.basis.forecast, after.basis.refused) == (None, refused)


def test_news_of_a_shortfall_is_told_once_and_again_when_it_is_another_one() -> None:
    launch = expect(delta=200)
    told = given(CAPACITY, *READY).when(launch).then(expected(launch), replace(SHORT, needed=14))
    assert told.shortfall is not None

    past = (*READY, expected(launch), replace(SHORT, needed=14))
    given(CAPACITY, *past).when(Look("s", AT)).then()
    sooner = expect(delta=200, start=TODAY + 45 * DAY)
    news = replace(SHORT, needed=14, shortfall_on=sooner.start, order_by=sooner.start - 42 * DAY)
    given(CAPACITY, *past).when(sooner).then(expected(sooner), news)
    removed = RemoveInorganic(service="s", name="launch", reason="put off", by=ANA, at=AT)
    given(CAPACITY, *past).when(removed).then(
        InorganicRemoved("s", "launch", "put off", "ana", AT), ShortfallCleared("s", AT)
    )


def test_what_was_said_before_is_not_said_again() -> None:
    estimate = EstimateDemand(service="s", metric="rps", peak=700.0, start=TODAY, growth_a_year=0.0,
                              basis="the old cart", by=BO, at=AT + DAY)  # fmt: skip
    given(CAPACITY, *READY).when(estimate).then()
    given(CAPACITY, *READY).when(MeasureSupply(service="s", supply=SUPPLY, by=BO, at=AT + DAY)).then()
    given(CAPACITY, *READY).when(change()).then()
    given(CAPACITY, *READY, expected(expect(delta=1))).when(expect(delta=1)).then()


def test_the_same_plan_another_day_says_that_it_holds() -> None:
    later = replace(change(), at=AT + 30 * DAY)

    given(CAPACITY, *READY).when(later).then(replace(PLANNED, at=AT + 30 * DAY))


def test_a_strategy_holds_when_the_other_side_agrees() -> None:
    first = given(CAPACITY).when(propose()).then(PROPOSED)
    assert first.basis.strategy is None

    state = given(CAPACITY, PROPOSED).when(agree()).then(AGREED)

    assert state.basis.strategy == AUTOMATIC
    other = replace(AUTOMATIC, max_units=30)
    again = given(CAPACITY, PROPOSED, AGREED).when(propose(other)).then(replace(PROPOSED, edition=2, strategy=other))
    assert again.basis.strategy == AUTOMATIC
    given(CAPACITY, PROPOSED, AGREED).when(agree()).then()
    given(CAPACITY, PROPOSED).when(propose()).then()


def test_where_no_sre_team_is_engaged_another_person_agrees() -> None:
    command = agree(side="dev", both_sides=False)

    given(CAPACITY, PROPOSED).when(command).then(replace(AGREED, side="dev"))
    given(CAPACITY, PROPOSED).when(replace(command, by=ANA)).refuses(SecondSideError)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (agree(side="dev"), SecondSideError),
        (agree(by=ANA), SecondSideError),
        (agree(by=CI), SecondSideError),
    ],
)
def test_nobody_agrees_for_the_own_side_or_with_themselves(command: Command, error: type[CapacityError]) -> None:
    given(CAPACITY, PROPOSED).when(command).refuses(error)


@pytest.mark.parametrize(
    ("command", "pointer"),
    [
        (change(horizon_days=541), "/horizon_days"),
        (change(horizon_days=41), "/horizon_days"),
        (expect(until=TODAY), "/until"),
        (MeasureSupply(service="s", supply=replace(SUPPLY, tested_on=TODAY + DAY), by=ANA, at=AT), "/tested_on"),
        (
            MeasureSupply(service="s", supply=replace(SUPPLY, domains=(Domain("a", 1, 0.4),)), by=ANA, at=AT),
            "/domains",
        ),
        (
            MeasureSupply(service="s", supply=replace(SUPPLY, domains=(Domain("a", 1, 1.0),) * 2), by=ANA, at=AT),
            "/domains/1/name",
        ),
        (propose(replace(AUTOMATIC, max_units=1)), "/max_units"),
        (propose(replace(AUTOMATIC, max_units=None)), "/max_units"),
        (propose(replace(AUTOMATIC, trigger="")), "/trigger"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(command: Command, pointer: str) -> None:
    with pytest.raises(CapacityFaultError) as refused:
        CAPACITY.decide(command, CAPACITY.initial)

    assert refused.value.pointer == pointer


def test_what_is_not_there_can_neither_be_removed_nor_agreed_to() -> None:
    given(CAPACITY).when(RemoveInorganic(service="s", name="x", reason="", by=ANA, at=AT)).refuses(
        InorganicUnknownError
    )
    given(CAPACITY).when(agree()).refuses(NoStrategyError)


@pytest.mark.parametrize("field", ["stale_days", "least_days", "most_gaps", "most_error", "most_horizon_days"])
def test_a_policy_that_nobody_could_plan_by_is_refused_with_its_place(field: str) -> None:
    number = replace(POLICY.stale_days, value=-1)

    with pytest.raises(InvalidPolicyError) as refused:
        replace(POLICY, **{field: number}).validate()  # type: ignore[arg-type]

    assert refused.value.faults[0].pointer == f"/{field}/value"


STEPS: tuple[Command, ...] = (
    EstimateDemand(service="s", metric="rps", peak=700.0, start=TODAY, growth_a_year=0.5, basis="b", by=ANA, at=AT),
    EstimateDemand(service="s", metric="rps", peak=400.0, start=TODAY, growth_a_year=0.0, basis="b", by=ANA, at=AT),
    MeasureSupply(service="s", supply=SUPPLY, by=ANA, at=AT),
    MeasureSupply(service="s", supply=replace(SUPPLY, domains=(Domain("a", 30, 1.0),)), by=ANA, at=AT),
    change(),
    change(spare=9, headroom=0.5),
    expect(),
    expect(delta=5000.0),
    expect("other", delta=-300.0, start=TODAY + DAY),
    RemoveInorganic(service="s", name="launch", reason="", by=ANA, at=AT),
    take(TODAY - 10 * DAY, *[5.0] * 10),
    take(TODAY - 10 * DAY, 7.0, metric="GB", replaces=True),
    KeepForecast("s", made(600.0, 720.0), AT),
    KeepForecast("s", made(600.0, imports=2), AT),
    KeepForecast("s", ForecastRefused("s", "gaps", "many", TODAY, None, 2, AT), AT),
    propose(),
    propose(Strategy("horizontal", "", 0, None), BO, "sre"),
    agree(),
    agree(ANA, "dev"),
    Look("s", AT),
)


@settings(max_examples=200, deadline=None)
@for_all(commands=st.lists(st.sampled_from(STEPS), max_size=25))
def test_whatever_is_asked_in_whatever_order_what_was_told_is_what_the_plan_says(commands: list[Command]) -> None:
    state = CAPACITY.initial
    for command in commands:
        with suppress(CapacityError):
            events = CAPACITY.decide(command, state)
            state = CAPACITY.fold(state, events)
            again = CAPACITY.decide(command, state)
            assert again == () or isinstance(command, ImportDemand | RemoveInorganic | ProposeStrategy)

        found, told = look(state.basis, TODAY), state.shortfall
        if found is not None:
            short = found.shortfall
            assert (told and (told.shortfall_on, told.order_by, told.needed)) == (
                short and (short.day, short.order_by, short.needed)
            )
        assert (state.basis.strategy is None) or state.proposed is not None
        assert state.basis.measured_until == max(state.days, default=None)


@pytest.mark.parametrize("start", [date(1, 1, 1), date(9999, 12, 31), TODAY + 1097 * DAY])
def test_nobody_estimates_for_days_out_of_sight(start: date) -> None:
    command = EstimateDemand(service="s", metric="rps", peak=1.0, start=start, growth_a_year=10.0, basis="b",
                             by=ANA, at=AT)  # fmt: skip

    given(CAPACITY).when(command).refuses(CapacityFaultError)


def test_no_demand_makes_a_number_that_cannot_be_written() -> None:
    assert units_needed(1e300, 1e-9, 0.01, 2) == MOST_UNITS + 2


def test_a_capacity_of_which_nothing_is_known_has_no_forecast_due() -> None:
    assert not Capacity().basis.forecast_due


ORDER = OrderUnits(
    service="s",
    order="po-7",
    domain="zone-a",
    units=4,
    arrives=TODAY + 30 * DAY,
    confidence=0.8,
    note="",
    by=ANA,
    at=AT,
)
GROWING = DemandEstimated("s", "rps", 690.0, TODAY, 0.4, "the old cart", "ana", AT)  # takes a 13th pod in two weeks


def test_units_on_their_way_put_a_shortfall_off_by_what_is_likely_to_come() -> None:
    past = (GROWING, MEASURED, PLANNED)
    before = look(basis(*past), TODAY)

    soon = replace(ORDER, arrives=TODAY + 10 * DAY)
    ordered = CAPACITY.decide(soon, CAPACITY.fold(CAPACITY.initial, past))
    after = look(basis(*past, *ordered), TODAY)

    assert before is not None
    assert after is not None
    assert before.shortfall is not None
    assert after.shortfall is not None
    assert before.shortfall.there == 12
    assert after.shortfall.there == 15  # three of four
    assert before.shortfall.day < after.shortfall.day
    assert isinstance(ordered[0], UnitsOrdered)
    assert isinstance(ordered[1], ShortfallForecast)


@pytest.mark.parametrize(("days", "there"), [(29, 12), (30, 15), (31, 15)])
def test_units_count_from_the_day_on_which_they_serve(days: int, there: int) -> None:
    known = basis(*READY, *CAPACITY.decide(ORDER, CAPACITY.fold(CAPACITY.initial, READY)))
    (day,) = (each for each in demand(known, PLAN, TODAY) if each.day == TODAY + days * DAY)

    assert [each.there for each in needs(known, day, PLAN, TODAY)] == [there]


def test_what_should_be_there_and_nobody_has_seen_counts_no_more() -> None:
    known = basis(*READY, *CAPACITY.decide(ORDER, CAPACITY.fold(CAPACITY.initial, READY)))

    for today, late, there in ((ORDER.arrives, (), 15), (ORDER.arrives + DAY, ("po-7",), 12)):
        (day,) = (each for each in demand(known, PLAN, today) if each.day == today + DAY)
        assert tuple(each.order for each in overdue(known, today)) == late
        assert [each.there for each in needs(known, day, PLAN, today)] == [there]


@pytest.mark.parametrize(("said", "units"), [(None, 16), (3, 15), (0, 12)])
def test_what_has_arrived_is_part_of_what_is_there(said: int | None, units: int) -> None:
    past = (*READY, *CAPACITY.decide(ORDER, CAPACITY.fold(CAPACITY.initial, READY)))
    take = TakeDelivery(service="s", order="po-7", units=said, by=BO, at=AT)

    state = CAPACITY.fold(CAPACITY.initial, (*past, *CAPACITY.decide(take, CAPACITY.fold(CAPACITY.initial, past))))

    assert state.basis.orders == {}
    assert state.basis.supply is not None
    assert [each.units for each in state.basis.supply.supply.domains] == [units]
    with pytest.raises(OrderUnknownError):
        CAPACITY.decide(take, state)


def test_an_order_said_again_is_one_order_and_one_said_otherwise_has_changed() -> None:
    past = (*READY, *CAPACITY.decide(ORDER, CAPACITY.fold(CAPACITY.initial, READY)))

    given(CAPACITY, *past).when(replace(ORDER, by=BO)).then()
    later = replace(ORDER, arrives=ORDER.arrives + 7 * DAY)
    (changed,) = CAPACITY.decide(later, CAPACITY.fold(CAPACITY.initial, past))
    assert isinstance(changed, UnitsOrdered)
    withdraw = WithdrawOrder(service="s", order="po-7", reason="too dear", by=ANA, at=AT)
    assert isinstance(CAPACITY.decide(withdraw, CAPACITY.fold(CAPACITY.initial, past))[0], OrderWithdrawn)


@pytest.mark.parametrize(
    ("past", "command", "pointer"),
    [
        (READY, replace(ORDER, domain="zone-x"), "/domain"),
        ((ESTIMATED,), ORDER, "/domain"),
        (READY, replace(ORDER, arrives=TODAY - DAY), "/arrives"),
        (READY, replace(ORDER, arrives=TODAY + 2000 * DAY), "/arrives"),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_its_place(
    past: tuple[Event, ...], command: OrderUnits, pointer: str
) -> None:
    assert given(CAPACITY, *past).when(command).refuses(CapacityFaultError).pointer == pointer
