"""How much is asked of the services, what they bear, and when more has to be ordered."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from math import ceil
from typing import Any, Final

from services.cli.demo.checkpoints import expected_peak, load_tests, unit_capacity
from services.cli.demo.organisation import DAYS, DEVELOPMENT, SERVICES, SRE_OF, TEAM, UNSUPPORTED, ServiceOf
from services.cli.demo.reliability import measured
from services.cli.demo.world import World
from services.lifecycle.contract import CAPACITY
from services.lifecycle.domain.capacity import commands
from services.lifecycle.domain.capacity.events import Cost, Domain, Plan, Strategy, Supply
from services.lifecycle.domain.people import Actor

_METRIC: Final = "requests/min"
_ZONES: Final = ("zone-a", "zone-b", "zone-c")
_SHARE: Final = 0.34  # of all demand, that a zone must be able to carry
_SPARE: Final = 2  # units more than are needed in each zone (lifecycle.md: N+2)
_UTILISATION: Final = 0.7
_TIGHT: Final = "product-search"  # which runs short within half a year
_COST: Final = Cost(310, "EUR")


def capacity(world: World) -> None:
    """Supply and plan quarter by quarter, and demand at last; an estimate where nothing can be measured yet.

    A service that runs foretells as soon as it knows demand: nothing may be told of the same capacity after that.
    """
    for service in measured():
        for command in _history(world, service):
            _tell(world, command)
    for service in SERVICES:
        drawn = service.day_of(DEVELOPMENT)
        if 0 < drawn < DAYS and service.day_of(UNSUPPORTED) == DAYS and service.way[0][0] and not service.target:
            _tell(world, _estimate(world, service, drawn - 12))


def _history(world: World, service: ServiceOf) -> Iterator[commands.Command]:
    used = [day for day in range(DAYS) if service.in_use(day)]
    yield from _grown(world, service)
    yield from _agreed(world, service, used[0] + 30)
    if service.product == "shop":
        yield commands.SetInorganic(
            **_said(world, service, DAYS - 60, TEAM[service.team].product),
            name="winter-sale",
            title="The winter sale",
            start=world.at(DAYS + 62).date(),
            until=world.at(DAYS + 90).date(),
            delta=round(expected_peak(world, service, DAYS) * 0.2),
            confidence=0.7,
        )
    yield commands.ImportDemand(
        **_said(world, service, DAYS - 0.7, "ci"),
        metric=_METRIC,
        source="prometheus",
        query=f'max_over_time(sum(rate(requests_total{{service="{service.name}"}}[1m]))[1d:1m]) * 60',
        first=world.at(used[0]).date(),
        peaks=tuple(_peak(world, service, day) for day in range(used[0], used[-1] + 1)),
        replaces=False,
    )


def _peak(world: World, service: ServiceOf, day: int) -> float:
    """The busiest minute of a day; no two days are alike."""
    quiet = 0.7 if world.is_weekend(day) else 1.0
    noise = 0.96 + 0.08 * world.chance(f"demand of {service.name} {day}").random()
    return round(expected_peak(world, service, day) * quiet * noise)


def _grown(world: World, service: ServiceOf) -> Iterator[commands.Command]:
    """After each load test it is looked at what is there, and what is planned."""
    for number, day in enumerate(load_tests(service)):
        bears = unit_capacity(world, service, day)
        ahead = 1.2 if service.name == _TIGHT else 1.35
        units = ceil(expected_peak(world, service, day) * ahead * _SHARE / (bears * _UTILISATION)) + _SPARE
        supply = Supply(
            unit="instance",
            unit_capacity=bears,
            tested_on=world.at(day).date(),
            url=f"https://wiki.example.com/{service.name}/load_test/{day}",
            domains=tuple(Domain(zone, units, _SHARE) for zone in _ZONES),
            cost=_COST,
        )
        yield commands.MeasureSupply(**_said(world, service, day + 1, _sre(service, number)), supply=supply)
        yield commands.ChangePlan(
            **_said(world, service, day + 2, _sre(service, number)),
            plan=Plan(horizon_days=270, lead_time_days=45, spare=_SPARE, utilisation=_UTILISATION, headroom=0.15),
            policy=world.policies.capacity,
            reason="looked at after the load test" if number else "the first plan",
        )


def _agreed(world: World, service: ServiceOf, day: int) -> Iterator[commands.Command]:
    """Both sides agree how it grows; of the newest service one side has yet to."""
    strategy = Strategy("horizontal", "utilisation above 60 % at the weekly peak", 3, 60, "one zone after the other")
    proposed = commands.ProposeStrategy(**_said(world, service, day, _sre(service, 1)), strategy=strategy, side="sre")
    yield proposed
    if service.name != "recommendations":
        said = _said(world, service, day + 3, TEAM[service.team].lead)
        yield commands.AgreeStrategy(**said, side="dev", both_sides=True)


def _estimate(world: World, service: ServiceOf, day: int) -> commands.EstimateDemand:
    return commands.EstimateDemand(
        **_said(world, service, day, TEAM[service.team].product),
        metric=_METRIC,
        peak=round(service.peak * 0.6) or 120,
        start=(world.at(day) + timedelta(days=120)).date(),
        growth_a_year=0.25,
        basis="users of the services that it stands beside",
    )


def _sre(service: ServiceOf, number: int) -> str:
    people = TEAM[SRE_OF[service.team]].people
    return people[number % len(people)]


def _said(world: World, service: ServiceOf, day: float, by: str) -> dict[str, Any]:
    return {"service": service.name, "by": Actor(by, is_person=by != "ci"), "at": world.at(day, 15)}


def _tell(world: World, command: commands.ImportDemand | Any) -> None:  # noqa: ANN401  any of its commands
    if command.at < world.today:
        tell = partial(world.lifecycle.tell, CAPACITY, command.service, command, at=command.at, by=command.by.name)
        world.agenda.at(command.at, tell)
