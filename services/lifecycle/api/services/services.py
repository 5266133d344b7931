"""`/v1/services`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import ColumnElement, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Step
from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf, GatesDep
from services.lifecycle.api.references import living_team
from services.lifecycle.api.schemas import ChangeService, RegisterService, Tier
from services.lifecycle.api.services.catalogue_schemas import CatalogueBody, catalogue_of
from services.lifecycle.api.views import ServiceView, StayView, live, service_row, service_view, stay_views
from services.lifecycle.contract import SERVICE, TEAM
from services.lifecycle.domain.errors import NotUnsupportedError, UnknownReferenceError
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service.catalogue import EMPTY
from services.lifecycle.domain.service.commands import Change, Register
from services.lifecycle.domain.service.decider import Decommissioned, Unsupported
from services.lifecycle.domain.team.commands import TakeOn
from services.lifecycle.projections.services import SERVICES, holds

router = Router(prefix="/v1/services", tags=["services"])
_CATALOGUE = set(CatalogueBody.model_fields)


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What services are looked up by in the catalogue."""

    product: Sequence[str]
    technology: Sequence[str]
    label: Sequence[str]

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a row must fulfil."""
        columns = SERVICES.view.c
        wanted = [columns.product.in_(self.product)] if self.product else []
        held = ((columns.technologies, self.technology), (columns.labels, self.label))
        return [*wanted, *(holds(column, words) for column, words in held if words)]

    def fits(self, service: ServiceView) -> bool:
        """Whether *service* fulfils it."""
        labels = {f"{key}={value}" for key, value in service.labels.items()}
        return (
            (not self.product or service.product in self.product)
            and (not self.technology or bool({*self.technology} & {*service.technologies}))
            and (not self.label or bool({*self.label} & labels))
        )


async def _looked_up(
    product: Annotated[list[str] | None, Query()] = None,
    technology: Annotated[list[str] | None, Query(description="Built of one of these.")] = None,
    label: Annotated[list[str] | None, Query(description="`key=value`; has one of these.")] = None,
) -> LookedUp:
    return LookedUp(product or (), technology or (), label or ())


LookedUpDep = Annotated[LookedUp, Depends(_looked_up)]


@router.post(
    "", status_code=201, response_model=ServiceView, openapi_extra=needs("services.write"), responses=responses(409)
)
async def register_service(body: RegisterService, call: CallDep, gates: GatesDep) -> Response:
    """Register a service in the first phase, or import it at a later one."""
    answering = await _check_references(call.resources, body)
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
        catalogue=catalogue_of(body, EMPTY),
    )
    return await call.handle(
        SERVICE,
        body.name,
        command,
        body=lambda outcome: service_view(live(outcome)),
        status=201,
        location=f"/v1/services/{body.name}",
        also=answering,
    )


@router.get("", openapi_extra=needs("services.read"), dependencies=[fresh(SERVICES)])
async def list_services(  # noqa: PLR0913, PLR0917  each is a filter
    resources: ResourcesDep,
    page: PageDep,
    looked_up: LookedUpDep,
    phase: Annotated[list[Phase] | None, Query()] = None,
    owner_team: Annotated[list[str] | None, Query()] = None,
    sre_team: Annotated[list[str] | None, Query()] = None,
    tier: Annotated[list[Tier] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[ServiceView]:
    """List services by name.

    With `as_of` a page may hold fewer services than asked for, even none, while more follow.
    """
    view = SERVICES.view
    wanted = {"phase": phase, "owner_team": owner_team, "sre_team": sre_team, "tier": tier}
    query = select(view)
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    else:
        query = query.where(*(view.c[name].in_(values) for name, values in wanted.items() if values))
        query = query.where(*looked_up.conditions())
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
            and looked_up.fits(service)
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
@retried_on_conflict
async def change_service(service: str, body: ChangeService, call: CallDep) -> Response:
    """Change a service (JSON merge patch)."""
    loaded = await call.resources.handler.load(SERVICE, service)
    profile, call = live(loaded).profile, call.pinned(loaded)
    answering = await _check_references(call.resources, body)
    given = body.model_fields_set
    command = Change(
        service=service,
        display_name=(body.display_name or service) if "display_name" in given else None,
        owner_team=(body.owner_team or "") if "owner_team" in given else None,
        tier=(body.tier or 0) if "tier" in given else None,
        at=call.context.at,
        catalogue=catalogue_of(body, profile.catalogue) if given & _CATALOGUE else None,
    )
    return await call.handle(
        SERVICE, service, command, body=lambda outcome: service_view(live(outcome)), also=answering
    )


@router.get(
    "/{service}/phases", response_model=Page[StayView], openapi_extra=needs("services.read"), responses=responses(404)
)
async def list_phases(service: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a service's way through the phases, oldest first."""
    loaded = await resources.handler.load(SERVICE, service, as_of=as_of)
    page = Page(items=stay_views(live(loaded).profile))
    return etag.answer(request, page.model_dump(mode="json", by_alias=True), version=loaded.version)


async def _check_references(resources: Resources, body: RegisterService | ChangeService) -> list[Step[Any, Any, Any]]:
    """Refuse teams that do not live, and ask them again in the moment in which it is stored."""
    named = {f"code/{index}/owner": part.owner for index, part in enumerate(body.code or ())}
    if body.owner_team:
        named["owner_team"] = body.owner_team
    for field, team in named.items():
        await living_team(resources, team, field)
    return [Step(TEAM, team, TakeOn(team)) for team in dict.fromkeys(named.values())]


async def _revivable(resources: Resources, service: str | None) -> None:
    if service is None:
        return
    match (await resources.handler.load(SERVICE, service)).state:
        case None:
            raise UnknownReferenceError("service", service, "revives")
        case Unsupported() | Decommissioned():
            return
        case state:
            raise NotUnsupportedError(service, state.profile.phase)
