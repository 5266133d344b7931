"""All SLOs in one list: whose budget is lowest, and whom it concerns."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Query
from sqlalchemy import ColumnElement, Float, func, literal

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.slo.api.schemas import SloItem, slo_item
from services.slo.domain.error_budget import State
from services.slo.projections.known_services import KNOWN_SERVICES, owned_by
from services.slo.projections.slos import SLOS, listed

router = Router(prefix="/v1/slos", tags=["slos"])

_LAST: Final = literal(1e300, Float())  # an SLO without figures is in no danger that anyone knows of


@router.get("", openapi_extra=needs("slos.read"), responses=responses(400), dependencies=[fresh(SLOS, KNOWN_SERVICES)])
async def list_slos(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    team: Annotated[list[str] | None, Query(description="That owns the service.")] = None,
    state: Annotated[list[State] | None, Query()] = None,
) -> Page[SloItem]:
    """All SLOs with the last figures that were published about them.

    `order_by` takes `budget_remaining` (without figures: last), `sli`, `target`, `service` and `name`.
    """
    query = listed(service or [], state or [])
    if team:
        query = query.where(SLOS.view.c.service.in_(owned_by(team)))
    return await resources.views.read(page.fetch, query, key=SLOS.view.c.slo, item=slo_item, orders=_orders())


def _orders() -> Mapping[str, ColumnElement[Any]]:
    slos = SLOS.view.c
    return {
        "budget_remaining": func.coalesce(slos.error_budget_remaining, _LAST),
        "sli": func.coalesce(slos.sli, _LAST),
        "target": slos.target,
        "service": slos.service,
        "name": slos.slo,
    }
