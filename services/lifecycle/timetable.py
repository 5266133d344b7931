"""What engagements have waiting: when somebody or something looks again."""

from datetime import datetime
from typing import Final

import msgspec

from libs.events import codec
from libs.events.handler import NO_EFFECTS, Effects
from libs.events.store import Timer
from services.lifecycle.domain.engagement.events import EngagementEnded, Event, HandedBack
from services.lifecycle.domain.engagement.state import Engagement

LOOKING: Final = "engagement-look"
WATCHING: Final = "engagement-watch"


class _Due(msgspec.Struct, frozen=True):
    key: str


_DUE: Final = codec.decoder(_Due)


def key_of(timer: Timer) -> str:
    """What *timer* is about."""
    return _DUE.decode(timer.payload).key


def look(engagement: str, at: datetime) -> Timer:
    """When ground rules and cadences are looked at the next time."""
    return _timer(LOOKING, engagement, at)


def watching(_: Engagement | None, events: tuple[Event, ...]) -> Effects:
    """A hand-back ends the looking, and is compared with the time before when its watch is over."""
    for event in events:
        if isinstance(event, HandedBack | EngagementEnded):
            compare = _timer(WATCHING, event.engagement, event.watched_until)
            return Effects(schedule=(compare,), cancel=(f"{LOOKING}/{event.engagement}",))
    return NO_EFFECTS


def _timer(kind: str, key: str, at: datetime) -> Timer:
    return Timer(f"{kind}/{key}", at, kind, codec.encode(_Due(key)))
