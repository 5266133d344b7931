"""Problem documents: every refusal says what, where, and how to mend it (RFC 9457)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_UNKNOWN: Final = "is not a field here; remove it"
_MISSING: Final = "is missing; send it"
_DURATION: Final = "is no duration; write it as ISO 8601, such as PT5M"
_DAY: Final = "is no day; write it such as 2026-11-30"
_REMEDIES: Final = {  # of pydantic's kinds of errors; of the others its own words say enough
    "extra_forbidden": _UNKNOWN,
    "unexpected_keyword_argument": _UNKNOWN,
    "missing": _MISSING,
    "missing_argument": _MISSING,
    "time_delta_parsing": _DURATION,
    "time_delta_type": _DURATION,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "date_type": _DAY,
}


@dataclass(frozen=True, slots=True)
class Place:
    """One thing wrong with what was sent, and the JSON pointer (RFC 6901) or parameter where it stands."""

    detail: str
    pointer: str = ""

    @classmethod
    def of_shape(cls, found: Mapping[str, Any], path: Iterable[str | int]) -> "Place":
        """What pydantic *found* wrong at *path*."""
        return cls(in_words(found), pointer_to(path))


def in_words(found: Mapping[str, Any]) -> str:
    """What pydantic *found* wrong, and how to mend it."""
    return _REMEDIES.get(found["type"]) or str(found["msg"])


def pointer_to(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) to what lies under these keys and indexes."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


@dataclass(slots=True)
class Problem(Exception):  # noqa: N818  RFC 9457 calls it a problem
    """A refusal on its way to the client.

    Args:
        status: HTTP status.
        code: Stable slug, also the last part of `type`; such as `gate-not-passed`.
        title: What this kind of problem is, the same for every occurrence.
        detail: What happened here, and how to mend it.
        errors: The places.
        headers: More HTTP headers, such as `Retry-After`.
        extra: More members of the document, such as the allowed transitions.
    """

    status: int
    code: str
    title: str
    detail: str
    errors: Sequence[Place] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """What one class of errors looks like over HTTP; the rows of a service's `api/errors.py`.

    Args:
        status: HTTP status.
        code: Stable slug.
        title: The same for every occurrence.
        detail: Said instead of the error's own text.
        extra: More members of the document, from the error.
        retry_after_s: For 503: when to try again.
    """

    status: int
    code: str
    title: str
    detail: str = ""
    extra: Callable[[Any], Mapping[str, Any]] | None = None
    retry_after_s: int | None = None

    def problem(self, error: Exception) -> Problem:
        """*error* as a refusal."""
        members = self.extra(error) if self.extra else {}  # noqa: S610  there is no Django here
        return Problem(
            self.status,
            self.code,
            self.title,
            self.detail or str(error) or self.title,
            headers={} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)},
            extra=members,
        )


def document(problem: Problem, *, instance: str, trace_id: str) -> bytes:
    """*problem* as JSON; `type` is relative to the API's own address."""
    members: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        "code": problem.code,
        "trace_id": trace_id,
        "errors": problem.errors,
        **problem.extra,
    }
    return msgspec.json.encode(members)


def respond_problem(request: Request, problem: Problem) -> Response:
    """The response that carries *problem*."""
    trace = request.scope.get("state", {}).get("trace")
    body = document(problem, instance=request.url.path, trace_id=trace.trace_id if trace else "")
    return Response(body, problem.status, dict(problem.headers), MEDIA_TYPE)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may refuse with, for its `responses=`."""
    return {status: {"description": HTTPStatus(status).phrase, "content": CONTENT} for status in statuses}


CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "A refusal: what, where, and how to mend it (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "trace_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/not-found"]},
        "title": {"type": "string", "examples": ["There is no such thing"]},
        "status": {"type": "integer", "examples": [404]},
        "detail": {"type": "string", "examples": ["there is no team 'checkuot'; GET /v1/teams lists them"]},
        "instance": {"type": "string", "examples": ["/v1/teams/checkuot"]},
        "code": {"type": "string", "examples": ["not-found"]},
        "trace_id": {"type": "string", "examples": ["0af7651916cd43dd8448eb211c80319c"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail", "pointer"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer into the body, or a parameter's name"},
                },
            },
        },
    },
    "additionalProperties": True,
}
