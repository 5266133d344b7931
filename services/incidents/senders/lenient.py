"""JSON as monitoring systems write it: an alert is not lost because of half a character beside it."""

import json
import math
import re
from typing import Any, Final, NoReturn

import msgspec

_LEVELS: Final = 32  # as other bodies have; what nests deeper is kept as text
_NO_CHARACTERS: Final = re.compile("[\x00\ud800-\udfff]")  # no database keeps them
_TOO_DEEP: Final = "it nests too deep"
_NUL: Final = rb"\u0000"  # how JSON writes one; whatever else is clumsy, the fast reader refuses


def read_json(body: bytes, decides: frozenset[str] = frozenset()) -> Any:  # noqa: ANN401  whatever was sent
    """The JSON in *body*; what is clumsy in it is mended, but for the members of an object that *decides* names.

    Characters that are none, and bytes that are not of its encoding, are U+FFFD; what nests too deep, and a number that
    is larger than any double, are text.

    Raises:
        ValueError: It is none.
    """
    try:
        value, clumsy = msgspec.json.decode(body), _NUL in body
    except (msgspec.DecodeError, UnicodeDecodeError):
        value, clumsy = _read_clumsy(body), True
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    if not clumsy and body.count(b"[") + body.count(b"{") <= _LEVELS:
        return value
    if not isinstance(value, dict):
        return _mended(value, _LEVELS)
    return {_text(name): each if name in decides else _mended(each, _LEVELS) for name, each in value.items()}


def read_object(body: bytes, decides: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The JSON object in *body*, as `read_json` reads it.

    Raises:
        ValueError: It is none.
    """
    value = read_json(body, decides)
    if not isinstance(value, dict):
        raise ValueError("it is no object")  # noqa: TRY004  whatever it is, it is not the JSON that is asked for
    return value


def is_text(text: str) -> bool:
    """Whether all of it are characters."""
    return not _NO_CHARACTERS.search(text)


def _read_clumsy(body: bytes) -> Any:  # noqa: ANN401  whatever was sent
    """As Python reads it: a byte order mark, UTF-16, half surrogates; those also in place of bytes that are wrong."""
    encoding = json.detect_encoding(body)
    text = body.decode(encoding, "surrogateescape" if encoding.startswith("utf-8") else "strict")
    try:
        return json.loads(text, parse_constant=_refused, parse_float=_number)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error


def _number(written: str) -> float | str:
    number = float(written)
    return number if math.isfinite(number) else written


def _mended(value: Any, levels: int) -> Any:  # noqa: ANN401  whatever was sent
    match value:
        case str():
            return _text(value)
        case list() | dict() if not levels:
            return _text(json.dumps(value, ensure_ascii=False))
        case list():
            return [_mended(each, levels - 1) for each in value]
        case dict():
            return {_text(name): _mended(each, levels - 1) for name, each in value.items()}
        case _:
            return value


def _text(text: str) -> str:
    return _NO_CHARACTERS.sub("\ufffd", text)


def _refused(constant: str) -> NoReturn:
    message = f"{constant} is no number"
    raise ValueError(message)
