"""The demo organisation: what its history tells, and that it is written once."""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.decider import Decider
from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Context, Metadata
from libs.events.memory import MemoryStore
from libs.events.resources import Resources
from libs.events.store import AppendRequest, NewEvent, StreamWrite
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from services.cli.demo import phases
from services.cli.demo.history import history
from services.cli.demo.load import load, today, write
from services.cli.demo.organisation import DAYS, SERVICES, TEAMS
from services.cli.demo.reliability import measured
from services.cli.demo.world import World
from services.cli.errors import CliError
from services.lifecycle.contract import (
    ARCHITECTURE,
    ARCHITECTURE_REVIEW,
    CAPACITY,
    CHECKPOINT,
    DESIGN_REVIEW,
    ENGAGEMENT,
    LAUNCH,
    READINESS_REVIEW,
    RISK_REGISTER,
    SERVICE,
    TEAM,
    WAIVER,
)
from services.lifecycle.domain.checkpoint.plans import KINDS
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.state import state_of
from services.lifecycle.domain.team.events import TeamRegistered

TODAY = datetime(2026, 11, 21, tzinfo=UTC)
NOON = TODAY + timedelta(hours=12)


@pytest.fixture(scope="module")
def world() -> World:
    return history(1, TODAY)


@pytest.fixture(scope="module")
def other() -> World:
    """The beginning of one with another seed."""
    world = World(2, TODAY)
    phases.begin(world)
    return world


def engagements(world: World) -> dict[str, Engagement]:
    """By the first of their services."""
    asked = [request.writes[0].stream for request in requests(world, "lifecycle")]
    found = {stream.partition("/")[2] for stream in asked if stream.startswith("engagement/")}
    states = [state for each in found if (state := world.lifecycle.state(ENGAGEMENT, each))]
    return {state.services[0]: state for state in states}


def requests(world: World, service: str) -> list[AppendRequest]:
    return [each for each in world.chronicles[service].requests() if each.writes]


def events(world: World) -> list[NewEvent]:
    return [event for name in world.chronicles for each in requests(world, name) for event in each.writes[0].events]


def test_it_has_teams_services_in_all_phases_and_engagements(world: World) -> None:
    phases = Counter(state.profile.phase for each in SERVICES if (state := world.lifecycle.state(SERVICE, each.name)))

    assert set(phases) == set(Phase)
    assert phases.total() >= 20
    assert sum(world.lifecycle.state(TEAM, team.name) is not None for team in TEAMS) >= 6
    assert Counter(each.standing for each in engagements(world).values()) == {"disengaged": 2, "active": 2}


def test_it_has_two_years_of_events_each_recorded_in_its_time(world: World) -> None:
    told = events(world)

    assert len(told) >= 20_000
    assert len({event.event_id for event in told}) == len(told)
    for name in world.chronicles:
        times = [each.recorded_at for each in requests(world, name) if each.recorded_at]
        assert times == sorted(times)
        assert TODAY - timedelta(days=DAYS) <= times[0]
        assert times[-1] <= TODAY


def test_the_same_seed_and_day_give_the_same_events_and_another_seed_others(world: World, other: World) -> None:
    def facts(of: World) -> set[tuple[Any, bytes]]:
        return {(event.event_id, event.data) for event in events(of)}

    assert facts(history(1, TODAY)) == facts(world)
    assert not {each for each, _ in facts(other)} & {each for each, _ in facts(world)}


def test_ares_hands_its_services_back_and_is_faster_afterwards(world: World) -> None:
    ares = engagements(world)["abuse-signals"]

    assert ares.ending == "dev_self_sufficient"
    assert [stay.model for stay in ares.stays if stay.standing == "active"] == ["embedded", "consulting"]
    figures = {each.metric: each for each in (ares.watch.figures or () if ares.watch else ())}
    lead_time, met = figures["lead_time"], figures["slo_days_met"]
    assert lead_time.before is not None
    assert lead_time.after is not None
    assert lead_time.after < lead_time.before
    assert met.after == met.before == 1


def test_the_old_pipeline_shows_warning_signs_before_one_team_owns_it(world: World) -> None:
    pipeline, successor = engagements(world)["batch-pipeline"], engagements(world)["stream-pipeline"]

    broken = {breach.told.rule for breach in pipeline.breaches}
    assert {"quarterly-update", "operational-work"} <= broken
    assert pipeline.handover is not None
    assert pipeline.handover.receiver == "data-analysis"
    assert pipeline.ending == "importance_diminished"
    assert successor.works
    used_to_take = [each.lead_hours for each in world.deliveries["batch-pipeline"]]
    assert sum(used_to_take[-20:]) > 3 * sum(used_to_take[:20])


def states(world: World, decider: Decider[Any, Any, Any]) -> list[Any]:
    """What all aggregates of a kind have come to, in the order in which they began."""
    streams = dict.fromkeys(each.writes[0].stream for each in requests(world, "lifecycle"))
    keys = [stream.partition("/")[2] for stream in streams if stream.startswith(f"{decider.category}/")]
    return [world.lifecycle.state(decider, key) for key in keys]


def test_readiness_was_reviewed_approved_anew_and_is_being_looked_at(world: World) -> None:
    found = Counter(state_of(each) for each in states(world, READINESS_REVIEW))

    assert found["approved"] >= 5
    assert found["superseded"] >= 3
    assert found["expired"] == 1
    assert found["approved_with_conditions"] >= 1
    assert found["improvements"] >= 1
    reviewed = {each.record.request.service for each in states(world, READINESS_REVIEW)}
    assert {"checkout-api", "stream-pipeline", "abuse-console"} <= reviewed  # which are for everybody since then


def test_risks_are_lived_with_made_smaller_gone_borne_by_others_and_wait(world: World) -> None:
    risks = [risk for register in states(world, RISK_REGISTER) for risk in register.values()]

    found = Counter(risk.state for risk in risks)
    assert set(found) == {"proposed", "accepted", "mitigating", "eliminated", "transferred"}
    assert sum(len(risk.realised) for risk in risks) >= 10
    assert max(found, key=lambda state: found[state]) == "accepted"


def test_waivers_ended_hold_and_wait(world: World) -> None:
    found = Counter(type(each).__name__ for each in states(world, WAIVER))

    assert found == {"Over": 5, "Approved": 1, "Requested": 1}


def test_capacity_is_planned_for_all_that_is_measured_and_runs_short_once(world: World) -> None:
    known = {each.basis.supply.service: each for each in states(world, CAPACITY) if each.basis.supply}

    assert len(known) == len(measured())
    for each in known.values():
        assert TODAY.date() - each.basis.supply.supply.tested_on <= timedelta(days=90)
        assert TODAY - each.basis.plan.at <= timedelta(days=90)
        assert len(each.days) >= 60


def test_what_is_critical_was_tried_lately(world: World) -> None:
    tried = [each for each in states(world, CHECKPOINT) if each.ended]

    assert {each.planned.kind for each in tried} == set(KINDS) - {"benchmark"}
    assert {each.state for each in tried} == {"passed", "failed"}
    lately = {each.planned.service for each in tried if TODAY - each.planned.at <= timedelta(days=90)}
    assert {service.name for service in measured()} <= lately


def test_designs_were_read_by_others_and_architectures_signed_by_both_sides(world: World) -> None:
    assert {each.state for each in states(world, DESIGN_REVIEW)} == {"draft", "in_review", "approved"}
    assert {each.state for each in states(world, ARCHITECTURE_REVIEW)} == {"signed"}
    assert {each.state for each in states(world, LAUNCH)} == {"planned", "ready", "launched", "cancelled"}
    findings = [each for found in states(world, ARCHITECTURE) for each in found.values()]
    assert Counter(each.state for each in findings)["closed"] >= 5
    assert [each for each in findings if each.is_unsettled]


def test_everybody_takes_turns_on_call_and_shifts_say_what_they_cost(world: World) -> None:
    paged = {shift.event: shift.pages for of_service in world.shifts.values() for shift in of_service}

    assert len(paged) >= 8 * 90
    assert 0 < sum(paged.values()) / len(paged) <= 2
    for service in SERVICES:
        if service.in_use(DAYS - 1):
            assert TODAY - max(shift.end for shift in world.shifts[service.name]) <= timedelta(days=8)
    sides = {shift.side for shift in world.shifts["checkout-api"] if TODAY - shift.end <= timedelta(days=28)}
    assert sides == {"dev", "sre"}


def test_both_sides_agreed_how_they_work_together(world: World) -> None:
    for each in engagements(world).values():
        in_force = each.chapter("working_agreements").in_force
        assert in_force is not None


@pytest.fixture
async def services() -> AsyncGenerator[Mapping[str, Resources]]:
    """An installation in memory."""
    clock, bus = FrozenClock(NOON), EmbeddedLog(None)
    await bus.start()
    async with open_views("memory:") as views:
        registries = {name: chronicle.registry for name, chronicle in World(1, TODAY).chronicles.items()}
        yield {
            name: Resources(name, registry, MemoryStore(clock), views, bus, clock)
            for name, registry in registries.items()
        }
    await bus.close()


async def summary(services: Mapping[str, Resources], world: World) -> dict[str, Any]:
    """What is said in the end; a day of measurements is enough here."""
    lines = [line async for line in write(services, world, NOON, measured_days=1)]
    assert all(line["progress"]["done"] <= line["progress"]["total"] for line in lines[:-1])
    return lines[-1]["summary"]


async def test_it_is_written_once_however_often(services: Mapping[str, Resources], world: World) -> None:
    interrupted = write(services, world, NOON, measured_days=1)
    async for line in interrupted:
        if line["progress"]["label"] == "events of incidents":
            break
    await interrupted.aclose()

    rest = await summary(services, world)
    heads = [await each.store.head() for each in services.values()]
    again = await summary(services, world)

    assert rest["already_there"] > 0
    assert rest["minutes_measured"] > 0
    assert rest["already_there"] + rest["events"] == again["already_there"] >= 20_000
    assert (again["events"], again["minutes_measured"]) == (0, 0)
    assert [await each.store.head() for each in services.values()] == heads

    loaded = await services["lifecycle"].handler.load(SERVICE, "checkout-api", as_of=TODAY - timedelta(days=DAYS - 200))
    assert loaded.state is not None
    assert loaded.state.profile.phase is Phase.LIMITED_AVAILABILITY


async def test_a_log_that_holds_something_else_is_left_alone(services: Mapping[str, Resources], world: World) -> None:
    lifecycle = services["lifecycle"]
    new = lifecycle.handler.encode(
        [TeamRegistered("checkout", "dev", "Checkout", NOON)], Context.of_request(NOON, Metadata(actor="ana"))
    )
    await lifecycle.store.append(AppendRequest((StreamWrite("team/checkout", 0, new),)))

    with pytest.raises(CliError, match="--data-dir"):
        await summary(services, world)

    assert [await each.store.head() for each in services.values()] == [1, 0, 0]


async def test_another_seed_is_refused_where_a_demo_is(
    services: Mapping[str, Resources], world: World, other: World
) -> None:
    await services["lifecycle"].store.append(next(iter(world.lifecycle.requests())))

    with pytest.raises(CliError, match="--seed"):
        await summary(services, other)


async def test_a_day_that_is_none_is_refused(services: Mapping[str, Resources]) -> None:
    with pytest.raises(CliError, match="2026-11-21"):
        await anext(load(services, seed=1, until="yesterday"))


async def test_a_later_load_goes_by_the_day_on_which_the_first_began(
    services: Mapping[str, Resources], world: World
) -> None:
    first = next(iter(world.lifecycle.requests()))
    await services["lifecycle"].store.append(first)

    assert await today(services, 1, "", NOON + timedelta(days=3)) == TODAY
    assert await today(services, 2, "", NOON + timedelta(days=3)) == TODAY + timedelta(days=3)
