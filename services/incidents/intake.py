"""Alerts in: one identity opens one alert, and what senders say is stored before they are answered.

An identity is a name that only one stream may hold at a time (`Reservation`): an alert holds its own until it is
resolved, an incident its group and its number. So two processes that hear the same cannot open two.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar
from weakref import WeakValueDictionary

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
from services.incidents.domain.incident.commands import AcknowledgeAlert, ClearAlert
from services.incidents.domain.incident.terms import Severity
from services.incidents.effects import NUMBER, incident_effects

T = TypeVar("T")

_ALERT = "alert"
Steps = tuple[Step[Any, Any, Any], ...]
TRIES = 8  # who keeps losing that often is told to try again
BUSY = "others change the same alert or incident all the time; try again"


@dataclass(frozen=True, slots=True)
class Signal:
    """What a sender says: something fires.

    Args:
        integration: Who sends it.
        dedup_key: What the sender calls it; with *integration* its identity.
        group: High signals of one group share an incident while it is open.
        severity: Of the incident that a high signal opens.
        fired: When it began to fire, by the sender's clock.
        window_s: How long that incident takes further alerts; 0: as long as it is open.
        labels: What grouping rules and silences look at.
        details: What the sender said beside.
    """

    integration: str
    dedup_key: str
    group: str
    service: str
    urgency: Urgency
    severity: Severity
    summary: str
    fired: datetime
    window_s: int = 0
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


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
                if error.scope != NUMBER:
                    raise
            await self.taken()

    async def taken(self) -> None:
        """Another process had the same number: look again."""
        async with self._lock:
            await self._seek(self._next)

    async def _seek(self, first: int) -> None:
        """Go on at a free number from *first* on, found in a few steps however many are taken."""
        taken, free = first - 1, first
        while await self._log.holder(NUMBER, f"INC-{free}"):
            taken, free = free, free + 2 * (free - taken)
        while free - taken > 1:
            middle = (free + taken) // 2
            if await self._log.holder(NUMBER, f"INC-{middle}"):
                taken = middle
            else:
                free = middle
        self._next = free


class Intake:
    """Stores what senders say: nothing else is waited for. `grouping.py` puts alerts into incidents."""

    def __init__(self, resources: Resources) -> None:
        self._handler, self._store = resources.handler, resources.store
        self._again: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def trigger(self, signal: Signal, alert: str, context: Context) -> None:
        """Open the alert *alert*, or count it where its identity is open already.

        Raises:
            StoreUnavailableError: Others kept being first; nothing is lost if it is tried again.
        """
        command = Trigger(alert=alert, at=signal.fired, **_fields(signal))
        for _ in range(TRIES):
            try:
                await self._handler.handle(ALERT, alert, command, context, effects=alert_effects)
            except ReservedError as error:
                if await self._count(key_of(error.holder), signal, context):
                    return
            else:
                return
        raise StoreUnavailableError(BUSY)

    async def clear(self, integration: str, dedup_key: str, at: datetime, context: Context) -> None:
        """Resolve the open alert of this identity, if there is one."""
        await self._carry(integration, dedup_key, Resolve(by=integration, at=at), context)

    async def acknowledge(self, integration: str, dedup_key: str, context: Context) -> None:
        """Somebody has acknowledged the open alert of this identity, if there is one, where it comes from."""
        await self._carry(integration, dedup_key, Acknowledge(by=integration, at=context.at), context)

    async def _count(self, held: str, signal: Signal, context: Context) -> bool:
        """Whether the open alert *held* took it; it may be resolved since."""
        lock = self._again.setdefault(held, asyncio.Lock())  # a hundred senders of one alert go one after the other
        async with lock:
            try:
                await self._handler.handle(ALERT, held, Retrigger(signal.summary, context.at), context)
            except (IllegalTransitionError, ConflictError):
                return False
        return True

    async def _carry(self, integration: str, dedup_key: str, command: Acknowledge | Resolve, context: Context) -> None:
        held = await self._store.holder(_ALERT, identity(integration, dedup_key))
        if held is None:
            return
        try:
            await self._handler.handle(ALERT, key_of(held), command, context, effects=alert_effects)
        except IllegalTransitionError:
            pass  # it was resolved since
        except ConflictError as error:
            raise StoreUnavailableError(BUSY) from error


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
    name = Reservation(_ALERT, identity(it.integration, it.dedup_key), ALERT.stream(it.alert))
    match events[0]:
        case AlertTriggered():
            return Effects(reserve=(name,))
        case AlertResolved():
            return Effects(release=(name,))
        case _:
            return NO_EFFECTS


def identity(integration: str, dedup_key: str) -> str:
    """The name that an open alert holds."""
    return f"{integration}/{dedup_key}"


def key_of(stream: str) -> str:
    """Whose stream it is."""
    return stream.partition("/")[2]


_SHARED = tuple(each.name for each in fields(Signal) if each.name != "fired")


def _fields(signal: Signal) -> dict[str, Any]:
    """What a signal and the command that opens its alert have in common."""
    return {name: getattr(signal, name) for name in _SHARED}
