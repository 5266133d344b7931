"""ETags: of one stream, its version; of anything composed, a weak hash of its content."""

import re
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.web.problems import Place, Problem

_VERSION = re.compile(r'"(\d{1,18})"')
_WELL_FORMED = re.compile(r'(?:W/)?"[^"]*"')


def strong(version: int) -> str:
    """The ETag of a stream's version."""
    return f'"{version}"'


def weak(content: bytes) -> str:
    """The ETag of composed content."""
    return f'W/"{blake2b(content, digest_size=12).hexdigest()}"'


def expected_version(if_match: str | None) -> int | None:
    """The version that `If-Match` asks for; None for no header, and for `*`.

    Raises:
        Problem: 412 for an ETag that no stream ever had, 400 for what is no single ETag.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    if version := _VERSION.fullmatch(if_match.strip()):
        return int(version[1])
    if _WELL_FORMED.fullmatch(if_match.strip()):
        detail = f"no version here has the ETag {if_match}; GET the resource and send its ETag"
        raise Problem(412, "precondition-failed", "The resource has changed", detail, [Place(detail, "If-Match")])
    detail = 'send one ETag in quotes, as a GET answered it, such as If-Match: "3"'
    raise Problem(400, "invalid-if-match", "If-Match cannot be read", detail, [Place(detail, "If-Match")])


def answer(request: Request, value: object, *, version: int | None = None) -> Response:
    """*value* as JSON with an ETag; 304 if the caller has it already.

    Args:
        request: What is answered.
        value: The body.
        version: Of the stream, where the value shows one stream and nothing else.
    """
    body = encode(value)
    tag = weak(body) if version is None else strong(version)
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, 200, {"ETag": tag}, "application/json")


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the header names *tag*, by weak comparison (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return tag.removeprefix("W/") in {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
