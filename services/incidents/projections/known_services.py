"""Which services there are, and who works for them, as lifecycle says: incidents are declared for these only."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Text, select

from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from libs.events.views import Views
from services.incidents.domain.errors import UnknownReferenceError
from services.incidents.domain.on_call.sides import Covered

_SOURCE = "lifecycle"
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class ServiceRegistered:
    """What we read of `service.registered`."""

    service: str
    phase: str
    owner_team: str = ""


@dataclass(frozen=True, slots=True)
class ServiceChanged:
    """What we read of `service.changed`."""

    service: str
    owner_team: str


@dataclass(frozen=True, slots=True)
class ServiceEngaged:
    """What we read of `service.engaged`: an SRE team works for it."""

    service: str
    sre_team: str


@dataclass(frozen=True, slots=True)
class ServiceReleased:
    """What we read of `service.released`: it does so no more."""

    service: str


@dataclass(frozen=True, slots=True)
class ServicePhaseChanged:
    """What we read of `service.phase-changed`."""

    service: str
    to_phase: str


def known_of(connection: Connection, names: Iterable[str]) -> frozenset[str]:
    """Those of *names* that are services."""
    known = KNOWN_SERVICES.view.c.service
    return frozenset(connection.execute(select(known).where(known.in_(list(names)))).scalars())


def service_names(connection: Connection) -> list[str]:
    """All services that there are."""
    return list(connection.execute(select(KNOWN_SERVICES.view.c.service)).scalars())


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


@dataclass(frozen=True, slots=True)
class Known:
    """What lifecycle has told of a service; *sre_team* is the one of its active engagement, or empty."""

    service: str
    phase: str
    owner_team: str
    sre_team: str


def service_of(connection: Connection, service: str) -> Known | None:
    """What is known of *service*; None when lifecycle has not told of it."""
    row = connection.execute(select(KNOWN_SERVICES.view).where(_service() == service)).mappings().one_or_none()
    return None if row is None else Known(row["service"], row["phase"], row["owner_team"], row["sre_team"])


def covered_of(connection: Connection, names: Iterable[str]) -> list[Covered]:
    """Those of *names* that are services, as far as it matters for who is on call, in their order."""
    c, order = KNOWN_SERVICES.view.c, list(names)
    rows = connection.execute(select(c.service, c.phase, c.sre_team).where(c.service.in_(order)))
    return sorted((Covered(*row) for row in rows), key=lambda each: order.index(each.service))


def services_of_team(connection: Connection, team: str) -> list[str]:
    """The services that *team* owns, by name."""
    view = KNOWN_SERVICES.view
    return list(
        connection.execute(select(view.c.service).where(view.c.owner_team == team).order_by(view.c.service)).scalars()
    )


def _service() -> ColumnElement[str]:
    return KNOWN_SERVICES.view.c.service


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("phase", "owner_team", "sre_team")),
    )


def _keys(event: Any, _: Recorded) -> Sequence[Key]:  # noqa: ANN401  any event of a service
    return ((event.service,),)


def _registered(_row: Row | None, event: ServiceRegistered, _recorded: Recorded, _key: Key) -> Row:
    return {"service": event.service, "phase": event.phase, "owner_team": event.owner_team, "sre_team": ""}


def _changes(columns: Callable[[Any], Row]) -> Fold:
    def apply(row: Row | None, event: object, _recorded: Recorded, _key: Key) -> Row | None:
        return None if row is None else {**row, **columns(event)}

    return Fold(_keys, apply)


SERVICE_EVENTS = EventRegistry(
    {
        "io.concordat.lifecycle.service.registered.v1": ServiceRegistered,
        "io.concordat.lifecycle.service.changed.v1": ServiceChanged,
        "io.concordat.lifecycle.service.phase-changed.v1": ServicePhaseChanged,
        "io.concordat.lifecycle.service.engaged.v1": ServiceEngaged,
        "io.concordat.lifecycle.service.released.v1": ServiceReleased,
    }
)
KNOWN_SERVICES = Projection(
    name="known_services",
    columns=_columns,
    events=SERVICE_EVENTS,
    folds={
        ServiceRegistered: Fold(_keys, _registered),
        ServiceChanged: _changes(lambda event: {"owner_team": event.owner_team}),
        ServicePhaseChanged: _changes(lambda event: {"phase": event.to_phase}),
        ServiceEngaged: _changes(lambda event: {"sre_team": event.sre_team}),
        ServiceReleased: _changes(lambda _: {"sre_team": ""}),
    },
    sources=(_SOURCE,),
    indexes=(("owner_team",),),
)
