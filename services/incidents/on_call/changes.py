"""What a change of a person, a rotation, a schedule or a service sets in motion: schedules are looked at again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from libs.events import codec
from libs.events.handler import NO_EFFECTS, Effects
from libs.events.ids import new_id
from libs.events.store import Timer
from services.incidents.domain.person.events import PersonChanged, PersonErased, PersonRegistered
from services.incidents.domain.rotation.events import RotationChanged, RotationEnded
from services.incidents.domain.schedule.events import (
    OverrideCancelled,
    OverrideDecided,
    ScheduleDefined,
    ScheduleEnded,
    SwapApproved,
)

ERASING: Final = "person-erase"
LOOKING: Final = "schedule-look"
CHANGED: Final = "roster-changed"
_TURNING = (ScheduleDefined, ScheduleEnded, OverrideDecided, OverrideCancelled, SwapApproved)


class Erased(msgspec.Struct, frozen=True):
    """Somebody, whose contact row goes."""

    person: str


class Looked(msgspec.Struct, frozen=True):
    """A schedule that is looked at."""

    schedule: str


class Changed(msgspec.Struct, frozen=True):
    """What has changed: one of the four, by an event of the moment *at*."""

    at: datetime
    by: str
    reason: str
    rotation: str = ""
    schedule: str = ""
    person: str = ""
    service: str = ""


def changing(_: object, events: Sequence[Any]) -> Effects:
    """What a change of a person, a rotation or a schedule sets in motion."""
    for event in events:
        match event:
            case RotationChanged() | RotationEnded():
                return _because(event, rotation=event.rotation)
            case PersonRegistered() | PersonChanged() | PersonErased():
                return _because(event, person=event.person)
            case _ if isinstance(event, _TURNING):
                return _because(event, schedule=event.schedule)
            case _:
                continue
    return NO_EFFECTS


def looked_after(changed: Changed, of: str) -> Timer:
    """*changed*, unique by *of*, is looked at when timers fire, one after the other: nothing older is told later."""
    return Timer(f"{CHANGED}/{of}", changed.at, CHANGED, codec.encode(changed))


def _because(event: Any, **named: str) -> Effects:  # noqa: ANN401  any of those above
    changed = Changed(event.at, event.by, event.reason, **named)
    return Effects(schedule=(looked_after(changed, str(new_id())),))


def look_at(schedule: str, due: datetime) -> Timer:
    """The one timer of a schedule."""
    return Timer(f"{LOOKING}/{schedule}", due, LOOKING, codec.encode(Looked(schedule)))
