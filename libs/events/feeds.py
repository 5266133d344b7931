"""From a log into a consumer: the service's own event store, and other services' topics on the bus.

A consumer keeps its offsets itself and says when another process went on in its place (`FencedError`); then, and after
every failure, it reads where it stands and the feed goes on from there.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from libs.events.backoff import PASSING, Backoff, stopped_within, unless_stopped
from libs.events.bus import Bus, BusRecord, Consumer, Offsets, TopicPartition, events_topic
from libs.events.cloudevents import Delivered, from_record
from libs.events.collection import no_collection
from libs.events.envelope import Recorded
from libs.events.errors import AheadOfLogError, FencedError, MalformedRecordError
from libs.events.ledger import Batch, Ledger, Place
from libs.events.store import EventLog

_LOG = logging.getLogger(__name__)

BATCH = 10_000  # events per transaction: larger ones are hardly faster, and hold rows longer
_WAIT_S = 1.0  # then it is seen whether a target was fenced meanwhile
_STAND_BY_S = 0.5  # of the slower of two processes that tail the same log


class AppliesEvents(Protocol):
    """What a feed feeds: a projector, a reactor."""

    @property
    def name(self) -> str:
        """Names its checkpoints."""
        ...

    @property
    def ledger(self) -> Ledger:
        """Where it stands."""
        ...

    @property
    def fenced(self) -> bool:
        """Whether it must be loaded again before events are read on."""
        ...

    async def load(self) -> None:
        """Read where it stands."""
        ...

    async def apply(self, batches: Sequence[Batch]) -> None:
        """Take *batches*, each of another partition, and move the checkpoints."""
        ...


class StoreFeed:
    """The events of the service's own store, as they come.

    Args:
        target: What is fed.
        store: The log.
        service: Whose log it is.
        batch: Events at most at a time.
    """

    first = 1  # positions begin there

    def __init__(self, target: AppliesEvents, store: EventLog, service: str, batch: int = BATCH) -> None:
        self.services = [service]
        self._target, self._store, self._service, self._batch = target, store, service, batch

    async def run(self, stop: asyncio.Event) -> None:
        """Feed until *stop*.

        Raises:
            StandstillError: Going on would be wrong.
        """
        backoff = Backoff()
        loaded = False
        while not stop.is_set():
            try:
                if not loaded or self._target.fenced:
                    await self._target.load()
                    await adopt_epoch(self._target, self._store, self._service)
                    loaded = True
                after = max(self._target.ledger.next((self._service, 0)) - 1, 0)
                if await unless_stopped(stop, self._store.wait(after, _WAIT_S), otherwise=False):
                    events = await self._store.read(after, self._batch)
                    await self._target.apply([store_batch(self._service, self._store.epoch, events)])
                backoff.succeeded()
            except FencedError:
                loaded = False
                await stopped_within(stop, _STAND_BY_S)
            except PASSING as error:
                loaded = False
                _LOG.warning("%s waits: %s", self._target.name, error)
                await backoff.pause(stop)

    async def ends(self) -> Mapping[Place, int]:
        """The position that the next new event will have, at the earliest."""
        return {(self._service, 0): await self._store.head() + 1}


class BusFeed:
    """The events that other services publish, as they come; members of a group share the partitions.

    Args:
        target: What is fed.
        bus: The log.
        services: Whose events.
        group: Of the consumer.
        batch: Records at most at a time.
    """

    first = 0  # offsets begin there

    def __init__(
        self, target: AppliesEvents, bus: Bus, services: Collection[str], group: str, batch: int = BATCH
    ) -> None:
        self.services = services
        self._target, self._bus, self._group, self._batch = target, bus, group, batch
        self._consumer: Consumer | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Feed until *stop*.

        Raises:
            StandstillError: Going on would be wrong.
        """
        backoff = Backoff()
        in_step = True
        try:
            while not stop.is_set():
                try:
                    consumer = self._consumer = self._consumer or await self._join()
                    if not in_step or self._target.fenced:
                        await consumer.seek(await self._load_offsets(consumer.assignment()))
                        in_step = True
                    polling = consumer.poll(timeout_s=_WAIT_S, max_records=self._batch)
                    await self._take(await unless_stopped(stop, polling, otherwise={}))
                    backoff.succeeded()
                except FencedError as error:
                    in_step = False
                    _LOG.info("%s reads anew: %s", self._target.name, error)
                except PASSING as error:
                    in_step = False
                    _LOG.warning("%s waits: %s", self._target.name, error)
                    await backoff.pause(stop)
        finally:
            if self._consumer is not None:
                await self._consumer.close()
                self._consumer = None

    async def ends(self) -> Mapping[Place, int]:
        """Per partition of this member, the offset that the next new record will have; none before it joins."""
        ends = await self._consumer.end_offsets() if self._consumer else {}
        return {(service_of(place.topic), place.partition): end for place, end in ends.items()}

    async def _take(self, polled: Mapping[TopicPartition, Sequence[BusRecord]]) -> None:
        with no_collection():
            for batches in bus_batches(polled):
                await self._target.apply(batches)

    async def _join(self) -> Consumer:
        topics = [events_topic(service) for service in self.services]
        await self._bus.ensure_topics(topics)
        return await self._bus.consumer(topics, self._group, self._load_offsets)

    async def _load_offsets(self, partitions: Collection[TopicPartition]) -> Offsets:
        await self._target.load()
        return {each: self._target.ledger.next((service_of(each.topic), each.partition)) for each in partitions}


async def adopt_epoch(target: AppliesEvents, store: EventLog, service: str) -> None:
    """Go on with a *store* that was restored from a backup, unless it has lost what was applied.

    Raises:
        AheadOfLogError: It has.
    """
    held = target.ledger.checkpoints.get((service, 0))
    if held is None or held.epoch == store.epoch:
        return
    if await store.head() < held.position:
        raise AheadOfLogError(target.name, service, held.position, store.epoch)
    await target.apply([Batch(service, store.epoch, 0, [], [], held.next)])


def store_batch(service: str, epoch: str, events: Sequence[Recorded]) -> Batch:
    """Events as read from a store."""
    positions = [recorded.position for recorded in events]
    return Batch(service, epoch, 0, events, positions, positions[-1] + 1)


def bus_batches(polled: Mapping[TopicPartition, Sequence[BusRecord]]) -> Iterable[list[Batch]]:
    """What was polled, as lists of batches to apply one after the other; one list unless a log began a new epoch."""
    later: list[Batch] = []
    now: list[Batch] = []
    for place, records in polled.items():
        first, *rest = _by_epoch(place, records)
        now.append(first)
        later += rest
    if now:
        yield now
    for batch in later:
        yield [batch]


def service_of(topic: str) -> str:
    """Whose events *topic* holds."""
    return topic.split(".")[1]


def _by_epoch(place: TopicPartition, records: Sequence[BusRecord]) -> list[Batch]:
    """The events of one partition, a batch for each epoch."""
    service, next_offset = service_of(place.topic), records[-1].offset + 1
    delivered = _delivered(records)
    starts = [i for i, each in enumerate(delivered) if i == 0 or each.epoch != delivered[i - 1].epoch]
    batches: list[Batch] = []
    for start, end in zip(starts, [*starts[1:], len(delivered)], strict=True):
        part = delivered[start:end]
        after = next_offset if end == len(delivered) else part[-1].offset + 1
        events, offsets = [each.recorded for each in part], [each.offset for each in part]
        batches.append(Batch(service, part[0].epoch, place.partition, events, offsets, after))
    return batches or [Batch(service, "", place.partition, [], [], next_offset)]


def _delivered(records: Sequence[BusRecord]) -> list[Delivered]:
    try:
        return list(map(from_record, records))
    except MalformedRecordError:
        return [each for record in records if (each := _readable(record))]


def _readable(record: BusRecord) -> Delivered | None:
    """The event inside; None for what no relay of ours wrote, which names no stream that could wait."""
    try:
        return from_record(record)
    except MalformedRecordError as error:
        _LOG.error("a record on the bus is passed over: %s", error)
        return None
