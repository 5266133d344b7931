"""Kafka as the bus: the only place that imports aiokafka, on first use.

What was learned on a real broker, and is kept here:

- The producer is idempotent and waits for all replicas; its batches never expire, so every publish has a deadline.
  One that failed is thrown away: what it had in flight may still arrive, and consumers drop it as a repetition.
- A consumer gets partitions paused. Offsets are loaded from the reader's own database at the next poll, sought, and
  only then are the partitions resumed; aiokafka would else hand out records before that, and swallow a failure of it.
- `auto_offset_reset="none"` reports a missing offset around every assignment; it means nothing and must end nothing.
- Membership is dynamic: two processes with one static id would both believe they hold every partition.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from libs.events.bus import MEASUREMENTS, BusRecord, LoadOffsets, Offsets, OutRecord, Topic, TopicPartition
from libs.events.errors import BusUnavailableError, RefusedError, SetupError, WrongPartitionCountError
from libs.events.partition import partition_of

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

_BATCH_BYTES = 512 * 1024
_REQUEST_BYTES = 1024 * 1024  # Kafka's own limit for a record
_BULK = 50  # from so many records on, ready-made batches are quicker than single sends
_REPLICAS = 3
_WEEK_MS = 7 * 24 * 3600 * 1000
_ADMIN_S = 20.0
_SLICE_S = 0.2  # how long a poll looks before it sees to newly assigned partitions
_STOP_S = 2.0

_log = logging.getLogger(__name__)


class KafkaBus:
    """A `Bus` on a Kafka cluster. It connects when first used: a service serves commands while Kafka is away.

    Args:
        bootstrap_servers: `host:port,host:port`.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._publisher = KafkaPublisher(bootstrap_servers, self)
        self._partitions: dict[str, int] = {}

    async def start(self) -> None:
        """See `Bus.start`; connects to nothing yet."""

    async def close(self) -> None:
        """See `Bus.close`."""
        await self._publisher.close()

    def publisher(self) -> "KafkaPublisher":
        """See `Bus.publisher`."""
        return self._publisher

    async def consumer(self, topics: Sequence[Topic], group: str | None, load_offsets: LoadOffsets) -> "KafkaConsumer":
        """See `Bus.consumer`."""
        await self.ensure_topics(topics)
        consumer = KafkaConsumer(self._servers, topics, group, load_offsets)
        await consumer.start()
        return consumer

    async def ensure_topics(self, topics: Sequence[Topic]) -> None:
        """See `Bus.ensure_topics`; made with three replicas, or as many as there are brokers.

        Raises:
            BusUnavailableError: Kafka cannot be reached.
        """
        unknown = [topic for topic in topics if self._partitions.get(topic.name) != topic.partitions]
        if not unknown:
            return
        from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415  heavy, and only with Kafka
        from aiokafka.errors import KafkaError  # noqa: PLC0415

        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers, request_timeout_ms=int(_ADMIN_S * 1000))
        try:
            async with asyncio.timeout(_ADMIN_S):
                await admin.start()
                found = await _partition_counts(admin, [topic.name for topic in unknown])
                missing = [topic for topic in unknown if topic.name not in found]
                if missing:
                    await _create(admin, missing)
        except (KafkaError, TimeoutError, OSError) as error:
            message = f"Kafka at {self._servers} cannot be reached: {error or type(error).__name__}"
            raise BusUnavailableError(message) from error
        finally:
            await admin.close()
        for topic in unknown:
            actual = found.get(topic.name, topic.partitions)
            if actual != topic.partitions:
                raise WrongPartitionCountError(topic.name, topic.partitions, actual)
            self._partitions[topic.name] = actual

    def partitions(self, topic: str) -> int:
        """How many partitions *topic* has; it was made, or looked at, before."""
        return self._partitions[topic]


class KafkaPublisher:
    """A `Publisher` with one idempotent producer, made when first used and anew after a failure."""

    def __init__(self, bootstrap_servers: str, bus: KafkaBus) -> None:
        self._servers = bootstrap_servers
        self._bus = bus
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, records: Sequence[OutRecord], *, deadline_s: float = 10.0) -> None:
        """See `Publisher.publish`.

        Raises:
            RefusedError: A record is larger than Kafka takes.
        """
        if not records:
            return
        from aiokafka.errors import KafkaError, MessageSizeTooLargeError  # noqa: PLC0415  heavy, and only with Kafka

        producer = None
        try:
            async with asyncio.timeout(deadline_s):
                producer = await self._started()
                sent = await (self._send_bulk if len(records) >= _BULK else self._send_each)(producer, records)
                await asyncio.gather(*sent)
        except MessageSizeTooLargeError as error:
            message = f"a record is larger than the {_REQUEST_BYTES} bytes that Kafka takes: {error}"
            raise RefusedError(message) from error
        except (KafkaError, TimeoutError, OSError) as error:
            await self._discard(producer)
            message = f"Kafka at {self._servers} did not confirm within {deadline_s} s: {error or 'no answer'}"
            raise BusUnavailableError(message) from error

    async def close(self) -> None:
        """Send what waits, then disconnect."""
        await self._discard(self._producer)

    async def _started(self) -> "AIOKafkaProducer":
        async with self._starting:
            if self._producer is None:
                from aiokafka import AIOKafkaProducer  # noqa: PLC0415  heavy, and only with Kafka

                producer = AIOKafkaProducer(
                    bootstrap_servers=self._servers,
                    enable_idempotence=True,
                    acks="all",
                    max_batch_size=_BATCH_BYTES,
                    max_request_size=_REQUEST_BYTES,
                    linger_ms=0,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.client.close()
                    raise
                self._producer = producer
            return self._producer

    async def _send_each(
        self, producer: "AIOKafkaProducer", records: Sequence[OutRecord]
    ) -> list["asyncio.Future[Any]"]:
        return [
            await producer.send(
                record.topic,
                record.value,
                record.key.encode(),
                partition=partition_of(record.key, self._bus.partitions(record.topic)),
                headers=list(record.headers),
            )
            for record in records
        ]

    async def _send_bulk(
        self, producer: "AIOKafkaProducer", records: Sequence[OutRecord]
    ) -> list["asyncio.Future[Any]"]:
        """Records by partition in ready-made batches; order within a partition stays."""
        by_place: dict[tuple[str, int], list[OutRecord]] = defaultdict(list)
        for record in records:
            by_place[record.topic, partition_of(record.key, self._bus.partitions(record.topic))].append(record)
        sent: list[asyncio.Future[Any]] = []
        for (topic, partition), own in by_place.items():
            batch = producer.create_batch()
            for record in own:
                key = record.key.encode()
                if batch.append(key=key, value=record.value, timestamp=None, headers=list(record.headers)) is None:
                    batch.close()
                    sent.append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
                    if batch.append(key=key, value=record.value, timestamp=None, headers=list(record.headers)) is None:
                        sent.append(
                            await producer.send(
                                topic, record.value, key, partition=partition, headers=list(record.headers)
                            )
                        )
            if batch.record_count():
                batch.close()
                sent.append(await producer.send_batch(batch, topic, partition=partition))
        return sent

    async def _discard(self, producer: "AIOKafkaProducer | None") -> None:
        """End a producer, whatever it still holds."""
        if producer is None:
            return
        if self._producer is producer:
            self._producer = None
        try:
            async with asyncio.timeout(_STOP_S):
                await producer.stop()
        except TimeoutError:  # it cannot deliver what it holds; whoever published that was told so
            await producer.client.close()


class KafkaConsumer:
    """A `Consumer` of a Kafka cluster."""

    def __init__(self, servers: str, topics: Sequence[Topic], group: str | None, load: LoadOffsets) -> None:
        self._servers = servers
        self._topics = topics
        self._group = group
        self._load = load
        self._new: set[Any] = set()
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Join the group, or take all partitions.

        Raises:
            BusUnavailableError: Kafka cannot be reached.
        """
        from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener  # noqa: PLC0415  heavy, only with Kafka
        from aiokafka import TopicPartition as KafkaPlace  # noqa: PLC0415
        from aiokafka.errors import KafkaError  # noqa: PLC0415

        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=_REQUEST_BYTES,
        )
        new = self._new

        class PauseFirst(ConsumerRebalanceListener):
            async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  untyped upstream
                consumer.pause(*assigned)
                new.clear()
                new.update(assigned)

            async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  as above
                new.difference_update(revoked)

        try:
            await consumer.start()
        except (KafkaError, OSError) as error:
            await consumer.stop()
            message = f"Kafka at {self._servers} cannot be reached: {error}"
            raise BusUnavailableError(message) from error
        if self._group is None:
            places = [KafkaPlace(topic.name, p) for topic in self._topics for p in range(topic.partitions)]
            consumer.assign(places)
            consumer.pause(*places)
            new.update(places)
        else:
            consumer.subscribe([topic.name for topic in self._topics], listener=PauseFirst())
        self._consumer = consumer

    def assignment(self) -> frozenset[TopicPartition]:
        """See `Consumer.assignment`."""
        return frozenset(TopicPartition(*place) for place in self._connected.assignment())

    async def poll(self, *, timeout_s: float, max_records: int) -> Mapping[TopicPartition, list[BusRecord]]:
        """See `Consumer.poll`.

        Raises:
            SetupError: The log no longer holds what this reader needs next.
            BusUnavailableError: Kafka cannot be asked.
        """
        from aiokafka.errors import (  # noqa: PLC0415  heavy, only with Kafka
            KafkaError,
            NoOffsetForPartitionError,
            OffsetOutOfRangeError,
        )

        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            left = deadline - loop.time()
            try:
                await self._position()
                slice_ms = int(max(0.0, min(left, _SLICE_S)) * 1000)
                found = await self._connected.getmany(timeout_ms=slice_ms, max_records=max_records)
            except NoOffsetForPartitionError:  # the fetcher was quicker than the seek; it carries no meaning here
                await asyncio.sleep(0.01)
                found = {}
            except OffsetOutOfRangeError as error:
                places = ", ".join(f"{place.topic}/{place.partition}" for place in error.args[0])
                message = (
                    f"{places} does not hold the next records any more: the topic was made anew or cut by retention;"
                    " publish again with `concordat events republish`, then rebuild this service's projections"
                )
                raise SetupError(message) from error
            except KafkaError as error:
                message = f"Kafka at {self._servers} cannot be read: {error}"
                raise BusUnavailableError(message) from error
            if found or loop.time() >= deadline:
                return {TopicPartition(*place): list(map(_record, records)) for place, records in found.items()}

    async def seek(self, offsets: Offsets) -> None:
        """See `Consumer.seek`."""
        for place in self._connected.assignment():
            offset = offsets.get(TopicPartition(*place))
            if offset is not None:
                self._connected.seek(place, offset)

    async def end_offsets(self) -> Offsets:
        """See `Consumer.end_offsets`."""
        found = await self._connected.end_offsets(list(self._connected.assignment()))
        return {TopicPartition(*place): offset for place, offset in found.items()}

    async def close(self) -> None:
        """See `Consumer.close`."""
        await self._connected.stop()

    @property
    def _connected(self) -> "AIOKafkaConsumer":
        if self._consumer is None:
            message = "the consumer was not started"
            raise BusUnavailableError(message)
        return self._consumer

    async def _position(self) -> None:
        """Seek partitions that are new here to where their reader stopped, then let them flow."""
        if not self._new:
            return
        consumer, new = self._connected, list(self._new)
        loaded = await self._load([TopicPartition(*place) for place in new])
        ends = {place for place in new if TopicPartition(*place) not in loaded}
        at_end = await consumer.end_offsets(list(ends)) if ends else {}
        for place in new:
            if place in self._new and place in consumer.assignment():
                consumer.seek(place, at_end[place] if place in ends else loaded[TopicPartition(*place)])
                consumer.resume(place)
            self._new.discard(place)


def _record(record: Any) -> BusRecord:  # noqa: ANN401  aiokafka's record has no types
    return BusRecord(
        record.topic, record.partition, record.offset, record.key.decode(), record.value, tuple(record.headers)
    )


async def _partition_counts(admin: Any, names: list[str]) -> dict[str, int]:  # noqa: ANN401  aiokafka has no types
    described = await admin.describe_topics(names)
    return {topic["topic"]: len(topic["partitions"]) for topic in described if topic["error_code"] == 0}


async def _create(admin: Any, topics: Sequence[Topic]) -> None:  # noqa: ANN401  aiokafka has no types
    from aiokafka.admin import NewTopic  # noqa: PLC0415  heavy, and only with Kafka
    from aiokafka.errors import TopicAlreadyExistsError, for_code  # noqa: PLC0415

    brokers = len((await admin.describe_cluster())["brokers"])
    replicas = min(_REPLICAS, brokers)
    response = await admin.create_topics(
        [
            NewTopic(
                topic.name,
                topic.partitions,
                replicas,
                topic_configs={
                    "cleanup.policy": "delete",  # compaction would destroy history
                    "retention.ms": str(_WEEK_MS if topic.name == MEASUREMENTS.name else -1),
                    "min.insync.replicas": str(max(1, replicas - 1)),
                },
            )
            for topic in topics
        ]
    )
    for name, code, *_ in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:  # another process was quicker
            message = f"topic {name} cannot be made: {error.__name__}"
            raise BusUnavailableError(message)
