"""Makes a service's app: routes, refusals, probes, metrics and the document of all of it."""

import functools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from libs.events.errors import (
    BusUnavailableError,
    ConflictError,
    KeyInFlightError,
    KeyReusedError,
    RefusedError,
    ReservedError,
    StorageFullError,
    StoreUnavailableError,
)
from libs.events.resources import Resources
from libs.events.settings import Settings
from libs.web import health, metrics, openapi
from libs.web.auth import Authenticate, GatewayTokens
from libs.web.calls import AnsweredBeforeError
from libs.web.documents import UnreadableError
from libs.web.health import Health
from libs.web.middleware import Surroundings
from libs.web.problems import ErrorKind, Place, Problem, in_words, respond_problem
from libs.web.routing import ServiceRoute

Errors = Mapping[type[Exception], ErrorKind]
"""A service's `api/errors.py`: how each of its domain errors looks over HTTP."""


def _line(error: UnreadableError) -> Mapping[str, Any]:
    return {"line": error.line, "column": error.column, "errors": [{"detail": str(error), "pointer": ""}]}


_BUILT_IN: Errors = {
    UnreadableError: ErrorKind(422, "unreadable-document", "The text holds no documents", extra=_line),
    ReservedError: ErrorKind(409, "name-taken", "The name is taken"),
    RefusedError: ErrorKind(422, "unstorable-value", "The body holds a value that cannot be kept"),
    KeyInFlightError: ErrorKind(
        409,
        "idempotency-key-in-flight",
        "The first request with this Idempotency-Key still runs",
        "wait for its answer, or ask again in a second",
        retry_after_s=1,
    ),
    KeyReusedError: ErrorKind(
        422,
        "idempotency-key-reused",
        "The Idempotency-Key came with another payload before",
        "send each new request with a new key",
    ),
    StorageFullError: ErrorKind(
        503,
        "storage-full",
        "The disk is full",
        "nothing was changed, reads go on; try again when there is room",
        retry_after_s=30,
    ),
    StoreUnavailableError: ErrorKind(
        503,
        "store-unavailable",
        "The database cannot be reached",
        "nothing was changed; try again",
        retry_after_s=1,
    ),
    BusUnavailableError: ErrorKind(
        503,
        "bus-unavailable",
        "The log that services share cannot be reached",
        "what you sent is not known to be kept; send the same again",
        retry_after_s=2,
    ),
}


def create_service_app(  # noqa: PLR0913  each is a part of one app
    *,
    resources: Resources,
    title: str,
    routers: Sequence[APIRouter],
    errors: Errors,
    settings: Settings,
    description: str = "",
    authenticate: Authenticate | None = None,
) -> FastAPI:
    """The app of one service; it opens and closes nothing.

    Args:
        resources: The service's adapters, open.
        title: Of the document.
        routers: Made with `libs.web.routing.Router`.
        errors: How domain errors look over HTTP.
        settings: The service's settings.
        description: Of the document.
        authenticate: Who sends a request; the gateway's tokens unless given.
    """
    for router in routers:
        _refuse_plain_routes(router)
    state = Health()
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": bool(settings.otlp_endpoint), "metrics": False, "logs": False},
        # FastAPI's include_router matches each request twice; the routes carry their prefix already.
        routes=[route for router in (*routers, health.router, metrics.router) for route in router.routes],
        middleware=[Middleware(Surroundings, service=resources.service, health=state)],
        exception_handlers=_handlers({**_BUILT_IN, **errors}),
    )
    app.state.resources = resources
    app.state.settings = settings
    app.state.health = state
    app.state.authenticate = authenticate or GatewayTokens(resources.service, settings.internal_key, resources.clock)
    app.openapi = functools.cache(functools.partial(openapi.document, app))
    return app


def _refuse_plain_routes(router: APIRouter) -> None:
    """A route of another make would check neither scope nor parameters, and nobody would notice."""
    for context in iter_route_contexts(router.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and not isinstance(route, ServiceRoute):
            message = f"make the router of {route.path} with libs.web.routing.Router"
            raise TypeError(message)


async def _resources(request: Request) -> Resources:
    found: Resources = request.app.state.resources
    return found


ResourcesDep = Annotated[Resources, Depends(_resources)]

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


def _handlers(errors: Errors) -> dict[int | type[Exception], Handler]:
    def handler(kind: ErrorKind) -> Handler:
        async def handle(request: Request, error: Exception) -> Response:
            return respond_problem(request, kind.problem(error))

        return handle

    return {cls: handler(kind) for cls, kind in errors.items()} | {
        Problem: _problem,
        AnsweredBeforeError: _answered_before,
        ConflictError: _conflict,
        RequestValidationError: _invalid,
        HTTPException: _http,
    }


async def _problem(request: Request, error: Problem) -> Response:
    return respond_problem(request, error)


async def _answered_before(_: Request, error: AnsweredBeforeError) -> Response:
    return error.answer


async def _conflict(request: Request, error: ConflictError) -> Response:
    if "if-match" in request.headers:
        detail = f'the resource is at version {error.actual}; GET it, look, and send If-Match: "{error.actual}"'
        problem = Problem(412, "precondition-failed", "The resource has changed", detail)
    else:
        detail = "others changed the resource at the same moment; GET it, look, and send your request again"
        problem = Problem(409, "conflict", "Another request was first", detail)
    return respond_problem(request, problem)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    places = [_place(found) for found in error.errors()]
    said = "; ".join(f"{place.pointer or 'the body'}: {place.detail}" for place in places[:3])
    more = f" (and {len(places) - 3} more)" if len(places) > 3 else ""  # noqa: PLR2004  as many as are said
    return respond_problem(request, Problem(422, "invalid", "The request has the wrong shape", said + more, places))


def _place(found: Mapping[str, Any]) -> Place:
    where, *path = found["loc"]
    if where != "body":
        return Place(in_words(found), ".".join(map(str, path)))
    return Place.of_shape(found, path)


async def _http(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            detail = f"there is nothing at {request.url.path}; /openapi.json lists all paths"
            problem = Problem(404, "not-found", "There is no such path", detail, headers=headers)
        case 405:
            allowed = headers.get("Allow", "another")
            detail = f"{request.method} is not offered here; use {allowed}"
            problem = Problem(405, "method-not-allowed", "The method is not offered", detail, headers=headers)
        case status:
            problem = Problem(status, "refused", "The request was refused", error.detail, headers=headers)
    return respond_problem(request, problem)
