"""What teams do week by week: deployments, and where their hours go."""

from datetime import datetime, timedelta
from hashlib import sha1
from typing import Any, Final

from services.cli.demo.organisation import DAYS, DEVELOPMENT, SERVICES, TEAM, TEAMS, ServiceOf
from services.cli.demo.world import Delivery, Week, World
from services.lifecycle.contract import DEPLOYMENT, WORK
from services.lifecycle.domain.deployment.commands import Fail, Record, Recover, RollBack
from services.lifecycle.domain.deployment.events import DeploymentRecorded, DeploymentStaged
from services.lifecycle.domain.gathering.pack import Released
from services.lifecycle.domain.operational_work.commands import Record as RecordWork
from services.lifecycle.domain.operational_work.events import Kind, WorkRecorded

PIPELINE: Final = "ci"  # a machine
ARES: Final = (60, 420)  # the days between which the Ares team learns to run its services
DECLINE: Final = (150, 470)  # the days between which changes of the old data pipeline slow down
_FAILURE_RATE: Final = 0.09
_HOURS_A_WEEK: Final = 36


def deploy(world: World) -> None:
    """Every deployment: to staging first, then to production; one in eleven makes things worse."""
    for service in SERVICES:
        chance = world.chance(f"deployments of {service.name}")
        begins = min(service.day_of(DEVELOPMENT), *(day for day in range(DAYS) if service.in_use(day)), DAYS)
        number = 0
        for day in range(begins, DAYS):
            if service.releases and chance.random() < _a_day(world, service, day):
                number += 1
                _deployment(world, service, day, number)


def _a_day(world: World, service: ServiceOf, day: int) -> float:
    """How likely it is deployed on *day*; weekends are quiet."""
    weekly = service.releases
    if service.team == "ares":
        weekly = 0.6 + 5.4 * _progress(day, ARES)
    if service.name == "batch-pipeline":
        weekly = 3 - 2.6 * _progress(day, DECLINE)
    return weekly / 40 if world.is_weekend(day) else weekly / 5


def _lead_hours(service: ServiceOf, day: int) -> float:
    if service.team == "ares":
        return 74 - 63 * _progress(day, ARES)
    if service.name == "batch-pipeline":
        return 22 + 170 * _progress(day, DECLINE)
    return 14 + 10 * service.tier


def _progress(day: int, span: tuple[int, int]) -> float:
    """How much of *span* is over, from 0 to 1."""
    begins, ends = span
    return min(max((day - begins) / (ends - begins), 0.0), 1.0)


def _deployment(world: World, service: ServiceOf, day: int, number: int) -> None:
    chance = world.chance(f"{service.name} {number}")
    name, version = f"{service.name}-{number}", f"1.{number}.0"
    at = world.at(day, 8 + chance.random() * 8)
    lead = _lead_hours(service, day) * (0.5 + chance.random())
    told: dict[str, Any] = {
        "service": service.name,
        "version": version,
        "result": "succeeded",
        "commit": sha1(f"{world.seed}/{name}".encode(), usedforsecurity=False).hexdigest(),
        "committed_at": at - timedelta(hours=lead),
        "unplanned": False,
        "rollout": "",
        "url": f"https://ci.example.com/{service.name}/{number}",
        "by": PIPELINE,
    }
    staged = at - timedelta(hours=1)
    trial = DeploymentStaged(deployment=f"{name}-staging", environment="staging", at=staged, recorded=staged, **told)
    world.lifecycle.tell(DEPLOYMENT, trial.deployment, Record(trial), at=staged, by=PIPELINE)
    if not service.in_use(day):
        return
    real = DeploymentRecorded(deployment=name, environment="production", at=at, recorded=at, **told)
    world.lifecycle.tell(DEPLOYMENT, name, Record(real), at=at, by=PIPELINE)
    failed = chance.random() < _FAILURE_RATE
    if failed:
        _went_wrong(world, service, number, at + timedelta(minutes=5 + chance.random() * 50))
    world.deliveries[service.name].append(Delivery(service.name, Released(name, at, failed), lead))


def _went_wrong(world: World, service: ServiceOf, number: int, at: datetime) -> None:
    """Half of what fails is taken back, the other half is repaired by the next version."""
    name, by = f"{service.name}-{number}", TEAM[service.team].people[number % 3]
    told: dict[str, Any] = {"deployment": name, "by": by}
    if number % 2:
        taken_back = RollBack(
            automatic=service.tier == 1, to_version=f"1.{number - 1}.0", reason="errors rose", at=at, **told
        )
        world.lifecycle.tell(DEPLOYMENT, name, taken_back, at=at, by=by)
        return
    world.lifecycle.tell(DEPLOYMENT, name, Fail(incident="", reason="errors rose", at=at, **told), at=at, by=by)
    well = at + timedelta(minutes=20 + number % 90)
    world.lifecycle.tell(DEPLOYMENT, name, Recover(how="fixed forward", at=well, **told), at=well, by=by)


def work(world: World) -> None:
    """What the hours of each team went into, week by week."""
    for team in TEAMS:
        people, chance = len(team.people), world.chance(f"hours of {team.name}")
        for last in range(6, DAYS, 7):
            total = people * _HOURS_A_WEEK
            share = _operational_share(team.name, last) * (0.85 + 0.3 * chance.random())
            operational = round(total * share, 1)
            parts: dict[Kind, float] = {"on_call": 0.35, "tickets": 0.4, "toil": 0.25}
            for kind, part in parts.items():
                _hours(world, team.name, kind, last, round(operational * part, 1))
            _hours(world, team.name, "project", last, round(total - operational, 1))
            if team.kind == "sre":
                world.weeks.append(Week(team.name, world.at(last).date(), operational, total))


def _operational_share(team: str, day: int) -> float:
    match team:
        case "site-reliability":  # what Ares needed help with, until it did not
            return 0.46 - 0.18 * _progress(day, ARES)
        case "data-reliability":  # the old pipeline eats them, until another team owns it
            return 0.27 if day > DECLINE[1] else 0.3 + 0.32 * _progress(day, DECLINE)
        case "ares":
            return 0.12 + 0.06 * _progress(day, ARES)
        case _:
            return 0.16


def _hours(world: World, team: str, kind: Kind, last: int, hours: float) -> None:
    week, at = f"{team}-{kind}-{last // 7 + 1}", world.at(last, 17)
    by = TEAM[team].lead
    what = WorkRecorded(
        work=week,
        team=team,
        service="",
        kind=kind,
        hours=hours,
        items=None,
        start=world.at(last - 6).date(),
        until=at.date(),
        notes="",
        by=by,
        at=at,
    )
    world.lifecycle.tell(WORK, week, RecordWork(what), at=at, by=by)
