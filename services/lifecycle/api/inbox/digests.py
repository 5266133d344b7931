"""`/v1/teams/{team}/digests`: what waited in a team at the beginning of a week, or waits now."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import PrincipalDep, needs
from libs.web.consistency import fresh
from libs.web.internal_auth import Principal
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.inbox.inbox import InboxDep
from services.lifecycle.api.teams.team_schemas import living
from services.lifecycle.contract import DIGEST, TEAM
from services.lifecycle.domain.digest.events import DigestCompiled, Line
from services.lifecycle.domain.digest.text import compiled, digest_id
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.inbox.waiting import Kind
from services.lifecycle.domain.team.decider import Ended, Registered
from services.lifecycle.inbox import Inbox
from services.lifecycle.projections.inbox import ASKED

router = Router(prefix="/v1/teams/{team}/digests", tags=["inbox"])
_NOW = "now"
_WEEK = re.compile(r"\d{4}-W\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DigestView:
    """A digest; `text` is all of it as Markdown, `left_out` says how much more waits than `lines` list."""

    id: str
    team: str
    week: str
    time_zone: str
    total: int
    overdue: int
    counts: Mapping[Kind, int]
    lines: tuple[Line, ...]
    left_out: int
    subject: str
    text: str
    policy_version: str
    at: datetime


@router.get(
    "/{week}",
    response_model=DigestView,
    openapi_extra=needs("inbox.read"),
    responses=responses(403, 404),
    dependencies=[fresh(*ASKED)],
)
async def get_digest(  # noqa: PLR0913  each is a parameter of the route
    *,
    team: str,
    week: Annotated[str, Path(description="An ISO week, or `now`: what waits at this moment; it is not kept.")],
    resources: ResourcesDep,
    inbox: InboxDep,
    principal: PrincipalDep,
    request: Request,
    as_of: AsOf = None,
) -> Response:
    """Read what waited in a team at the beginning of a week, as it was told then; people of the team may."""
    state = living(await resources.handler.load(TEAM, team))
    _let(principal, state)
    found = await _now(inbox, state) if week == _NOW else await _kept(resources, team, week, as_of)
    return etag.answer(request, _view(found))


def _let(principal: Principal, state: Registered | Ended) -> None:
    """Refuse a person whom the team does not name, unless it names nobody."""
    structure = (state.was if isinstance(state, Ended) else state).structure
    named = {*structure.members, *structure.leads, structure.product} - {""}
    if principal.kind == "person" and named and principal.name not in named:
        detail = "its members, its leads and the product role read it, and machines with the scope inbox.read"
        raise Problem(403, "not-your-team", "That team is not yours", detail, [Place(detail, "team")])


async def _kept(resources: Resources, team: str, week: str, as_of: datetime | None) -> DigestCompiled:
    found = (await resources.handler.load(DIGEST, digest_id(team, week), as_of=as_of)).state
    if found is None or not _WEEK.fullmatch(week):
        raise UnknownError("digest of that week", week)
    return found


async def _now(inbox: Inbox, state: Registered | Ended) -> DigestCompiled:
    team = state.was if isinstance(state, Ended) else state
    return compiled(await inbox.told(team, inbox.resources.clock.now()))


def _view(found: DigestCompiled) -> DigestView:
    return DigestView(
        id=found.digest,
        team=found.team,
        week=found.week,
        time_zone=found.time_zone,
        total=found.total,
        overdue=found.overdue,
        counts=found.counts,
        lines=found.lines,
        left_out=found.left_out,
        subject=found.subject,
        text=found.text,
        policy_version=found.policy_version,
        at=found.at,
    )
