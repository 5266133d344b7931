"""Sends a request on to its owner: within a deadline, and a second time where that is safe."""

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec

from libs.events.ids import new_id
from libs.web.problems import Problem
from services.gateway.clients import Header, Owner, OwnerAnswer, OwnerRequest, OwnerUnavailableError

CLIENT_AUTHORIZATION: Final = b"x-client-authorization"  # what a sender with a key of the owner's has sent
_IDEMPOTENCY_KEY: Final = b"idempotency-key"
_SAFE: Final = frozenset({"GET", "HEAD"})
_PAUSE_S: Final = 0.05  # before the second try: long enough for a connection that was being closed
_RETRY_AFTER_S: Final = 1

_HOP_BY_HOP: Final = frozenset(  # RFC 9110, section 7.6.1
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_NOT_SENT_ON: Final = _HOP_BY_HOP | {  # this hop's own, replaced by the gateway's
    b"accept-encoding",
    b"authorization",
    b"content-length",
    b"cookie",
    b"expect",
    b"host",
    b"x-api-key",
    CLIENT_AUTHORIZATION,
}
_NOT_PASSED_BACK: Final = _HOP_BY_HOP | {b"date", b"server", b"x-request-id"}  # the gateway's server writes its own


def onward(headers: Iterable[Header], *own: Header) -> tuple[Header, ...]:
    """The headers an owner receives: those that came, as far as they go on, with *own* in place of theirs."""
    replaced = {name for name, _ in own}
    return (*_kept(headers, _NOT_SENT_ON | replaced), *own)


def authorization(headers: Iterable[Header]) -> tuple[Header, ...]:
    """The client's own `Authorization`, for an owner that knows its senders by keys of its own."""
    return tuple((CLIENT_AUTHORIZATION, value) for name, value in headers if name == b"authorization")[:1]


def back(headers: Iterable[Header]) -> list[Header]:
    """The headers of an owner's answer that the client receives."""
    return _kept(headers, _NOT_PASSED_BACK)


async def forward(owner: Owner, request: OwnerRequest, *, name: str, timeout_s: float) -> OwnerAnswer:
    """What the owner answers to *request*, which is sent once more where that is safe.

    That is: a read, a write with an `Idempotency-Key`, and a write that never reached the owner; the last gets a key
    of the gateway's own first. A key for every write would make all of them safe, but costs the owner a transaction
    more each: measured, a third to a half of its rate.

    Raises:
        Problem: 503, the owner does not answer; 504, it takes longer than *timeout_s*.
    """
    await owner.there()
    try:
        async with asyncio.timeout(timeout_s):
            return await _twice(owner, request, name)
    except TimeoutError as error:
        raise _too_slow(name, timeout_s) from error


async def _twice(owner: Owner, request: OwnerRequest, name: str) -> OwnerAnswer:
    safe = request.method in _SAFE or any(header == _IDEMPOTENCY_KEY for header, _ in request.headers)
    try:
        return await owner.send(request)
    except OwnerUnavailableError as first:
        if first.reached and not safe:
            raise _unavailable(name, reached=True) from first
        await asyncio.sleep(_PAUSE_S)
        try:
            return await owner.send(request if safe else _with_own_key(request))
        except OwnerUnavailableError as second:
            raise _unavailable(name, reached=first.reached or second.reached) from second


def _with_own_key(request: OwnerRequest) -> OwnerRequest:
    key = (_IDEMPOTENCY_KEY, f"gateway-{new_id()}".encode())
    return msgspec.structs.replace(request, headers=(*request.headers, key))


def _kept(headers: Iterable[Header], dropped: frozenset[bytes] | set[bytes]) -> list[Header]:
    named = [value for name, value in headers if name == b"connection"]
    if named:  # what `Connection` lists is for this hop only
        dropped = dropped | {token.strip().lower() for value in named for token in value.split(b",")}
    return [(name, value) for name, value in headers if name not in dropped]


def _unavailable(name: str, *, reached: bool) -> Problem:
    unknown = (
        " It may have carried out the request: look before you send it again, or send it with an Idempotency-Key."
        if reached
        else ""
    )
    detail = f"the {name} service does not answer; try again in a moment.{unknown}"
    return Problem(
        503, "owner-unavailable", "A service does not answer", detail, headers={"Retry-After": str(_RETRY_AFTER_S)}
    )


def _too_slow(name: str, timeout_s: float) -> Problem:
    detail = (
        f"the {name} service took longer than {timeout_s:g} s; it may still carry out the request:"
        " send a write again with the same Idempotency-Key, or look before you do"
    )
    return Problem(504, "owner-timeout", "A service takes too long", detail)
