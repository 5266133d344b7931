"""What is said on the bus, and what incidents does about it.

Burn-rate alerts open and end alerts here. Own alerts are heard too: one that pages takes those of its group that wait
in the queue into its incident, and a ticket that fires later goes there by itself.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from libs.events.applied import applied
from libs.events.envelope import Context, Recorded
from libs.events.errors import ReservedError
from libs.events.handler import CommandHandler, Step
from libs.events.ids import derived_id
from libs.events.reactor import Act, Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.events.timers import Fire
from services.incidents.contract import ALERT, CONTRACT, INCIDENT, SERVICE
from services.incidents.domain.alert.commands import Move, RaiseUrgency
from services.incidents.domain.alert.decider import Known, Resolved
from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.incident.alerting import in_parts
from services.incidents.domain.incident.commands import ClearAlert, JoinAlert, TakeGroup
from services.incidents.domain.incident.events import (
    IncidentAlertJoined,
    IncidentDeclared,
    IncidentMerged,
    IncidentSplit,
)
from services.incidents.domain.incident.state import Merged, Record
from services.incidents.domain.incident.work_commands import UpdateFellDue
from services.incidents.domain.integration.decider import BURN_RATES
from services.incidents.effects import GROUP, UPDATE_DUE, incident_effects, update_due
from services.incidents.intake import Intake, Signal, key_of
from services.incidents.projections.alerts import ALERTS, queued

MOVING = "incidents.moving-alerts"
SLO_ALERTS = "incidents.slo-alerts"  # never changes: ids of alerts and incidents follow from it
URGENCY = "incidents.urgency"
_SLO = BURN_RATES
_TOGETHER = 100  # alerts that move in one transaction


@dataclass(frozen=True, slots=True)
class BurnRateAlertFired:
    """What we read of `alert.fired`: an error budget burns too fast."""

    alert: str
    slo: str
    service: str
    severity: Literal["page", "ticket"]
    short_window: str
    long_window: str
    burn_rate_long: float
    at: datetime


@dataclass(frozen=True, slots=True)
class BurnRateAlertResolved:
    """What we read of `alert.resolved`: it burns too fast no more."""

    alert: str
    at: datetime


def slo_alerts(resources: Resources) -> Reaction:
    """A page opens an alert and its incident, a ticket an alert in the queue; the end of either ends the alert.

    A ticket whose SLO has an open incident is a part of that.
    """
    intake = Intake(resources)

    async def fired(event: BurnRateAlertFired, recorded: Recorded, context: Context) -> None:
        alert, signal = str(derived_id(recorded.occurred_at, recorded.event_id, SLO_ALERTS, 0)), _signal(event)
        await intake.trigger(signal, alert, context)
        held = await resources.store.holder(GROUP, signal.group) if signal.urgency == "low" else None
        if held:
            why = {"by": _SLO, "reason": "of low urgency, but an incident of its SLO is open"}
            await _raise(resources.handler, alert, key_of(held), why, context.part("raise"))

    async def resolved(event: BurnRateAlertResolved, recorded: Recorded, context: Context) -> None:
        del recorded
        await intake.clear(_SLO, event.alert, event.at, context)

    return Reaction(
        name=SLO_ALERTS,
        source=_SLO,
        events=EventRegistry(
            {
                "io.concordat.slo.alert.fired.v1": BurnRateAlertFired,
                "io.concordat.slo.alert.resolved.v1": BurnRateAlertResolved,
            }
        ),
        act={BurnRateAlertFired: fired, BurnRateAlertResolved: resolved},
    )


def urgency(resources: Resources) -> Reaction:
    """An alert pages: what waits in the queue of its group is as urgent, and belongs to its incident."""

    async def paged(event: IncidentDeclared | IncidentAlertJoined, recorded: Recorded, context: Context) -> None:
        views, handler = resources.views, resources.handler
        incident = (await handler.load(INCIDENT, event.incident)).state
        groups = incident.record.groups if incident else ()
        if not event.alert or not groups:
            return
        await applied(resources, ALERTS, recorded, SERVICE)
        reason = f"of low urgency until alert {event.alert} of the same group fired: {_said(event)}"
        for alert in [each for group in groups for each in await views.read(queued, group)]:
            await _raise(handler, alert, event.incident, {"by": event.by, "reason": reason}, context.part(alert))

    acts: dict[type[object], Act] = {IncidentDeclared: paged, IncidentAlertJoined: paged}
    return Reaction(name=URGENCY, source=SERVICE, events=CONTRACT, act=acts)


async def _raise(handler: CommandHandler, alert: str, incident: str, why: Mapping[str, Any], context: Context) -> None:
    """Let an alert that waits in the queue be as urgent as *incident*, and a part of it, if that is not over."""
    loaded = await handler.load(ALERT, alert)
    if loaded.state is None or isinstance(loaded.state, Resolved) or loaded.state.opened.urgency == "high":
        return  # it is over, or another incident took it
    join = JoinAlert(alert=alert, summary=loaded.state.opened.summary, at=context.at, **why)
    with suppress(IllegalTransitionError):
        await handler.handle(
            ALERT,
            alert,
            RaiseUrgency(incident=incident, at=context.at, **why),
            context,
            expected=loaded.version,
            also=(Step(INCIDENT, incident, join, incident_effects),),
        )


def _said(event: IncidentDeclared | IncidentAlertJoined) -> str:
    return event.title if isinstance(event, IncidentDeclared) else event.summary


def moving(resources: Resources) -> Reaction:
    """Alerts follow their incident into the one that it was merged into, or that was split from it.

    Of incidents that follow each other it may be heard in any order: alerts go where they are by now.
    """
    handler = resources.handler

    async def moved(event: IncidentMerged | IncidentSplit, recorded: Recorded, context: Context) -> None:
        del recorded
        why: dict[str, Any] = {"by": event.by, "reason": event.reason, "at": context.at}
        for alerts in in_parts(await _concerned(handler, event), _TOGETHER):
            await _move(handler, alerts, event.into, why, context)
        into = await _survivor(handler, event.into)
        for group in event.groups if isinstance(event, IncidentMerged) else ():
            take = TakeGroup(**why, group=group)
            with suppress(ReservedError):  # a newer incident has it
                await handler.handle(INCIDENT, into.incident, take, context.part(group), effects=incident_effects)

    return Reaction(name=MOVING, source=SERVICE, events=CONTRACT, act={IncidentMerged: moved, IncidentSplit: moved})


async def _concerned(handler: CommandHandler, event: IncidentMerged | IncidentSplit) -> Sequence[str]:
    """The alerts that go elsewhere; of a merged incident all that it had, of which its event may name but the first."""
    if isinstance(event, IncidentSplit):
        return event.alerts
    merged = (await handler.load(INCIDENT, event.incident)).state
    return merged.record.alerts if merged else ()


async def _move(
    handler: CommandHandler, alerts: Sequence[str], into: str, why: Mapping[str, Any], context: Context
) -> None:
    """Let *alerts* belong to the incident that goes on with what *into* took over, but those that were split off."""
    before = await _known(handler, alerts)  # whose they are by now
    survivor = await _survivor(handler, into)
    its = set(survivor.alerts)
    moves = {
        each.opened.alert: Move(**why, incident=survivor.incident, was=each.opened.incident)
        for each in before
        if each.opened.alert in its
    }
    if not moves:
        return
    first, *others = [Step(ALERT, alert, move) for alert, move in moves.items()]
    part = context.part(first.key)
    await handler.handle(ALERT, first.key, first.command, part, also=others)
    ended = [each for each in await _known(handler, tuple(moves)) if isinstance(each, Resolved)]
    if ended:  # maybe just now, when their incident was another, which was told of it
        names = [each.opened.alert for each in ended]
        clear = ClearAlert(by=ended[-1].resolved_by, at=context.at, alert=names[0], others=tuple(names[1:]))
        await handler.handle(INCIDENT, survivor.incident, clear, part.part("clear"), effects=incident_effects)


async def _survivor(handler: CommandHandler, incident: str) -> Record:
    """The incident that goes on with what *incident* took over: that itself, unless it was merged, too."""
    state = (await handler.load(INCIDENT, incident)).state
    while isinstance(state, Merged):
        state = (await handler.load(INCIDENT, state.into)).state
    if state is None:
        raise AbsentError("incident")
    return state.record


async def _known(handler: CommandHandler, alerts: Sequence[str]) -> list[Known]:
    loaded = await asyncio.gather(*(handler.load(ALERT, alert) for alert in alerts))
    return [each.state for each in loaded if each.state is not None]


def timers(resources: Resources) -> Mapping[str, Fire]:
    """An update of an incident is due."""

    async def fire(timer: Timer, context: Context) -> None:
        incident, due = update_due(timer)
        command = UpdateFellDue(by=context.metadata.actor, at=context.at, due=due)
        await resources.handler.handle(INCIDENT, incident, command, context)

    return {UPDATE_DUE: fire}


def _signal(event: BurnRateAlertFired) -> Signal:
    return Signal(
        integration=_SLO,
        dedup_key=event.alert,
        group=f"{_SLO}/{event.slo}",
        service=event.service,
        urgency="high" if event.severity == "page" else "low",
        severity="sev2",
        summary=(
            f"{event.slo}: the error budget burns {event.burn_rate_long:.1f} times too fast"
            f" (over {event.long_window} and {event.short_window})"
        ),
        fired=event.at,
    )
