"""The port to the owners of resources, over a socket or in the same process.

Bytes go through as they are: no adapter looks into a body.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final, Protocol
from urllib.parse import unquote

import aiohttp
import msgspec
from starlette.types import ASGIApp, Message, Scope
from yarl import URL

from services.gateway.config import GatewaySettings

Header = tuple[bytes, bytes]

# Less than the 75 s after which an owner closes an idle connection (`libs/web/server.py`): the side that sends must be
# the one that closes, or a request meets a closing door.
_KEEP_ALIVE_S: Final = 60.0


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

    async def send(self, request: OwnerRequest) -> OwnerAnswer:
        """What it answers.

        Raises:
            OwnerUnavailableError: It did not answer.
        """
        ...


class HttpOwner:
    """An owner at an address (aiohttp: measured, see DESIGN; httpx costs more than the owner's work)."""

    def __init__(self, url: str, *, connections: int, connect_timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s)  # the caller bounds the whole
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: OwnerRequest) -> OwnerAnswer:
        """See `Owner.send`."""
        session = self._session or self._open()
        try:
            async with session.request(
                request.method,
                URL(self._url + request.target, encoded=True),
                data=request.body or None,
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers],
                allow_redirects=False,
            ) as response:
                body = await response.read()
                headers = tuple((name.lower(), value) for name, value in response.raw_headers)
                return OwnerAnswer(response.status, headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise OwnerUnavailableError(str(error), reached=False) from error
        except aiohttp.ClientError as error:
            raise OwnerUnavailableError(str(error), reached=True) from error

    async def close(self) -> None:
        """Let go of connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            auto_decompress=False,
            timeout=self._timeout,
        )
        return self._session


class AsgiOwner:
    """An owner in this process: its app is called directly. Its lifespan belongs to whoever made it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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


@asynccontextmanager
async def open_owners(settings: GatewaySettings) -> AsyncGenerator[Mapping[str, Owner]]:
    """The owners at their configured addresses, by service; their connections are closed at the end."""
    connections, connect_timeout_s = settings.owner_connections, settings.owner_connect_timeout_s
    owners = {
        service: HttpOwner(url, connections=connections, connect_timeout_s=connect_timeout_s)
        for service, url in settings.owner_urls.items()
    }
    try:
        yield owners
    finally:
        for owner in owners.values():
            await owner.close()


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
