"""`/v1/teams`."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.schemas import ChangeTeam, RegisterTeam
from services.lifecycle.api.views import TeamView, team_view
from services.lifecycle.contract import TEAM
from services.lifecycle.domain.team.commands import Change, Register
from services.lifecycle.domain.team.events import TeamKind
from services.lifecycle.projections.teams import TEAMS

router = Router(prefix="/v1/teams", tags=["teams"])


@router.post("", status_code=201, response_model=TeamView, openapi_extra=needs("teams.write"), responses=responses(409))
async def register_team(body: RegisterTeam, call: CallDep) -> Response:
    """Register a development or SRE team."""
    command = Register(body.name, body.kind, body.display_name or body.name, call.context.at)
    return await call.handle(TEAM, body.name, command, body=team_view, status=201, location=f"/v1/teams/{body.name}")


@router.get("", openapi_extra=needs("teams.read"), dependencies=[fresh(TEAMS)])
async def list_teams(
    resources: ResourcesDep, page: PageDep, kind: Annotated[list[TeamKind] | None, Query()] = None, as_of: AsOf = None
) -> Page[TeamView]:
    """List teams by name."""
    view = TEAMS.view
    query = select(view)
    if kind:
        query = query.where(view.c.kind.in_(kind))
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    found = await resources.views.read(
        page.fetch,
        query,
        key=view.c.name,
        orders={"name": view.c.name, "registered_at": view.c.registered_at},
        item=lambda row: TeamView(row["name"], row["kind"], row["display_name"], row["registered_at"]),
    )
    if as_of:
        then = [await resources.handler.load(TEAM, team.name, as_of=as_of) for team in found.items]
        found.items = list(map(team_view, then))
    return found


@router.get("/{team}", response_model=TeamView, openapi_extra=needs("teams.read"), responses=responses(404))
async def get_team(team: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a team."""
    loaded = await resources.handler.load(TEAM, team, as_of=as_of)
    return etag.answer(request, team_view(loaded), version=loaded.version)


@router.patch(
    "/{team}",
    response_model=TeamView,
    openapi_extra=needs("teams.write", if_match=True),
    responses=responses(404, 428),
)
async def change_team(team: str, body: ChangeTeam, call: CallDep) -> Response:
    """Change a team (JSON merge patch)."""
    loaded = team_view(await call.resources.handler.load(TEAM, team))
    given = "display_name" in body.model_fields_set
    display_name = (body.display_name or team) if given else loaded.display_name
    return await call.handle(TEAM, team, Change(team, display_name, call.context.at), body=team_view)
