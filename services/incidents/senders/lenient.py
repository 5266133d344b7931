"""JSON as monitoring systems write it: an alert is not lost because of half a character beside it."""

import json
import re
from typing import Any, Final, NoReturn

import msgspec

_LEVELS: Final = 32  # as other bodies have; what nests deeper is kept as text
_NO_CHARACTERS: Final = re.compile("[\x00\ud800-\udfff]")  # no database keeps them
_WRITTEN: Final = re.compile(rb"\\u(0000|[dD][89a-fA-F])")  # how JSON may write them


def read_object(body: bytes, decides: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The JSON object in *body*; characters that are none are U+FFFD, but for the members that *decides* names.

    Raises:
        ValueError: It is none.
    """
    try:
        clumsy = _WRITTEN.search(body)
        value = json.loads(body.decode(), parse_constant=_refused) if clumsy else msgspec.json.decode(body)
        if isinstance(value, dict) and (clumsy or body.count(b"[") + body.count(b"{") > _LEVELS):
            value = {_text(name): each if name in decides else _mended(each, _LEVELS) for name, each in value.items()}
    except RecursionError as error:
        raise ValueError("it nests too deep") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(value, dict):
        raise ValueError("it is no object")  # noqa: TRY004  whatever it is, it is not the JSON that is asked for
    return value


def is_text(text: str) -> bool:
    """Whether all of it are characters."""
    return not _NO_CHARACTERS.search(text)


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
