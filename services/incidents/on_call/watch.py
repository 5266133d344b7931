"""Schedules are looked at: what is new about them is told to others, what is over is closed.

Whatever changes who is on call sets a timer in its own transaction, and so does the next turn. What follows is told
once: by the rules of the streams, and by the ids that follow from the timer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from libs.events.applied import all_applied
from libs.events.envelope import Context
from libs.events.handler import Effects, Step
from libs.events.resources import Resources
from services.incidents.contract import CONTRACT, ON_DUTY, PERSON, ROTATION, SCHEDULE, SHIFT, TURNING
from services.incidents.domain.duty.commands import Look
from services.incidents.domain.duty.events import Scheduled, ShiftsMoved
from services.incidents.domain.on_call.bounds import fitting
from services.incidents.domain.on_call.limits import Breach, OnCallPolicy, breaches, of_shift
from services.incidents.domain.on_call.load import Member
from services.incidents.domain.on_call.moves import moves
from services.incidents.domain.on_call.resolver import at_moment, resolve
from services.incidents.domain.on_call.roster import OnCall, Roster, RotationRevision
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.shift.commands import Close
from services.incidents.domain.shift.events import ShiftClosed
from services.incidents.domain.turning.commands import Turned
from services.incidents.domain.turning.events import ScheduleTurned, Turn
from services.incidents.on_call.changes import Changed, look_at
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.neighbours import Neighbours, neighbours_of
from services.incidents.projections.people import PEOPLE
from services.incidents.projections.schedules import (
    ROTATIONS,
    SCHEDULES,
    rosters_beside,
    rotations_with,
    schedules_naming,
    schedules_of_service,
)
from services.incidents.projections.shifts import PAGES, closed_since, closed_until, interrupted

TOLD_AHEAD: Final = timedelta(days=28)  # people are told of moves this far ahead
_CLOSED_AT_ONCE: Final = 100  # after a worker stood still for weeks; the others follow
_SOON: Final = timedelta(seconds=1)
_GRACE: Final = timedelta(minutes=1)  # a page of the last moment is counted
_AT_LATEST: Final = timedelta(days=7)  # it is looked again, also where nothing turns
_PATIENCE_S: Final = 2.0


class Watch:
    """Looks at schedules: who turns, what is over, what is beyond its limits, whose shifts have moved.

    Args:
        resources: The service's adapters.
        policy: The limits.
    """

    def __init__(self, resources: Resources, policy: OnCallPolicy) -> None:
        self._resources, self._policy = resources, policy

    async def after(self, changed: Changed, context: Context) -> None:
        """Look at every schedule that a change concerns and at those beside it, and tell whose shifts it has moved."""
        await all_applied(self._resources, SCHEDULES, ROTATIONS, PEOPLE, patience_s=_PATIENCE_S)
        beside: dict[str, None] = {}
        names = [changed.schedule] if changed.schedule else await self._concerned(changed)
        for name in names:
            roster = await self._roster(name)
            if roster is not None:
                moved = await self._moved(name, changed) if changed.rotation or changed.schedule else ()
                await self.look(name, context.part(name), moved)
                beside |= {it.schedule: None for it in await self._resources.views.read(rosters_beside, roster)}
        for name in beside:
            if name not in names:
                await self.look(name, context.part(name))

    async def look(self, name: str, context: Context, moved: tuple[ShiftsMoved, ...] = ()) -> None:
        """Tell what is new about a schedule, close what is over, and set the timer for the next turn."""
        found = await self._roster(name)
        if found is None:
            return
        now = self._resources.clock.now()  # a timer may have waited, and what was just read be newer than its moment
        revision = found.revision(now)
        services = revision.services if revision and revision.layers else ()  # without layers it has ended
        on_call = at_moment(found, now)
        near = await self._resources.views.read(neighbours_of, found, now)
        members = await self._members(near, now)
        over = await self._over(found, members, services, now)
        until = fitting(found, now, now + timedelta(days=self._policy.window_days))
        plan = resolve(found, now, until)
        people = {*members, *(it.person for it in plan if not it.shadow)}
        duty = [*plan, *near.elsewhere(people, now, until)]
        standing = [*breaches(self._policy, duty, members, now, until), *await self._lacking(near, now)]
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
        more = now + (_SOON if len(over) == _CLOSED_AT_ONCE else _AT_LATEST)
        due = min((*_boundaries(found, plan, now), *(it.until + _GRACE for it in self._waiting(found, now)), more))
        await self._resources.handler.handle(
            ON_DUTY,
            name,
            command,
            context,
            effects=Effects(schedule=(look_at(name, due),)),
            also=(
                Step(TURNING, f"{name}.{now:%Y-%m}", turned),
                *(Step(SHIFT, it.shift, Close(it)) for it in over),
            ),
        )

    async def _roster(self, name: str) -> Roster | None:
        """All from which it follows who is on call; None where it was never defined."""
        known = (await self._resources.handler.load(SCHEDULE, name)).state
        if known is None:
            return None
        rotations: dict[str, tuple[RotationRevision, ...]] = {}
        for rotation in known.layered:
            state = (await self._resources.handler.load(ROTATION, rotation)).state
            if state is not None:
                rotations[rotation] = state.revisions
        return known.roster(rotations)

    async def _concerned(self, changed: Changed) -> list[str]:
        """The schedules that a rotation, or a person, takes part in, or that answer for a service."""
        views = self._resources.views
        if changed.service:
            return await views.read(schedules_of_service, changed.service)
        rotations = (
            [changed.rotation] if changed.rotation else await views.read(rotations_with, changed.person, changed.at)
        )
        named = [name for rotation in rotations for name in await views.read(schedules_naming, rotation)]
        return list(dict.fromkeys(named))

    async def _moved(self, name: str, changed: Changed) -> tuple[ShiftsMoved, ...]:
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

    async def _as_of(self, name: str, changed: Changed, *, before: bool) -> Roster:
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

    async def _lacking(self, near: Neighbours, now: datetime) -> list[Breach]:
        """What services lack, each told by one of its schedules: the one that told it, or the first looked at."""
        names = (near.roster.schedule, *(each.schedule for each in near.beside))
        own, *others = [(await self._resources.handler.load(ON_DUTY, name)).state.broken for name in names]
        elsewhere = {each for broken in others for each in broken}
        found = [((each.limit, each.subject), each) for each in near.lacking(now)]
        return [each for told, each in found if told in own or told not in elsewhere]

    async def _members(self, near: Neighbours, now: datetime) -> dict[str, Member]:
        """Who takes turns now."""
        members: dict[str, Member] = {}
        for person in sorted(near.roster.turning(now)):
            state = (await self._resources.handler.load(PERSON, person)).state
            if state is not None:
                zone = near.people[person][0].zone if person in near.people else "UTC"
                members[person] = Member(person, state.side, state.site, zone)
        return members

    async def _over(
        self, roster: Roster, members: Mapping[str, Member], services: tuple[str, ...], now: datetime
    ) -> list[ShiftClosed]:
        """The shifts that are over and were not closed, the earliest first."""
        if not roster.revisions:
            return []
        views = self._resources.views
        since = await views.read(closed_until, roster.schedule) or roster.revisions[0].effective_from
        closed = await views.read(closed_since, roster.schedule, since)
        found: list[ShiftClosed] = []
        for it in sorted(resolve(roster, since - timedelta.resolution, now), key=attrgetter("until")):
            if it.shadow or it.until + _GRACE > now or it.until < since or it.shift in closed:
                continue
            if (await self._resources.handler.load(SHIFT, it.shift)).state.closed is not None:
                continue
            if len(found) == _CLOSED_AT_ONCE:
                break
            if not found:  # what it cost is said once
                await all_applied(self._resources, PAGES, INCIDENTS, patience_s=_PATIENCE_S)
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


def _boundaries(roster: Roster, plan: Sequence[OnCall], now: datetime) -> list[datetime]:
    """When somebody's turn comes or is over, or what is planned comes into force."""
    revised = (each.effective_from for held in (roster.revisions, *roster.rotations.values()) for each in held)
    return [moment for moment in (*revised, *(end for it in plan for end in (it.since, it.until))) if moment > now]


def _turn(it: OnCall) -> Turn:
    return Turn(it.person, it.since, it.until, it.source.layer, it.shadow)
