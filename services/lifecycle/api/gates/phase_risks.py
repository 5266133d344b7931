"""`/v1/phase-at-risk`: services that lack what their phase asks them to keep, and who must do what about it."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import RowMapping
from starlette.requests import Request
from starlette.responses import Response

from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.gates.phase_risk_schemas import ItemState, PhaseRiskView, phase_risk_view
from services.lifecycle.contract import PHASE_RISK
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.evaluation import SCOPE
from services.lifecycle.projections.phase_risks import PHASE_RISKS, item_of, phase_risks
from services.lifecycle.projections.services import SERVICES

_READ = needs("services.read")

router = Router(prefix="/v1/phase-at-risk", tags=["gates"])


@router.get("", openapi_extra=_READ, dependencies=[fresh(PHASE_RISKS, SERVICES)])
async def list_phase_risks(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    owner_team: Annotated[list[str] | None, Query(description="Of the services of one of these teams.")] = None,
    state: Annotated[list[ItemState] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[PhaseRiskView]:
    """List what services lack of that which their phases ask them to keep, opened last first.

    With `as_of` a page may hold fewer items than asked for, even none, while more follow.
    """
    view = PHASE_RISKS.view
    found = await resources.views.read(
        page.fetch,
        phase_risks(service or (), owner_team or (), state or (), as_of),
        key=view.c.item,
        orders={"opened_at": view.c.opened_at},
        item=_row,
        descending=True,
    )
    if as_of:
        then = [await _item(resources, item.id, item.service, as_of) for item in found.items]
        found.items = [item for item in then if not state or item.state in state]
    return found


@router.get("/{item}", response_model=PhaseRiskView, openapi_extra=_READ, responses=responses(404))
async def get_phase_risk(item: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read an item: which checks, since when, who must do what; or why it was closed."""
    holder = await resources.store.holder(SCOPE, item)
    if holder is None:
        raise UnknownError("item", item)
    return etag.answer(request, await _item(resources, item, holder.partition("/")[2], as_of))


async def _item(resources: Resources, item: str, service: str, as_of: AsOf) -> PhaseRiskView:
    loaded = await resources.handler.load(PHASE_RISK, service, as_of=as_of)
    for each in loaded.state:
        if each.opened.item == item:
            return phase_risk_view(each)
    raise UnknownError("item", item)


def _row(row: RowMapping) -> PhaseRiskView:
    return phase_risk_view(item_of(row))
