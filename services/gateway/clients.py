"""The port to the owners of resources; adapters: an app of this process (here), an address (`http_owner.py`).

Bytes go through as they are: no adapter looks into a body.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol
from urllib.parse import unquote

import msgspec
from starlette.types import ASGIApp, Message, Scope

Header = tuple[bytes, bytes]


class OwnerRequest(msgspec.Struct, frozen=True, gc=False):
    """A request for an owner.

    Args:
        method: In capitals.
        target: Path and query as they came, still percent-encoded.
        headers: Names in lower case.
        body: As it came.
    """

    method: str
    target: str
    headers: tuple[Header, ...] = ()
    body: bytes = b""


class OwnerAnswer(msgspec.Struct, frozen=True, gc=False):
    """What an owner answered; header names in lower case."""

    status: int
    headers: tuple[Header, ...]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first header of that name."""
        return next((value for known, value in self.headers if known == name), None)


class OwnerUnavailableError(Exception):
    """The owner cannot be reached, or went away before it had answered.

    Args:
        reached: Whether it may have received the request.
    """

    def __init__(self, detail: str, *, reached: bool) -> None:
        super().__init__(detail)
        self.reached = reached


class Owner(Protocol):
    """A service that owns resources."""

    async def there(self) -> None:
        """Return once it can be asked: in this process, it may still be made."""
        ...

    async def send(self, request: OwnerRequest) -> OwnerAnswer:
        """What it answers.

        Raises:
            OwnerUnavailableError: It did not answer.
        """
        ...


class AsgiOwner:
    """An owner in this process: its app is called directly. Its lifespan belongs to whoever made it.

    Args:
        app: Answers.
        made: Returns once it does; None: it does already.
    """

    def __init__(self, app: ASGIApp, made: Callable[[], Awaitable[object]] | None = None) -> None:
        self._app, self._made = app, made

    async def there(self) -> None:
        """See `Owner.there`."""
        if self._made:
            await self._made()

    async def send(self, request: OwnerRequest) -> OwnerAnswer:
        """See `Owner.send`."""
        path, _, query = request.target.partition("?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "http",
            "method": request.method,
            "path": unquote(path),
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": [(b"host", b"localhost"), (b"content-length", b"%d" % len(request.body)), *request.headers],
            "client": None,
            "server": None,
            "state": {},
        }
        unread: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]
        sent: list[Message] = []
        never = asyncio.Event()

        async def receive() -> Message:
            if not unread:
                await never.wait()  # this client does not go away before it has its answer
            return unread.pop()

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return _answer(sent)


def _answer(sent: Iterable[Message]) -> OwnerAnswer:
    status, headers, parts = 0, (), list[bytes]()
    for message in sent:
        if message["type"] == "http.response.start":
            status, headers = message["status"], tuple(message["headers"])
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))
    if not status:
        raise OwnerUnavailableError("the app returned without an answer", reached=True)
    return OwnerAnswer(status, headers, b"".join(parts))
