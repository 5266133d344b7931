"""Puts alerts into incidents, and says to these when they end.

It reads the service's own log, so that nothing but the database must work between an alert and its incident, and it
is the only one that does, so that ten thousand alerts of one group do not run for the same incident. What came
together is written together: an incident has an event for each batch that joined it, not for each alert.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from libs.events.backoff import PASSING
from libs.events.envelope import Context, Metadata, Recorded
from libs.events.errors import ConflictError, ReservedError, StoreUnavailableError
from libs.events.feeds import StoreFeed
from libs.events.handler import Effects, Step
from libs.events.ids import new_id
from libs.events.ledger import Batch, Ledger
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Reservation, Timer
from libs.events.timers import Fire
from libs.events.views import note_consumer
from services.incidents.config import IncidentsSettings
from services.incidents.contract import ALERT, CONTRACT, INCIDENT, SERVICE
from services.incidents.domain.alert.commands import Group, Silence
from services.incidents.domain.alert.decider import Known
from services.incidents.domain.alert.decider import Resolved as ResolvedAlert
from services.incidents.domain.alert.events import AlertAcknowledged, AlertResolved, AlertTriggered
from services.incidents.domain.errors import IllegalTransitionError
from services.incidents.domain.incident.alerting import INTERVAL
from services.incidents.domain.incident.commands import AcknowledgeAlert, ClearAlert, Declare, JoinAlert, TellOfAlerts
from services.incidents.domain.incident.decider import Incident
from services.incidents.domain.silence.events import SilenceEnded, SilenceMade
from services.incidents.effects import GROUP, incident_effects
from services.incidents.intake import BUSY, TRIES, Numbers, key_of
from services.incidents.projections.silences import ActiveSilence
from services.incidents.quiet import Quiet

_LOG = logging.getLogger(__name__)

NAME: Final = "incidents.grouping"
AGAIN: Final = "alert.grouping"  # kinds of timers: what could not be grouped, or was silenced, is looked at again
CLEARING: Final = "alert.clearing"  # a flapping alert was quiet for long enough
TELLING: Final = "incident.alerts-told"  # whoever works on it was told of alerts long enough ago to be told again
OVER: Final = "silence.over"  # a silence was ended, and what it held is not all known yet
_AGAIN_AFTER = timedelta(seconds=30)
_EVENTS = 500  # until it says how far it came
_ALERTS = 100  # of one incident in one transaction
_EVENTS_OF = (AlertTriggered, AlertAcknowledged, AlertResolved, SilenceMade, SilenceEnded)
_HEARD = {CONTRACT.name_of(event) for event in _EVENTS_OF}


class Grouping:
    """Follows the log. Several processes may: whoever comes second changes nothing, and waits.

    Args:
        resources: The service's adapters.
        settings: When an alert counts as flapping.
    """

    name = NAME
    fenced = False  # whatever it does is a transaction, which says so itself

    def __init__(self, resources: Resources, settings: IncidentsSettings) -> None:
        self.ledger = Ledger(NAME, 0)
        self._flapping = settings.flapping_alerts
        self._quiet_for = timedelta(seconds=settings.flapping_quiet_s)
        self._quiet = Quiet(resources)
        self._clock = resources.clock
        self._handler, self._store, self._views = resources.handler, resources.store, resources.views
        self._numbers = Numbers(resources.store)

    @property
    def timers(self) -> dict[str, Fire]:
        """What happens when its timers are due."""
        return {AGAIN: self.again, CLEARING: self.clear, OVER: self.over, TELLING: self.tell}

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until *stop*."""
        await self._views.write(note_consumer, NAME, 0)
        await StoreFeed(self, self._store, SERVICE).run(stop)

    async def load(self) -> None:
        """Read where it stands."""
        await self._views.read(self.ledger.load)
        self._quiet.hear(self.ledger.position(SERVICE))

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
        heard = [(recorded, CONTRACT.decode(recorded)) for recorded in events if recorded.type in _HEARD]
        if not heard:
            return False
        cause = heard[0][0].meta
        for recorded, event in heard:
            if isinstance(event, SilenceMade | SilenceEnded):
                self._quiet.hear(recorded.position)
        await self.group([event.alert for _, event in heard if isinstance(event, AlertTriggered)], cause)
        for recorded, event in heard:
            if isinstance(event, SilenceEnded):
                await self._uncover(event.silence, recorded.position, cause)
        taken_on = {event.alert: event for _, event in heard if isinstance(event, AlertAcknowledged)}
        work = [self._acknowledge(taken_on[state.opened.alert], state) for state in await self._load(taken_on)]
        ended = await self._load(event.alert for _, event in heard if isinstance(event, AlertResolved))
        work += [self._clear(together) for together in _by_incident(await self._calm(ended))]
        await self._each([(each, ()) for each in work])
        return True

    async def group(self, alerts: Iterable[str], cause: Metadata) -> None:
        """Put those of *alerts* that page into the open incident of their group, or into a new one."""
        now = self._clock.now()
        waiting = [state for state in await self._load(alerts) if _waits(state)]
        covered = await self._quiet.covered(waiting, now)
        before = await self._quiet.before(waiting, now)
        groups: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        work: list[tuple[Coroutine[Any, Any, None], Sequence[str]]] = []
        for state in waiting:
            it = state.opened
            if it.alert in covered:
                work.append((self._hold(it.alert, covered[it.alert], cause), (it.alert,)))
            else:
                groups[it.group, "" if it.group else it.alert][it.alert] = (before[it.alert] or [""])[-1]
        work += [(self._put(group, follows, cause), tuple(follows)) for (group, _), follows in groups.items()]
        await self._each(work)

    async def again(self, timer: Timer, context: Context) -> None:
        """Look once more at an alert that could not be grouped, or that was silenced until now."""
        await self.group([key_of(timer.key)], context.metadata)

    async def clear(self, timer: Timer, context: Context) -> None:
        """A flapping alert that ended was quiet since: say so to its incident."""
        del context
        for together in _by_incident(await self._load([key_of(timer.key)])):
            await self._clear(together)

    async def tell(self, timer: Timer, context: Context) -> None:
        """Let whoever works on the incident of *timer* be told of the alerts that joined since they were last told."""
        command = TellOfAlerts(by=NAME, at=context.at)
        await self._handler.handle(INCIDENT, key_of(timer.key), command, context, effects=incident_effects)

    async def over(self, timer: Timer, context: Context) -> None:
        """A silence was ended a moment ago: look again at what it held."""
        await self._uncover(key_of(timer.key), 0, context.metadata)

    async def _uncover(self, silence: str, position: int, cause: Metadata) -> None:
        alerts, complete = await self._quiet.held_by(silence, position)
        if not complete:
            timer = Timer(f"silence-over/{silence}", self._clock.now() + _AGAIN_AFTER, OVER)
            await self._store.append(AppendRequest(schedule=(timer,)))
        await self.group(alerts, cause)

    async def _hold(self, alert: str, silence: ActiveSilence, cause: Metadata) -> None:
        """Note that *silence* covers the alert, and look at it again when that is over."""
        context = self._context(cause)
        command = Silence(
            silence=silence.silence, until=silence.until, by=silence.by, reason=silence.reason, at=context.at
        )
        timer = Timer(f"alert-grouping/{alert}", silence.until, AGAIN)
        await self._handler.handle(ALERT, alert, command, context, effects=Effects(schedule=(timer,)))

    async def _calm(self, ended: Sequence[Known]) -> Sequence[Known]:
        """Those of *ended* that do not flap; the others are over when they were quiet for a while."""
        before = await self._quiet.before(ended, self._clock.now())
        flapping = [state.opened.alert for state in ended if len(before[state.opened.alert]) + 1 >= self._flapping]
        if flapping:
            due = self._clock.now() + self._quiet_for
            timers = tuple(Timer(f"alert-clearing/{alert}", due, CLEARING) for alert in flapping)
            await self._store.append(AppendRequest(schedule=timers))
        return [state for state in ended if state.opened.alert not in flapping]

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

    async def _put(self, group: str, follows: Mapping[str, str], cause: Metadata) -> None:
        alerts = list(follows.items())
        for start in range(0, len(alerts), _ALERTS):
            await self._join(group, dict(alerts[start : start + _ALERTS]), cause)

    async def _join(self, group: str, alerts: Mapping[str, str], cause: Metadata) -> None:
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
                        effects=_joining, also=_steps(waiting, held, alerts, context),
                    )  # fmt: skip
                else:
                    declare = await self._declaration(waiting[0], context)
                    await self._handler.handle(
                        INCIDENT, declare.incident, declare, context,
                        effects=incident_effects, also=_steps(waiting[:1], declare.incident, alerts, context),
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
    """Whether it is to page and does not belong to an incident yet; that it ended, unsilenced, changes nothing."""
    if isinstance(state, ResolvedAlert) and state.before.silenced:
        return False
    return state.opened.urgency == "high" and not state.opened.incident


def _joining(state: Incident, events: tuple[Any, ...]) -> Effects:
    """As ever; and whoever was told of alerts a moment ago is told of further ones when the interval is over."""
    effects = incident_effects(state, events)
    if state is None or not state.record.untold or state.record.told is None:
        return effects
    timer = Timer(f"{TELLING}/{state.record.incident}", state.record.told + INTERVAL, TELLING)
    return replace(effects, schedule=(*effects.schedule, timer))


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


def _steps(
    alerts: Sequence[Known], incident: str, follows: Mapping[str, str], context: Context
) -> tuple[Step[Any, Any, Any], ...]:
    names = [alert.opened.alert for alert in alerts]
    return tuple(Step(ALERT, name, Group(incident, context.at, follows.get(name, ""))) for name in names)
