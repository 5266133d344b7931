"""What a request may hold: refused here with its place, before it reaches code that trusts it."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request

from libs.web.middleware import sent_header
from libs.web.problems import Place, Problem, pointer_to

MAX_DEPTH = 32  # nothing Concordat reads nests deeper than an OpenSLO document
_INT64 = range(-(2**63), 2**63)  # what both databases and every JSON reader keep exactly
_HUGE = re.compile(rb"\d{19}|[eE]\+?\d{3}")  # only such text can be outside int64 or double
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_ALL_ELSE = bytes(set(range(256)) - set(b"[]{}"))
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class StrictRequest(Request):
    """A request whose body is bounded, and whose JSON is read strictly (RFC 8259 and I-JSON, RFC 7493)."""

    takes_nan = False  # whether NaN and Infinity are for the route to refuse, each by itself

    async def body(self) -> bytes:
        """The whole body.

        Raises:
            Problem: 413, it is larger than the setting `request_bytes`; 415, it is compressed.
        """
        if not hasattr(self, "_body"):
            _refuse_encoded(sent_header(self, b"content-encoding"))
            limit: int = self.app.state.settings.request_bytes
            declared = sent_header(self, b"content-length") or ""
            if declared.isascii() and declared.isdecimal() and int(declared[:20]) > limit:
                raise _too_large(limit)
            chunks: list[bytes] = []
            size = 0
            async for chunk in self.stream():
                size += len(chunk)
                if size > limit:
                    raise _too_large(limit)
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:  # noqa: ANN401  it is what was sent
        """The body's JSON; see `parse_json`."""
        if not hasattr(self, "_json"):
            self._json = parse_json(await self.body(), _WITH_NAN if self.takes_nan else _STRICT)
        return self._json


def parse_json(body: bytes, decoder: json.JSONDecoder | None = None) -> Any:  # noqa: ANN401  it is what was sent
    r"""The value that *body* holds.

    Raises:
        Problem: 400 for what is no JSON, is not UTF-8, nests too deep, or has a key twice in an object; 422 for
            numbers that no database keeps exactly, `\u0000` and lone surrogates. It names the place.
    """
    try:
        value = (decoder or _STRICT).decode(body.decode())
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8 at byte {error.start}; send UTF-8"
        raise _malformed(message) from error
    except json.JSONDecodeError as error:
        message = f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise _malformed(message) from error
    except RecursionError as error:
        raise _too_deep("") from error
    except _DoubledKeyError as error:
        raise _doubled(body) from error
    except ValueError as error:  # a number of more than 4,300 digits, NaN, Infinity
        message = f"the body holds a number that JSON has not: {error}"
        raise _malformed(message) from error
    # The tree is walked only if the text could hold what is refused; most bodies could not.
    if b"\\u" in body or _HUGE.search(body) or _nests_deep(body):
        _refuse(value)
    return value


def check_text(values: Mapping[str, str] | list[tuple[str, str]], what: str) -> None:
    """Refuse control characters in path or query values.

    Raises:
        Problem: 400, naming the parameter.
    """
    for name, value in values.items() if isinstance(values, Mapping) else values:
        if not value.isprintable() and _CONTROL.search(value):
            place = Place("holds a control character; remove it", name)
            message = f"the {what} {name!r} holds a control character; remove it"
            raise Problem(400, "control-character", "A parameter holds a control character", message, [place])


def _refuse_encoded(encoding: str | None) -> None:
    """None of the senders that we name compresses; of others nobody should unpack megabytes before they are known."""
    if encoding and encoding.strip().lower() != "identity":
        detail = f"the body is encoded as {encoding}; send it as it is, without Content-Encoding"
        place = Place(detail, "Content-Encoding")
        headers = {"Accept-Encoding": "identity"}  # RFC 9110, section 15.5.16
        raise Problem(415, "unsupported-encoding", "The body's encoding is not read here", detail, [place], headers)


class _DoubledKeyError(ValueError):
    pass


class _Doubled(dict[str, Any]):
    """An object that has a key twice, marked so that the walk finds its place."""

    key: str = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _DoubledKeyError
    return value


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = _Doubled(pairs)
    if len(value) == len(pairs):
        return dict(value)
    names = [name for name, _ in pairs]
    value.key = next(name for name in names if names.count(name) > 1)
    return value


def _constant(name: str) -> Any:  # noqa: ANN401  it never returns
    raise ValueError(name)


_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
_WITH_NAN = json.JSONDecoder(object_pairs_hook=_object)
_MARKING = json.JSONDecoder(object_pairs_hook=_marked_object, parse_constant=_constant)


def _places(value: Any, pointer: str, depth: int) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  it is what was sent
    """Every value inside *value* with its pointer, the keys of objects too; the outermost first."""
    if depth > MAX_DEPTH:
        raise _too_deep(pointer)
    yield pointer, value
    if isinstance(value, dict):
        for key, inner in value.items():
            inside = pointer + pointer_to([key])
            yield inside, key
            yield from _places(inner, inside, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, f"{pointer}/{index}", depth + 1)


def _refuse(value: Any) -> None:  # noqa: ANN401  it is what was sent
    for pointer, inner in _places(value, "", 0):
        match inner:
            case str() if "\0" in inner or not _encodes(inner):
                reason = "holds a NUL character or half of a surrogate pair, which no database keeps; remove it"
            case bool():
                continue
            case int() if inner not in _INT64:
                reason = "is outside -2^63 to 2^63 - 1; send a smaller number"
            case float() if not math.isfinite(inner):
                reason = "is outside the range of a double; send a smaller number"
            case _:
                continue
        safe = pointer.encode(errors="replace").decode()
        title = "The body holds a value that cannot be kept"
        raise Problem(422, "unstorable-value", title, f"{safe} {reason}", [Place(reason, safe)])


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _doubled(body: bytes) -> Problem:
    for pointer, inner in _places(_MARKING.decode(body.decode()), "", 0):
        if isinstance(inner, _Doubled):
            key = inner.key.encode(errors="replace").decode()
            reason = f"has the key {key!r} twice; leave one"
            return _malformed(f"the object {pointer or 'of the body'} {reason}", Place(reason, pointer))
    return _malformed("an object of the body has a key twice; leave one")


def _nests_deep(body: bytes) -> bool:
    """Whether the JSON in *body* has more than `MAX_DEPTH` objects and lists inside each other."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", body).translate(_BRACKETS, _ALL_ELSE)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")  # the innermost
    return bool(brackets)


def _malformed(detail: str, *places: Place) -> Problem:
    return Problem(400, "malformed-json", "The body is not JSON", detail, places)


def _too_deep(pointer: str) -> Problem:
    detail = f"the body nests deeper than {MAX_DEPTH} levels; flatten it"
    return Problem(400, "too-deep", "The body nests too deep", detail, [Place(detail, pointer)])


def _too_large(limit: int) -> Problem:
    detail = f"the body is larger than {limit} bytes; send it in parts"
    return Problem(413, "body-too-large", "The body is too large", detail)
