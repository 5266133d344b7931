"""Puts alerts that page into incidents: into the open one of their group, or else a new one.

What came together is written together: an incident has an event for each batch that joined it, not for each alert.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError, ReservedError, StoreUnavailableError
from libs.events.handler import Effects, Step
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Reservation, Timer
from services.incidents.contract import ALERT, INCIDENT
from services.incidents.domain.alert.commands import Group
from services.incidents.domain.alert.decider import Known
from services.incidents.domain.alert.decider import Resolved as ResolvedAlert
from services.incidents.domain.errors import IllegalTransitionError
from services.incidents.domain.incident.alerting import INTERVAL
from services.incidents.domain.incident.commands import Declare, JoinAlert
from services.incidents.domain.incident.decider import Incident
from services.incidents.domain.updates_policy import UpdatesPolicy
from services.incidents.effects import GROUP, incident_effects
from services.incidents.intake import BUSY, TRIES, Numbers, key_of

NAME: Final = "incidents.grouping"  # actor of what follows from alerts, and whose checkpoint it is: never renamed
TELLING: Final = "incident.alerts-told"  # whoever works on it was told of alerts long enough ago to be told again
_TOGETHER = 100  # alerts of one incident in one transaction


class Joining:
    """Writes alerts into incidents.

    Args:
        resources: The service's adapters.
        updates: How often who is concerned hears of an incident.
    """

    def __init__(self, resources: Resources, updates: UpdatesPolicy) -> None:
        self._updates = updates
        self._handler, self._store, self._clock = resources.handler, resources.store, resources.clock
        self._numbers = Numbers(resources.store)

    async def put(self, group: str, follows: Mapping[str, str], cause: Metadata) -> None:
        """Put alerts into the incident of *group*; by alert, *follows* is the one before it of the same identity."""
        alerts = list(follows.items())
        for start in range(0, len(alerts), _TOGETHER):
            await self._join(group, dict(alerts[start : start + _TOGETHER]), cause)

    async def load(self, alerts: Iterable[str]) -> list[Known]:
        """Those of *alerts* that there are, as they are now."""
        loaded = await asyncio.gather(*(self._handler.load(ALERT, alert) for alert in dict.fromkeys(alerts)))
        return [each.state for each in loaded if each.state is not None]

    def context(self, cause: Metadata) -> Context:
        """The circumstances of one transaction that follows from what *cause* tells of."""
        metadata = Metadata(
            actor=NAME, auth_method="reaction", correlation_id=cause.correlation_id, traceparent=cause.traceparent
        )
        return Context.of_request(self._clock.now(), metadata)

    async def _join(self, group: str, alerts: Mapping[str, str], cause: Metadata) -> None:
        """Put *alerts* into one incident: that which holds the group, or else a new one for the first of them."""
        for _ in range(TRIES):
            waiting = [state for state in await self.load(alerts) if waits(state)]
            if not waiting:
                return
            context = self.context(cause)
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
            update_every_minutes=self._updates.every_minutes(it.severity),
            by=it.integration,
            at=context.at,
        )


def waits(state: Known) -> bool:
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
