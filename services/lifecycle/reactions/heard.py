"""What is read of the events of other services, and when what they mean is there to be read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from libs.events.bus import EVENT_PARTITIONS
from libs.events.envelope import Recorded
from libs.events.errors import StoreUnavailableError
from libs.events.partition import partition_of
from libs.events.projection import Projection
from libs.events.registry import EventRegistry
from libs.events.resources import Resources

_PATIENCE_S: Final = 0.5  # for a read model that is about to apply what was heard here first; then it is tried again


@dataclass(frozen=True, slots=True)
class IncidentClassified:
    """What is read of an incident when it is known what kind of outage it is: its cause."""

    incident: str
    service: str
    outage_class: str
    at: datetime


INCIDENTS_CLASSIFIED: Final = EventRegistry({"io.concordat.incidents.incident.classified.v1": IncidentClassified})


async def all_applied(resources: Resources, *projections: Projection) -> None:
    """Return once *projections* show all that lifecycle has stored; it is tried again later if that takes long."""
    head = await resources.store.head()
    for each in projections if head else ():  # of an empty log there is nothing to wait for
        if not await resources.views.wait_applied(
            each.name, resources.service, resources.store.epoch, 0, head, _PATIENCE_S
        ):
            message = f"{each.name} has not applied position {head} of {resources.service} yet"
            raise StoreUnavailableError(message)


async def applied(resources: Resources, projection: Projection, recorded: Recorded, service: str) -> None:
    """Return once *projection* shows what *recorded* says; the event is heard again later if that takes long."""
    heard = (await resources.views.applied(projection.name)).get(service)
    partition = 0 if service == resources.service else partition_of(recorded.stream, EVENT_PARTITIONS)
    epoch = heard.epoch if heard else ""
    if not await resources.views.wait_applied(
        projection.name, service, epoch, partition, recorded.position, _PATIENCE_S
    ):
        message = f"{projection.name} has not applied position {recorded.position} of {service} yet"
        raise StoreUnavailableError(message)
