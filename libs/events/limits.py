"""What no store takes: refused before it can spoil a batch of other people's requests."""

from libs.events.errors import RefusedError
from libs.events.store import MAX_EVENT_BYTES, AppendRequest, NewEvent


def check_request(request: AppendRequest) -> None:
    r"""Refuse events that are too large or hold text that PostgreSQL cannot keep.

    Raises:
        RefusedError: An event is over `MAX_EVENT_BYTES`, or holds `\u0000` or a lone surrogate.
    """
    for write in request.writes:
        for event in write.events:
            _check(write.stream, event)


def _check(stream: str, event: NewEvent) -> None:
    size = len(event.data) + len(event.metadata)
    if size > MAX_EVENT_BYTES:
        message = f"an event of {stream} has {size} bytes, at most {MAX_EVENT_BYTES} are kept; store less in it"
        raise RefusedError(message)
    for part in (event.data, event.metadata):
        if b"\\u0000" in part and b"\x00" in _unescaped(part):
            message = f"an event of {stream} holds a NUL character; remove it"
            raise RefusedError(message)


def _unescaped(part: bytes) -> bytes:
    return part.replace(b"\\\\", b"").replace(b"\\u0000", b"\x00")
