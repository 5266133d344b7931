"""Probes: whether this process turns, and whether it should get requests; never whether its database does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from libs.events.errors import EventsError
from libs.events.relay import unpublished
from libs.events.resources import Resources

_CHECK_S = 1.0
_LATE_S = 30.0  # a relay that died is replaced after 10 s


@dataclass
class Health:
    """What the probes of one process answer.

    Args:
        draining: Set when the process was told to end: streams end, and no new requests should come.
        started: Whether it has what it works with; an app is made when that is so, a worker still reads on.
    """

    draining: asyncio.Event = field(default_factory=asyncio.Event)
    started: Callable[[], bool] = lambda: True


def draining(request: Request) -> asyncio.Event:
    """Set when the process was told to end; a stream awaits it beside its own source, and then ends."""
    health: Health = request.app.state.health
    return health.draining


async def _draining(request: Request) -> asyncio.Event:
    return draining(request)


DrainingDep = Annotated[asyncio.Event, Depends(_draining)]

router = APIRouter(include_in_schema=False)


@router.get("/livez")
async def livez() -> PlainTextResponse:
    """The loop turns: that this is answered is the whole check."""
    return PlainTextResponse("ok\n")


@router.get("/startupz")
async def startupz(request: Request) -> PlainTextResponse:
    """Started; the wiring opens the database, and checks its schema, before anything answers here."""
    health: Health = request.app.state.health
    return PlainTextResponse("ok\n") if health.started() else PlainTextResponse("starting\n", 503)


@router.get("/readyz")
async def readyz(request: Request) -> PlainTextResponse:
    """Ready unless the process starts or drains; `?verbose` says what else is up, which changes nothing.

    A database that all replicas share would take all of them out at once; they answer 503 problems instead.
    """
    health: Health = request.app.state.health
    ends = health.draining.is_set()
    ready = health.started() and not ends
    lines = ["[+] serving" if ready else "[-] draining" if ends else "[-] starting"]
    if "verbose" in request.query_params:
        lines += await _lines(request.app.state.resources)
    lines.append("ready" if ready else "not ready")
    return PlainTextResponse("\n".join(lines) + "\n", 200 if ready else 503)


async def _lines(resources: Resources) -> list[str]:
    try:
        async with asyncio.timeout(_CHECK_S):
            head = await resources.store.head()
            waiting, oldest_s = await unpublished(resources)
    except (EventsError, OSError) as error:  # TimeoutError is an OSError
        return [f"[-] store: {type(error).__name__} (informational)"]
    lines = [f"[+] store: head at {head} (informational)"]
    if any(kind.published for kind in resources.registry):
        late = "-" if oldest_s > _LATE_S else "+"
        lines.append(f"[{late}] relay: {waiting} events wait, the oldest for {oldest_s:.0f} s (informational)")
    return lines
