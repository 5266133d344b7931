"""An owner at an address."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from yarl import URL

from services.gateway.clients import Owner, OwnerAnswer, OwnerRequest, OwnerUnavailableError
from services.gateway.config import GatewaySettings

# Less than the 75 s after which an owner closes an idle connection (`libs/web/server.py`): the side that sends must be
# the one that closes, or a request meets a closing door.
_KEEP_ALIVE_S: Final = 60.0


class HttpOwner:
    """An owner behind HTTP, through aiohttp: measured, httpx costs more than the owner's own work (decision 0008)."""

    def __init__(self, url: str, *, connections: int, connect_timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s)  # the caller bounds the whole
        self._session: aiohttp.ClientSession | None = None

    async def there(self) -> None:
        """See `Owner.there`; what is elsewhere is asked to know."""

    async def send(self, request: OwnerRequest) -> OwnerAnswer:
        """See `Owner.send`."""
        session = self._session or self._open()
        try:
            async with session.request(
                request.method,
                URL(self._url + request.target, encoded=True),
                data=request.body or None,
                headers=[(name.decode(), value.decode(errors="replace")) for name, value in request.headers],
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
