"""The routes of a service: authenticated, authorised and strict before the first line of their own runs."""

import inspect
from collections.abc import Callable, Coroutine, Sequence
from email.message import Message
from functools import cached_property, partial
from typing import Any

from fastapi import APIRouter
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import ParamTypes
from fastapi.routing import APIRoute
from fastapi.utils import create_model_field
from starlette.requests import Request
from starlette.responses import Response

from libs.web.auth import IF_MATCH, SCOPE, Authenticate, authorise
from libs.web.limits import StrictRequest, check_text
from libs.web.middleware import sent_header
from libs.web.problems import Place, Problem

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ServiceRoute(APIRoute):
    """A route that names its scope (`openapi_extra=needs(...)`, or `PUBLIC`) and takes only what it declares."""

    takes_nan = False  # see `StrictRequest`

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        response_model: Any = None,  # noqa: ANN401  whatever FastAPI takes
        **options: Any,  # noqa: ANN401  likewise
    ) -> None:
        """Leave an answer that the endpoint writes itself to the document: nothing else needs its shape."""
        written = inspect.signature(endpoint).return_annotation is Response
        super().__init__(path, endpoint, response_model=None if written else response_model, **options)
        if written:
            self.response_model = None if isinstance(response_model, DefaultPlaceholder) else response_model
            del self.response_field

    @cached_property
    def response_field(self) -> Any:  # noqa: ANN401  # pyright: ignore[reportIncompatibleVariableOverride]
        """What the document says of the answer; it takes a millisecond and a hundred kilobytes a route."""
        if self.response_model is None:
            return None
        return create_model_field(f"Response_{self.unique_id}", self.response_model, mode="serialization")

    def get_route_handler(self) -> Handler:
        """The route's own handler, behind the checks that all routes share."""
        extra = self.openapi_extra or {}
        if SCOPE not in extra:
            message = f"the route {self.path} names no scope; give it openapi_extra=needs(...) or PUBLIC"
            raise TypeError(message)
        scope: str | None = extra[SCOPE]
        must_match = bool(extra.get(IF_MATCH))
        known = {field.alias for field in get_flat_params(self.dependant) if _is_query(field.field_info)}
        handler = super().get_route_handler()
        reads_json = self.body_field is not None
        kinds = ["application/json", *extra.get("requestBody", {}).get("content", {})]

        async def handle(plain: Request) -> Response:
            request = StrictRequest(plain.scope, plain.receive)
            request.takes_nan = self.takes_nan
            if scope is not None:
                authenticate: Authenticate = request.app.state.authenticate
                principal = authenticate(request)
                request.scope["state"]["principal"] = principal
                authorise(principal, scope)
            _check_parameters(request, known)
            if must_match and sent_header(request, b"if-match") is None:
                raise _if_match_required()
            if reads_json:
                await _read_json(request, kinds)
            return await handler(request)

        return handle


def _operation_id(route: APIRoute) -> str:
    return route.name


Router = partial(APIRouter, route_class=ServiceRoute, generate_unique_id_function=_operation_id)
"""Makes a service's routers: `Router(prefix="/v1/teams", tags=["teams"])`."""


def _is_query(field_info: object) -> bool:
    return getattr(field_info, "in_", None) is ParamTypes.query


def _check_parameters(request: Request, known: set[str]) -> None:
    if request.path_params:
        check_text(request.path_params, "part of the path")
    if not request.scope["query_string"]:
        return
    sent = request.query_params.multi_items()
    for name, _ in sent:
        if name not in known:
            offered = f"this route takes {', '.join(sorted(known))}" if known else "this route takes none"
            detail = f"there is no parameter {name!r}; {offered}"
            raise Problem(400, "unknown-parameter", "The parameter is unknown", detail, [Place(detail, name)])
    check_text(sent, "parameter")


async def _read_json(request: StrictRequest, kinds: Sequence[str]) -> None:
    """Read the body before FastAPI does, which would answer our refusals with its own."""
    if not await request.body():
        return
    content_type = sent_header(request, b"content-type") or ""
    if content_type != "application/json" and not _is_json(content_type):
        detail = f"the body is {content_type or 'of no type'}; send it with Content-Type: {' or '.join(kinds)}"
        place = Place(detail, "Content-Type")
        raise Problem(415, "unsupported-media-type", "The body's type is not read here", detail, [place])
    await request.json()


def _is_json(content_type: str) -> bool:
    message = Message()
    message["content-type"] = content_type
    kind = message.get_content_type()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _if_match_required() -> Problem:
    detail = "GET the resource and send its ETag as If-Match, so that nobody's change is overwritten"
    return Problem(428, "if-match-required", "If-Match is required", detail, [Place(detail, "If-Match")])
