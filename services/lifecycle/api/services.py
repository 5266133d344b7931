"""`/v1/services`."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf, GatesDep
from services.lifecycle.api.references import living_team
from services.lifecycle.api.schemas import ChangeService, RegisterService, Tier
from services.lifecycle.api.views import ServiceView, StayView, live, service_row, service_view, stay_views
from services.lifecycle.contract import SERVICE
from services.lifecycle.domain.errors import NotUnsupportedError, UnknownReferenceError
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service.commands import Change, Register
from services.lifecycle.domain.service.decider import Unsupported
from services.lifecycle.projections.services import SERVICES

router = Router(prefix="/v1/services", tags=["services"])


@router.post(
    "", status_code=201, response_model=ServiceView, openapi_extra=needs("services.write"), responses=responses(409)
)
async def register_service(body: RegisterService, call: CallDep, gates: GatesDep) -> Response:
    """Register a service in the first phase, or import it at a later one."""
    if body.owner_team:
        await living_team(call.resources, body.owner_team, "owner_team")
    await _revivable(call.resources, body.revives)
    command = Register(
        service=body.name,
        display_name=body.display_name or body.name,
        owner_team=body.owner_team or "",
        tier=body.tier or 0,
        phase=body.phase,
        revives=body.revives or "",
        grace=gates.policy.grandfathering_days.days,
        grandfathered_until=body.grandfathered_until,
        by=call.principal.name,
        at=call.context.at,
    )
    return await call.handle(
        SERVICE,
        body.name,
        command,
        body=lambda outcome: service_view(live(outcome)),
        status=201,
        location=f"/v1/services/{body.name}",
    )


@router.get("", openapi_extra=needs("services.read"), dependencies=[fresh(SERVICES)])
async def list_services(
    resources: ResourcesDep,
    page: PageDep,
    phase: Annotated[list[Phase] | None, Query()] = None,
    owner_team: Annotated[list[str] | None, Query()] = None,
    tier: Annotated[list[Tier] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[ServiceView]:
    """List services by name.

    With `as_of` a page may hold fewer services than asked for, even none, while more follow.
    """
    view = SERVICES.view
    wanted = {"phase": phase, "owner_team": owner_team, "tier": tier}
    query = select(view)
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    else:
        query = query.where(*(view.c[name].in_(values) for name, values in wanted.items() if values))
    found = await resources.views.read(
        page.fetch,
        query,
        key=view.c.name,
        orders={name: view.c[name] for name in ("name", "tier", "phase_since", "registered_at")},
        item=service_row,
    )
    if as_of:
        then = [live(await resources.handler.load(SERVICE, service.name, as_of=as_of)) for service in found.items]
        found.items = [
            service
            for service in map(service_view, then)
            if all(getattr(service, name) in values for name, values in wanted.items() if values)
        ]
    return found


@router.get("/{service}", response_model=ServiceView, openapi_extra=needs("services.read"), responses=responses(404))
async def get_service(service: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a service."""
    loaded = await resources.handler.load(SERVICE, service, as_of=as_of)
    return etag.answer(request, service_view(live(loaded)), version=loaded.version)


@router.patch(
    "/{service}",
    response_model=ServiceView,
    openapi_extra=needs("services.write", if_match=True),
    responses=responses(404, 428),
)
async def change_service(service: str, body: ChangeService, call: CallDep) -> Response:
    """Change a service (JSON merge patch)."""
    live(await call.resources.handler.load(SERVICE, service))
    if body.owner_team:
        await living_team(call.resources, body.owner_team, "owner_team")
    given = body.model_fields_set
    command = Change(
        service=service,
        display_name=(body.display_name or service) if "display_name" in given else None,
        owner_team=(body.owner_team or "") if "owner_team" in given else None,
        tier=(body.tier or 0) if "tier" in given else None,
        at=call.context.at,
    )
    return await call.handle(SERVICE, service, command, body=lambda outcome: service_view(live(outcome)))


@router.get(
    "/{service}/phases", response_model=Page[StayView], openapi_extra=needs("services.read"), responses=responses(404)
)
async def list_phases(service: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a service's way through the phases, oldest first."""
    loaded = await resources.handler.load(SERVICE, service, as_of=as_of)
    page = Page(items=stay_views(live(loaded).profile))
    return etag.answer(request, page.model_dump(mode="json", by_alias=True), version=loaded.version)


async def _revivable(resources: Resources, service: str | None) -> None:
    if service is None:
        return
    match (await resources.handler.load(SERVICE, service)).state:
        case None:
            raise UnknownReferenceError("service", service, "revives")
        case Unsupported():
            return
        case state:
            raise NotUnsupportedError(service, state.profile.phase)
