"""What engagements and waivers have waiting: when somebody or something looks again."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from libs.events import codec
from libs.events.handler import NO_EFFECTS, Effects
from libs.events.store import Reservation, Timer
from services.lifecycle.domain.engagement.events import EngagementEnded, Event, HandedBack
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.decider import Item
from services.lifecycle.domain.engagement_item.events import Event as ItemEvent
from services.lifecycle.domain.waiver.decider import Over, Requested, Waiver
from services.lifecycle.domain.waiver.events import Event as WaiverEvent
from services.lifecycle.domain.waiver.events import WaiverApproved, WaiverRenewed, WaiverRequested

LOOKING: Final = "engagement-look"
WATCHING: Final = "engagement-watch"
ITEM_DUE: Final = "engagement-item-due"
_WAIVER: Final = "waiver"  # its timers, and the reservations `<service>/<check>`: one of them at a time


class _Due(msgspec.Struct, frozen=True):
    key: str


_DUE: Final = codec.decoder(_Due)


def key_of(timer: Timer) -> str:
    """What *timer* is about."""
    return _DUE.decode(timer.payload).key


def waiving(state: Waiver, events: tuple[WaiverEvent, ...]) -> Effects:
    """Its place among waivers, and the timer by which it ends."""
    if not events or state is None:
        return Effects()
    request = state.last.request if isinstance(state, Over) else state.request
    key = stream = f"{_WAIVER}/{request.waiver}"
    place = Reservation(_WAIVER, f"{request.service}/{request.check}", stream)
    if isinstance(state, Over):
        return Effects(release=(place,), cancel=(key,))
    due = [each.expires_at for each in events if isinstance(each, WaiverRequested | WaiverApproved | WaiverRenewed)]
    timer = _timer(_WAIVER, request.waiver, due[-1])
    reserve = (place,) if isinstance(state, Requested) else ()
    return Effects(reserve=reserve, schedule=(timer,))


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


def reminding(item: Item | None, events: tuple[ItemEvent, ...]) -> Effects:
    """On the morning after an item's day somebody is reminded, unless it is over by then."""
    if item is None or not events:
        return NO_EFFECTS
    due = item.content.due
    if due is None or not item.allowed:
        return Effects(cancel=(f"{ITEM_DUE}/{item.item}",))
    morning = datetime(due.year, due.month, due.day, tzinfo=UTC) + timedelta(days=1)
    return Effects(schedule=(_timer(ITEM_DUE, item.item, morning),))


def _timer(kind: str, key: str, at: datetime) -> Timer:
    return Timer(f"{kind}/{key}", at, kind, codec.encode(_Due(key)))
