"""Looks whether services show what their phases ask them to keep, and opens items for people; it moves nothing.

All services are looked at once a day, after each start and after a new gate policy, some at a time: each step sets the
timer of the next, so that a process that dies goes on where it was. A new policy's round has its own timer: it begins
with the first service, however far the day's is. One service is looked at when its phase, its review or a waiver of it
has changed, and when somebody asks for it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from libs.events.applied import all_applied
from libs.events.backoff import PASSING, stopped_within
from libs.events.envelope import Context, Recorded
from libs.events.handler import Effects
from libs.events.ids import derived_id
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Reservation, Timer
from libs.events.timers import Fire
from services.lifecycle import timetable
from services.lifecycle.contract import GATE_POLICY, INSTALLATION, PHASE_RISK, SERVICE
from services.lifecycle.domain.checks import NUMBERS
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.gate_policy.inherited import completed
from services.lifecycle.domain.gates import demotion, keeping
from services.lifecycle.domain.phase_risk.commands import Lacking, Look
from services.lifecycle.domain.phase_risk.decider import PhaseRisks
from services.lifecycle.domain.phase_risk.events import Event, PhaseAtRisk
from services.lifecycle.domain.policy import Policy
from services.lifecycle.domain.simulation import at_risk
from services.lifecycle.projections.facts import OWN, facts_about, facts_after
from services.lifecycle.projections.phase_risks import PHASE_RISKS, with_open_items

SCOPE: Final = "phase-at-risk"  # of the reservations that lead from an item's id to its service
_AT_ONCE: Final = 100  # services in one step of a sweep
_PATIENCE_S: Final = 5.0  # for read models that are about to show what is stored
_LINES: Final = ("slo", "incidents")
_PUT_OFF: Final = timedelta(minutes=1)  # while a line is dead, and after a start, when much is still to be heard
_PUT_OFF_AT_MOST: Final = 30  # then what is unknown is said to be unknown
_AGAIN_S: Final = 1.0  # until the store is there


@dataclass(frozen=True, slots=True)
class ServiceMoved:
    """What is read of an event after which a service may stand otherwise."""

    service: str


@dataclass(frozen=True, slots=True)
class PolicyPublished:
    """What is read of a new gate policy."""

    version: str


_P: Final = "io.concordat.lifecycle"
_HEARD: Final = EventRegistry(
    {
        f"{_P}.service.phase-changed.v1": ServiceMoved,
        f"{_P}.review.approved.v1": ServiceMoved,
        f"{_P}.review.expired.v1": ServiceMoved,
        f"{_P}.waiver.approved.v1": ServiceMoved,
        f"{_P}.waiver.expired.v1": ServiceMoved,
        f"{_P}.waiver.revoked.v1": ServiceMoved,
        f"{_P}.gate-policy.published.v1": PolicyPublished,
    }
)


def found(policy: Policy, facts: Facts, item: str, at: datetime) -> Look:
    """What a service lacks in its phase, and what suggests that it goes a step back."""
    reasons = [check for check in demotion(policy, facts, at) if check.result == "fail"]

    def lacking(checks: Sequence[CheckResult]) -> tuple[Lacking, ...]:
        return tuple(Lacking(check, check.who) for check in checks)

    return Look(
        service=facts.service,
        item=item,
        phase=facts.phase,
        policy_version=policy.version,
        lacks=lacking(at_risk(keeping(policy, facts, at))),
        reasons=lacking(reasons),
        at=at,
    )


def noted(_: PhaseRisks, events: tuple[Event, ...]) -> Effects:
    """The way from the id of an item that is opened to its service."""
    opened = [event for event in events if isinstance(event, PhaseAtRisk)]
    return Effects(reserve=tuple(Reservation(SCOPE, event.item, PHASE_RISK.stream(event.service)) for event in opened))


@dataclass(frozen=True)
class Phases:
    """Keeps an eye on all services.

    Args:
        resources: The service's adapters.
        shipped: The gate policy that is in force until one is published.
    """

    resources: Resources
    shipped: Policy

    @property
    def timers(self) -> Mapping[str, Fire]:
        """What is done when a timer is due."""
        return {timetable.PHASE_LOOK: self._look, timetable.PHASE_SWEEP: self._sweep}

    @property
    def reaction(self) -> Reaction:
        """What is done when a service may stand otherwise."""
        return Reaction(
            name="lifecycle.phases",
            source="lifecycle",
            events=_HEARD,
            act={ServiceMoved: self._moved, PolicyPublished: self._published},
        )

    async def begin(self, stop: asyncio.Event) -> None:
        """Set the first timer: what was due while nothing ran, and what no timer was set for, is looked at."""
        while not stop.is_set():
            try:
                first = timetable.phase_sweep(timetable.Sweep(), self.resources.clock.now() + _PUT_OFF)
                await self._set(first)
            except PASSING:
                await stopped_within(stop, _AGAIN_S)
            else:
                await stop.wait()

    async def _moved(self, event: ServiceMoved, recorded: Recorded, context: Context) -> None:
        await self._set(timetable.phase_look(event.service, str(recorded.event_id), context.at))

    async def _published(self, _: PolicyPublished, recorded: Recorded, context: Context) -> None:
        cause = str(recorded.event_id)
        await self._set(timetable.phase_sweep(timetable.Sweep(run=cause, cause=cause), context.at))

    async def _look(self, timer: Timer, context: Context) -> None:
        """Look at one service."""
        service, cause = timetable.looked_at(timer)
        state = (await self.resources.handler.load(SERVICE, service)).state
        if state is None:
            return
        await all_applied(self.resources, *OWN, patience_s=_PATIENCE_S)
        facts = await facts_about(self.resources.views, state.profile, context.at)
        await self._note(await self._policy(), facts, context.part(cause))

    async def _sweep(self, timer: Timer, context: Context) -> None:
        """Look at the next services, and set the timer for those after them, or for the next time."""
        sweep, policy = timetable.sweep_of(timer), await self._policy()
        await all_applied(self.resources, *OWN, PHASE_RISKS, patience_s=_PATIENCE_S)
        known = await self.resources.views.read_long(facts_after, context.at, sweep.after, _AT_ONCE)
        if not known:
            if not sweep.cause:
                await self._set(timetable.phase_sweep(timetable.Sweep(), context.at + policy.review_every_days.days))
            return
        if sweep.waited < _PUT_OFF_AT_MOST and _is_dead(policy, next(iter(known.values()))):
            put_off = msgspec.structs.replace(sweep, waited=sweep.waited + 1)
            await self._set(timetable.phase_sweep(put_off, context.at + _PUT_OFF))
            return
        run = sweep.run or str(context.event_id(0))
        lacking = await asyncio.to_thread(_lacking, policy, list(known.values()), context.at)
        lacking |= await self.resources.views.read(with_open_items, list(known))
        for service in sorted(lacking):
            await self._note(policy, known[service], context.part(f"{run}/{service}"))
        after = msgspec.structs.replace(sweep, run=run, after=max(known))
        await self._set(timetable.phase_sweep(after, context.at))

    async def _note(self, policy: Policy, facts: Facts, context: Context) -> None:
        item = str(derived_id(context.at, context.event_id(0), "item", 0))
        command = found(policy, facts, item, context.at)
        await self.resources.handler.handle(PHASE_RISK, facts.service, command, context, effects=noted)

    async def _policy(self) -> Policy:
        published = (await self.resources.handler.load(GATE_POLICY, INSTALLATION)).state
        return completed(published[-1].policy, self.shipped, NUMBERS) if published else self.shipped

    async def _set(self, timer: Timer) -> None:
        await self.resources.handler.append(AppendRequest(schedule=(timer,)))


def _lacking(policy: Policy, known: Sequence[Facts], at: datetime) -> set[str]:
    """The services of *known* that lack something, or that something suggests a step back of."""
    looks = [found(policy, facts, "", at) for facts in known]
    return {look.service for look in looks if look.lacks or look.reasons}


def _is_dead(policy: Policy, facts: Facts) -> bool:
    """Whether a line to another service is, so that much is unknown which is no service's fault."""
    limits = [check.numbers["feed_fresh_minutes"].value for check in policy.checks.values() if _hears(check.numbers)]
    most = timedelta(minutes=max(limits, default=0.0))
    return bool(limits) and any(facts.heard.get(line, timedelta.max) > most for line in _LINES)


def _hears(numbers: Mapping[str, object]) -> bool:
    return "feed_fresh_minutes" in numbers
