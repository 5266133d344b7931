"""Waiting, in a reaction or a timer, for read models that are about to show what was heard here first."""

from typing import Final

from libs.events.bus import EVENT_PARTITIONS
from libs.events.envelope import Recorded
from libs.events.errors import StoreUnavailableError
from libs.events.partition import partition_of
from libs.events.projection import Projection
from libs.events.resources import Resources

_PATIENCE_S: Final = 0.5  # then it is tried again


async def all_applied(
    resources: Resources, *projections: Projection, position: int | None = None, patience_s: float = _PATIENCE_S
) -> None:
    """Return once *projections* show what the service has stored, up to *position* or all of it.

    Raises:
        StoreUnavailableError: It takes long; try again.
    """
    head = await resources.store.head() if position is None else position
    for each in projections if head else ():  # of an empty log there is nothing to wait for
        await _wait(resources, each, resources.service, resources.store.epoch, 0, head, patience_s)


async def applied(resources: Resources, projection: Projection, recorded: Recorded, service: str) -> None:
    """Return once *projection* shows what *recorded* of *service* says.

    Raises:
        StoreUnavailableError: It takes long; try again.
    """
    if service == resources.service:
        await all_applied(resources, projection, position=recorded.position)
        return
    heard = (await resources.views.applied(projection.name)).get(service)
    epoch, partition = heard.epoch if heard else "", partition_of(recorded.stream, EVENT_PARTITIONS)
    await _wait(resources, projection, service, epoch, partition, recorded.position, _PATIENCE_S)


async def _wait(  # noqa: PLR0913  a place in a log, and for how long
    resources: Resources,
    projection: Projection,
    service: str,
    epoch: str,
    partition: int,
    position: int,
    patience_s: float,
) -> None:
    if not await resources.views.wait_applied(projection.name, service, epoch, partition, position, patience_s):
        message = f"{projection.name} has not applied position {position} of {service} yet"
        raise StoreUnavailableError(message)
