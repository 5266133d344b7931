"""The services that lifecycle has told of: whose reliability an SLO may be about."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Connection, Text, select

from libs.events.projection import Fold, Projection
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class ServiceRegistered:
    """What is read of lifecycle's event."""

    service: str


KNOWN_SERVICES: Final = Projection(
    name="known_services",
    columns=lambda: (Column("service", Text, primary_key=True),),
    events=EventRegistry({"io.concordat.lifecycle.service.registered.v1": ServiceRegistered}),
    folds={
        ServiceRegistered: Fold(
            keys=lambda event, _: [(event.service,)],
            apply=lambda _, event, __, ___: {"service": event.service},
        )
    },
    sources=("lifecycle",),
)


def unknown_services(connection: Connection, services: set[str]) -> set[str]:
    """Those of *services* that were not told of yet."""
    column = KNOWN_SERVICES.view.c.service
    known = connection.execute(select(column).where(column.in_(services))).scalars()
    return services - set(known)
