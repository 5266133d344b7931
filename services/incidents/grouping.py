"""Hears what happens to alerts and silences, and lets the incidents know: alerts join, are taken on, end.

It follows the service's own log, so that nothing but the database must work between an alert and its incident, and it
is the only one that does, so that ten thousand alerts of one group do not run for the same incident. An alert that no
incident takes is a dead letter and raises the alarm; all others go on.
"""

from collections import defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from libs.events.backoff import PASSING, side_by_side
from libs.events.envelope import Context, Metadata, Recorded
from libs.events.errors import ConflictError
from libs.events.handler import Effects, Step
from libs.events.projector import DeadLetterLimit
from libs.events.reactor import Reaction, Reactor
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Timer
from libs.events.timers import Fire
from services.incidents.config import IncidentsSettings, load_updates
from services.incidents.contract import ALERT, CONTRACT, INCIDENT, SERVICE, SILENCE
from services.incidents.domain.alert.commands import Silence
from services.incidents.domain.alert.decider import Known
from services.incidents.domain.alert.decider import Resolved as ResolvedAlert
from services.incidents.domain.alert.events import AlertAcknowledged, AlertResolved, AlertTriggered
from services.incidents.domain.errors import IllegalTransitionError
from services.incidents.domain.incident.commands import AcknowledgeAlert, ClearAlert, TellOfAlerts
from services.incidents.domain.silence.commands import Hold
from services.incidents.domain.silence.events import SilenceEnded, SilenceMade
from services.incidents.effects import incident_effects
from services.incidents.intake import key_of
from services.incidents.joining import NAME, TELLING, Joining, waits
from services.incidents.paging.alarm import Alarm
from services.incidents.projections.silences import ActiveSilence
from services.incidents.quiet import Quiet

AGAIN: Final = "alert.grouping"  # kinds of timers: an alert that was silenced is looked at again
CLEARING: Final = "alert.clearing"  # a flapping alert was quiet for long enough
OVER: Final = "silence.over"  # a silence was ended, and what it held is not all known yet
_AGAIN_AFTER = timedelta(seconds=30)
_HEARD = (AlertTriggered, AlertAcknowledged, AlertResolved, SilenceMade, SilenceEnded)
_EVENTS = EventRegistry({CONTRACT.name_of(event): event for event in _HEARD})
_Work = Coroutine[Any, Any, None]


class Grouping(Reactor):
    """Follows the log. Several processes may: whoever comes second changes nothing, and waits.

    Args:
        resources: The service's adapters.
        settings: When an alert counts as flapping.
        alarm: Says what cannot be grouped.
    """

    def __init__(self, resources: Resources, settings: IncidentsSettings, alarm: Alarm) -> None:
        reaction = Reaction(NAME, SERVICE, _EVENTS, together=self.hear)
        self._alarm = alarm
        never = DeadLetterLimit.never()  # who stands still calls nobody for any alert
        super().__init__(resources, [reaction], never, follows=NAME, refused=self._alarm.sound)
        self._flapping = settings.flapping_alerts
        self._quiet_for = timedelta(seconds=settings.flapping_quiet_s)
        self._quiet = Quiet(resources)
        self._joining = Joining(resources, load_updates(settings.updates_policy))
        self._handler, self._store = resources.handler, resources.store

    @property
    def timers(self) -> dict[str, Fire]:
        """What happens when its timers are due."""
        return {AGAIN: self._again, CLEARING: self._still, OVER: self._over, TELLING: self._tell}

    async def load(self) -> None:
        """Read where it stands."""
        await super().load()
        self._quiet.hear(self.ledger.position(SERVICE))

    async def hear(self, heard: Sequence[tuple[Any, Recorded]]) -> None:
        """Do what follows from these events; whoever hears them again changes nothing."""
        cause = heard[0][1].meta
        triggered = [event.alert for event, _ in heard if isinstance(event, AlertTriggered)]
        over = [(event.silence, each.position) for event, each in heard if isinstance(event, SilenceEnded)]
        taken_on = {event.alert: event for event, _ in heard if isinstance(event, AlertAcknowledged)}
        ended = [event.alert for event, _ in heard if isinstance(event, AlertResolved)]
        silences = [each.position for event, each in heard if isinstance(event, SilenceMade | SilenceEnded)]
        self._quiet.hear(max(silences, default=0))
        await self._group(triggered, cause)
        for silence, position in over:
            await self._uncover(silence, position, cause)
        work = [self._acknowledge(taken_on[each.opened.alert], each) for each in await self._joining.load(taken_on)]
        work += [self._clear(alerts) for alerts in _by_incident(await self._calm(await self._joining.load(ended)))]
        await side_by_side(work)

    async def _group(self, alerts: Iterable[str], cause: Metadata) -> None:
        """Put those of *alerts* that page into the open incident of their group, or into a new one."""
        now = self._clock.now()
        waiting = [state for state in await self._joining.load(alerts) if waits(state)]
        covered = await self._quiet.covered(waiting, now)
        before = await self._quiet.before(waiting, now)
        groups: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        work: list[_Work] = []
        for it in [state.opened for state in waiting]:
            if it.alert in covered:
                work.append(self._hold(it.alert, covered[it.alert], cause))
            else:
                groups[it.group, "" if it.group else it.alert][it.alert] = (before[it.alert] or [""])[-1]
        work += [self._joining.put(group, follows, cause) for (group, _), follows in groups.items()]
        await side_by_side(work)

    async def _again(self, timer: Timer, context: Context) -> None:
        """Look once more at an alert that was silenced until now."""
        alert = key_of(timer.key)
        await self._or_alarm(ALERT.stream(alert), self._group([alert], context.metadata))

    async def _still(self, timer: Timer, context: Context) -> None:
        """A flapping alert that ended was quiet since: say so to its incident."""
        del context
        for together in _by_incident(await self._joining.load([key_of(timer.key)])):
            await self._clear(together)

    async def _tell(self, timer: Timer, context: Context) -> None:
        """Let whoever works on the incident of *timer* be told of the alerts that joined since they were last told."""
        command = TellOfAlerts(by=NAME, at=context.at)
        await self._handler.handle(INCIDENT, key_of(timer.key), command, context, effects=incident_effects)

    async def _over(self, timer: Timer, context: Context) -> None:
        """A silence was ended a moment ago: look again at what it held."""
        silence = key_of(timer.key)
        await self._or_alarm(SILENCE.stream(silence), self._uncover(silence, 0, context.metadata))

    async def _or_alarm(self, stream: str, work: _Work) -> None:
        """Do *work* of a timer, which is tried again as long as it fails; say so loudly."""
        try:
            await work
        except (*PASSING, ConflictError):
            raise
        except Exception as error:
            await self._alarm.sound((await self._store.load(stream))[0], error)
            raise

    async def _uncover(self, silence: str, position: int, cause: Metadata) -> None:
        alerts, complete = await self._quiet.held_by(silence, position)
        if not complete:
            timer = Timer(f"silence-over/{silence}", self._clock.now() + _AGAIN_AFTER, OVER)
            await self._store.append(AppendRequest(schedule=(timer,)))
        await self._group(alerts, cause)

    async def _hold(self, alert: str, silence: ActiveSilence, cause: Metadata) -> None:
        """Note that *silence* covers the alert, and look at it again when that is over.

        It is noted before the silence is ended, or not at all: whoever hears of the end finds all that it held.
        """
        context = self._joining.context(cause)
        command = Silence(
            silence=silence.silence, until=silence.until, by=silence.by, reason=silence.reason, at=context.at
        )
        again = Effects(schedule=(Timer(f"alert-grouping/{alert}", silence.until, AGAIN),))
        stands = Step(SILENCE, silence.silence, Hold(context.at))
        try:
            await self._handler.handle(ALERT, alert, command, context, effects=again, also=(stands,))
        except IllegalTransitionError:  # it was ended since it was looked up
            await self._group([alert], cause)

    async def _calm(self, ended: Sequence[Known]) -> Sequence[Known]:
        """Those of *ended* that do not flap; the others are over when they were quiet for a while."""
        before = await self._quiet.before(ended, self._clock.now())
        flapping = [state.opened.alert for state in ended if len(before[state.opened.alert]) + 1 >= self._flapping]
        if flapping:
            due = self._clock.now() + self._quiet_for
            timers = tuple(Timer(f"alert-clearing/{alert}", due, CLEARING) for alert in flapping)
            await self._store.append(AppendRequest(schedule=timers))
        return [state for state in ended if state.opened.alert not in flapping]

    async def _acknowledge(self, event: AlertAcknowledged, alert: Known) -> None:
        if not alert.opened.incident:
            return
        command = AcknowledgeAlert(by=event.by, reason=event.reason, at=event.at)
        context = self._joining.context(Metadata(event.by))
        await self._handler.handle(INCIDENT, alert.opened.incident, command, context, effects=incident_effects)

    async def _clear(self, ended: Sequence[ResolvedAlert]) -> None:
        """Say to the incident of *ended* that they fire no more."""
        last, names = ended[-1], [each.opened.alert for each in ended]
        command = ClearAlert(alert=names[0], others=tuple(names[1:]), by=last.resolved_by, at=last.resolved_at)
        context = self._joining.context(Metadata(last.resolved_by))
        await self._handler.handle(INCIDENT, last.opened.incident, command, context, effects=incident_effects)


def _by_incident(alerts: Iterable[Known]) -> Iterable[Sequence[ResolvedAlert]]:
    incidents: defaultdict[str, list[ResolvedAlert]] = defaultdict(list)
    for alert in alerts:
        if isinstance(alert, ResolvedAlert) and alert.opened.incident:
            incidents[alert.opened.incident].append(alert)
    return incidents.values()
