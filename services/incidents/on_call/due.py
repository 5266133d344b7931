"""What is due: turns of schedules, what changes bring about, and what a process that died did not erase."""

from collections.abc import Mapping
from typing import Final

from libs.events import codec
from libs.events.applied import applied
from libs.events.envelope import Context, Recorded
from libs.events.reactor import Act, Reaction
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Timer
from libs.events.timers import Fire
from services.incidents.domain.on_call.limits import OnCallPolicy
from services.incidents.on_call.changes import CHANGED, ERASING, LOOKING, Changed, Erased, Looked, looked_after
from services.incidents.on_call.watch import Watch
from services.incidents.projections.contacts import erase
from services.incidents.projections.known_services import (
    KNOWN_SERVICES,
    SERVICE_EVENTS,
    ServiceEngaged,
    ServicePhaseChanged,
    ServiceReleased,
)

PHASES: Final = "incidents.on-call-phases"
_ERASED: Final = codec.decoder(Erased)
_LOOKED: Final = codec.decoder(Looked)
_CHANGED: Final = codec.decoder(Changed)


def on_call_timers(resources: Resources, policy: OnCallPolicy) -> Mapping[str, Fire]:
    """What is done when its time has come."""
    watch = Watch(resources, policy)

    async def erased(timer: Timer, _: Context) -> None:
        await resources.views.write(erase, _ERASED.decode(timer.payload).person)

    async def looked(timer: Timer, context: Context) -> None:
        await watch.look(_LOOKED.decode(timer.payload).schedule, context)

    async def changed(timer: Timer, context: Context) -> None:
        await watch.after(_CHANGED.decode(timer.payload), context)

    return {ERASING: erased, LOOKING: looked, CHANGED: changed}


def phases(resources: Resources) -> Reaction:
    """A service moves on, or an SRE team comes or goes: its schedules may need other sides."""

    async def moved(
        event: ServicePhaseChanged | ServiceEngaged | ServiceReleased, recorded: Recorded, context: Context
    ) -> None:
        await applied(resources, KNOWN_SERVICES, recorded, "lifecycle")
        changed = Changed(context.at, context.metadata.actor, "", service=event.service)
        await resources.handler.append(AppendRequest(schedule=(looked_after(changed, f"service/{recorded.event_id}"),)))

    acts: dict[type[object], Act] = dict.fromkeys((ServicePhaseChanged, ServiceEngaged, ServiceReleased), moved)
    return Reaction(name=PHASES, source="lifecycle", events=SERVICE_EVENTS, act=acts)
