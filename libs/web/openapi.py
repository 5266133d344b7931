"""The OpenAPI 3.1 document of an app: problems, security and the headers of commands added to every operation."""

from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from libs.web import problems
from libs.web.auth import SCOPE
from libs.web.calls import call
from libs.web.routing import ServiceRoute

_HEADERS: dict[str, Any] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key with the same payload replays the first answer; kept 24 h.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
        "example": "0197f5d2-8f6e-7a51-b9d4-6f1c64c1b0aa",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag the caller has seen; 412 if it is no longer so.",
        "schema": {"type": "string", "pattern": '^(\\*|"[0-9]{1,18}")$'},
        "example": '"3"',
    },
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document of *app*."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version="3.1.0",
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas["Problem"] = problems.SCHEMA
    components["parameters"] = _HEADERS
    components["securitySchemes"] = {"gateway": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    commands = {
        route.unique_id
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, ServiceRoute) and _asks_for_call(route.original_route.dependant)
    }
    for operations in made.get("paths", {}).values():
        for operation in operations.values():
            _complete(operation, is_command=operation["operationId"] in commands)
    return made


def _complete(operation: dict[str, Any], *, is_command: bool) -> None:
    answers: dict[str, Any] = operation["responses"]
    statuses = [400, 503]
    if operation.setdefault(SCOPE, None):  # FastAPI leaves out what is None
        operation["security"] = [{"gateway": []}]
        statuses += [401, 403]
    if "requestBody" in operation:
        statuses += [413, 415]
    if is_command:
        references = [{"$ref": f"#/components/parameters/{name}"} for name in _HEADERS]
        operation["parameters"] = [*operation.get("parameters", []), *references]
        statuses += [409, 412, 422]
    if "422" in answers:  # FastAPI's own, which has another shape
        del answers["422"]
        statuses.append(422)
    refusals = {str(status): answer for status, answer in problems.responses(*statuses).items()}
    operation["responses"] = dict(sorted((refusals | answers).items()))


def _asks_for_call(dependant: Dependant) -> bool:
    return dependant.call is call or any(map(_asks_for_call, dependant.dependencies))
