"""`/v1/deployments`: from CI/CD, as JSON, as CloudEvents, and as CDEvents."""

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.handler import Effects, Loaded, Outcome
from libs.events.ids import new_id
from libs.events.store import Answer, Reservation
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.limits import parse_json
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.delivery.deployment_schemas import (
    DEPLOYMENT_EXAMPLE,
    DeploymentView,
    FailDeployment,
    NewDeployment,
    ReceivedView,
    RecoverDeployment,
    RollBackDeployment,
    deployment_view,
)
from services.lifecycle.api.delivery.sent_events import cdevent_in, unwrapped, validated
from services.lifecycle.api.references import PatienceDep, caught_up, living_service
from services.lifecycle.contract import DEPLOYMENT, ROLLOUT
from services.lifecycle.domain.delivery import DeliveryPolicy
from services.lifecycle.domain.deployment.commands import Command, Fail, Record, Recover, RollBack
from services.lifecycle.domain.deployment.decider import Deployment, Recorded
from services.lifecycle.domain.deployment.events import DeploymentRecorded, DeploymentStaged
from services.lifecycle.domain.errors import InTheFutureError, UnknownError, UnknownReferenceError
from services.lifecycle.exchange.cdevents import CdEvent
from services.lifecycle.projections.deployments import DEPLOYMENTS, latest_of
from services.lifecycle.projections.services import SERVICES, holds

router = Router(prefix="/v1/deployments", tags=["deployments"])
_READ, _WRITE = needs("deployments.read"), needs("deployments.write")
_SUBJECT_LABEL = "cdevents.dev/subject"  # a service says by it under which id senders know it
_TAKEN = ("commit", "committed_at", "unplanned", "production", "rollout", "major_change", "url")  # of customData
_SEEN = "cdevents"  # the scope of the names under which events were taken: one that comes again takes nothing back
_DEPLOYED = {"service.deployed", "service.upgraded"}
_CDEVENT: dict[str, Any] = {
    "context": {
        "version": "0.4.1",
        "id": "271069a8-fc18-44f1-b38f-9d70a1695819",
        "source": "/ci/checkout",
        "type": "dev.cdevents.service.deployed.0.2.0",
        "timestamp": "2026-11-21T09:30:00Z",
    },
    "subject": {
        "id": "service/checkout-api",
        "type": "service",
        "content": {"environment": {"id": "production"}, "artifactId": "pkg:oci/checkout-api@1.42.0"},
    },
}
_BODIES: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": NewDeployment.model_json_schema(ref_template="#/components/schemas/{model}"),
                "example": DEPLOYMENT_EXAMPLE,
            },
            "application/cdevents+json": {"schema": {"type": "object"}, "example": _CDEVENT},
            "application/cloudevents+json": {
                "schema": {"type": "object"},
                "example": {"specversion": "1.0", "type": _CDEVENT["context"]["type"], "data": _CDEVENT},
            },
        },
    }
}


async def _delivery(request: Request) -> DeliveryPolicy:
    policy: DeliveryPolicy = request.app.state.policies.delivery
    return policy


DeliveryDep = Annotated[DeliveryPolicy, Depends(_delivery)]


@router.post(
    "",
    status_code=201,
    response_model=DeploymentView | ReceivedView,
    openapi_extra={**_WRITE, **_BODIES},
    responses={200: {"description": "Nothing new, or nothing about a deployment.", "model": ReceivedView}}
    | responses(409, 422),
)
async def record_deployment(request: Request, call: CallDep, policy: DeliveryDep, wait_s: PatienceDep) -> Response:
    """Record a deployment, or take an event of CI/CD as it is.

    Accepted are this API's own JSON, bare or as a CloudEvent in binary or structured mode, and CDEvents 0.4 and later:
    `service.deployed`, `service.upgraded` and `service.rolledback` count, all others are received and ignored.
    """
    value = parse_json(await request.body())
    defaults = {"id": request.headers.get("ce-id"), "at": request.headers.get("ce-time")}
    if isinstance(value, dict) and "specversion" in value:
        defaults = {"id": value.get("id"), "at": value.get("time")}
    value, pointer = unwrapped(value)
    if event := cdevent_in(value, pointer):
        return await _take(event, call, policy, wait_s)
    body = validated(NewDeployment, value, {name: given for name, given in defaults.items() if given})
    return await _record(body, call, policy)


@router.get("", openapi_extra=_READ, dependencies=[fresh(DEPLOYMENTS)])
async def list_deployments(  # noqa: PLR0913, PLR0917  each is a filter
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    environment: Annotated[list[str] | None, Query()] = None,
    production: Annotated[bool | None, Query()] = None,
    since: Annotated[Moment | None, Query(description="Done then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Done before.")] = None,
    as_of: AsOf = None,
) -> Page[DeploymentView]:
    """List deployments, the last first."""
    view = DEPLOYMENTS.view.c
    query = select(DEPLOYMENTS.view)
    for column, values in ((view.service, service), (view.environment, environment)):
        if values:
            query = query.where(column.in_(values))
    if production is not None:
        query = query.where(view.production == production)
    if since:
        query = query.where(view.at >= since)
    if until:
        query = query.where(view.at < until)
    if as_of:
        query = query.where(view.recorded_at <= as_of)
    found = await resources.views.read(
        page.fetch,
        query,
        key=view.deployment,
        orders={"at": view.at},
        item=lambda row: str(row["deployment"]),
        descending=True,
    )
    loaded = [await resources.handler.load(DEPLOYMENT, key, as_of=as_of) for key in found.items]
    return Page(items=[deployment_view(_known(one)) for one in loaded], next_page_token=found.next_page_token)


@router.get("/{deployment}", response_model=DeploymentView, openapi_extra=_READ, responses=responses(404))
async def get_deployment(deployment: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a deployment, and what became of it."""
    loaded = await resources.handler.load(DEPLOYMENT, deployment, as_of=as_of)
    return etag.answer(request, deployment_view(_known(loaded)), version=loaded.version)


@router.post("/{deployment}:rollback", response_model=DeploymentView, openapi_extra=_WRITE, responses=responses(404))
async def roll_back_deployment(deployment: str, body: RollBackDeployment, call: CallDep) -> Response:
    """Say that a deployment was taken back: it counts as failed, and as recovered."""
    command = RollBack(
        deployment=deployment,
        automatic=body.automatic,
        to_version=body.to_version,
        reason=body.reason,
        by=call.principal.name,
        at=_past(body.at, call),
    )
    return await _do(call, deployment, command)


@router.post("/{deployment}:fail", response_model=DeploymentView, openapi_extra=_WRITE, responses=responses(404))
async def fail_deployment(deployment: str, body: FailDeployment, call: CallDep) -> Response:
    """Say that a deployment made the service worse, so that somebody must act at once: it counts as failed."""
    command = Fail(
        deployment=deployment,
        incident=body.incident,
        reason=body.reason,
        by=call.principal.name,
        at=_past(body.at, call),
    )
    return await _do(call, deployment, command)


@router.post("/{deployment}:recover", response_model=DeploymentView, openapi_extra=_WRITE, responses=responses(404))
async def recover_deployment(deployment: str, body: RecoverDeployment, call: CallDep) -> Response:
    """Say that the service is well again after a deployment made it worse."""
    command = Recover(deployment=deployment, how=body.how, by=call.principal.name, at=_past(body.at, call))
    return await _do(call, deployment, command)


async def _record(body: NewDeployment, call: Call, policy: DeliveryPolicy) -> Response:
    await living_service(call.resources, body.service, "service")
    if body.rollout and (await call.resources.handler.load(ROLLOUT, body.rollout)).state is None:
        raise UnknownReferenceError("roll-out", body.rollout, "rollout")
    production = body.production
    if production is None:
        production = body.environment.lower() in policy.production_environments.names
    deployment = body.id or str(new_id())
    at = _past(body.at, call)
    if body.committed_at and body.committed_at > at:
        place = Place("the commit would be younger than the deployment; say when it was made", "/committed_at")
        raise Problem(422, "dates-out-of-order", "The dates are in the wrong order", place.detail, [place])
    told = DeploymentRecorded if production else DeploymentStaged
    what = told(
        deployment=deployment,
        service=body.service,
        environment=body.environment,
        version=body.version,
        result=body.result,
        commit=body.commit,
        committed_at=body.committed_at,
        unplanned=body.unplanned,
        rollout=body.rollout or "",
        url=str(body.url) if body.url else "",
        by=call.principal.name,
        at=at if body.at or body.id is None else await _at_first(call, deployment, at),
        recorded=call.context.at,
        major_change=body.major_change,
    )
    return await _do(call, deployment, Record(what), status=201, location=f"/v1/deployments/{deployment}")


async def _at_first(call: Call, deployment: str, at: Any) -> Any:  # noqa: ANN401  a moment
    """When it was done, as it was recorded first: one sent again without a time is the same."""
    state = (await call.resources.handler.load(DEPLOYMENT, deployment)).state
    return state.what.at if state else at


async def _take(event: CdEvent, call: Call, policy: DeliveryPolicy, wait_s: float) -> Response:
    """What an event of CI/CD changes here."""
    if event.kind not in {*_DEPLOYED, "service.rolledback"}:
        ignored = ReceivedView(event.type, "ignored", "it says nothing about a deployment")
        return await call.run(partial(_answer, ignored))
    await caught_up(call.resources, wait_s, DEPLOYMENTS, SERVICES)
    service = await call.resources.views.read(_service_of, event)
    if service is None:
        detail = (
            f"no service is called {event.name!r}; register it, or give the one that is meant the label"
            f" {_SUBJECT_LABEL}={event.subject}"
        )
        raise Problem(
            422, "unknown-reference", "The event names what is not here", detail, [Place(detail, "/subject/id")]
        )
    environment = event.environment or "production"
    if event.kind in _DEPLOYED:
        custom = {name: event.custom[name] for name in _TAKEN if name in event.custom}
        fields = {"service": service, "environment": environment, "version": event.version, **custom}
        body = validated(NewDeployment, fields, {"id": _id_of(event), "at": event.at.isoformat()})
        return await _record(body, call, policy)
    return await _taken_back(event, service, environment, call)


async def _taken_back(event: CdEvent, service: str, environment: str, call: Call) -> Response:
    """A roll-back names what runs now: what was taken back is the deployment before that, of another version."""
    source = f"{event.source}#{event.id}"
    held = await call.resources.store.holder(_SEEN, source)
    deployment = held or await call.resources.views.read(latest_of, service, environment, not_version=event.version)
    if deployment is None:
        detail = f"nothing that could have been taken back was deployed to {environment} of {service}"
        raise _absent(detail, "/subject")
    command = RollBack(
        deployment=deployment,
        automatic=bool(event.custom.get("automatic", False)),
        to_version=event.version,
        reason=str(event.custom.get("reason", "")),
        by=call.principal.name,
        at=event.at,
    )
    seen = Effects() if held else Effects(reserve=(Reservation(_SEEN, source, deployment),))
    return await _do(call, deployment, command, effects=seen)


def _service_of(connection: Connection, event: CdEvent) -> str | None:
    view = SERVICES.view.c
    labelled = holds(view.labels, [f"{_SUBJECT_LABEL}={event.subject}"])
    query = select(view.name).where(labelled | (view.name == event.name)).order_by(labelled.desc(), view.name)
    return connection.execute(query.limit(1)).scalar_one_or_none()


def _id_of(event: CdEvent) -> str:
    """The deployment's id: the event's own where it can stand in a URL, a hash of it otherwise."""
    plain = event.id.replace("-", "").isalnum() and event.id.isascii() and len(event.id) <= 100  # noqa: PLR2004  of Id
    return event.id if plain else sha256(f"{event.source}#{event.id}".encode()).hexdigest()[:32]


def _absent(detail: str, pointer: str) -> Problem:
    return Problem(422, "unknown-reference", "The event names what is not here", detail, [Place(detail, pointer)])


async def _answer(received: ReceivedView) -> Answer:
    return Answer(200, encode(received))


def _past(at: Any, call: Call) -> Any:  # noqa: ANN401  a moment
    if at is not None and at > call.context.at:
        raise InTheFutureError(at)
    return at or call.context.at


async def _do(
    call: Call,
    deployment: str,
    command: Command,
    *,
    status: int = 200,
    location: str | None = None,
    effects: Effects | None = None,
) -> Response:
    def shown(outcome: Outcome[Deployment]) -> DeploymentView:
        return deployment_view(_known(outcome))

    return await call.handle(
        DEPLOYMENT, deployment, command, body=shown, status=status, location=location, effects=effects or Effects()
    )


def _known(found: Loaded[Deployment] | Outcome[Deployment]) -> Recorded:
    if found.state is None:
        raise UnknownError("deployment", found.stream.partition("/")[2])
    return found.state
