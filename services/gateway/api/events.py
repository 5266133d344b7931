"""What happened: for a service, for everyone, and for the auditor. The newest comes first."""

from typing import Annotated, Any

import msgspec
from fastapi import Query
from sqlalchemy import Connection, RowMapping, Select, select

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.gateway.api.schemas import AuditItem, EventItem
from services.gateway.projections.journal import JOURNAL, placed, published, sortable
from services.gateway.projections.services import SERVICES, find_service

router = Router(prefix="/v1")

_VIEW = JOURNAL.view.c
_ORDERS = {"recorded_at": _VIEW.place}

Types = Annotated[list[str] | None, Query(alias="type", description="Repeated: any of them.")]
Services = Annotated[list[str] | None, Query(alias="service", description="Repeated: any of them.")]
Since = Annotated[Moment | None, Query(description="Recorded then or later.")]


@router.get("/events", tags=["events"], openapi_extra=needs("events.read"), dependencies=[fresh(JOURNAL)])
async def list_events(
    resources: ResourcesDep, page: PageDep, types: Types = None, services: Services = None, since: Since = None
) -> Page[EventItem]:
    """List what happened in all services; `/v1/events/stream` tells it as it happens."""
    query = _filtered(types, services, since).where(published())
    return await resources.views.read(page.fetch, query, key=_VIEW.place, orders=_ORDERS, item=_event, descending=True)


@router.get("/audit", tags=["audit"], openapi_extra=needs("audit.read"), dependencies=[fresh(JOURNAL)])
async def list_audit(
    resources: ResourcesDep,
    page: PageDep,
    types: Types = None,
    services: Services = None,
    since: Since = None,
    actor: Annotated[list[str] | None, Query(description="Repeated: any of them.")] = None,
) -> Page[AuditItem]:
    """List who did what, through which key and in which request; API keys made and revoked too."""
    query = _filtered(types, services, since)
    if actor:
        query = query.where(_VIEW.actor.in_(actor))
    return await resources.views.read(
        page.fetch, query, key=_VIEW.place, orders=_ORDERS, item=_audited, descending=True
    )


@router.get(
    "/services/{service}/timeline",
    tags=["services"],
    openapi_extra=needs("services.read"),
    responses=responses(404),
    dependencies=[fresh(SERVICES, JOURNAL)],
)
async def list_service_timeline(
    service: str, resources: ResourcesDep, page: PageDep, types: Types = None, since: Since = None
) -> Page[EventItem]:
    """List what happened to a service, in whichever service it was recorded."""
    query = _filtered(types, [service], since)

    def happened(connection: Connection) -> Page[EventItem]:
        if find_service(connection, service) is None:
            detail = f"there is no service {service!r}; GET /v1/services lists them"
            raise Problem(404, "not-found", "There is no such service", detail)
        return page.fetch(connection, query, key=_VIEW.place, orders=_ORDERS, item=_event, descending=True)

    return await resources.views.read(happened)


def _filtered(types: list[str] | None, services: list[str] | None, since: Moment | None) -> Select[Any]:
    query = select(JOURNAL.view)
    if types:
        query = query.where(_VIEW.type.in_(types))
    if services:
        query = query.where(_VIEW.service.in_(services))
    if since:
        query = query.where(_VIEW.place >= sortable(since))
    return query


def _event(row: RowMapping) -> EventItem:
    return EventItem(**_told(row))


def _audited(row: RowMapping) -> AuditItem:
    return AuditItem(**_told(row))


def _told(row: RowMapping) -> dict[str, Any]:
    recorded_at, event_id = placed(row["place"])
    data = msgspec.json.decode(row["data"])
    return {**row, "id": event_id, "recorded_at": recorded_at, "subject": row["stream"], "data": data}
