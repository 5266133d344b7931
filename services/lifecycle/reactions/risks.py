"""What is done about risks when something else changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from libs.events.applied import applied
from libs.events.envelope import Context, Recorded
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import Timer
from services.lifecycle import timetable
from services.lifecycle.contract import CONTRACT, RISK_REGISTER
from services.lifecycle.domain.risk_register.commands import Lapse, Measure, Recognise, Reconsider
from services.lifecycle.domain.risk_register.events import RiskAccepted, RiskAssessed
from services.lifecycle.domain.risk_register.policy import RiskPolicy
from services.lifecycle.projections.incident_times import INCIDENT_TIMES
from services.lifecycle.projections.risks import took_of
from services.lifecycle.projections.slo_targets import (
    SLO_TARGETS,
    SLO_TARGETS_EVENTS,
    TargetDefined,
    TargetEnded,
    services_of,
    strictest_of,
    was_promised,
)
from services.lifecycle.reactions.heard import IncidentClassified

_INCIDENT: Final = "io.concordat.incidents.incident"


@dataclass(frozen=True, slots=True)
class IncidentTimed:
    """What is read of an incident when one of its times has become known, or another."""

    incident: str
    service: str
    at: datetime


_TIMED: Final = {
    f"{_INCIDENT}.{verb}.v1": IncidentTimed for verb in ("mitigated", "resolved", "reopened", "milestone-corrected")
}


def risk_reactions(resources: Resources, policy: RiskPolicy) -> Sequence[Reaction]:
    """What changes the register of a service without anybody's command."""
    return _promises(resources, policy), _acceptances(resources, policy), _realised_risks(resources)


async def acceptance_lapses(resources: Resources, timer: Timer, context: Context) -> None:
    """The time of an accepted risk is over."""
    service = timetable.key_of(timer)
    await resources.handler.handle(RISK_REGISTER, service, Lapse(service, context.at), context)


def _promises(resources: Resources, policy: RiskPolicy) -> Reaction:
    """An SLO has changed: see which risks can still be lived with."""

    async def act(event: TargetDefined | TargetEnded, recorded: Recorded, context: Context) -> None:
        await applied(resources, SLO_TARGETS, recorded, "slo")
        for service in await resources.views.read(services_of, event.slo):
            promise = await resources.views.read(strictest_of, service)
            command = Reconsider(service, promise, policy, context.at)
            await resources.handler.handle(RISK_REGISTER, service, command, context.part(service))

    return Reaction(
        name="lifecycle.promises",
        source="slo",
        events=EventRegistry(SLO_TARGETS_EVENTS),
        act={TargetDefined: act, TargetEnded: act},
    )


def _acceptances(resources: Resources, policy: RiskPolicy) -> Reaction:
    """A risk was accepted, or assessed anew: see whether the SLO has changed in that very moment."""

    async def act(event: RiskAccepted | RiskAssessed, _: Recorded, context: Context) -> None:
        promise = await resources.views.read(strictest_of, event.service)
        if promise is None and not await resources.views.read(was_promised, event.service):
            return  # an acceptance names an SLO: that is still to be heard of, as in a log that is read from the start
        command = Reconsider(event.service, promise, policy, context.at)
        await resources.handler.handle(RISK_REGISTER, event.service, command, context)

    return Reaction(
        name="lifecycle.acceptances", source="lifecycle", events=CONTRACT, act={RiskAccepted: act, RiskAssessed: act}
    )


def _realised_risks(resources: Resources) -> Reaction:
    """An incident was classified: it counts for the risks of its service that bear its cause, by its own times."""

    async def classified(event: IncidentClassified, recorded: Recorded, context: Context) -> None:
        await applied(resources, INCIDENT_TIMES, recorded, "incidents")
        took = await resources.views.read(took_of, event.incident)
        command = Recognise(event.service, event.incident, event.outage_class, took, context.metadata.actor, event.at)
        await resources.handler.handle(RISK_REGISTER, event.service, command, context)

    async def timed(event: IncidentTimed, recorded: Recorded, context: Context) -> None:
        await applied(resources, INCIDENT_TIMES, recorded, "incidents")
        command = Measure(event.service, event.incident, await resources.views.read(took_of, event.incident), event.at)
        await resources.handler.handle(RISK_REGISTER, event.service, command, context)

    return Reaction(
        name="lifecycle.realised-risks",
        source="incidents",
        events=EventRegistry({f"{_INCIDENT}.classified.v1": IncidentClassified, **_TIMED}),
        act={IncidentClassified: classified, IncidentTimed: timed},
    )
