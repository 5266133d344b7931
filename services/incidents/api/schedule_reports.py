"""What being on call costs whom."""

from collections.abc import Mapping
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
from services.incidents.domain.on_call.resolver import resolve
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
    named = {each.person for each in duty if not each.shadow}.union(roster.turning(end))
    members = _members(await resources.views.read(people_of, named))
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


def _members(known: Mapping[str, tuple[Person, Contact]]) -> dict[str, Member]:
    return {name: Member(name, person.side, person.site, person.zone) for name, (person, _) in known.items()}
