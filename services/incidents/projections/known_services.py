"""Which services there are, as lifecycle says: an incident is declared for one of these only."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Text, select

from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from libs.events.views import Views
from services.incidents.domain.errors import UnknownReferenceError

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class ServiceRegistered:
    """What we read of `service.registered`."""

    service: str
    phase: str


@dataclass(frozen=True, slots=True)
class ServicePhaseChanged:
    """What we read of `service.phase-changed`."""

    service: str
    to_phase: str


async def require_service(views: Views, service: str, wait_s: float) -> None:
    """Return once *service* is known.

    Raises:
        UnknownReferenceError: Lifecycle has not told of it, and *wait_s* is over.
    """
    known = KNOWN_SERVICES.view.c.service
    query = select(known).where(known == service)
    deadline = asyncio.get_running_loop().time() + wait_s
    while True:
        if await views.read(lambda connection: connection.execute(query).first()):
            return
        if asyncio.get_running_loop().time() >= deadline:
            raise UnknownReferenceError("service", service, "register it first (POST /v1/services)")
        await asyncio.sleep(_POLL_S)


def _columns() -> Sequence[Column[Any]]:
    return Column("service", Text, primary_key=True), Column("phase", Text, nullable=False)


def _keys(event: ServiceRegistered | ServicePhaseChanged, _: Recorded) -> Sequence[Key]:
    return ((event.service,),)


def _registered(_row: Row | None, event: ServiceRegistered, _recorded: Recorded, _key: Key) -> Row:
    return {"service": event.service, "phase": event.phase}


def _moved(_row: Row | None, event: ServicePhaseChanged, _recorded: Recorded, _key: Key) -> Row:
    return {"service": event.service, "phase": event.to_phase}


KNOWN_SERVICES = Projection(
    name="known_services",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.lifecycle.service.registered.v1": ServiceRegistered,
            "io.concordat.lifecycle.service.phase-changed.v1": ServicePhaseChanged,
        }
    ),
    folds={ServiceRegistered: Fold(_keys, _registered), ServicePhaseChanged: Fold(_keys, _moved)},
    sources=("lifecycle",),
)
