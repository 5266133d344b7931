"""Where notifications of alerts go, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Body, Name
from services.slo.config import SloSettings
from services.slo.contract import NOTIFICATION_TARGET
from services.slo.domain.errors import NoSuchNotificationTargetError
from services.slo.domain.notification_target.commands import Address, RemoveTarget, SetTarget
from services.slo.domain.notification_target.decider import NotificationTarget
from services.slo.notifying.deliveries import DELIVERIES, Kind, State, listed
from services.slo.projections.notification_targets import NOTIFICATION_TARGETS

router = Router(prefix="/v1", tags=["notifications"])
_READ, _WRITE = "notification-targets.read", "notification-targets.write"


class TargetAddress(Body):
    """Where to send what alert policies name; a secret is named, never sent."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://hooks.example.com/alerts", "secret": "hooks-token"}]}
    )

    url: Annotated[str, Field(max_length=500, description="Takes Alertmanager's webhooks, version 4.")]
    secret: Annotated[
        str, Field(max_length=253, description="The file in the service's folder of secrets with a bearer token.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetAnswer:
    """A notification target; `allowed` says whether the service's settings let it send there."""

    name: str
    url: str
    secret: str
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A notification target that has no address any more."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What was sent to a target or is to be; `status` and `detail` are of the last attempt."""

    id: str
    slo: str
    alert: str
    target: str
    kind: Kind
    state: State
    attempts: int
    status: int | None
    detail: str
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None


@router.put(
    "/notification-targets/{target}",
    response_model=TargetAnswer,
    openapi_extra=needs(_WRITE),
    responses=responses(422),
)
async def set_notification_target(request: Request, target: Name, body: TargetAddress, call: CallDep) -> Response:
    """Send what alert policies address to the AlertNotificationTarget of this name to a webhook."""
    settings: SloSettings = request.app.state.settings
    if not settings.may_tell(body.url):
        detail = f"the host of {body.url!r} is not among CONCORDAT_WEBHOOK_HOSTS; have it added, or use another"
        raise Problem(422, "host-not-allowed", "The host is not allowed", detail, [Place(detail, "/url")])
    command = SetTarget(target, Address(body.url, body.secret), call.context.at)

    def made(outcome: Outcome[NotificationTarget]) -> TargetAnswer:
        return _target(target, outcome.state, settings)

    return await call.handle(NOTIFICATION_TARGET, target, command, body=made)


@router.get("/notification-targets", openapi_extra=needs(_READ), dependencies=[fresh(NOTIFICATION_TARGETS)])
async def list_notification_targets(request: Request, resources: ResourcesDep, page: PageDep) -> Page[TargetAnswer]:
    """All notification targets, by name."""
    settings: SloSettings = request.app.state.settings
    view = NOTIFICATION_TARGETS.view

    def item(row: Mapping[Any, Any]) -> TargetAnswer:
        return _target(row["target"], Address(row["url"], row["secret"]), settings)

    return await resources.views.read(page.fetch, select(view), key=view.c.target, item=item)


@router.get(
    "/notification-targets/{target}",
    response_model=TargetAnswer,
    openapi_extra=needs(_READ),
    responses=responses(404),
)
async def get_notification_target(request: Request, target: str, resources: ResourcesDep) -> Response:
    """One notification target."""
    loaded = await resources.handler.load(NOTIFICATION_TARGET, target)
    return answer(request, _target(target, loaded.state, request.app.state.settings), version=loaded.version)


@router.delete(
    "/notification-targets/{target}", response_model=Removed, openapi_extra=needs(_WRITE), responses=responses(404)
)
async def remove_notification_target(target: str, call: CallDep) -> Response:
    """Send nothing there any more; what waits for it is given up after a day."""
    command = RemoveTarget(target, call.context.at)
    return await call.handle(NOTIFICATION_TARGET, target, command, body=lambda _: Removed(name=target))


@router.get("/notification-deliveries", openapi_extra=needs(_READ))
async def list_notification_deliveries(
    resources: ResourcesDep,
    page: PageDep,
    slo: Annotated[list[str] | None, Query()] = None,
    target: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[State] | None, Query()] = None,
) -> Page[Delivery]:
    """What was sent in the last week or waits to be, the newest first; at most ten thousand are kept."""
    query = listed(slo or [], target or [], state or [])
    return await resources.views.read(page.fetch, query, key=DELIVERIES.c.id, item=_delivery, descending=True)


def _target(target: str, address: NotificationTarget, settings: SloSettings) -> TargetAnswer:
    if address is None:
        raise NoSuchNotificationTargetError(target)
    return TargetAnswer(name=target, url=address.url, secret=address.secret, allowed=settings.may_tell(address.url))


def _delivery(row: Mapping[Any, Any]) -> Delivery:
    same = (name for name in Delivery.__dataclass_fields__ if name != "next_attempt_at")
    next_at = row["next_at"] if row["state"] == "pending" else None
    return Delivery(**{name: row[name] for name in same}, next_attempt_at=next_at)
