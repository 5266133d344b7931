"""`/v1/inbox`: what waits for a person, in one list, whatever it is."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request

from libs.events.resources import Resources
from libs.web.app import ResourcesDep
from libs.web.auth import PrincipalDep, needs
from libs.web.consistency import fresh
from libs.web.internal_auth import Principal
from libs.web.pagination import PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.lifecycle.api.inbox.inbox_schemas import InboxView, counted, waiting_view
from services.lifecycle.domain.inbox.waiting import Kind, Waiting
from services.lifecycle.inbox import Inbox
from services.lifecycle.projections.inbox import ASKED, teams_of

router = Router(prefix="/v1/inbox", tags=["inbox"])


async def _inbox(request: Request) -> Inbox:
    return Inbox(request.app.state.resources, request.app.state.policies)


InboxDep = Annotated[Inbox, Depends(_inbox)]


@router.get("", openapi_extra=needs("inbox.read"), responses=responses(403), dependencies=[fresh(*ASKED)])
async def get_inbox(  # noqa: PLR0913  each is a parameter of the route
    *,
    inbox: InboxDep,
    resources: ResourcesDep,
    principal: PrincipalDep,
    page: PageDep,
    person: Annotated[str | None, Query(description="Whose inbox; the caller's, unless given.")] = None,
    team: Annotated[list[str] | None, Query(description="Affairs of these teams.")] = None,
    service: Annotated[list[str] | None, Query(description="About any of these services.")] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    due_before: Annotated[date | None, Query(description="Due before this day.")] = None,
    overdue: Annotated[bool | None, Query(description="Only what is overdue, or only what is not.")] = None,
    unclaimed: Annotated[
        bool, Query(description="Also what waits for anybody, since a team has not said who belongs to it.")
    ] = False,
) -> InboxView:
    """Read what waits for a person: only what they may do, and what is due first in front.

    A person reads their own inbox, and of somebody else's what concerns a team that names both; a machine, such as a
    portal, says whose it reads.
    """
    whose = _whose(principal, person)
    limited_to = await _limit(resources, principal, whose)
    passing = [
        item
        for item in await inbox.of_person(whose, resources.clock.now(), unclaimed=unclaimed)
        if (limited_to is None or item.team in limited_to)
        and (not team or item.team in team)
        and (not service or not set(service).isdisjoint(item.services))
        and (due_before is None or (item.due is not None and item.due < due_before))
        and overdue in {None, item.overdue}
    ]
    listed = [item for item in passing if not kind or item.kind in kind]
    found = page.along(listed, place=_place)
    return InboxView(
        person=whose,
        items=list(map(waiting_view, found.items)),
        next_page_token=found.next_page_token,
        total=len(listed),
        overdue=sum(item.overdue for item in listed),
        counts=counted(passing),
        limited_to=limited_to,
    )


def _whose(principal: Principal, person: str | None) -> str:
    if person is None and principal.kind == "machine":
        detail = f"nothing waits for {principal.name}, a machine; say whose inbox: ?person="
        raise Problem(400, "person-required", "Say whose inbox", detail, [Place(detail, "person")])
    return person or principal.name


async def _limit(resources: Resources, principal: Principal, whose: str) -> list[str] | None:
    """The teams whose affairs the caller may see in *whose* inbox; None: all of it."""
    if whose == principal.name or principal.kind == "machine":
        return None
    mine, theirs = [await resources.views.read(teams_of, person) for person in (principal.name, whose)]
    if not mine & theirs:
        detail = (
            f"no team names both you and {whose}; read your own inbox, or ask with the key of a machine,"
            " such as a portal's"
        )
        raise Problem(403, "not-your-team", "That inbox is not yours to read", detail, [Place(detail, "person")])
    return sorted(mine & theirs)


def _place(item: Waiting) -> str:
    return item.place
