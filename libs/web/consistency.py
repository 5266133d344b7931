"""Read your own writes: a write answers a token, and a read that brings it waits until it is applied."""

import asyncio
import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import Depends
from starlette.requests import Request

from libs.events.bus import EVENT_PARTITIONS
from libs.events.partition import partition_of
from libs.events.projection import Projection
from libs.events.resources import Resources
from libs.web.middleware import add_header
from libs.web.problems import Place, Problem

HEADER = "Consistency-Token"
_DEFAULT_WAIT_S = 2.0
_MAX_WAIT_S = 10.0
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,6})(?:$|[,;\s])")
_MAX_POSITION = 2**63 - 1
_ENCODER = msgspec.json.Encoder()


class ConsistencyToken(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a write reached; opaque to clients.

    Args:
        service: Who stored it.
        epoch: Which life of that service's log.
        partition: Where its events go on the bus.
        position: What projections fed by the service's own store must have applied.
        published: What projections fed by the bus must have applied; 0 when nothing left the service.
    """

    service: str
    epoch: str
    partition: int
    position: int
    published: int

    def encode(self) -> str:
        """The token as a header."""
        return base64.urlsafe_b64encode(_ENCODER.encode(self)).rstrip(b"=").decode()

    @classmethod
    def decode(cls, text: str) -> "ConsistencyToken":
        """The token inside a header.

        Raises:
            Problem: 400, it is none that a write answered.
        """
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            token = _DECODER.decode(raw)
        except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
            raise _garbage() from error
        in_range = 0 <= token.partition < EVENT_PARTITIONS and 0 <= token.published <= token.position <= _MAX_POSITION
        if not in_range:
            raise _garbage()
        return token


_DECODER = msgspec.json.Decoder(ConsistencyToken)


def write_token(resources: Resources, stream: str, position: int, published: int) -> str:
    """What the writer of *stream* gets, to read its own write anywhere."""
    partition = partition_of(stream, EVENT_PARTITIONS)
    return ConsistencyToken(resources.service, resources.store.epoch, partition, position, published).encode()


def fresh(*projections: Projection) -> Any:  # noqa: ANN401  what Depends is declared to return
    """A route's dependency: the request's token is applied to *projections* before the route reads them.

    Waits as long as `Prefer: wait=N` says (2 s when it says nothing, 10 s at most), and a read answers the token back.
    """

    async def wait(request: Request) -> None:
        sent = request.headers.get(HEADER)
        if sent is None:
            return
        await wait_for(request.app.state.resources, projections, sent, wait_s(request.headers.get("prefer", "")))
        if request.method == "GET":  # a write answers its own
            add_header(request, HEADER, sent)

    return Depends(wait)


def wait_s(prefer: str) -> float:
    """How long a request wants to wait, from its `Prefer` header (RFC 7240)."""
    asked = _WAIT.search(prefer)
    return min(float(asked[1]), _MAX_WAIT_S) if asked else _DEFAULT_WAIT_S


async def wait_for(resources: Resources, projections: tuple[Projection, ...], sent: str, timeout_s: float) -> None:
    """Return once *projections* have applied what the token *sent* names.

    Raises:
        Problem: 400 for garbage, 409 when the log it names is gone, 503 when the time is up.
    """
    token = ConsistencyToken.decode(sent)
    own = token.service == resources.service
    if own and token.epoch != resources.store.epoch:
        raise epoch_gone(token.service)
    partition, position = (0, token.position) if own else (token.partition, token.published)
    if position == 0:
        return
    waited = [projection.name for projection in projections if token.service in projection.sources]
    views = resources.views
    clock = asyncio.get_running_loop().time
    until = clock() + timeout_s
    for name in waited:
        left = max(until - clock(), 0)
        if await views.wait_applied(name, token.service, token.epoch, partition, position, left):
            continue
        applied = (await views.applied(name)).get(token.service)
        if applied and applied.epoch > token.epoch:  # epochs rise with time; an older one is still being read
            raise epoch_gone(token.service)
        raise projection_behind(name)


def epoch_gone(service: str) -> Problem:
    """The refusal of a token from a log that was replaced by a backup."""
    detail = f"the log of {service} was restored from a backup since; read again without the token, check your write"
    return Problem(409, "epoch-gone", "The token's log is gone", detail, [Place(detail, HEADER)])


def projection_behind(name: str) -> Problem:
    """The refusal of a read that would not show the caller's own write."""
    detail = f"{name} has not applied your write yet; try again, or wait longer with Prefer: wait=10"
    headers: Mapping[str, str] = {"Retry-After": "1"}
    return Problem(503, "projection-behind", "The read model is behind", detail, headers=headers)


def _garbage() -> Problem:
    detail = "send the token exactly as a write answered it, or leave it out"
    return Problem(400, "invalid-consistency-token", "The token is not one of ours", detail, [Place(detail, HEADER)])
