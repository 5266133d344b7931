"""What is done about people and schedules when its time has come: told to others, closed, looked at again.

Whatever changes who is on call sets a timer in its own transaction, and so does the next turn. What follows is told
once: by the rules of the streams, and by the ids that follow from the timer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from libs.events import codec
from libs.events.envelope import Context
from libs.events.errors import StoreUnavailableError
from libs.events.handler import NO_EFFECTS, Effects, Step
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.events.timers import Fire
from services.incidents.contract import CONTRACT, ON_DUTY, PERSON, ROTATION, SCHEDULE, SERVICE, SHIFT, TURNING
from services.incidents.domain.duty.commands import Look
from services.incidents.domain.duty.events import Scheduled, ShiftsMoved
from services.incidents.domain.on_call.limits import OnCallPolicy, breaches, of_shift
from services.incidents.domain.on_call.load import Member
from services.incidents.domain.on_call.moves import moves
from services.incidents.domain.on_call.resolver import at_moment, resolve
from services.incidents.domain.on_call.roster import OnCall, Roster, RotationRevision
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.person.events import PersonChanged, PersonErased, PersonRegistered
from services.incidents.domain.rotation.events import RotationChanged, RotationEnded
from services.incidents.domain.schedule.events import (
    OverrideCancelled,
    OverrideDecided,
    ScheduleDefined,
    ScheduleEnded,
    SwapApproved,
)
from services.incidents.domain.shift.commands import Close
from services.incidents.domain.shift.events import ShiftClosed
from services.incidents.domain.turning.commands import Turned
from services.incidents.domain.turning.events import ScheduleTurned, Turn
from services.incidents.projections.contacts import erase
from services.incidents.projections.people import people_of
from services.incidents.projections.schedules import ROTATIONS, SCHEDULES, rotations_with, schedules_naming
from services.incidents.projections.shifts import closed_since, interrupted

ERASING: Final = "person-erase"
LOOKING: Final = "schedule-look"
CHANGED: Final = "roster-changed"
TOLD_AHEAD: Final = timedelta(days=28)  # people are told of moves this far ahead
_CLOSED_WITHIN: Final = timedelta(days=35)  # a worker that stood still for longer leaves shifts unclosed
_GRACE: Final = timedelta(minutes=1)  # a page of the last moment is counted
_AT_LATEST: Final = timedelta(days=7)  # it is looked again, also where nothing turns
_PATIENCE_S: Final = 2.0
_TURNING = (ScheduleDefined, ScheduleEnded, OverrideDecided, OverrideCancelled, SwapApproved)


class _Erased(msgspec.Struct, frozen=True):
    person: str


class _Looked(msgspec.Struct, frozen=True):
    schedule: str


class _Changed(msgspec.Struct, frozen=True):
    """What has changed: one of the three, by an event of the moment *at*."""

    at: datetime
    by: str
    reason: str
    rotation: str = ""
    schedule: str = ""
    person: str = ""


_ERASED: Final = codec.decoder(_Erased)
_LOOKED: Final = codec.decoder(_Looked)
_CHANGED: Final = codec.decoder(_Changed)


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


def _because(event: Any, **named: str) -> Effects:  # noqa: ANN401  any of those above
    changed = _Changed(event.at, event.by, event.reason, **named)
    kind, name = next(iter(named.items()))
    key = f"{CHANGED}/{kind}/{name}/{event.at.isoformat()}"
    return Effects(schedule=(Timer(key, event.at, CHANGED, codec.encode(changed)),))


def on_call_timers(resources: Resources, policy: OnCallPolicy) -> Mapping[str, Fire]:
    """What is due: turns of schedules, what changes bring about, and what a process that died did not erase."""
    watch = Watch(resources, policy)

    async def erased(timer: Timer, _: Context) -> None:
        await resources.views.write(erase, _ERASED.decode(timer.payload).person)

    async def looked(timer: Timer, context: Context) -> None:
        await watch.look(_LOOKED.decode(timer.payload).schedule, context)

    async def changed(timer: Timer, context: Context) -> None:
        await watch.after(_CHANGED.decode(timer.payload), context)

    return {ERASING: erased, LOOKING: looked, CHANGED: changed}


class Watch:
    """Looks at schedules: who turns, what is over, what is beyond its limits, whose shifts have moved.

    Args:
        resources: The service's adapters.
        policy: The limits.
    """

    def __init__(self, resources: Resources, policy: OnCallPolicy) -> None:
        self._resources, self._policy = resources, policy

    async def after(self, changed: _Changed, context: Context) -> None:
        """Look at every schedule that a change concerns, and tell whose shifts it has moved."""
        names = [changed.schedule] if changed.schedule else await self._concerned(changed)
        for name in names:
            roster, services = await self._roster(name)
            if roster is None:
                continue
            moved = await self._moved(name, changed) if not changed.person else ()
            await self.look(name, context.part(name), roster=(roster, services), moved=moved)

    async def look(
        self,
        name: str,
        context: Context,
        *,
        roster: tuple[Roster, tuple[str, ...]] | None = None,
        moved: tuple[ShiftsMoved, ...] = (),
    ) -> None:
        """Tell what is new about a schedule, close what is over, and set the timer for the next turn."""
        now = context.at
        found, services = roster or await self._roster(name)
        if found is None:
            return
        on_call = at_moment(found, now)
        members = await self._members(found, now)
        over = await self._over(found, members, services, now)
        plan = resolve(found, now, now + timedelta(days=self._policy.window_days))
        standing = breaches(self._policy, plan, members, now, now + timedelta(days=self._policy.window_days))
        closed = [of_shift(self._policy, it.shift, it.end - it.start, it.incidents) for it in over]
        command = Look(
            schedule=name,
            services=services,
            members=tuple(Scheduled(it.person, it.side, it.site) for it in members.values()),
            standing=tuple(standing),
            once=tuple(breach for breach in closed if breach is not None),
            moved=moved,
            at=now,
        )
        turned = Turned(ScheduleTurned(schedule=name, services=services, on_call=tuple(map(_turn, on_call)), at=now))
        due = min((*_boundaries(plan, now), *(it.until + _GRACE for it in self._waiting(found, now)), now + _AT_LATEST))
        following = Timer(f"{LOOKING}/{name}", due, LOOKING, codec.encode(_Looked(name)))
        await self._resources.handler.handle(
            ON_DUTY,
            name,
            command,
            context,
            effects=Effects(schedule=(following,)),
            also=(
                Step(TURNING, f"{name}.{now:%Y-%m}", turned),
                *(Step(SHIFT, it.shift, Close(it)) for it in over),
            ),
        )

    async def _roster(self, name: str) -> tuple[Roster | None, tuple[str, ...]]:
        known = (await self._resources.handler.load(SCHEDULE, name)).state
        if known is None:
            return None, ()
        rotations: dict[str, tuple[RotationRevision, ...]] = {}
        for rotation in known.layered:
            state = (await self._resources.handler.load(ROTATION, rotation)).state
            if state is not None:
                rotations[rotation] = state.revisions
        return known.roster(rotations), () if known.ended else known.revisions[-1].services

    async def _concerned(self, changed: _Changed) -> list[str]:
        """The schedules that a rotation, or a person, takes part in; from the read models, once those know of it."""
        resources, views = self._resources, self._resources.views
        head = await resources.store.head()
        for projection in (SCHEDULES, ROTATIONS):
            epoch = resources.store.epoch
            if not await views.wait_applied(projection.name, SERVICE, epoch, 0, head, _PATIENCE_S):
                message = f"{projection.name} has not applied position {head} yet"
                raise StoreUnavailableError(message)
        rotations = [changed.rotation] if changed.rotation else await views.read(rotations_with, changed.person)
        named = [name for rotation in rotations for name in await views.read(schedules_naming, rotation)]
        return list(dict.fromkeys(named))

    async def _moved(self, name: str, changed: _Changed) -> tuple[ShiftsMoved, ...]:
        """Whose shifts in the weeks ahead are others than before the change, by what was known at its moment."""
        before, after = await self._as_of(name, changed, before=True), await self._as_of(name, changed, before=False)
        until = changed.at + TOLD_AHEAD
        return tuple(
            ShiftsMoved(
                schedule=name,
                person=person,
                gained=gained,
                lost=lost,
                by=changed.by,
                reason=changed.reason,
                at=changed.at,
            )
            for person, gained, lost in moves(
                resolve(before, changed.at, until), resolve(after, changed.at, until), Span(changed.at, until)
            )
        )

    async def _as_of(self, name: str, changed: _Changed, *, before: bool) -> Roster:
        async def then(decider: Any, key: str, *, concerned: bool) -> Any:  # noqa: ANN401  a rotation or a schedule
            recorded = await self._resources.store.load(decider.stream(key))
            events = [event for each in recorded if (event := CONTRACT.decode(each)).at <= changed.at]
            return decider.fold(decider.initial, events[:-1] if before and concerned else events)

        known = await then(SCHEDULE, name, concerned=bool(changed.schedule))
        rotations: dict[str, tuple[RotationRevision, ...]] = {}
        if known is None:
            return Roster(name, (), (), rotations)
        for key in known.layered:
            rotation = await then(ROTATION, key, concerned=key == changed.rotation)
            rotations[key] = rotation.revisions if rotation is not None else ()
        return known.roster(rotations)

    async def _members(self, roster: Roster, now: datetime) -> dict[str, Member]:
        """Who takes turns now, by the layers that are in force; shadows do not."""
        current = [each for each in roster.revisions if each.effective_from <= now] or list(roster.revisions[:1])
        names: list[str] = []
        for layer in current[-1].layers:
            revisions = roster.rotations.get(layer.rotation, ())
            held = [each for each in revisions if each.effective_from <= now] or list(revisions[:1])
            if held and not layer.shadow:
                names += held[-1].rota.participants
        zones = await self._resources.views.read(people_of, names)
        members: dict[str, Member] = {}
        for person in sorted(set(names)):
            state = (await self._resources.handler.load(PERSON, person)).state
            if state is not None:
                zone = zones[person][0].zone if person in zones else "UTC"
                members[person] = Member(person, state.side, state.site, zone)
        return members

    async def _over(
        self, roster: Roster, members: Mapping[str, Member], services: tuple[str, ...], now: datetime
    ) -> list[ShiftClosed]:
        """The shifts that are over and were not closed."""
        since = now - _CLOSED_WITHIN
        closed = await self._resources.views.read(closed_since, roster.schedule, since)
        found: list[ShiftClosed] = []
        for it in resolve(roster, since, now):
            if it.shadow or it.until + _GRACE > now or it.until <= since or it.shift in closed:
                continue
            if (await self._resources.handler.load(SHIFT, it.shift)).state.closed is not None:
                continue
            member = members.get(it.person) or await self._member(it.person)
            cost = await self._resources.views.read(interrupted, roster.schedule, it.person, Span(it.since, it.until))
            found.append(
                ShiftClosed(
                    shift=it.shift,
                    schedule=roster.schedule,
                    services=services,
                    person=it.person,
                    side=member.side,
                    site=member.site,
                    start=it.since,
                    end=it.until,
                    pages=cost.pages,
                    incidents=cost.incidents,
                    interrupt_minutes=cost.minutes,
                    at=now,
                )
            )
        return found

    async def _member(self, person: str) -> Member:
        state = (await self._resources.handler.load(PERSON, person)).state
        return Member(person, state.side, state.site) if state else Member(person, "dev", "")

    def _waiting(self, roster: Roster, now: datetime) -> list[OnCall]:
        """What has ended a moment ago and is closed soon."""
        return [it for it in resolve(roster, now - _GRACE, now) if now - _GRACE < it.until <= now]


def _boundaries(plan: Sequence[OnCall], now: datetime) -> list[datetime]:
    return [moment for it in plan for moment in (it.since, it.until) if moment > now]


def _turn(it: OnCall) -> Turn:
    return Turn(it.person, it.since, it.until, it.source.layer, it.shadow)
