"""What a body names must be there, and must not have ended."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from libs.events.projection import Projection
from libs.events.resources import Resources
from libs.web.consistency import projection_behind, wait_s
from services.lifecycle.config import LifecycleSettings
from services.lifecycle.contract import SERVICE, TEAM
from services.lifecycle.domain.errors import ReferenceEndedError, UnknownReferenceError
from services.lifecycle.domain.service.decider import Decommissioned, Unsupported
from services.lifecycle.domain.team.decider import Ended, Registered
from services.lifecycle.projections.facts_incidents import incident_named
from services.lifecycle.projections.facts_slo import slos_of

_LOOK_AGAIN_S = 0.05  # for what another service is about to say


async def living_team(resources: Resources, team: str, field: str) -> Registered:
    """The team that *field* names.

    Raises:
        UnknownReferenceError: There never was one.
        ReferenceEndedError: It has ended.
    """
    match (await resources.handler.load(TEAM, team)).state:
        case None:
            raise UnknownReferenceError("team", team, field)
        case Ended() as ended:
            raise ReferenceEndedError("team", team, field, repr(ended.into) if ended.into else "")
        case Registered() as living:
            return living


async def living_service(resources: Resources, service: str, field: str) -> None:
    """Refuse unless the service that *field* names is there, and not at its end.

    Raises:
        UnknownReferenceError: There never was one.
        ReferenceEndedError: It is unsupported.
    """
    match (await resources.handler.load(SERVICE, service)).state:
        case None:
            raise UnknownReferenceError("service", service, field)
        case Unsupported() | Decommissioned():
            raise ReferenceEndedError("service", service, field)
        case _:
            return


async def caught_up(resources: Resources, wait_s: float, *projections: Projection) -> None:
    """Return once *projections* show everything that is stored.

    Raises:
        Problem: 503, one is behind.
    """
    head = await resources.store.head()
    for projection in projections:
        if head and not await resources.views.wait_applied(
            projection.name, resources.service, resources.store.epoch, 0, head, wait_s
        ):
            raise projection_behind(projection.name)


async def known_slo(resources: Resources, service: str, slo: str, field: str, wait_s: float) -> None:
    """Refuse unless *service* has an SLO of this name; what slo has just said arrives within *wait_s*.

    Raises:
        UnknownReferenceError: It has none.
    """

    async def look() -> str | None:
        return slo if slo in {found.name for found in await resources.views.read(slos_of, service)} else None

    if await _within(wait_s, look) is None:
        noun = f"SLO of service {service!r} named"
        raise UnknownReferenceError(noun, slo, field)


async def heard_incident(resources: Resources, name: str, field: str, wait_s: float) -> str:
    """The id of the incident with this number or id; what incidents has just said arrives within *wait_s*.

    Raises:
        UnknownReferenceError: Nothing was heard of it.
    """

    async def look() -> str | None:
        return await resources.views.read(incident_named, name)

    found = await _within(wait_s, look)
    if found is None:
        noun = "incident heard of under the number or id"
        raise UnknownReferenceError(noun, name, field)
    return found


async def _within(wait_s: float, look: Callable[[], Awaitable[str | None]]) -> str | None:
    """What *look* finds, as soon as it does; None: not within *wait_s*."""
    clock = asyncio.get_running_loop().time
    until = clock() + wait_s
    while True:
        if (found := await look()) is not None or clock() >= until:
            return found
        await asyncio.sleep(_LOOK_AGAIN_S)


def patience(request: Request) -> float:
    """How long *request* waits until read models show what is stored: as is set, or longer (`Prefer: wait=N`)."""
    settings: LifecycleSettings = request.app.state.settings
    return max(settings.facts_wait_s, wait_s(prefer) if (prefer := request.headers.get("prefer")) else 0.0)


async def _patience(request: Request) -> float:
    return patience(request)


PatienceDep = Annotated[float, Depends(_patience)]
"""How long a request waits until read models show what is stored."""


async def _wait(request: Request) -> float:
    settings: LifecycleSettings = request.app.state.settings
    return settings.facts_wait_s


WaitDep = Annotated[float, Depends(_wait)]
"""How long a request waits for what another service has just said."""
