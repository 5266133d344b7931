"""What engagements, waivers, risks and phases have waiting: when somebody or something looks again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
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
from services.lifecycle.domain.inbox.policy import DigestTerms, InboxPolicy
from services.lifecycle.domain.risk_register.events import Event as RiskEvent
from services.lifecycle.domain.risk_register.events import RiskAccepted
from services.lifecycle.domain.risk_register.state import Register
from services.lifecycle.domain.team.decider import Ended, Registered, Team
from services.lifecycle.domain.team.events import Event as TeamEvent
from services.lifecycle.domain.team.events import TeamRegistered
from services.lifecycle.domain.team.policy import TeamPolicy
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
TEAM_DUE: Final = "team-due"
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
        cause: The event that began it, whose timer is its own. Empty: the day's.
    """

    run: str = ""
    after: str = ""
    waited: int = 0
    cause: str = ""


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
    """When it is looked at all services, or at the next of them; the day's sweep takes the place of the one before."""
    key = f"{PHASE_SWEEP}/{sweep.cause}" if sweep.cause else PHASE_SWEEP
    return Timer(key, at, PHASE_SWEEP, codec.encode(sweep))


def sweep_of(timer: Timer) -> Sweep:
    """How far the sweep of *timer* is."""
    return _SWEEP.decode(timer.payload)


def look(engagement: str, at: datetime) -> Timer:
    """When ground rules and cadences are looked at the next time."""
    return _timer(LOOKING, engagement, at)


def watch(engagement: str, at: datetime) -> Timer:
    """When the time after a hand-back is compared with the time before."""
    return _timer(WATCHING, engagement, at)


def watching(_: Engagement | None, events: tuple[Event, ...]) -> Effects:
    """A hand-back ends the looking, and is compared with the time before when its watch is over."""
    for event in events:
        if isinstance(event, HandedBack | EngagementEnded):
            compare = watch(event.engagement, event.watched_until)
            return Effects(schedule=(compare,), cancel=(f"{LOOKING}/{event.engagement}",))
    return NO_EFFECTS


def reminding(item: Item | None, events: tuple[ItemEvent, ...]) -> Effects:
    """On the morning after an item's day somebody is reminded, unless it is over by then."""
    if item is None or not events:
        return NO_EFFECTS
    due = item.content.due
    if due is None or not item.allowed:
        return Effects(cancel=(f"{ITEM_DUE}/{item.item}",))
    return Effects(schedule=(_timer(ITEM_DUE, item.item, _morning_after(due)),))


@dataclass(frozen=True, slots=True)
class TeamDates:
    """When teams have something waiting: a digest every week, and what is due in them by a day.

    Args:
        digests: When digests are made.
        every: How often people look at the structure.
    """

    digests: DigestTerms
    every: timedelta

    def of(self, team: Team, events: Sequence[TeamEvent]) -> Effects:
        """From its first day on a team has both timers, until it ends."""
        if not events or team is None:
            return NO_EFFECTS
        if isinstance(team, Ended):
            return Effects(cancel=(f"{DIGEST}/{team.was.team}", f"{TEAM_DUE}/{team.was.team}"))
        dates = self.next_of(team)
        if not any(isinstance(event, TeamRegistered) for event in events):
            return dates
        first = digest(team.team, team.structure, team.registered_at, self.digests)
        return replace(dates, reserve=(_timed(team.team, team.team),), schedule=(first, *dates.schedule))

    def next_of(self, team: Registered) -> Effects:
        """When the next of what is due is over, and said to be."""
        days = [due.by for due in team.unsaid(self.every)]
        if not days:
            return Effects(cancel=(f"{TEAM_DUE}/{team.team}",))
        return Effects(schedule=(_timer(TEAM_DUE, team.team, _morning_after(min(days))),))

    def set_first(self, team: Registered, at: datetime, holder: str) -> Effects:
        """Both timers, for a team that was registered before there were any; refused where it has them."""
        first = digest(team.team, team.structure, at, self.digests)
        return Effects(reserve=(_timed(team.team, holder),), schedule=(first, *self.next_of(team).schedule))


def team_dates(inbox: InboxPolicy, teams: TeamPolicy) -> TeamDates:
    """As the policies say."""
    return TeamDates(inbox.digest, teams.structure_review_days.days)


def _timed(team: str, holder: str) -> Reservation:
    """Held while a team has timers."""
    return Reservation("team-timers", team, holder)


def digest(team: str, structure: Structure, after: datetime, terms: DigestTerms) -> Timer:
    """When the next digest of a team is made."""
    return _timer(DIGEST, team, next_digest(after, zone_of(structure), terms))


def _morning_after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def _timer(kind: str, key: str, at: datetime) -> Timer:
    return Timer(f"{kind}/{key}", at, kind, codec.encode(_Due(key)))
