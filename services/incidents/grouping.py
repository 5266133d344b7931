"""Puts alerts into incidents, and says to these when they end.

It reads the service's own log, so that nothing but the database must work between an alert and its incident, and it
is the only one that does, so that ten thousand alerts of one group do not run for the same incident. What came
together is written together: an incident has an event for each batch that joined it, not for each alert.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from libs.events.backoff import PASSING
from libs.events.envelope import Context, Metadata, Recorded
from libs.events.errors import ConflictError, ReservedError, StoreUnavailableError
from libs.events.feeds import StoreFeed
from libs.events.handler import Step
from libs.events.ids import new_id
from libs.events.ledger import Batch, Ledger
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Reservation, Timer
from libs.events.timers import Fire
from libs.events.views import note_consumer
from services.incidents.contract import ALERT, CONTRACT, INCIDENT, SERVICE
from services.incidents.domain.alert.commands import Group
from services.incidents.domain.alert.decider import Known
from services.incidents.domain.alert.decider import Resolved as ResolvedAlert
from services.incidents.domain.alert.events import AlertAcknowledged, AlertResolved, AlertTriggered
from services.incidents.domain.errors import IllegalTransitionError
from services.incidents.domain.incident.commands import AcknowledgeAlert, ClearAlert, Declare, JoinAlert
from services.incidents.effects import GROUP, incident_effects
from services.incidents.intake import BUSY, TRIES, Numbers, key_of

_LOG = logging.getLogger(__name__)

NAME: Final = "incidents.grouping"
AGAIN: Final = "alert.grouping"  # a kind of timer: what could not be grouped is tried again
_AGAIN_AFTER = timedelta(seconds=30)
_EVENTS = 500  # until it says how far it came
_ALERTS = 100  # of one incident in one transaction
_HEARD = {CONTRACT.name_of(event) for event in (AlertTriggered, AlertAcknowledged, AlertResolved)}


class Grouping:
    """Follows the log. Several processes may: whoever comes second changes nothing, and waits.

    Args:
        resources: The service's adapters.
    """

    name = NAME
    fenced = False  # whatever it does is a transaction, which says so itself

    def __init__(self, resources: Resources) -> None:
        self.ledger = Ledger(NAME, 0)
        self._clock = resources.clock
        self._handler, self._store, self._views = resources.handler, resources.store, resources.views
        self._numbers = Numbers(resources.store)

    @property
    def timers(self) -> dict[str, Fire]:
        """What happens when its timers are due."""
        return {AGAIN: self.again}

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until *stop*."""
        await self._views.write(note_consumer, NAME, 0)
        await StoreFeed(self, self._store, SERVICE).run(stop)

    async def load(self) -> None:
        """Read where it stands."""
        await self._views.read(self.ledger.load)

    async def apply(self, batches: Sequence[Batch]) -> None:
        """Act on *batches*, and say how far it came after each few hundred events.

        Raises:
            FencedError: Another process went on in the meantime; load, and read from there.
            StoreUnavailableError: The store is away.
        """
        for batch in batches:
            fresh = self.ledger.fresh(batch)
            for start in range(0, len(fresh.events) or 1, _EVENTS):
                part = fresh.part(start, min(start + _EVENTS, len(fresh.events)))
                if await self.settle(part.events):
                    await self._save(part)
                else:
                    self.ledger.passed(self.ledger.moves([part]))

    async def settle(self, events: Iterable[Recorded]) -> bool:
        """Do what follows from *events*; whether anything could."""
        heard = [recorded for recorded in events if recorded.type in _HEARD]
        if not heard:
            return False
        cause = heard[0].meta
        told = [CONTRACT.decode(recorded) for recorded in heard]
        await self.group([event.alert for event in told if isinstance(event, AlertTriggered)], cause)
        taken_on = {event.alert: event for event in told if isinstance(event, AlertAcknowledged)}
        ended = [event.alert for event in told if isinstance(event, AlertResolved)]
        follow = [self._acknowledge(taken_on[state.opened.alert], state) for state in await self._load(taken_on)]
        clear = [self._clear(ended_together) for ended_together in _by_incident(await self._load(ended))]
        await self._each([*((work, ()) for work in follow), *((work, ()) for work in clear)])
        return True

    async def group(self, alerts: Iterable[str], cause: Metadata) -> None:
        """Put those of *alerts* that page into the open incident of their group, or into a new one."""
        groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for state in await self._load(alerts):
            if _waits(state):
                it = state.opened
                groups[it.group, "" if it.group else it.alert].append(it.alert)
        await self._each([(self._put(group, members, cause), members) for (group, _), members in groups.items()])

    async def again(self, timer: Timer, context: Context) -> None:
        """Try once more to group the alert of *timer*."""
        alert = timer.key.partition("/")[2]
        for state in await self._load([alert]):
            if _waits(state):
                await self._put(state.opened.group, [alert], context.metadata)

    async def _each(self, work: Sequence[tuple[Coroutine[Any, Any, None], Sequence[str]]]) -> None:
        """Do all of it side by side; alerts of what fails as nobody foresaw are tried again, and stop no others."""
        done = await asyncio.gather(*(each for each, _ in work), return_exceptions=True)
        for result, (_, alerts) in zip(done, work, strict=True):
            if isinstance(result, PASSING):
                raise result
            if isinstance(result, Exception):
                _LOG.error("alerts cannot be put into incidents; they are tried again: %s", alerts, exc_info=result)
                due = self._clock.now() + _AGAIN_AFTER
                timers = tuple(Timer(f"alert-grouping/{alert}", due, AGAIN) for alert in alerts)
                await self._store.append(AppendRequest(schedule=timers))

    async def _put(self, group: str, alerts: Sequence[str], cause: Metadata) -> None:
        for start in range(0, len(alerts), _ALERTS):
            await self._join(group, alerts[start : start + _ALERTS], cause)

    async def _join(self, group: str, alerts: Sequence[str], cause: Metadata) -> None:
        """Put *alerts* into one incident: that which holds the group, or else a new one for the first of them."""
        for _ in range(TRIES):
            waiting = [state for state in await self._load(alerts) if _waits(state)]
            if not waiting:
                return
            context = self._context(cause)
            try:
                held = await self._holder(group, waiting[0], context)
                if held:
                    await self._handler.handle(
                        INCIDENT, held, _join_command(waiting, context), context,
                        effects=incident_effects, also=_steps(waiting, held, context),
                    )  # fmt: skip
                else:
                    declare = await self._declaration(waiting[0], context)
                    await self._handler.handle(
                        INCIDENT, declare.incident, declare, context,
                        effects=incident_effects, also=_steps(waiting[:1], declare.incident, context),
                    )  # fmt: skip
            except ReservedError as error:
                if error.scope != GROUP:
                    await self._numbers.taken()
            except (IllegalTransitionError, ConflictError):
                pass  # the incident was over, or an alert was said again, since it was looked up
        raise StoreUnavailableError(BUSY)

    async def _holder(self, group: str, alert: Known, context: Context) -> str | None:
        """The open incident of *group*, if there is one and its time for further alerts is not over."""
        stream = await self._store.holder(GROUP, group) if group else None
        if stream is None:
            return None
        window = timedelta(seconds=alert.opened.window_s)
        incident = (await self._handler.load(INCIDENT, key_of(stream))).state
        if window and incident and context.at - incident.record.milestones.declared > window:
            await self._store.append(AppendRequest(release=(Reservation(GROUP, group, stream),)))
            return None
        return key_of(stream)

    async def _declaration(self, alert: Known, context: Context) -> Declare:
        it = alert.opened
        return Declare(
            incident=str(new_id()),
            number=await self._numbers.propose(),
            service=it.service,
            title=it.summary,
            severity=it.severity,
            alert=it.alert,
            group=it.group,
            detected=min(it.at, context.at),
            by=it.integration,
            at=context.at,
        )

    async def _acknowledge(self, event: AlertAcknowledged, alert: Known) -> None:
        if not alert.opened.incident:
            return
        command = AcknowledgeAlert(by=event.by, reason=event.reason, at=event.at)
        context = self._context(Metadata(event.by))
        await self._handler.handle(INCIDENT, alert.opened.incident, command, context, effects=incident_effects)

    async def _clear(self, ended: Sequence[ResolvedAlert]) -> None:
        """Say to the incident of *ended* that they fire no more."""
        last, names = ended[-1], [each.opened.alert for each in ended]
        command = ClearAlert(alert=names[0], others=tuple(names[1:]), by=last.resolved_by, at=last.resolved_at)
        context = self._context(Metadata(last.resolved_by))
        await self._handler.handle(INCIDENT, last.opened.incident, command, context, effects=incident_effects)

    async def _load(self, alerts: Iterable[str]) -> list[Known]:
        loaded = await asyncio.gather(*(self._handler.load(ALERT, alert) for alert in dict.fromkeys(alerts)))
        return [each.state for each in loaded if each.state is not None]

    async def _save(self, batch: Batch) -> None:
        moves = self.ledger.unsaved() | self.ledger.moves([batch])

        def advance(connection: Any) -> None:  # noqa: ANN401  a sqlalchemy connection
            self.ledger.lock(connection)
            self.ledger.advance(connection, moves)

        await self._views.write(advance)
        self.ledger.committed(moves, ())

    def _context(self, cause: Metadata) -> Context:
        """The circumstances of one transaction that follows from what *cause* tells of."""
        metadata = Metadata(
            actor=NAME, auth_method="reaction", correlation_id=cause.correlation_id, traceparent=cause.traceparent
        )
        return Context.of_request(self._clock.now(), metadata)


def _waits(state: Known) -> bool:
    """Whether it is to page and does not belong to an incident yet; that it ended meanwhile changes nothing."""
    return state.opened.urgency == "high" and not state.opened.incident


def _by_incident(alerts: Iterable[Known]) -> Iterable[Sequence[ResolvedAlert]]:
    incidents: defaultdict[str, list[ResolvedAlert]] = defaultdict(list)
    for alert in alerts:
        if isinstance(alert, ResolvedAlert) and alert.opened.incident:
            incidents[alert.opened.incident].append(alert)
    return incidents.values()


def _join_command(alerts: Sequence[Known], context: Context) -> JoinAlert:
    first, *others = [alert.opened for alert in alerts]
    return JoinAlert(
        alert=first.alert,
        summary=first.summary,
        others=tuple(other.alert for other in others),
        by=first.integration,
        at=context.at,
    )


def _steps(alerts: Sequence[Known], incident: str, context: Context) -> tuple[Step[Any, Any, Any], ...]:
    return tuple(Step(ALERT, alert.opened.alert, Group(incident, context.at)) for alert in alerts)
