"""What being on call costs whom."""

from collections.abc import Iterable, Mapping
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
from services.incidents.domain.on_call.load import HOUR, Member, at_once, balance, shares_of
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import OnCall
from services.incidents.domain.on_call.spans import Span, cut
from services.incidents.projections.neighbours import neighbours_of
from services.incidents.projections.people import PEOPLE, Contact, Person
from services.incidents.projections.schedules import ROTATIONS, SCHEDULES
from services.incidents.projections.shifts import PAGES, pages_by_person

_READ = needs("schedules.read")
_BEHIND: Final = timedelta(days=84)

router = Router(prefix="/v1/schedules", tags=["schedules"])


@dataclass(frozen=True, slots=True)
class PersonShare:
    """What one person had, or will have: nights (22-8) and days of weekends on their own clock.

    Args:
        person: Who.
        side: Of which side.
        hours: By this schedule.
        hours_elsewhere: By others, while not by this one.
        hours_at_once: By more than one at the same time.
        share: Of all time, by all schedules together.
        shifts: Of this schedule, as all that follows.
        nights: That they touch.
        weekends: Days of them.
        pages: How often they were called.
    """

    person: str
    side: str
    hours: float
    hours_elsewhere: float
    hours_at_once: float
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


@router.get(
    "/{schedule}/fairness",
    openapi_extra=_READ,
    responses=responses(404, 422),
    dependencies=[fresh(PEOPLE, PAGES, SCHEDULES, ROTATIONS)],
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
    named = {each.person for each in duty if not each.shadow}.union(roster.turning(end))
    near = await resources.views.read(neighbours_of, roster, end, named)
    members = _members({name: near.people[name] for name in named if name in near.people})
    pages = await resources.views.read(pages_by_person, schedule, start, end)
    everywhere = [*duty, *near.elsewhere(named, start, end)]
    shares, in_all = shares_of(duty, members, start, end), shares_of(everywhere, members, start, end)
    hours = (end - start) / HOUR
    people = tuple(
        PersonShare(
            person,
            members[person].side if person in members else "",
            share.hours,
            round(in_all[person].hours - share.hours, 2),
            _at_once(everywhere, person, Span(start, end)),
            round(in_all[person].hours / hours, 4),
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
    found = tuple(breaches(policy, everywhere, members, start, end))
    return Fairness(schedule, start, end, people, even, found, policy.version)


def _at_once(duty: Iterable[OnCall], person: str, asked: Span) -> float:
    spans = at_once(each for each in duty if each.person == person and not each.shadow)
    return round(sum((part.lasts for span in spans for part in cut(span, [asked])), timedelta()) / HOUR, 2)


def _members(known: Mapping[str, tuple[Person, Contact]]) -> dict[str, Member]:
    return {name: Member(name, person.side, person.site, person.zone) for name, (person, _) in known.items()}
