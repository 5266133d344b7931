"""Alerts: read, acknowledge, resolve. They are opened by who sends them, not here."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.alert_schemas import AlertAnswer, AlertItem, AlertState, alert_answer
from services.incidents.api.filters import matching
from services.incidents.api.schemas import of_row
from services.incidents.api.verbs import Id, add_verbs
from services.incidents.contract import ALERT
from services.incidents.domain.alert.commands import Acknowledge, Resolve
from services.incidents.domain.alert.events import Urgency
from services.incidents.effects import find_incident
from services.incidents.intake import alert_effects, followers
from services.incidents.projections.alerts import ALERTS

router = Router(prefix="/v1/alerts", tags=["alerts"])


@router.get("", openapi_extra=needs("alerts.read"), dependencies=[fresh(ALERTS)])
async def list_alerts(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[AlertState] | None, Query()] = None,
    urgency: Annotated[list[Urgency] | None, Query()] = None,
    incident: Annotated[list[str] | None, Query()] = None,
) -> Page[AlertItem]:
    """Alerts in all states unless filtered, the newest first."""
    c = ALERTS.view.c
    incidents = [await find_incident(resources.store, reference) for reference in incident or ()]
    query = select(ALERTS.view).where(
        *matching({c.service: service, c.state: state, c.urgency: urgency, c.incident: incidents})
    )
    return await resources.views.read(
        page.fetch, query, key=c.id, item=lambda row: of_row(AlertItem, row), descending=True
    )


@router.get("/{id}", response_model=AlertAnswer, openapi_extra=needs("alerts.read"), responses=responses(404))
async def get_alert(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """One alert as it is now."""
    loaded = await resources.handler.load(ALERT, reference)
    return answer(request, alert_answer(loaded.state), version=loaded.version)


async def _carry(call: Call, reference: str, command: Acknowledge | Resolve) -> Response:
    opened = (await call.resources.handler.load(ALERT, reference)).state
    return await call.handle(
        ALERT,
        reference,
        command,
        body=lambda outcome: alert_answer(outcome.state),
        effects=alert_effects,
        also=followers(opened, command),
    )


add_verbs(router, "alert", (Acknowledge, Resolve), _carry, answer=AlertAnswer)
