"""What engagements, waivers, risks and phases have waiting: when somebody or something looks again."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from libs.events import codec
from libs.events.handler import NO_EFFECTS, Effects
from libs.events.store import Reservation, Timer
from services.lifecycle.domain.digest.week import next_digest, zone_of
from services.lifecycle.domain.engagement.events import EngagementEnded, Event, HandedBack
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.decider import Item
from services.lifecycle.domain.engagement_item.events import Event as ItemEvent
from services.lifecycle.domain.inbox.policy import DigestTerms
from services.lifecycle.domain.risk_register.events import Event as RiskEvent
from services.lifecycle.domain.risk_register.events import RiskAccepted
from services.lifecycle.domain.risk_register.state import Register
from services.lifecycle.domain.team.decider import Team
from services.lifecycle.domain.team.events import Event as TeamEvent
from services.lifecycle.domain.team.events import TeamRegistered
from services.lifecycle.domain.team.structure import Structure
from services.lifecycle.domain.waiver.decider import Over, Requested, Waiver
from services.lifecycle.domain.waiver.events import Event as WaiverEvent
from services.lifecycle.domain.waiver.events import WaiverApproved, WaiverRenewed, WaiverRequested

LOOKING: Final = "engagement-look"
WATCHING: Final = "engagement-watch"
ITEM_DUE: Final = "engagement-item-due"
PHASE_LOOK: Final = "phase-look"
PHASE_SWEEP: Final = "phase-sweep"
DIGEST: Final = "digest"
_RISKS: Final = "risk-register"
_WAIVER: Final = "waiver"  # its timers, and the reservations `<service>/<check>`: one of them at a time


class _Due(msgspec.Struct, frozen=True):
    key: str


class Sweep(msgspec.Struct, frozen=True):
    """How far it was looked at all services.

    Args:
        run: What began it; ids of events follow from it. Empty: the time did.
        after: The last service that was looked at.
        waited: How often it was put off, because a line to another service was dead.
    """

    run: str = ""
    after: str = ""
    waited: int = 0


class _Look(msgspec.Struct, frozen=True):
    service: str
    cause: str


_DUE: Final = codec.decoder(_Due)
_SWEEP: Final = codec.decoder(Sweep)
_LOOK: Final = codec.decoder(_Look)


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


def accepting(_: Register, events: tuple[RiskEvent, ...]) -> Effects:
    """The acceptance of a risk ends by itself."""
    accepted = [event for event in events if isinstance(event, RiskAccepted)]
    return Effects(
        schedule=tuple(
            Timer(f"{_RISKS}/{each.service}/{each.risk}", each.until, _RISKS, codec.encode(_Due(each.service)))
            for each in accepted
        )
    )


def phase_look(service: str, cause: str, at: datetime) -> Timer:
    """When it is looked at how *service* stands in its phase, because of the event *cause*."""
    return Timer(f"{PHASE_LOOK}/{service}", at, PHASE_LOOK, codec.encode(_Look(service, cause)))


def looked_at(timer: Timer) -> tuple[str, str]:
    """The service that *timer* is about, and the event because of which."""
    found = _LOOK.decode(timer.payload)
    return found.service, found.cause


def phase_sweep(sweep: Sweep, at: datetime) -> Timer:
    """When it is looked at all services, or at the next of them; one sweep takes the place of another."""
    return Timer(PHASE_SWEEP, at, PHASE_SWEEP, codec.encode(sweep))


def sweep_of(timer: Timer) -> Sweep:
    """How far the sweep of *timer* is."""
    return _SWEEP.decode(timer.payload)


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


def digesting(terms: DigestTerms) -> Callable[[Team, Sequence[TeamEvent]], Effects]:
    """From its first day on a team has a digest every week."""

    def effects(_: Team, events: Sequence[TeamEvent]) -> Effects:
        began = [event for event in events if isinstance(event, TeamRegistered)]
        return Effects(schedule=tuple(digest(event.team, event.structure, event.at, terms) for event in began))

    return effects


def digest(team: str, structure: Structure, after: datetime, terms: DigestTerms) -> Timer:
    """When the next digest of a team is made."""
    return _timer(DIGEST, team, next_digest(after, zone_of(structure), terms))


def _timer(kind: str, key: str, at: datetime) -> Timer:
    return Timer(f"{kind}/{key}", at, kind, codec.encode(_Due(key)))
