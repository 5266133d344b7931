"""What somebody should mend about a schedule."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from starlette.requests import Request

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.incidents.api.rosters import scheduled
from services.incidents.api.schedules import span_of
from services.incidents.contract import ROTATION
from services.incidents.domain.on_call.limits import OnCallPolicy
from services.incidents.domain.on_call.load import HOUR, at_once, shares_of
from services.incidents.domain.on_call.resolver import holes, in_force, resolve
from services.incidents.domain.on_call.roster import OnCall, Roster
from services.incidents.domain.on_call.sides import absent, mixture_fault, wanted
from services.incidents.domain.on_call.spans import Span, cut, joined, without
from services.incidents.domain.rotation.decider import Known as Rotation
from services.incidents.projections.known_services import KNOWN_SERVICES
from services.incidents.projections.neighbours import Neighbours, neighbours_of
from services.incidents.projections.people import PEOPLE, Contact, Person
from services.incidents.projections.schedules import ROTATIONS, SCHEDULES

router = Router(prefix="/v1/schedules", tags=["schedules"])

_Known = Mapping[str, tuple[Person, Contact]]


@dataclass(frozen=True, slots=True)
class ScheduleWarning:
    """Something that somebody should mend.

    Args:
        code: What kind of thing.
        person: Whose; empty where it is nobody's.
        start: From when on, where it is a matter of time.
        end: Until when.
        detail: What is wrong, and what mends it.
        place: Where in the schedule it says so; empty where that is no single place.
    """

    code: str
    person: str
    start: datetime | None
    end: datetime | None
    detail: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleWarnings:
    """What somebody should mend, the most urgent first."""

    schedule: str
    items: tuple[ScheduleWarning, ...]


@router.get(
    "/{schedule}/warnings",
    openapi_extra=needs("schedules.read"),
    responses=responses(404, 422),
    dependencies=[fresh(PEOPLE, SCHEDULES, ROTATIONS, KNOWN_SERVICES)],
)
async def list_warnings(
    schedule: str,
    request: Request,
    resources: ResourcesDep,
    since: Annotated[Moment | None, Query(alias="from", description="Now, if left out.")] = None,
    until: Annotated[Moment | None, Query(description="Four weeks after `from`, if left out.")] = None,
) -> ScheduleWarnings:
    """List gaps, missing sides, people who cannot be reached, and shifts in their absence.

    `service-side-missing`: nobody of a side that a service's phase and engagement ask for takes turns in any of its
    schedules. `side-missing` and `rotation-side-missing`: a schedule at a moment, or a rotation, is not as its own
    `sides` say.
    """
    _, _, roster = await scheduled(resources, schedule)
    start, end = span_of(since, until, resources.clock.now(), roster)
    duty = [each for each in resolve(roster, start, end) if not each.shadow]
    near = await resources.views.read(neighbours_of, roster, start, {each.person for each in duty})
    rotations = [
        state for name in sorted(roster.rotations) if (state := (await resources.handler.load(ROTATION, name)).state)
    ]
    items = (
        *_gaps(roster, start, end),
        *_unreachable(duty, near.people),
        *_absent(duty, near.people),
        *_elsewhere(near, duty, Span(start, end), request.app.state.on_call),
        *_lacking(near, start),
        *_one_sided(near, duty, Span(start, end)),
        *_mixtures(near, rotations, start),
    )
    return ScheduleWarnings(schedule, items)


def _gaps(roster: Roster, start: datetime, end: datetime) -> Iterator[ScheduleWarning]:
    for hole in holes(roster, start, end):
        detail = "nobody is on call; add a layer, decide an override, or declare it off duty"
        yield ScheduleWarning("gap", "", hole.start, hole.end, detail)


def _unreachable(duty: Sequence[OnCall], known: _Known) -> Iterator[ScheduleWarning]:
    for person in sorted({each.person for each in duty}):
        first = min(each.since for each in duty if each.person == person)
        if person not in known or not known[person][0].active:
            detail = f"{person} was erased, or never registered; take them out of the rotation"
            yield ScheduleWarning("unreachable", person, first, None, detail)
        elif not known[person][1].reachable:
            detail = f"{person} has no channel; PATCH /v1/people/{person} with an address"
            yield ScheduleWarning("unreachable", person, first, None, detail)


def _absent(duty: Sequence[OnCall], known: _Known) -> Iterator[ScheduleWarning]:
    for each in duty:
        if each.person in known:
            away = joined(known[each.person][1].unavailability)
            for span in cut(Span(each.since, each.until), away):
                detail = f"{each.person} is away then; swap {each.shift}, or decide who replaces them"
                yield ScheduleWarning("unavailable", each.person, span.start, span.end, detail)


def _elsewhere(
    near: Neighbours, duty: Sequence[OnCall], asked: Span, policy: OnCallPolicy
) -> Iterator[ScheduleWarning]:
    """Who is on call by this schedule and by another at once, or by all of them too much."""
    others = near.elsewhere({each.person for each in duty}, asked.start, asked.end)
    for person in sorted({each.person for each in others}):
        theirs = [each for each in (*duty, *others) if each.person == person]
        by = " and ".join(sorted({each.schedule for each in theirs}))
        for span in at_once(theirs, policy.schedules_at_once.most):
            for part in cut(span, [asked]):
                detail = f"{person} is on call by {by} at once; swap one of the shifts, or decide who replaces them"
                yield ScheduleWarning("on-call-twice", person, part.start, part.end, detail)
        share = shares_of(theirs, {}, asked.start, asked.end)[person].hours / ((asked.end - asked.start) / HOUR)
        if share > policy.share.most:
            detail = f"{person} is on call {share:.0%} of the time, by {by}; add people to one of them"
            yield ScheduleWarning("on-call-too-much", person, asked.start, asked.end, detail)


def _lacking(near: Neighbours, now: datetime) -> Iterator[ScheduleWarning]:
    revision = near.roster.revision(now)
    for breach in near.lacking(now):
        place = f"/services/{revision.services.index(breach.subject)}" if revision else ""
        yield ScheduleWarning("service-side-missing", "", now, None, breach.detail, place)


def _one_sided(near: Neighbours, duty: Sequence[OnCall], asked: Span) -> Iterator[ScheduleWarning]:
    """When a schedule has not the sides that it asks for at every moment."""
    sides, staffed = near.sides, joined(Span(each.since, each.until) for each in duty)
    for revision, force in in_force(near.roster.revisions):
        spans = [part for whole in staffed for part in cut(whole, [*cut(asked, [force])])]
        for side in wanted(revision.sides, near.covered):
            theirs = joined(Span(each.since, each.until) for each in duty if sides.get(each.person) == side)
            for missing in (part for span in spans for part in without(span, theirs)):
                detail = f"{absent([side])}; add one to a layer that is in force then"
                yield ScheduleWarning("side-missing", "", missing.start, missing.end, detail, "/sides")


def _mixtures(near: Neighbours, rotations: Iterable[Rotation], now: datetime) -> Iterator[ScheduleWarning]:
    """Where somebody has changed sides, or a service moved on, since a rotation was defined."""
    revision, known = near.roster.revision(now), {each.rotation: each for each in rotations}
    for number, layer in enumerate(revision.layers if revision else ()):
        it = known.get(layer.rotation)
        fault = it and mixture_fault(it.sides, it.revisions[-1].rota.participants, near.sides, near.covered)
        if fault:
            detail = f"rotation {layer.rotation}: {fault[1]}"
            yield ScheduleWarning("rotation-side-missing", "", now, None, detail, f"/layers/{number}/rotation")
