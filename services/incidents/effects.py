"""What an incident changes beside its events, in the same transaction: names that only one may hold, and timers."""

import re
from datetime import datetime
from typing import Final

import msgspec

from libs.events import codec
from libs.events.handler import NO_EFFECTS, Effects
from libs.events.store import EventLog, Reservation, Timer
from services.incidents.contract import INCIDENT
from services.incidents.domain.incident.events import (
    Event,
    IncidentCancelled,
    IncidentDeclared,
    IncidentGroupTaken,
    IncidentMerged,
    IncidentReopened,
    IncidentResolved,
)
from services.incidents.domain.incident.state import Incident, Known
from services.incidents.domain.incident.work_events import IncidentCadenceSet, IncidentUpdatePosted

GROUP: Final = "incident-group"
NUMBER: Final = "incident-number"
UPDATE_DUE: Final = "incident-update-due"
_CALLED: Final = re.compile(r"[Ii][Nn][Cc]-[1-9][0-9]{0,17}")
_MOVES_UPDATES: Final = (
    IncidentDeclared,
    IncidentCadenceSet,
    IncidentUpdatePosted,
    IncidentResolved,
    IncidentCancelled,
    IncidentMerged,
)


class _Due(msgspec.Struct, frozen=True):
    incident: str
    due: datetime


_DUE: Final = codec.decoder(_Due)


def incident_effects(state: Incident, events: tuple[Event, ...]) -> Effects:
    """An incident holds its number for ever, its groups until it is over, and its timer while an update is awaited."""
    if state is None:
        return NO_EFFECTS
    record = state.record
    stream = INCIDENT.stream(record.incident)
    groups = tuple(Reservation(GROUP, group, stream) for group in record.groups)
    reserve: list[Reservation] = []
    release: list[Reservation] = []
    for event in events:
        match event:
            case IncidentDeclared():
                reserve += [Reservation(NUMBER, record.number, stream), *groups]
            case IncidentReopened():
                reserve += groups
            case IncidentGroupTaken(group=group):
                reserve += [Reservation(GROUP, group, stream)]
            case IncidentResolved() | IncidentCancelled() | IncidentMerged():
                release += groups
            case _:
                pass
    schedule, cancel = _update_timer(state, events)
    return Effects(tuple(reserve), tuple(release), schedule, cancel)


def _update_timer(state: Known, events: tuple[Event, ...]) -> tuple[tuple[Timer, ...], tuple[str, ...]]:
    """The timer that finds out whether who is concerned was told in time, if one is to be set or taken away."""
    if not any(isinstance(event, _MOVES_UPDATES) for event in events):
        return (), ()
    incident, updates = state.record.incident, state.record.updates
    key, due = f"{UPDATE_DUE}/{incident}", updates.next_due
    if due is None:
        return (), (key,) if updates.every_minutes or any(
            isinstance(event, IncidentCadenceSet) for event in events
        ) else ()
    return (Timer(key, due, UPDATE_DUE, codec.encode(_Due(incident, due))),), ()


def update_due(timer: Timer) -> tuple[str, datetime]:
    """The incident that *timer* is about, and when its update is due."""
    found = _DUE.decode(timer.payload)
    return found.incident, found.due


async def find_incident(log: EventLog, reference: str) -> str:
    """The id of the incident that people call *reference*: its number in any case of letters, or its id."""
    if not _CALLED.fullmatch(reference):
        return reference
    held = await log.holder(NUMBER, reference.upper())
    return held.partition("/")[2] if held else reference
