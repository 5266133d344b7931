"""What was tried before it was needed: load, restores, rollbacks, and dependencies that were taken away."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from services.cli.demo.deliveries import PIPELINE
from services.cli.demo.findings import discover
from services.cli.demo.organisation import DAYS, SERVICES, SRE_OF, TEAM, ServiceOf
from services.cli.demo.reliability import MINUTES_A_DAY, requests_a_minute
from services.cli.demo.world import World
from services.lifecycle.contract import CHECKPOINT
from services.lifecycle.domain.architecture.commands import Discover, Discovery
from services.lifecycle.domain.checkpoint.commands import Command, Conclude, Performed, Schedule, Start
from services.lifecycle.domain.checkpoint.events import CheckpointConcluded, WeakPoint
from services.lifecycle.domain.checkpoint.plans import (
    ChaosExperiment,
    Content,
    FaultToleranceTest,
    LoadTest,
    Measure,
    ObservabilityReport,
    RestoreTest,
    RollbackDrill,
)
from services.lifecycle.domain.checkpoint.results import (
    ChaosResult,
    FaultResult,
    LoadResult,
    ObservabilityResult,
    Outcome,
    RestoreResult,
    RollbackResult,
    Seen,
)
from services.lifecycle.domain.people import Actor

_PLANNED_BEFORE: Final = 7  # days
UNITS: Final = 24  # that bore the load of a load test
_BUSY: Final = 1.65  # times the expected peak
_BADLY: Final = 0.1  # how often an experiment ends otherwise than was thought
_CRITICAL: Final = 2  # the tier down to which SRE does it
_STATEFUL: Final = frozenset({"postgresql", "redis", "kafka", "hadoop", "opensearch"})
_SLOW_TO_MEND: Final = ("ledger", "restore_test")  # whose last one failed, three weeks ago
_JUST_FAILED: Final = ("refunds", "chaos_experiment")


class _Tried(NamedTuple):
    title: str
    plan: Content
    outcome: Outcome
    weak: tuple[WeakPoint, ...] = ()


def unit_capacity(world: World, service: ServiceOf, day: int) -> float:
    """What a unit bore in the load test of *day*, in requests a minute."""
    return round(expected_peak(world, service, day) * _BUSY) / UNITS


def expected_peak(world: World, service: ServiceOf, day: int) -> int:
    """The requests of the busiest minute that was expected on *day*."""
    return round(requests_a_minute(world, service, day, MINUTES_A_DAY // 2) / (0.7 if world.is_weekend(day) else 1.0))


def load_tests(service: ServiceOf) -> Iterator[int]:
    """The days on which the load of *service* was tested: once a quarter, and before it had users."""
    if service.target:
        first = next((day for day in range(DAYS) if service.in_use(day)), DAYS)
        yield from range(max(first - 8, 9 + len(service.name)), DAYS, 84)


def checkpoints(world: World) -> None:
    """Every service in use, as often as the policy asks."""
    for service in SERVICES:
        for day, tried in _tries(world, service):
            _try(world, service, day, tried)
        for day in _days(service, 30, 5):
            _report(world, service, day)


def _tries(world: World, service: ServiceOf) -> Iterator[tuple[int, _Tried]]:
    yield from ((day, _load(world, service, day)) for day in load_tests(service))
    yield from ((day, _CRASH) for day in _days(service, 170, 55))
    if service.tier <= _CRITICAL:
        yield from ((day, _rollback(day)) for day in _days(service, 28, 12))
    if _STATEFUL & {*service.stack}:
        for day in _days(service, 80, 30):
            yield day, _restore(is_in_time=not _fails(service, "restore_test", day))
    for day in _days(service, 78, 41):
        holds = world.chance(f"{service.name} {day}").random() > _BADLY and not _fails(service, "chaos_experiment", day)
        yield from ((day + place, _chaos(service, on, holds=holds)) for place, on in enumerate(service.hard))


def _days(service: ServiceOf, every: int, first: int) -> Iterator[int]:
    """While it is in use; the last of them so lately that it still counts."""
    last = DAYS - 4 - (first + len(service.name)) % 16
    days = range(last % every, last + 1, every)
    return (day for day in days if day > _PLANNED_BEFORE and service.in_use(day) and service.releases)


def _fails(service: ServiceOf, kind: str, day: int) -> bool:
    return (service.name, kind) in {_SLOW_TO_MEND, _JUST_FAILED} and day > DAYS - 40


def _load(world: World, service: ServiceOf, day: int) -> _Tried:
    peak = expected_peak(world, service, day)
    load, slow = round(peak * _BUSY), 120 + 40 * service.tier
    plan = LoadTest(
        environment="staging",
        load=round(peak * 1.5),
        expected_peak=peak,
        unit="requests/min",
        measures=(Measure("latency_p99_ms", slow, "lower", "ms"),),
    )
    outcome = LoadResult(load=load, units=UNITS, unit_name="instance", figures={"latency_p99_ms": slow - 20 - day % 15})
    return _Tried("Half as much again as the expected peak", plan, outcome)


def _restore(*, is_in_time: bool) -> _Tried:
    plan = RestoreTest(
        scenario="backup_restore",
        environment="staging",
        recovery_point=timedelta(minutes=15),
        recovery_time=timedelta(hours=1),
    )
    took = timedelta(minutes=43 if is_in_time else 96)
    observed = "balances compared with those of the evening before"
    outcome = RestoreResult(recovery_point=timedelta(minutes=9), recovery_time=took, verified=True, observed=observed)
    weak = WeakPoint("A restore takes longer than an hour", "Indexes are built one after the other.", "conditional")
    return _Tried("The newest backup into an empty database", plan, outcome, () if is_in_time else (weak,))


def _chaos(service: ServiceOf, on: str, *, holds: bool) -> _Tried:
    plan = ChaosExperiment(
        hypothesis=f"without {on}, {service.name} refuses within a second what it cannot do, and comes back by itself",
        environment="staging",
        blast_radius="one of three cells of staging",
        abort_when="other services in staging answer with errors",
        depends_on=on,
    )
    observed = "it refused within 300 ms" if holds else f"all workers waited for {on}; it took a restart to come back"
    weak = WeakPoint(f"Workers wait for {on} without an end", "There is no timeout on connecting.", "conditional")
    return _Tried(
        f"{on} is gone for ten minutes", plan, ChaosResult(held=holds, observed=observed), () if holds else (weak,)
    )


_CRASH: Final = _Tried(
    "An instance is killed at noon",
    FaultToleranceTest(
        fault="server_crash",
        environment="production",
        expected_degradation="one request in a hundred is retried; nobody sees an error",
        expected_recovery=timedelta(minutes=3),
    ),
    FaultResult(as_expected=True, observed="retries took 40 ms", recovery=timedelta(seconds=74)),
)


def _rollback(day: int) -> _Tried:
    plan = RollbackDrill(environment="staging", from_version=f"1.{day}.0", to_version=f"1.{day + 1}.0")
    outcome = RollbackResult(
        upgraded=True, rolled_back=True, upgraded_again=True, rollback_took=timedelta(minutes=2 + day % 5)
    )
    return _Tried("There, back, and there again", plan, outcome)


def _try(world: World, service: ServiceOf, day: int, tried: _Tried) -> None:
    """Planned a week before, begun, and concluded within two hours."""
    kind, team = tried.plan.kind, TEAM[service.team]
    began = world.at(day, 10 + len(service.name) % 5)
    if began > world.today:
        return
    checkpoint = world.id(f"{service.name} {kind} {tried.title} {day}", began - timedelta(days=_PLANNED_BEFORE))
    sre = TEAM[SRE_OF[service.team]]
    by = Actor(sre.people[day % len(sre.people)] if service.tier <= _CRITICAL else team.people[1], is_person=True)
    at, policy = began + timedelta(hours=2), world.policies.checkpoints
    performed = Performed(
        result=tried.outcome,
        at=began + timedelta(hours=1),
        by=by.name,
        evidence=(f"https://wiki.example.com/{service.name}/{kind}/{day}",),
        weak_points=tried.weak,
    )
    for command in (
        Schedule(
            checkpoint=checkpoint,
            by=by,
            at=began - timedelta(days=_PLANNED_BEFORE),
            service=service.name,
            title=tried.title,
            content=tried.plan,
            policy=policy,
        ),
        Start(checkpoint=checkpoint, by=by, at=began),
        Conclude(checkpoint=checkpoint, by=by, at=at, performed=performed, policy=policy),
    ):
        world.agenda.at(command.at, partial(_tell, world, service, command))


def _report(world: World, service: ServiceOf, day: int) -> None:
    """A build says what can be seen of it."""
    built = world.delivered([service.name], world.at(day - 30), world.at(day))
    if not built:
        return
    newest = built[-1].released
    signals = tuple(Seen(each, present=True) for each in ("metrics", "logs", "traces", "dashboards"))
    schedule = Schedule(
        checkpoint=world.id(f"{service.name} seen {day}", newest.at),
        by=Actor(PIPELINE, is_person=False),
        at=newest.at,
        service=service.name,
        title=f"what can be seen of {newest.deployment}",
        content=ObservabilityReport(commit=newest.deployment),
        policy=world.policies.checkpoints,
        performed=Performed(
            result=ObservabilityResult(signals=signals),
            at=newest.at,
            by=PIPELINE,
            evidence=(f"https://ci.example.com/{newest.deployment}/signals",),
            weak_points=(),
        ),
    )
    world.agenda.at(newest.at, partial(_tell, world, service, schedule))


def _tell(world: World, service: ServiceOf, command: Command) -> None:
    told = world.lifecycle.tell(CHECKPOINT, command.checkpoint, command, at=command.at, by=command.by.name)
    for event in told:
        if isinstance(event, CheckpointConcluded) and event.weak_points:
            _weak(world, service, event, command.at)


def _weak(world: World, service: ServiceOf, event: CheckpointConcluded, at: datetime) -> None:
    weak = tuple(
        Discovery(
            finding=world.id(f"finding {event.checkpoint} {point.title}", at),
            item="",
            title=point.title,
            text=point.text,
            severity=point.severity,
            source=f"/v1/checkpoints/{event.checkpoint}",
        )
        for point in event.weak_points
    )
    found = Discover(service=service.name, review="", discoveries=weak, by=event.performed_by, at=at)
    discover(world, found, slow=(service.name, event.kind) == _SLOW_TO_MEND)
