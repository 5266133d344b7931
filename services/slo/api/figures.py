"""What the measurements of an SLO mean, now or at any time, and the alerts that followed."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.slo.api.definitions import existing
from services.slo.api.schemas import AlertAnswer, AlertState, StatusAnswer, Time, alert_answer, promised, status_answer
from services.slo.contract import SLO
from services.slo.evaluation import status
from services.slo.projections.slo_alerts import SLO_ALERTS, alerts_of

router = Router(prefix="/v1/slos/{slo}", tags=["slos"])


@router.get("/status", response_model=StatusAnswer, openapi_extra=needs("slos.read"), responses=responses(404))
async def get_slo_status(
    request: Request, slo: str, resources: ResourcesDep, at: Annotated[Time | None, Query()] = None
) -> Response:
    """SLI, error budget and burn rates of the window that ends at *at* (now unless given)."""
    defined = existing((await resources.handler.load(SLO, slo)).state, slo)
    found = await resources.views.read(status, promised(defined), at or resources.clock.now())
    return answer(request, status_answer(found))


@router.get("/alerts", openapi_extra=needs("slos.read"), responses=responses(404), dependencies=[fresh(SLO_ALERTS)])
async def list_slo_alerts(
    slo: str,
    resources: ResourcesDep,
    page: PageDep,
    state: Annotated[list[AlertState] | None, Query()] = None,
) -> Page[AlertAnswer]:
    """Burn-rate alerts of the SLO, the newest first."""
    existing((await resources.handler.load(SLO, slo)).state, slo)
    return await resources.views.read(
        page.fetch, alerts_of(slo, state or []), key=SLO_ALERTS.view.c.alert, item=alert_answer, descending=True
    )
