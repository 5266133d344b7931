"""The relay: one process per service publishes the log's published events, in the order of the log.

It leads by a lease and saves its position with the lease's fence, so that a second relay, or one that slept through its
lease, cannot move it. Between publishing and saving it may die: its successor publishes the same again, in order, and
consumers drop what they have.
"""

import asyncio
import logging
from collections.abc import Sequence

from libs.events.bus import OutRecord, Publisher, events_topic
from libs.events.cloudevents import to_record
from libs.events.envelope import Recorded
from libs.events.errors import BusUnavailableError, FencedError, StoreUnavailableError
from libs.events.resources import Resources
from libs.events.store import Lease

LEASE = "relay"
LEASE_S = 10.0
_RENEW_EVERY_S = LEASE_S / 3
_BATCH = 2_000
_IDLE_S = 1.0
_BACKOFF_S = (0.1, 0.5, 1.0, 2.0, 5.0)

_log = logging.getLogger(__name__)


class Relay:
    """Publishes what a service's log holds.

    Args:
        resources: The service's adapters.
        holder: Names this process among those that want to lead.

    Attributes:
        leads: Whether this process publishes now.
        position: The position up to which everything was published, as far as this process knows.
    """

    def __init__(self, resources: Resources, holder: str) -> None:
        self._resources = resources
        self._holder = holder
        self._topic = events_topic(resources.service)
        self.leads = False
        self.position = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until *stop*; then give the role back."""
        failures = 0
        while not stop.is_set():
            try:
                await self._resources.bus.ensure_topics([self._topic])
                await self._lead(stop)
                failures = 0
            except FencedError:
                _log.info("another process relays %s now", self._topic.name)
            except (BusUnavailableError, StoreUnavailableError) as error:
                _log.warning("relay of %s waits: %s", self._topic.name, error)
                await _pause(stop, _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
                failures += 1
            finally:
                self.leads = False

    async def lag(self) -> int:
        """How many positions of the log are not published yet, counting those that stay inside."""
        store = self._resources.store
        return await store.head() - await store.relayed()

    async def republish(self, start: int) -> int:
        """Publish the published events from position *start* to the head once more; gives their number."""
        publisher, count, after = self._resources.bus.publisher(), 0, start - 1
        while page := await self._resources.store.read(after, _BATCH):
            count += await self._publish(publisher, page)
            after = page[-1].position
        return count

    async def _lead(self, stop: asyncio.Event) -> None:
        """Become leader, publish while the lease holds."""
        store, clock = self._resources.store, self._resources.clock
        lease = await store.acquire(LEASE, self._holder, clock.now(), LEASE_S)
        if lease is None:
            await _pause(stop, _RENEW_EVERY_S)
            return
        self.leads = True
        publisher = self._resources.bus.publisher()
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        self.position = await store.relayed()
        try:
            while not stop.is_set():
                if loop.time() - renewed > _RENEW_EVERY_S:
                    lease = await self._renew(lease)
                    renewed = loop.time()
                page = await store.read(self.position, _BATCH)
                if page:
                    await self._publish(publisher, page)
                    await store.save_relayed(lease, self.position, page[-1].position)
                    self.position = page[-1].position
                else:
                    await self._wait(stop)
        finally:
            await store.release(lease)

    async def _renew(self, lease: Lease) -> Lease:
        renewed = await self._resources.store.acquire(LEASE, self._holder, self._resources.clock.now(), LEASE_S)
        if renewed is None or renewed.fence != lease.fence:
            raise FencedError(LEASE)
        return renewed

    async def _publish(self, publisher: Publisher, page: Sequence[Recorded]) -> int:
        registry, service, epoch = self._resources.registry, self._resources.service, self._resources.store.epoch
        records: list[OutRecord] = [
            to_record(recorded, self._topic.name, service, epoch)
            for recorded in page
            if registry.is_published(recorded.type)
        ]
        await publisher.publish(records)
        return len(records)

    async def _wait(self, stop: asyncio.Event) -> None:
        """Return when the log has grown, or the relay is to stop."""
        grown = asyncio.ensure_future(self._resources.store.wait(self.position, _IDLE_S))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({grown, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if stop.is_set():
                grown.cancel()
            await asyncio.gather(grown, stopping, return_exceptions=True)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
