"""From a log into a projector: the service's own event store, and other services' topics on the bus."""

import asyncio
import logging

from libs.events.backoff import Backoff, stopped_within, unless_stopped
from libs.events.errors import AheadOfLogError, FencedError, StoreUnavailableError
from libs.events.ledger import Batch
from libs.events.projector import Projector
from libs.events.store import EventLog

_LOG = logging.getLogger(__name__)

BATCH = 5_000  # events per transaction: larger ones are hardly faster, and hold rows longer
_WAIT_S = 1.0
_STAND_BY_S = 0.5  # of the slower of two processes that tail the same store


async def follow_store(projector: Projector, store: EventLog, service: str, stop: asyncio.Event) -> None:
    """Apply the events of *service*'s own store as they come, until *stop*."""
    backoff = Backoff()
    loaded = False
    while not stop.is_set():
        try:
            if not loaded:
                await projector.load()
                await adopt_epoch(projector, store, service)
                loaded = True
            batch = await read_store(projector, store, service)
            if batch.events:
                await projector.apply([batch])
            else:
                await unless_stopped(stop, store.wait(batch.next - 1, _WAIT_S), otherwise=False)
            backoff.succeeded()
        except FencedError:
            loaded = False
            await stopped_within(stop, _STAND_BY_S)
        except StoreUnavailableError as error:
            loaded = False
            _LOG.warning("%s waits: %s", projector.projection.name, error)
            await backoff.pause(stop)


async def adopt_epoch(projector: Projector, store: EventLog, service: str) -> None:
    """Go on with a store that was restored from a backup, unless it has lost what was applied.

    Raises:
        AheadOfLogError: It has.
    """
    held = projector.ledger.checkpoints.get((service, 0))
    if held is None or held.epoch == store.epoch:
        return
    if await store.head() < held.position:
        raise AheadOfLogError(projector.projection.name, service, held.position, store.epoch)
    await projector.apply([Batch(service, store.epoch, 0, [], [], held.next)])


async def read_store(projector: Projector, store: EventLog, service: str, limit: int = BATCH) -> Batch:
    """The next events of *service*'s own store."""
    after = max(projector.ledger.next((service, 0)) - 1, 0)
    events = await store.read(after, limit)
    positions = [recorded.position for recorded in events]
    return Batch(service, store.epoch, 0, events, positions, (positions[-1] if positions else after) + 1)
