"""Calls people for incidents: from what happens to them, and from timers.

It follows the service's own log, so that nothing but the database must work between an incident and a call. What is
decided is stored with the wish to send it, and the timer of the next step, in one transaction; ids follow from what
caused it, so that deciding twice calls once.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from prometheus_client import Counter

from libs.events.envelope import Context, Recorded
from libs.events.errors import ConflictError, StoreUnavailableError
from libs.events.handler import Loaded, Step
from libs.events.reactor import Act, Reaction, Reactor
from libs.events.resources import Resources
from libs.events.store import AppendRequest, StreamWrite, Timer
from libs.events.timers import Fire
from services.incidents.config import IncidentsSettings
from services.incidents.contract import CONTRACT, ESCALATION, INCIDENT, NOTIFICATION, SERVICE
from services.incidents.domain.escalation.commands import (
    Begin,
    CallFurther,
    Command,
    End,
    Hold,
    NoteUndelivered,
    Reassure,
    Replan,
    TellResponder,
)
from services.incidents.domain.escalation.events import Cause, EscalationBegun, EscalationUnassigned, PageSent
from services.incidents.domain.escalation.state import (
    Climbing,
    Ended,
    Escalation,
    Held,
    Paused,
    Record,
    Spent,
    due,
    forsaken,
    undelivered,
)
from services.incidents.domain.incident.decider import Active, Mitigated, Triage
from services.incidents.domain.incident.events import (
    IncidentAcknowledged,
    IncidentAlertJoined,
    IncidentAlertsTold,
    IncidentCancelled,
    IncidentDeclared,
    IncidentFact,
    IncidentMerged,
    IncidentMitigated,
    IncidentNoted,
    IncidentReopened,
    IncidentResolved,
    IncidentStageChanged,
)
from services.incidents.domain.incident.work_events import (
    IncidentRoleAssumed,
    IncidentSeverityChanged,
    IncidentUpdatePosted,
)
from services.incidents.domain.notification.commands import Request
from services.incidents.domain.notification.decider import FIRST
from services.incidents.domain.notification.events import AttemptEnded, Message
from services.incidents.intake import BUSY
from services.incidents.paging.alarm import Alarm
from services.incidents.paging.digests import Digests
from services.incidents.paging.finding import Finding
from services.incidents.paging.messages import about
from services.incidents.paging.plans import fallback_of, plan_of
from services.incidents.paging.taking import Taken, take, take_beside, take_further, through_or_last_resort
from services.incidents.paging.waking import CLIMBING, timer, waking

NAME: Final = "incidents.paging"  # never changes: ids of what it does follow from it
_TOO_LATE = FIRST * 4  # after the third attempt, or as the channel asks: the next step is taken, and it is tried on
_TRIES = 8

CALLED: Final = Counter("concordat_incidents_pages", "People called, once per person and step")
UNASSIGNED: Final = Counter("concordat_incidents_unassigned", "Incidents for which nobody could be called")


class Paging:
    """Decides who is called when.

    Attributes:
        digests: What is not urgent, and is said once a day.
    """

    def __init__(self, resources: Resources, settings: IncidentsSettings, alarm: Alarm) -> None:
        self._resources, self._fallback = resources, settings.paging_fallback
        self.digests, self._finding, self._alarm = Digests(resources), Finding(resources), alarm

    @property
    def reactor(self) -> Reactor:
        """Follows the log of incidents."""
        acts: dict[type[object], Act] = {
            IncidentDeclared: self._declared,
            IncidentSeverityChanged: self._severity_changed,
            IncidentAcknowledged: self._taken_on,
            IncidentStageChanged: self._worked_on,
            IncidentReopened: self._taken_on,
            IncidentNoted: self._lives,
            IncidentRoleAssumed: self._lives,
            IncidentUpdatePosted: self._lives,
            IncidentMitigated: self._over,
            IncidentResolved: self._over,
            IncidentCancelled: self._over,
            IncidentMerged: self._over,
            IncidentAlertJoined: self._joined,
            IncidentAlertsTold: self._joined,
            AttemptEnded: self._answered,
            **self._finding.acts,
        }
        return self._alarm.follower(NAME, Reaction(NAME, SERVICE, CONTRACT, acts), self.digests.low)

    @property
    def timers(self) -> Mapping[str, Fire]:
        """What happens when a step is due, or an acknowledgement is forgotten."""
        return {CLIMBING: self._due}

    async def _declared(self, event: IncidentDeclared, _: Recorded, context: Context) -> None:
        handler = self._resources.handler
        incident = (await handler.load(INCIDENT, event.incident)).state
        before = await handler.load(ESCALATION, event.incident)
        if before.version or not isinstance(incident, Triage | Active):  # heard already, or it is over
            return
        planned = (await plan_of(self._resources, event.service, event.severity)).begins
        names: dict[str, Any] = {name: getattr(event, name) for name in ("incident", "number", "service", "title")}
        begun = EscalationBegun(**names, **planned, severity=event.severity, rule=event.group, at=context.at)
        record = Record(begun)
        taken = await (
            self._take(record, (1, 1), "declared", context)
            if isinstance(incident, Triage)
            else self._finding.find(take_beside, record, context, ())
        )
        await self._carry(event.incident, Begin(begun=begun, first=taken.step), context, taken.messages, expected=0)

    async def _severity_changed(self, event: IncidentSeverityChanged, _: Recorded, context: Context) -> None:
        """Other sides are called, a further one at once; nobody twice for that, unless all were called in vain."""
        planned = (await plan_of(self._resources, event.service, event.severity)).begins

        async def replanned(loaded: Loaded[Escalation]) -> None:
            state = loaded.state
            if state is None or isinstance(state, Ended):
                return
            before = state.record.begun
            record = replace(state.record, begun=replace(before, **planned, severity=event.severity))
            taken = await (
                self._take(record, (1, 1), "severity", context)
                if not record.begun.quiet and (before.quiet or isinstance(state, Spent))
                else self._finding.find(take_beside, record, context, {each.person for each in record.called})
            )
            replan = Replan(begun=record.begun, first=taken.step, at=context.at)
            await self._carry(event.incident, replan, context, taken.messages, expected=loaded.version)

        await self._as_it_is(event.incident, replanned)

    async def _taken_on(self, event: IncidentAcknowledged | IncidentReopened, _: Recorded, context: Context) -> None:
        await self._ask(event.incident, Hold(by=event.by, reason=event.reason, at=_then(event, context)), context)

    async def _worked_on(self, event: IncidentStageChanged, _: Recorded, context: Context) -> None:
        """Also when all alerts ended, which is nobody's work: who has it goes on having it."""
        command = Reassure(by=event.by, reason=event.reason, at=_then(event, context))
        await self._ask(event.incident, command, context)

    async def _lives(
        self, event: IncidentNoted | IncidentRoleAssumed | IncidentUpdatePosted, _: Recorded, context: Context
    ) -> None:
        """A word in the timeline, a role or an update shows that an incident that somebody has is not forgotten."""
        loaded = await self._resources.handler.load(ESCALATION, event.incident)
        if isinstance(loaded.state, Held) and loaded.state.due is not None:
            hold = Hold(by=loaded.state.by, at=_then(event, context))
            await self._carry(event.incident, hold, context, {}, expected=loaded.version)

    async def _over(self, event: IncidentFact, recorded: Recorded, context: Context) -> None:
        why = recorded.type.split(".")[4]
        await self._ask(event.incident, End(by=event.by, reason=why, at=context.at), context)

    async def _joined(self, event: IncidentAlertJoined | IncidentAlertsTold, _: Recorded, context: Context) -> None:
        """Whoever works on it hears of further alerts, as often as the event says; also after it was mitigated.

        Where nobody does, since all were called in vain, they are called anew.
        """
        await self._climb(event.incident, partial(forsaken, at=context.at), context.part("anew"))
        if not event.notify:
            return  # as nearly always in a storm
        loaded = await self._resources.handler.load(ESCALATION, event.incident)
        incident = (await self._resources.handler.load(INCIDENT, event.incident)).state
        if not isinstance(loaded.state, Held | Ended) or not isinstance(incident, Active | Mitigated):
            return
        person = loaded.state.by if isinstance(loaded.state, Held) else incident.record.acknowledged_by
        alerts = len(incident.record.alerts)
        why = f"{person} took it on. {alerts} alerts belong to it by now, the last: {event.summary}"
        said = about(loaded.state.record.begun, "more-alerts", why)
        targets = await fallback_of(self._resources, self._fallback)
        await self._finding.shown()
        messages = await self._resources.views.read(through_or_last_resort, said, f"person/{person}", targets, context)
        told = TellResponder(person=person, alerts=alerts, notifications=tuple(messages), at=context.at)
        await self._carry(event.incident, told, context, messages, expected=loaded.version)

    async def _answered(self, event: AttemptEnded, _: Recorded, context: Context) -> None:
        """What does not arrive is no call: when nothing of a step does, the next one is taken at once."""
        lost = event.outcome == "failed" or (event.next_at is not None and event.next_at - event.at >= _TOO_LATE)
        if not lost or not event.message.page:
            return
        incident, person = event.message.incident, event.message.person
        note = NoteUndelivered(notification=event.notification, person=person, detail=event.detail, at=context.at)
        await self._ask(incident, note, context)
        await self._climb(incident, undelivered, context.part("climb"))
        await self._call_further(incident, context.part("further"))

    async def _due(self, fired: Timer, context: Context) -> None:
        await self._climb(fired.key.partition("/")[2], partial(due, at=context.at), context)

    async def _climb(self, incident: str, why: Callable[[Escalation], Cause | None], context: Context) -> None:
        """Take the next step if *why* gives a cause."""

        async def climbed(loaded: Loaded[Escalation]) -> None:
            state, cause = loaded.state, why(loaded.state)
            if cause is None or not isinstance(state, Climbing | Held | Paused | Spent):
                return
            climbing = isinstance(state, Climbing)
            record = state.record if climbing else replace(state.record, unassigned=False)
            here = context.part(str(loaded.version))  # a timer of the same moment may be due again, for another step
            taken = await self._take(record, state.place if climbing else (1, 1), cause, here)
            again_at = taken.step.climbed.due
            if isinstance(state, Climbing) and state.waits and taken.waits and again_at is not None:
                unmoved = StreamWrite(loaded.stream, loaded.version, ())  # there is nothing new to say
                again = AppendRequest((unmoved,), schedule=(timer(incident, again_at),))
                await self._resources.store.append(again)
            else:
                await self._carry(incident, taken.step, here, taken.messages, expected=loaded.version)

        await self._as_it_is(incident, climbed)

    async def _call_further(self, incident: str, context: Context) -> None:
        """Where nothing of what a further side was sent arrives, its next step is taken at once."""

        async def called(loaded: Loaded[Escalation]) -> None:
            state = loaded.state
            if not isinstance(state, Climbing | Held) or not state.record.further_lost:
                return
            holder = state.by if isinstance(state, Held) else ""
            taken = await self._finding.find(take_further, state.record, context, holder)
            if taken.step is not None:
                command = CallFurther(called=taken.step)
                await self._carry(incident, command, context, taken.messages, expected=loaded.version)

        await self._as_it_is(incident, called)

    async def _as_it_is(self, incident: str, act: Callable[[Loaded[Escalation]], Awaitable[None]]) -> None:
        """Let *act* go by the escalation as it is; anew when somebody took it on meanwhile, or it moved.

        Raises:
            StoreUnavailableError: Others keep being first; try again.
        """
        for _ in range(_TRIES):
            with suppress(ConflictError):
                return await act(await self._resources.handler.load(ESCALATION, incident))
        raise StoreUnavailableError(BUSY)

    async def _take(self, record: Record, place: tuple[int, int], cause: Cause, context: Context) -> Taken:
        targets = await fallback_of(self._resources, self._fallback)
        return await self._finding.find(take, record, place, cause, context, targets)

    async def _ask(self, incident: str, command: Command, context: Context) -> None:
        await self._carry(incident, command, context, {}, expected=None)

    async def _carry(
        self,
        incident: str,
        command: Command,
        context: Context,
        messages: Mapping[str, Message],
        *,
        expected: int | None,
    ) -> None:
        outcome = await self._resources.handler.handle(
            ESCALATION,
            incident,
            command,
            context,
            expected=expected,
            effects=waking,
            also=[
                Step(NOTIFICATION, key, Request(notification=key, message=message, at=context.at))
                for key, message in messages.items()
            ],
        )
        CALLED.inc(sum(isinstance(event, PageSent) for event in outcome.events))
        UNASSIGNED.inc(sum(isinstance(event, EscalationUnassigned) for event in outcome.events))


def _then(event: IncidentFact, context: Context) -> datetime:
    """When it happened; an incident's events are never earlier than those before, also when a clock was set back."""
    return min(event.at, context.at)
