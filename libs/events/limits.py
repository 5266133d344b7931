"""What no store takes: refused before it can spoil a batch of other people's requests."""

from collections.abc import Iterator

import msgspec

from libs.events.errors import RefusedError
from libs.events.store import MAX_EVENT_BYTES, AppendRequest, NewEvent


def check_request(request: AppendRequest) -> None:
    r"""Refuse events that are too large, and text that PostgreSQL cannot keep.

    Raises:
        RefusedError: An event is over `MAX_EVENT_BYTES`, something holds `\u0000` or a lone surrogate, or a stream is
            named twice.
    """
    for write in request.writes:
        _check_text(write.stream)
        for event in write.events:
            _check_event(write.stream, event)
    for text in _names(request):
        _check_text(text)
    if len(request.writes) > 1 and len({write.stream for write in request.writes}) < len(request.writes):
        raise RefusedError("one request names a stream twice; put its events together")


def _names(request: AppendRequest) -> Iterator[str]:
    for name in (*request.reserve, *request.release):
        yield from (name.scope, name.key, name.holder)
    for timer in request.schedule:
        yield from (timer.key, timer.kind)
    yield from request.cancel
    if request.idempotency:
        yield from msgspec.structs.astuple(request.idempotency)


def _check_text(text: str) -> None:
    if "\0" in text:
        message = f"{text!r} holds a NUL character; remove it"
        raise RefusedError(message)
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"{text!r} is no Unicode text; remove the lone surrogate"
        raise RefusedError(message) from error


def _check_event(stream: str, event: NewEvent) -> None:
    size = len(event.data) + len(event.metadata)
    if size > MAX_EVENT_BYTES:
        message = f"an event of {stream} has {size} bytes, at most {MAX_EVENT_BYTES} are kept; store less in it"
        raise RefusedError(message)
    for part in (event.data, event.metadata):
        if b"\\u" in part:  # rare: the codec escapes nothing but control characters
            _check_escapes(stream, part)


def _check_escapes(stream: str, part: bytes) -> None:
    if b"\x00" in part.replace(b"\\\\", b"").replace(b"\\u0000", b"\x00"):
        message = f"an event of {stream} holds a NUL character; remove it"
        raise RefusedError(message)
    try:
        msgspec.json.decode(part)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"an event of {stream} is no JSON text: {error}"
        raise RefusedError(message) from error
