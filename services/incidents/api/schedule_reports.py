"""What being on call costs whom, and what somebody should look at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

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
from services.incidents.domain.on_call.limits import Breach, breaches
from services.incidents.domain.on_call.load import Member, balance, shares_of
from services.incidents.domain.on_call.resolver import holes, resolve
from services.incidents.domain.on_call.roster import OnCall, Roster
from services.incidents.domain.on_call.spans import Span, cut, joined, without
from services.incidents.projections.people import PEOPLE, Contact, Person, people_of
from services.incidents.projections.shifts import PAGES, pages_by_person

_READ = needs("schedules.read")
_BEHIND: Final = timedelta(days=84)

router = Router(prefix="/v1/schedules", tags=["schedules"])


@dataclass(frozen=True, slots=True)
class PersonShare:
    """What one person had, or will have: nights (22-8) and days of weekends on their own clock."""

    person: str
    side: str
    hours: float
    share: float
    shifts: int
    nights: int
    weekends: int
    pages: int


@dataclass(frozen=True, slots=True)
class Balance:
    """The least over the most of all people: 1 where everybody has the same, null where nobody has anything."""

    hours: float | None
    nights: float | None
    weekends: float | None
    pages: float | None


@dataclass(frozen=True, slots=True)
class Fairness:
    """Who carries how much of a time, and which limits that breaks."""

    schedule: str
    start: datetime
    until: datetime
    people: tuple[PersonShare, ...]
    balance: Balance
    breaches: tuple[Breach, ...]
    policy_version: str


@dataclass(frozen=True, slots=True)
class ScheduleWarning:
    """Something that somebody should mend; *person* is empty where it is nobody's."""

    code: str
    person: str
    start: datetime | None
    end: datetime | None
    detail: str


@dataclass(frozen=True, slots=True)
class ScheduleWarnings:
    """What somebody should mend, the most urgent first."""

    schedule: str
    items: tuple[ScheduleWarning, ...]


@router.get(
    "/{schedule}/fairness", openapi_extra=_READ, responses=responses(404, 422), dependencies=[fresh(PEOPLE, PAGES)]
)
async def get_fairness(
    schedule: str,
    request: Request,
    resources: ResourcesDep,
    since: Annotated[Moment | None, Query(alias="from", description="Twelve weeks ago, if left out.")] = None,
    until: Annotated[Moment | None, Query(description="Now, if left out.")] = None,
) -> Fairness:
    """Who has how many hours, nights, weekends and pages of a time, how even that is, and which limits it breaks."""
    _, _, roster = await scheduled(resources, schedule)
    now = resources.clock.now()
    start, end = span_of(since or (until or now) - _BEHIND, until or now, now, roster)
    policy = request.app.state.on_call
    duty = resolve(roster, start, end)
    members = _members(await resources.views.read(people_of, _named(roster, duty)))
    pages = await resources.views.read(pages_by_person, schedule, start, end)
    shares = shares_of(duty, members, start, end)
    hours = (end - start) / timedelta(hours=1)
    people = tuple(
        PersonShare(
            person,
            members[person].side if person in members else "",
            share.hours,
            round(share.hours / hours, 4),
            share.shifts,
            share.nights,
            share.weekends,
            pages.get(person, 0),
        )
        for person, share in sorted(shares.items())
    )
    even = Balance(
        balance(each.hours for each in people),
        balance(each.nights for each in people),
        balance(each.weekends for each in people),
        balance(each.pages for each in people),
    )
    found = tuple(breaches(policy, duty, members, start, end))
    return Fairness(schedule, start, end, people, even, found, policy.version)


@router.get("/{schedule}/warnings", openapi_extra=_READ, responses=responses(404, 422), dependencies=[fresh(PEOPLE)])
async def list_warnings(
    schedule: str,
    resources: ResourcesDep,
    since: Annotated[Moment | None, Query(alias="from", description="Now, if left out.")] = None,
    until: Annotated[Moment | None, Query(description="Four weeks after `from`, if left out.")] = None,
) -> ScheduleWarnings:
    """List gaps, moments without one of the sides, people who cannot be reached, and shifts in their absence."""
    _, _, roster = await scheduled(resources, schedule)
    start, end = span_of(since, until, resources.clock.now(), roster)
    duty = [each for each in resolve(roster, start, end) if not each.shadow]
    known = await resources.views.read(people_of, {each.person for each in duty})
    items = (
        *_gaps(roster, start, end),
        *_unreachable(duty, known),
        *_absent(duty, known),
        *_one_sided(roster, duty, known, Span(start, end)),
    )
    return ScheduleWarnings(schedule, items)


def _gaps(roster: Roster, start: datetime, end: datetime) -> Iterator[ScheduleWarning]:
    for hole in holes(roster, start, end):
        detail = "nobody is on call; add a layer, decide an override, or declare it off duty"
        yield ScheduleWarning("gap", "", hole.start, hole.end, detail)


def _unreachable(duty: list[OnCall], known: Mapping[str, tuple[Person, Contact]]) -> Iterator[ScheduleWarning]:
    for person in sorted({each.person for each in duty}):
        first = min(each.since for each in duty if each.person == person)
        if person not in known or not known[person][0].active:
            detail = f"{person} was erased, or never registered; take them out of the rotation"
            yield ScheduleWarning("unreachable", person, first, None, detail)
        elif not known[person][1].reachable:
            detail = f"{person} has no channel; PATCH /v1/people/{person} with an address"
            yield ScheduleWarning("unreachable", person, first, None, detail)


def _absent(duty: list[OnCall], known: Mapping[str, tuple[Person, Contact]]) -> Iterator[ScheduleWarning]:
    for each in duty:
        if each.person in known:
            away = joined(known[each.person][1].unavailability)
            for span in cut(Span(each.since, each.until), away):
                detail = f"{each.person} is away then; swap {each.shift}, or decide who replaces them"
                yield ScheduleWarning("unavailable", each.person, span.start, span.end, detail)


def _one_sided(
    roster: Roster, duty: list[OnCall], known: Mapping[str, tuple[Person, Contact]], asked: Span
) -> Iterator[ScheduleWarning]:
    """When a schedule that asks for both sides has one only."""
    if not roster.revisions or roster.revisions[-1].sides != "both":
        return
    sides = {
        side: joined(
            Span(each.since, each.until) for each in duty if each.person in known and known[each.person][0].side == side
        )
        for side in ("dev", "sre")
    }
    staffed = joined(Span(each.since, each.until) for each in duty)
    for side, spans in sides.items():
        for whole in staffed:
            for part in cut(whole, [asked]):
                for missing in without(part, spans):
                    named = {"dev": "a developer", "sre": "an SRE"}[side]
                    detail = f"{named} is missing; add one to a layer that is in force then"
                    yield ScheduleWarning("side-missing", "", missing.start, missing.end, detail)


def _named(roster: Roster, duty: list[OnCall]) -> set[str]:
    """Who is on duty in the time, or takes turns at its end."""
    names = {each.person for each in duty if not each.shadow}
    for layer in roster.revisions[-1].layers if roster.revisions else ():
        revisions = roster.rotations.get(layer.rotation, ())
        if revisions and not layer.shadow:
            names |= set(revisions[-1].rota.participants)
    return names


def _members(known: Mapping[str, tuple[Person, Contact]]) -> dict[str, Member]:
    return {name: Member(name, person.side, person.site, person.zone) for name, (person, _) in known.items()}
