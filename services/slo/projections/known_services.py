"""The services that lifecycle has told of: whose reliability an SLO may be about, and who owns them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, Text, select

from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class ServiceRegistered:
    """What is read of lifecycle's event."""

    service: str
    owner_team: str = ""


@dataclass(frozen=True, slots=True)
class ServiceChanged:
    """What is read of a service that may have another owner now."""

    service: str
    owner_team: str = ""


def _told(_: Row | None, event: ServiceRegistered | ServiceChanged, __: Recorded, ___: Key) -> Row:
    return {"service": event.service, "owner_team": event.owner_team}


def _keys(event: ServiceRegistered | ServiceChanged, _: Recorded) -> Sequence[Key]:
    return [(event.service,)]


KNOWN_SERVICES: Final = Projection(
    name="known_services",
    columns=lambda: (Column("service", Text, primary_key=True), Column("owner_team", Text)),
    events=EventRegistry(
        {
            "io.concordat.lifecycle.service.registered.v1": ServiceRegistered,
            "io.concordat.lifecycle.service.changed.v1": ServiceChanged,
        }
    ),
    folds={ServiceRegistered: Fold(_keys, _told), ServiceChanged: Fold(_keys, _told)},
    sources=("lifecycle",),
    indexes=(("owner_team",),),
)


def unknown_services(connection: Connection, services: set[str]) -> set[str]:
    """Those of *services* that were not told of yet."""
    column = KNOWN_SERVICES.view.c.service
    known = connection.execute(select(column).where(column.in_(services))).scalars()
    return services - set(known)


def owned_by(teams: Sequence[str]) -> Select[Any]:
    """The names of the services that any of *teams* owns."""
    view = KNOWN_SERVICES.view.c
    return select(view.service).where(view.owner_team.in_(teams))
