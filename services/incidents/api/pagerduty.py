"""PagerDuty's Events API v2, so that its clients change nothing but the host: answers and refusals are in its words."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from libs.events.envelope import Context
from libs.events.errors import RefusedError, StorageFullError, StoreUnavailableError
from libs.events.ids import new_id
from libs.web.auth import PUBLIC
from libs.web.problems import CONTENT, Problem
from libs.web.routing import Router
from services.incidents.contract import CHANGE
from services.incidents.domain.change.commands import Report
from services.incidents.domain.integration.decider import Active
from services.incidents.senders.keys import Senders
from services.incidents.senders.pagerduty import (
    MOST_BYTES,
    InvalidEventError,
    UnrecognizedError,
    change_id,
    read_change,
    read_event,
)
from services.incidents.senders.rates import Rates
from services.incidents.senders.taking import Taking

Take = Callable[[bytes], Awaitable[Mapping[str, str]]]

router = Router(prefix="/v2", tags=["pagerduty"])

_UNKNOWN_KEY: Final = (
    "'routing_key' is not one of an integration that takes PagerDuty's events; POST /v1/integrations makes one"
)
_TRIGGER: Final[Mapping[str, Any]] = {
    "routing_key": "R0UTINGKEYR0UTINGKEYR0UTINGKEY01",
    "event_action": "trigger",
    "dedup_key": "disk-full/db-1",
    "payload": {"summary": "disk of db-1 is full", "source": "db-1", "severity": "critical"},
}
_CHANGE: Final[Mapping[str, Any]] = {
    "routing_key": "R0UTINGKEYR0UTINGKEYR0UTINGKEY01",
    "payload": {"summary": "checkout-api 1.42.0 deployed", "source": "ci"},
}
_ANSWER: Final = {
    "type": "object",
    "required": ["status", "message"],
    "properties": {
        "status": {"type": "string"},
        "message": {"type": "string"},
        "dedup_key": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "string"}},
    },
}
_CONTENT: Final = {"application/json": {"schema": _ANSWER}}
_REFUSED: Final = {**_CONTENT, **CONTENT}  # the gateway's own refusals are problems
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "Stored", "content": _CONTENT},
    400: {"description": "The event cannot be taken; `errors` says why", "content": _REFUSED},
    413: {"description": "Too large", "content": _REFUSED},
    415: {"description": "Compressed; send it as it is", "content": _REFUSED},
    429: {"description": "Sent too fast", "content": _REFUSED},
    503: {"description": "It cannot be stored now; send it again", "content": _REFUSED},
}


def _extra(example: Mapping[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {**PUBLIC, "requestBody": {"required": True, "content": content}}


@router.post("/enqueue", status_code=202, openapi_extra=_extra(_TRIGGER), responses=_RESPONSES)
async def enqueue(request: Request) -> Response:
    """Take an event: trigger, acknowledge or resolve the alert of its `dedup_key`. 202 means that it is stored."""

    async def take(body: bytes) -> Mapping[str, str]:
        taking: Taking = request.app.state.taking
        made_key = new_id().hex
        event = read_event(body, made_key, request.app.state.resources.clock.now())
        integration = await _sender(request, event.routing_key)
        context = _context(request, integration)
        await taking.take(integration, event.action, event.dedup_key, event.said, context)
        return {"status": "success", "message": "Event processed", "dedup_key": event.dedup_key}

    return await _answered(request, take)


@router.post("/enqueue/", status_code=202, openapi_extra=_extra(_TRIGGER), responses=_RESPONSES)
async def enqueue_slashed(request: Request) -> Response:
    """Take an event, as clients send it that put a slash behind every path."""
    return await enqueue(request)


@router.post("/change/enqueue", status_code=202, openapi_extra=_extra(_CHANGE), responses=_RESPONSES)
async def enqueue_change(request: Request) -> Response:
    """Take a change event, such as a deployment: it is shown beside incidents, and nobody is called."""

    async def take(body: bytes) -> Mapping[str, str]:
        resources = request.app.state.resources
        told = read_change(body, resources.clock.now())
        integration = await _sender(request, told.routing_key)
        name = integration.integration
        change = change_id(name, told)
        command = Report(change, name, integration.profile.service, told.summary, told.at, told.details)
        await resources.handler.handle(CHANGE, change, command, _context(request, integration))
        return {"status": "success", "message": "Change event processed"}

    return await _answered(request, take)


@router.post("/change/enqueue/", status_code=202, openapi_extra=_extra(_CHANGE), responses=_RESPONSES)
async def enqueue_change_slashed(request: Request) -> Response:
    """Take a change event, likewise."""
    return await enqueue_change(request)


async def _answered(request: Request, take: Take) -> Response:  # noqa: PLR0911  one line per refusal
    """What *take* makes of the body, or PagerDuty's words for why it could not."""
    request.app.state.authenticate(request)  # it comes through the gateway, whoever sends it
    try:
        return _answer(202, await take(await _body(request)))
    except UnrecognizedError:
        return _refusal(400, "Unrecognized object", "Event object format is unrecognized", ["JSON parse error"])
    except InvalidEventError as error:
        return _refusal(400, "invalid event", "Event object is invalid", error.errors)
    except RefusedError as error:
        return _refusal(400, "invalid event", "Event object is invalid", [str(error)])
    except Problem as error:
        response = _refusal(error.status, "invalid event", error.title, [error.detail])
        response.headers.update(error.headers)
        return response
    except _TooLargeError:
        said = f"the event is larger than {MOST_BYTES} bytes; leave some of 'custom_details' out"
        return _refusal(413, "invalid event", "Event object is too large", [said])
    except _TooFastError as error:
        said = f"Enqueue rate exceeded; retry in {error.after_s:.0f} s"
        message = "Requests for this service are arriving too quickly.  Please retry later."
        return _refusal(429, "throttle exceeded", message, [said], error.after_s)
    except (StoreUnavailableError, StorageFullError) as error:
        return _refusal(503, "internal error", "The event could not be stored; send it again", [str(error)], 1)


class _TooLargeError(Exception):
    pass


class _TooFastError(Exception):
    def __init__(self, after_s: float) -> None:
        super().__init__("too fast")
        self.after_s = after_s


async def _body(request: Request) -> bytes:
    try:
        body = await request.body()
    except Problem as error:
        if error.status == 413:  # noqa: PLR2004  larger than anything that is read here
            raise _TooLargeError from error
        raise
    if len(body) > MOST_BYTES:
        raise _TooLargeError
    return body


async def _sender(request: Request, key: str) -> Active:
    senders: Senders = request.app.state.senders
    rates: Rates = request.app.state.rates
    integration = await senders.of_key(key)
    if integration is None or integration.kind != "pagerduty":
        raise InvalidEventError(_UNKNOWN_KEY)
    if after_s := rates.take(integration.integration):
        raise _TooFastError(after_s)
    return integration


def _context(request: Request, integration: Active) -> Context:
    state = request.scope["state"]
    taking: Taking = request.app.state.taking
    return taking.context(integration.integration, state["request_id"], state["trace"].traceparent)


def _refusal(status: int, word: str, message: str, errors: Sequence[str], after_s: float = 0) -> Response:
    response = _answer(status, {"status": word, "message": message, "errors": list(errors)})
    if after_s:
        response.headers["Retry-After"] = str(max(int(after_s), 1))
    return response


def _answer(status: int, body: Mapping[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
