"""`/v1/notifications`, the calls for an incident, and what people say of them."""

from datetime import timedelta
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
from libs.web.schemas import Moment
from services.incidents.api.filters import matching
from services.incidents.api.notification_schemas import (
    EscalationAnswer,
    NoiseReport,
    NotificationAnswer,
    RateBody,
    RatedAnswer,
    RuleNoise,
    escalation_answer,
    notification_answer,
)
from services.incidents.api.verbs import Id
from services.incidents.contract import ESCALATION
from services.incidents.domain.escalation.commands import RatePage
from services.incidents.domain.notification.decider import State
from services.incidents.effects import find_incident
from services.incidents.projections.calls import CALLS, noise
from services.incidents.projections.notifications import NOTIFICATIONS

router = Router(prefix="/v1", tags=["notifications"])


@router.get("/notifications", openapi_extra=needs("notifications.read"), dependencies=[fresh(NOTIFICATIONS)])
async def list_notifications(
    resources: ResourcesDep,
    page: PageDep,
    incident: Annotated[list[str] | None, Query()] = None,
    person: Annotated[list[str] | None, Query()] = None,
    team: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[State] | None, Query()] = None,
) -> Page[NotificationAnswer]:
    """What was sent to whom, when and with which answer, and what is to be sent; the newest first."""
    c = NOTIFICATIONS.view.c
    incidents = [await find_incident(resources.store, reference) for reference in incident or ()]
    query = select(NOTIFICATIONS.view).where(
        *matching({c.incident: incidents, c.person: person, c.team: team, c.state: state})
    )
    return await resources.views.read(page.fetch, query, key=c.ordinal, item=notification_answer, descending=True)


@router.get(
    "/incidents/{id}/escalation",
    response_model=EscalationAnswer,
    openapi_extra=needs("incidents.read"),
    responses=responses(404),
)
async def get_escalation(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """Who was called for an incident, and who is next; a moment after it was declared there may be none yet."""
    loaded = await resources.handler.load(ESCALATION, await find_incident(resources.store, reference))
    return etag.answer(request, escalation_answer(loaded.state), version=loaded.version)


@router.post(
    "/incidents/{id}:rate-page",
    response_model=RatedAnswer,
    openapi_extra=needs("incidents.write"),
    responses=responses(403, 404),
)
async def rate_page(call: CallDep, reference: Id, body: RateBody) -> Response:
    """Say whether there was something to do: who was called does; what is noise goes back to its owner."""
    incident = await find_incident(call.resources.store, reference)
    command = RatePage(
        page=body.page,
        rating=body.rating,
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )
    answer = RatedAnswer(page=body.page, rating=body.rating)
    return await call.handle(ESCALATION, incident, command, body=lambda _: answer)


@router.get(
    "/noise-report", response_model=NoiseReport, openapi_extra=needs("notifications.read"), dependencies=[fresh(CALLS)]
)
async def get_noise_report(
    request: Request,
    resources: ResourcesDep,
    service: Annotated[list[str] | None, Query()] = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> Response:
    """How many calls each rule made, and how many were for nothing; in four weeks unless it is said."""
    end = until or resources.clock.now() + timedelta(seconds=1)
    begin = since or end - timedelta(days=28)
    rows = await resources.views.read(noise, service or [], begin, end)
    return etag.answer(request, NoiseReport(since=begin, until=end, items=[RuleNoise(**row) for row in rows]))
