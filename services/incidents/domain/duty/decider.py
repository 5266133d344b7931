"""What is told is told once: others hear of a schedule when something about it is new."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.incidents.domain.duty.commands import Look
from services.incidents.domain.duty.events import (
    Event,
    LimitBreached,
    LimitKept,
    ScheduleChanged,
    Scheduled,
    ShiftsMoved,
)
from services.incidents.domain.on_call.limits import Breach


@dataclass(frozen=True, slots=True)
class Told:
    """What was told last."""

    services: tuple[str, ...] = ()
    members: tuple[Scheduled, ...] = ()
    active_since: datetime | None = None
    broken: tuple[tuple[str, str], ...] = ()


NOTHING = Told()


def decide(command: Look, state: Told) -> tuple[Event, ...]:
    """The facts that are new."""
    return tuple(_news(command, state))


def _news(command: Look, state: Told) -> Iterator[Event]:
    named: dict[str, Any] = {"schedule": command.schedule, "services": command.services, "at": command.at}
    if (state.services, state.members) != (command.services, command.members):
        new_side = {each.side for each in command.members} - {each.side for each in state.members}
        since = command.at if new_side or state.active_since is None else state.active_since
        yield ScheduleChanged(**named, members=command.members, active_since=since)
    yield from command.moved
    for breach in (*command.once, *command.standing):
        if breach in command.once or (breach.limit, breach.subject) not in state.broken:
            yield _breached(named, breach)
    standing = {(breach.limit, breach.subject) for breach in command.standing}
    for limit, subject in state.broken:
        if (limit, subject) not in standing:
            yield LimitKept(**named, limit=limit, subject=subject)


def evolve(state: Told, event: Event) -> Told:
    """The state after one more fact."""
    match event:
        case ScheduleChanged():
            return replace(state, services=event.services, members=event.members, active_since=event.active_since)
        case LimitBreached(limit=limit, subject=subject):
            return state if limit == "incidents_per_shift" else replace(state, broken=(*state.broken, (limit, subject)))
        case LimitKept(limit=limit, subject=subject):
            return replace(state, broken=tuple(each for each in state.broken if each != (limit, subject)))
        case ShiftsMoved():
            return state


def _breached(named: dict[str, Any], breach: Breach) -> LimitBreached:
    return LimitBreached(
        **named,
        limit=breach.limit,
        subject=breach.subject,
        value=breach.value,
        allowed=breach.allowed,
        detail=breach.detail,
        source=breach.source,
    )
