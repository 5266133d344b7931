"""Alerts in: one identity opens one alert, and the high ones of one group share one incident.

Both are names that only one stream may hold at a time (`Reservation`): an alert holds its identity until it is
resolved, an incident its group until it is over. So two processes that hear the same cannot open two.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from libs.events.envelope import Context
from libs.events.errors import ConflictError, ReservedError, StoreUnavailableError
from libs.events.handler import NO_EFFECTS, Effects, Step
from libs.events.resources import Resources
from libs.events.store import EventLog, Reservation
from services.incidents.contract import ALERT, INCIDENT
from services.incidents.domain.alert.commands import Acknowledge, Resolve, Retrigger, Trigger
from services.incidents.domain.alert.decider import Alert
from services.incidents.domain.alert.events import AlertResolved, AlertTriggered, Urgency
from services.incidents.domain.errors import IllegalTransitionError
from services.incidents.domain.incident.commands import AcknowledgeAlert, ClearAlert, Declare, JoinAlert
from services.incidents.domain.incident.decider import Incident
from services.incidents.domain.incident.events import (
    IncidentCancelled,
    IncidentDeclared,
    IncidentReopened,
    IncidentResolved,
    Severity,
)

T = TypeVar("T")

_ALERT, _GROUP, _NUMBER = "alert", "incident-group", "incident-number"
_CALLED = re.compile(r"[Ii][Nn][Cc]-[1-9][0-9]{0,17}")
Steps = tuple[Step[Any, Any, Any], ...]
_TRIES = 8  # who keeps losing that often is told to try again
_BUSY = "others change the same alert or incident all the time; try again"


@dataclass(frozen=True, slots=True)
class Signal:
    """What a sender says: something fires.

    Args:
        integration: Who sends it.
        dedup_key: What the sender calls it; with *integration* its identity.
        group: High signals of one group share an incident while it is open.
        severity: Of the incident that a high signal opens.
        fired: When it began to fire, by the sender's clock.
    """

    integration: str
    dedup_key: str
    group: str
    service: str
    urgency: Urgency
    severity: Severity
    summary: str
    fired: datetime


class Numbers:
    """Proposes the numbers of incidents; the reservation in the append decides who has one."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._next = 0
        self._lock = asyncio.Lock()

    async def propose(self) -> str:
        """A number that nobody had a moment ago, such as `INC-42`; another one each time."""
        async with self._lock:
            if not self._next:
                await self._seek(1)
            number, self._next = self._next, self._next + 1
        return f"INC-{number}"

    async def give(self, attempt: Callable[[str], Awaitable[T]]) -> T:
        """What *attempt* makes of a number; it is called again with another one while others are first."""
        while True:
            try:
                return await attempt(await self.propose())
            except ReservedError as error:
                if error.scope != _NUMBER:
                    raise
            await self.taken()

    async def taken(self) -> None:
        """Another process had the same number: look again."""
        async with self._lock:
            await self._seek(self._next)

    async def _seek(self, first: int) -> None:
        """Go on at a free number from *first* on, found in a few steps however many are taken."""
        taken, free = first - 1, first
        while await self._log.holder(_NUMBER, f"INC-{free}"):
            taken, free = free, free + 2 * (free - taken)
        while free - taken > 1:
            middle = (free + taken) // 2
            if await self._log.holder(_NUMBER, f"INC-{middle}"):
                taken = middle
            else:
                free = middle
        self._next = free


class Intake:
    """Opens and ends alerts, and does with their incidents what follows from it, in the same transaction."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._numbers = Numbers(resources.store)

    async def trigger(self, signal: Signal, alert: str, incident: str, context: Context) -> None:
        """Open the alert *alert*, or count it where its identity is open already.

        A high one joins the open incident of its group, or opens *incident*; a low one goes to the queue.

        Raises:
            StoreUnavailableError: Others kept being first; nothing is lost if it is tried again.
        """
        handler, store = self._resources.handler, self._resources.store
        for _ in range(_TRIES):
            if (await handler.load(ALERT, alert)).version:
                return
            try:
                if held := await store.holder(_ALERT, _identity(signal.integration, signal.dedup_key)):
                    again = Retrigger(signal.summary, context.at)
                    await handler.handle(ALERT, _key(held), again, context)
                    return
                step = await self._incident_step(signal, alert, incident, context)
                command = Trigger(
                    alert=alert,
                    integration=signal.integration,
                    dedup_key=signal.dedup_key,
                    service=signal.service,
                    urgency=signal.urgency,
                    summary=signal.summary,
                    incident=step[0].key if step else "",
                    at=signal.fired,
                    group=signal.group,
                )
                await handler.handle(ALERT, alert, command, context, effects=alert_effects, also=step)
            except ReservedError as error:
                if error.scope == _NUMBER:
                    await self._numbers.taken()
            except (IllegalTransitionError, ConflictError):
                pass  # the alert was resolved, or the incident was over, since it was looked up
            else:
                return
        raise StoreUnavailableError(_BUSY)

    async def clear(self, integration: str, dedup_key: str, at: datetime, context: Context) -> None:
        """Resolve the open alert of this identity, if there is one.

        Raises:
            StoreUnavailableError: Others kept being first; nothing is lost if it is tried again.
        """
        handler = self._resources.handler
        held = await self._resources.store.holder(_ALERT, _identity(integration, dedup_key))
        if held is None:
            return
        handler, command = self._resources.handler, Resolve(by=integration, at=at)
        also = followers((await handler.load(ALERT, _key(held))).state, command)
        try:
            await handler.handle(ALERT, _key(held), command, context, effects=alert_effects, also=also)
        except ConflictError as error:
            raise StoreUnavailableError(_BUSY) from error

    async def _incident_step(self, signal: Signal, alert: str, incident: str, context: Context) -> Steps:
        if signal.urgency == "low":
            return ()
        if held := await self._resources.store.holder(_GROUP, signal.group):
            join = JoinAlert(alert=alert, summary=signal.summary, by=signal.integration, at=context.at)
            return (Step(INCIDENT, _key(held), join, incident_effects),)
        declare = Declare(
            incident=incident,
            number=await self._numbers.propose(),
            service=signal.service,
            title=signal.summary,
            severity=signal.severity,
            alert=alert,
            group=signal.group,
            detected=min(signal.fired, context.at),
            by=signal.integration,
            at=context.at,
        )
        return (Step(INCIDENT, incident, declare, incident_effects),)


def followers(alert: Alert, command: Acknowledge | Resolve) -> Steps:
    """What the incident of *alert* is asked when *command* is asked of the alert."""
    if alert is None or not alert.opened.incident:
        return ()
    asked: dict[str, Any] = {"by": command.by, "reason": command.reason, "at": command.at}
    match command:
        case Acknowledge():
            then = AcknowledgeAlert(**asked)
        case Resolve():
            then = ClearAlert(**asked, alert=alert.opened.alert)
    return (Step(INCIDENT, alert.opened.incident, then, incident_effects),)


def alert_effects(state: Alert, events: tuple[object, ...]) -> Effects:
    """An alert holds its identity until it is resolved."""
    if state is None or not events:
        return NO_EFFECTS
    it = state.opened
    name = Reservation(_ALERT, _identity(it.integration, it.dedup_key), ALERT.stream(it.alert))
    match events[0]:
        case AlertTriggered():
            return Effects(reserve=(name,))
        case AlertResolved():
            return Effects(release=(name,))
        case _:
            return NO_EFFECTS


def incident_effects(state: Incident, events: tuple[object, ...]) -> Effects:
    """An incident holds its number for ever, and its group until it is over."""
    if state is None:
        return NO_EFFECTS
    record = state.record
    stream = INCIDENT.stream(record.incident)
    group = (Reservation(_GROUP, record.group, stream),) if record.group else ()
    effects = NO_EFFECTS
    for event in events:
        match event:
            case IncidentDeclared():
                effects = Effects(reserve=(Reservation(_NUMBER, record.number, stream), *group))
            case IncidentReopened():
                effects = Effects(reserve=group)
            case IncidentResolved() | IncidentCancelled():
                effects = Effects(release=group)
            case _:
                pass
    return effects


async def find_incident(log: EventLog, reference: str) -> str:
    """The id of the incident that people call *reference*: its number in any case of letters, or its id."""
    if not _CALLED.fullmatch(reference):
        return reference
    held = await log.holder(_NUMBER, reference.upper())
    return _key(held) if held else reference


def _identity(integration: str, dedup_key: str) -> str:
    return f"{integration}/{dedup_key}"


def _key(stream: str) -> str:
    return stream.partition("/")[2]
