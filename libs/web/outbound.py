"""HTTP to addresses that users name: only to public ones, pinned to what was looked up, and never redirected.

Without this a webhook's address could have a server of ours ask others inside its network (OWASP: server-side request
forgery). The name is looked up once, every address it has is checked, and the connection goes to one of these; so a
name that changes its mind between the check and the connection gains nothing. What answers with a redirect is not
followed.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import aiohttp

_SCHEMES: Final = ("http", "https")
_UNBOUNDED: Final = 0  # who asks bounds how much at once: what waits for a connection would be short of time
_DIGITS: Final = 6  # of seconds to wait: eleven days
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address inside


class OutboundError(Exception):
    """Nothing, or nothing useful, came back; *refused* when it was not even tried, and never will be."""

    def __init__(self, detail: str, *, refused: bool = False) -> None:
        super().__init__(detail)
        self.refused = refused


class _ForbiddenAddressError(OSError):
    """An address that is not to be connected to."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A status, and in how many seconds to ask again, where that is said; of the body nothing is read."""

    status: int
    retry_after_s: int = 0


def check_url(url: str, *, private: bool = False) -> str:
    """Why *url* is not asked, as far as can be seen without looking its name up; empty: it may be.

    Args:
        url: Where to.
        private: Whether private and loopback addresses are allowed.
    """
    import yarl  # noqa: PLC0415  it takes long, and most requests name no address

    try:
        parts = yarl.URL(url)  # as the client reads it: other parsers find other hosts in letters that look like digits
        host = parts.raw_host
    except ValueError as error:
        return f"it is no address: {error}"
    if parts.scheme not in _SCHEMES or not host:
        return "use an address that begins with https:// or http:// and names a host"
    if parts.user or parts.password:
        return "credentials do not belong into an address; they would be shown in logs"
    if not host.strip("0123456789.") and not _literal(host):
        return f"{host} is neither a name nor an IP address; write four numbers without leading zeros"
    literal = _literal(host)
    if literal and not is_allowed(literal, private=private):
        return _forbidden(host)
    return ""


def is_allowed(address: str, *, private: bool = False) -> bool:
    """Whether the IP *address* may be connected to: global unicast ones, and private ones where those are allowed."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_allowed(str(inner), private=private)
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local:  # link-local: metadata services of clouds
        return False
    return ip.is_global or (private and (ip.is_private or ip.is_loopback))


class Outbound:
    """Sends requests out; made by `open_outbound`."""

    def __init__(self, timeout_s: float, look_up: Callable[..., Any] | None, *, private: bool) -> None:
        self._timeout_s, self._look_up, self._private = timeout_s, look_up, private
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """End its connections."""
        if self._session is not None:
            await self._session.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
        """The status that *url* answers to *body*.

        Raises:
            OutboundError: It may not be asked, or does not answer in time.
        """
        import aiohttp  # noqa: PLC0415  it takes long, and most processes send nothing
        import yarl  # noqa: PLC0415  as above

        if why := check_url(url, private=self._private):
            raise OutboundError(why, refused=True)
        session = self._session = self._session or _open(self._look_up, private=self._private)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                session.post(url, data=body, headers=dict(headers), allow_redirects=False) as answer,
            ):
                return Answered(answer.status, _seconds(answer.headers.get("Retry-After", "")))
        except TimeoutError as error:
            message = f"no answer within {self._timeout_s:g} s"
            raise OutboundError(message) from error
        except aiohttp.ClientError as error:
            if _is_forbidden(error):
                raise OutboundError(_forbidden(yarl.URL(url).raw_host or ""), refused=True) from error
            message = f"cannot be reached: {type(error).__name__}"
            raise OutboundError(message) from error


@asynccontextmanager
async def open_outbound(
    timeout_s: float, *, private: bool = False, look_up: Callable[..., Any] | None = None
) -> AsyncGenerator[Outbound]:
    """A client for addresses that users name.

    Args:
        timeout_s: For a whole request.
        private: Whether private and loopback addresses are allowed.
        look_up: In place of the system's `getaddrinfo`.
    """
    outbound = Outbound(timeout_s, look_up, private=private)
    try:
        yield outbound
    finally:
        await outbound.close()


def _open(look_up: Callable[..., Any] | None, *, private: bool) -> "aiohttp.ClientSession":
    import aiohttp  # noqa: PLC0415  as above

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=_guarded(look_up, private=private), limit=_UNBOUNDED, use_dns_cache=False
        ),
        timeout=aiohttp.ClientTimeout(total=None),  # `post` bounds the whole
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


def _guarded(look_up: Callable[..., Any] | None, *, private: bool) -> Any:  # noqa: ANN401  aiohttp is imported late
    """A resolver whose every answer was checked; what it answers is what is connected to."""
    from aiohttp.abc import AbstractResolver  # noqa: PLC0415  as above

    class Guarded(AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:  # noqa: ANN401
            find = look_up or asyncio.get_running_loop().getaddrinfo
            found = await find(host, port, type=socket.SOCK_STREAM, family=family)
            addresses = [(kind, str(address[0])) for kind, _, _, _, address in found]
            for _, address in addresses:
                if not is_allowed(address, private=private):
                    raise _ForbiddenAddressError(host)
            return [
                {
                    "hostname": host,
                    "host": address,
                    "port": port,
                    "family": kind,
                    "proto": 0,
                    "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                }
                for kind, address in addresses
            ]

        async def close(self) -> None:
            """Nothing to close."""

    return Guarded()


def _seconds(said: str) -> int:
    """What `Retry-After` says in seconds (RFC 9110); 0 where it names a date, or nothing that makes sense."""
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= _DIGITS else 0


def _is_forbidden(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _ForbiddenAddressError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _forbidden(host: str) -> str:
    return (
        f"{host} is, or leads to, an address inside a private network, which is not asked;"
        " use a public one, or allow private ones with CONCORDAT_OUTBOUND_PRIVATE"
    )


def _literal(host: str) -> str:
    """*host*, if it is an IP address as it stands; what only looks up as one is checked after the look-up."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    return host
