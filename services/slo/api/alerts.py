"""The burn-rate alerts of an SLO."""

from typing import Annotated

from fastapi import Query

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.slo.api.definitions import existing
from services.slo.api.schemas import AlertAnswer, AlertState, alert_answer
from services.slo.contract import SLO
from services.slo.projections.slo_alerts import SLO_ALERTS, alerts_of

router = Router(prefix="/v1/slos/{slo}/alerts", tags=["slos"])


@router.get("", openapi_extra=needs("slos.read"), responses=responses(404), dependencies=[fresh(SLO_ALERTS)])
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
