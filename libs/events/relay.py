"""The relay: one process per service publishes the log's published events, in the order of the log.

It leads by a lease and saves its position with the lease's fence, so that a second relay, or one that slept through its
lease, cannot move it. Between publishing and saving it may die: its successor publishes the same again, in order, and
consumers drop what they have.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from libs.events.backoff import PASSING, Backoff, stopped_within, unless_stopped
from libs.events.bus import OutRecord, events_topic
from libs.events.cloudevents import to_record
from libs.events.envelope import Recorded
from libs.events.errors import FatalBusError, FencedError
from libs.events.resources import Resources
from libs.events.store import Lease

LEASE = "relay"
LEASE_S = 10.0
_RENEW_EVERY_S = LEASE_S / 3
_SAVE_EVERY_S = 0.1  # whoever takes over publishes again what went out since
_PUBLISH_WITHIN_S = LEASE_S / 2  # then it says what it waits for, and tries again
_BATCH = 5_000
_IDLE_S = 1.0

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
        """Publish until *stop*; then give the role back.

        Raises:
            FatalBusError: The process must start anew.
        """
        backoff = Backoff()
        while not stop.is_set():
            try:
                await self._resources.bus.ensure_topics([self._topic])
                await self._lead(stop)
                backoff.succeeded()
            except FencedError:
                _log.info("another process relays %s now", self._topic.name)
            except FatalBusError:
                raise
            except PASSING as error:
                _log.warning("relay of %s waits: %s", self._topic.name, error)
                await backoff.pause(stop)
            finally:
                self.leads = False

    async def republish(self, start: int) -> int:
        """Have everything from position *start* on published once more; gives how many positions that are.

        Takes the role from whoever plays it, sets the saved position back, and gives the role up: the relay that leads
        next, in whatever process, goes on from there. So the order holds, and nothing new comes in between.
        """
        store = self._resources.store
        when_every_lease_is_over = self._resources.clock.now() + timedelta(seconds=2 * LEASE_S)
        lease = await store.acquire(LEASE, self._holder, when_every_lease_is_over, LEASE_S)
        if lease is None:
            raise FencedError(LEASE)
        try:
            held = await store.relayed()
            position = min(max(start - 1, 0), held)
            await store.save_relayed(lease, held, position)
        finally:
            await store.release(lease)
        return held - position

    async def _lead(self, stop: asyncio.Event) -> None:
        """Become leader, publish while the lease holds."""
        store = self._resources.store
        lease = await store.acquire(LEASE, self._holder, self._resources.clock.now(), LEASE_S)
        if lease is None:
            await stopped_within(stop, _RENEW_EVERY_S)
            return
        try:
            await self._publish_all(lease, stop)
        finally:
            await store.release(lease)

    async def _publish_all(self, lease: Lease, stop: asyncio.Event) -> None:
        """Publish page after page; while they are full, one is read and encoded as the one before is on its way."""
        store, publisher, loop = self._resources.store, self._resources.bus.publisher(), asyncio.get_running_loop()
        renewed = saved = loop.time()
        self.leads = True
        published = reached = self.position = await store.relayed()
        reading = loop.create_task(store.read(reached, _BATCH))
        sending = loop.create_task(publisher.publish([]))
        try:
            while not stop.is_set():
                if loop.time() - renewed > _RENEW_EVERY_S:
                    await self._renew(lease)
                    renewed = loop.time()
                page = await reading
                full = len(page) == _BATCH
                if full:
                    reading = loop.create_task(store.read(page[-1].position, _BATCH))
                records = self._records(page)
                await sending
                sending = loop.create_task(publisher.publish(records, deadline_s=_PUBLISH_WITHIN_S))
                published, reached = reached, page[-1].position if page else reached
                await asyncio.sleep(0)  # they are on their way before the next page is encoded
                if not full:  # what comes while this is on its way shall go with the next
                    await sending
                    published = reached
                    if not page:
                        idle_s = _IDLE_S if published == self.position else _SAVE_EVERY_S
                        await unless_stopped(stop, store.wait(reached, idle_s), otherwise=False)
                    reading = loop.create_task(store.read(reached, _BATCH))
                if loop.time() - saved > _SAVE_EVERY_S:
                    await self._save(lease, published)
                    saved = loop.time()
            await sending
            await self._save(lease, reached)
        finally:
            for task in (reading, sending):
                task.cancel()
            await asyncio.gather(reading, sending, return_exceptions=True)

    async def _save(self, lease: Lease, published: int) -> None:
        if published > self.position:
            await self._resources.store.save_relayed(lease, self.position, published)
            self.position = published

    async def _renew(self, lease: Lease) -> None:
        renewed = await self._resources.store.acquire(LEASE, self._holder, self._resources.clock.now(), LEASE_S)
        if renewed is None or renewed.fence != lease.fence:
            raise FencedError(LEASE)

    def _records(self, page: Sequence[Recorded]) -> list[OutRecord]:
        registry, service, epoch = self._resources.registry, self._resources.service, self._resources.store.epoch
        topic = self._topic.name
        return [to_record(recorded, topic, service, epoch) for recorded in page if registry.is_published(recorded.type)]


async def unpublished(resources: Resources) -> tuple[int, float]:
    """How many positions no relay has passed yet, in whatever process, and the age of the oldest of them in seconds.

    It is read from the store, so that it grows while no relay runs at all.
    """
    store = resources.store
    relayed = await store.relayed()
    behind = await store.head() - relayed
    oldest = await store.read(relayed, 1) if behind > 0 else []
    if not oldest:
        return 0, 0.0
    return behind, max((resources.clock.now() - oldest[0].recorded_at).total_seconds(), 0.0)
