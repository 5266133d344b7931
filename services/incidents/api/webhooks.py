"""Where senders with a key of their own send to: Alertmanager's webhook, generic JSON and CloudEvents."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from libs.events.envelope import Context
from libs.events.ids import new_id
from libs.web.auth import PUBLIC
from libs.web.limits import parse_json
from libs.web.middleware import sent_header
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.incidents.domain.integration.decider import Active
from services.incidents.senders.alertmanager import AlertmanagerError, read_notification
from services.incidents.senders.keys import Senders
from services.incidents.senders.lenient import read_json
from services.incidents.senders.mapped import read_mapped
from services.incidents.senders.rates import Rates
from services.incidents.senders.taking import Taking

CLIENT_AUTHORIZATION: Final = b"x-client-authorization"  # as the gateway passes the sender's own on
_CE: Final = "ce-"

router = Router(prefix="/v1/integrations", tags=["integrations"])
Name = Annotated[str, Path(alias="integration", min_length=1, max_length=63)]

_NOTIFICATION: Final = {
    "version": "4",
    "groupKey": '{}:{alertname="DiskFull"}',
    "status": "firing",
    "receiver": "concordat",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "severity": "critical"},
            "annotations": {"summary": "disk of db-1 is full"},
            "startsAt": "2026-11-21T10:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "c0ffee00c0ffee00",
        }
    ],
}
_EVENT: Final = {"id": "disk-full/db-1", "summary": "disk of db-1 is full", "severity": "critical", "status": "firing"}


def _extra(example: object, *kinds: str) -> dict[str, Any]:
    content = {kind: {"schema": {"type": "object"}, "example": example} for kind in ("application/json", *kinds)}
    return {**PUBLIC, "requestBody": {"required": True, "content": content}}


_TAKEN: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "Stored",
        "content": {"application/json": {"schema": {"type": "object", "properties": {"alerts": {"type": "integer"}}}}},
    }
}


@router.post(
    "/{integration}/alertmanager",
    status_code=202,
    openapi_extra=_extra(_NOTIFICATION),
    responses=responses(400, 401, 413, 422, 503) | _TAKEN,
)
async def receive_alertmanager(request: Request, integration: Name) -> Response:
    """Take a webhook of Alertmanager, version 4; its `http_config.authorization` holds the integration's key.

    202 means that all of it is stored. What comes too fast is answered 503, which Alertmanager sends again.
    """
    sender = await _sender(request, integration, "alertmanager")
    try:
        told = read_notification(await request.body(), request.app.state.resources.clock.now())
    except AlertmanagerError as error:
        places = [Place(detail, pointer) for pointer, detail in error.places]
        raise Problem(422, "invalid-notification", "The notification cannot be read", str(error), places) from error
    taking: Taking = request.app.state.taking
    _shed(request, sender, 503, len(told.firing) or 1)
    await taking.take_all(sender, told.firing, told.resolved, _context(request, sender))
    return _taken(len(told.firing) + len(told.resolved), truncated=told.truncated)


@router.post(
    "/{integration}/events",
    status_code=202,
    openapi_extra=_extra(_EVENT, "application/cloudevents+json"),
    responses=responses(400, 401, 413, 422, 429, 503) | _TAKEN,
)
async def receive_event(request: Request, integration: Name) -> Response:
    """Take JSON of any shape by the integration's mapping, or a CloudEvent (structured or binary)."""
    sender = await _sender(request, integration, "generic", "cloudevents")
    _shed(request, sender, 429, 1)
    body = _event(request, _json(await request.body()))
    taking: Taking = request.app.state.taking
    context = _context(request, sender)
    event = read_mapped(sender.profile.mapping, body, new_id().hex, context.at)
    await taking.take(sender, event.action, event.dedup_key, event.said, context)
    return _taken(1, dedup_key=event.dedup_key)


def _json(body: bytes) -> Any:  # noqa: ANN401  whatever was sent
    try:
        return read_json(body)
    except ValueError:
        return parse_json(body)  # which refuses it, and says where


def _event(request: Request, body: Any) -> Any:  # noqa: ANN401  whatever was sent
    """*body*; of a CloudEvent in binary mode its attributes and, as `data`, the body."""
    attributes = {name.removeprefix(_CE): value for name, value in request.headers.items() if name.startswith(_CE)}
    return {**attributes, "data": body} if "specversion" in attributes else body


async def _sender(request: Request, integration: str, *kinds: str) -> Active:
    """Who sends: the key must be that of the integration in the path.

    Raises:
        Problem: 401.
    """
    request.app.state.authenticate(request)  # it comes through the gateway, whoever sends it
    senders: Senders = request.app.state.senders
    scheme, _, key = (sent_header(request, CLIENT_AUTHORIZATION) or "").partition(" ")
    found = await senders.of_key(key.strip()) if scheme.lower() == "bearer" and key else None
    if found is None or found.integration != integration or found.kind not in kinds:
        detail = (
            f"send the key of the integration {integration!r} as Authorization: Bearer <key>;"
            " POST /v1/integrations makes one and shows its key once"
        )
        headers = {"WWW-Authenticate": 'Bearer realm="concordat"'}
        raise Problem(401, "unauthenticated", "The request is not authenticated", detail, headers=headers)
    return found


def _shed(request: Request, sender: Active, status: int, alerts: int) -> None:
    rates: Rates = request.app.state.rates
    if after_s := rates.take(sender.integration, alerts):
        detail = f"alerts of {sender.integration} come faster than this installation takes them; send it again later"
        headers = {"Retry-After": str(max(int(after_s), 1))}
        raise Problem(status, "too-fast", "Alerts come too fast", detail, headers=headers)


def _context(request: Request, sender: Active) -> Context:
    state = request.scope["state"]
    taking: Taking = request.app.state.taking
    return taking.context(sender.integration, state["request_id"], state["trace"].traceparent)


def _taken(alerts: int, **more: object) -> Response:
    body = msgspec.json.encode({"alerts": alerts, **more})
    return Response(body, 202, media_type="application/json")
