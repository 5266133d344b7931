"""The bus on Apache Kafka; the only file that knows aiokafka.

What an operator needs to know about it is in `README.md`.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
    for_code,
)

from libs.events.bus import MAX_RECORD_BYTES, BusRecord, LoadOffsets, Offsets, OutRecord, Topic, TopicPartition
from libs.events.errors import (
    BusUnavailableError,
    FatalBusError,
    OffsetGoneError,
    SetupError,
    WrongPartitionCountError,
)
from libs.events.group_publish import GroupPublish
from libs.events.partition import partition_of

_AWAY = (KafkaError, OSError, TimeoutError)
_NOT_TAKEN = (KafkaTimeoutError, UnknownTopicOrPartitionError)  # nothing of this producer is spoilt
_CONNECT_WITHIN_S = 10.0
_JOIN_WITHIN_S = 60.0  # a group waits for members that do not answer until their session ends
_CLOSE_WITHIN_S = 5.0
_HEARTBEAT_S = 1.0  # how soon a member hears that the group is shared anew
_FETCH_WAIT_MS = 100  # how long a partition that was just placed waits behind a fetch of the others
_POLL_SLICE_S = 0.2  # how soon a poll hears of new partitions
_NEWS_S = 0.02
_UNSOUGHT_S = 0.02  # see `KafkaConsumer.poll`
_REPLICAS = 3
_TOPIC_EXISTS = 36


class KafkaBus:
    """A `Bus` on a Kafka cluster, which may be away when it starts and at any time after.

    Args:
        bootstrap_servers: `host:port,host:port`.
        replication_factor: Of topics it makes; 3, or the number of brokers if there are fewer.
        min_insync_replicas: Of topics it makes; one less than the replicas.
        session_s: After how long a silent member of a group counts as dead.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        replication_factor: int | None = None,
        min_insync_replicas: int | None = None,
        session_s: float = 10.0,
    ) -> None:
        self._servers = bootstrap_servers
        self._replication_factor = replication_factor
        self._min_insync_replicas = min_insync_replicas
        self._session_s = session_s
        self._publisher = KafkaPublisher(bootstrap_servers)
        self._ensured: set[Topic] = set()

    async def start(self) -> None:
        """Nothing yet: what needs the cluster connects, and says so when it is away."""

    async def close(self) -> None:
        """Send what waits, then disconnect; consumers are closed by those who asked for them."""
        await self._publisher.close()

    def publisher(self) -> "KafkaPublisher":
        """See `Bus.publisher`."""
        return self._publisher

    async def consumer(self, topics: Sequence[Topic], group: str | None, load_offsets: LoadOffsets) -> "KafkaConsumer":
        """See `Bus.consumer`.

        Raises:
            BusUnavailableError: The cluster is away.
            WrongPartitionCountError: See `ensure_topics`.
        """
        await self.ensure_topics(topics)
        consumer = KafkaConsumer(self._servers, topics, group, load_offsets, self._session_s)
        await consumer.start()
        return consumer

    async def ensure_topics(self, topics: Sequence[Topic]) -> None:
        """See `Bus.ensure_topics`.

        Raises:
            BusUnavailableError: The cluster is away.
            WrongPartitionCountError: A topic exists with another number of partitions.
        """
        if self._ensured.issuperset(topics):
            return
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers, request_timeout_ms=int(_CONNECT_WITHIN_S * 1000))
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                await admin.start()
                counts = await _partition_counts(admin, topics)
                missing = [topic for topic in topics if topic.name not in counts]
                if missing:
                    await self._create(admin, missing)
                while len(counts) < len({topic.name for topic in topics}):  # until every broker knows them
                    await asyncio.sleep(_NEWS_S)
                    counts = await _partition_counts(admin, topics)
        except _AWAY as error:
            message = f"Kafka at {self._servers} cannot be reached: {error!r}"
            raise BusUnavailableError(message) from error
        finally:
            await admin.close()
        for topic in topics:
            if counts[topic.name] != topic.partitions:
                raise WrongPartitionCountError(topic.name, topic.partitions, counts[topic.name])
        self._ensured.update(topics)

    async def _create(self, admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
        brokers = (await admin.describe_cluster())["brokers"]
        replicas = self._replication_factor or min(_REPLICAS, len(brokers))
        in_sync = self._min_insync_replicas or max(1, replicas - 1)
        new = [NewTopic(topic.name, topic.partitions, replicas, None, _config(topic, in_sync)) for topic in topics]
        answer: Any = await admin.create_topics(new)
        for name, code, *detail in answer.topic_errors:
            if code not in {0, _TOPIC_EXISTS}:  # somebody else made it meanwhile
                message = f"Kafka does not make the topic {name}: {for_code(code).__name__} {detail}"
                raise SetupError(message)


def _config(topic: Topic, min_insync_replicas: int) -> dict[str, str]:
    """What *topic* is made with; `deploy/topics.yaml` says the same."""
    return {
        "cleanup.policy": "delete",  # compaction would destroy history
        "retention.ms": str(int(topic.keep.total_seconds() * 1000)) if topic.keep else "-1",
        "min.insync.replicas": str(min_insync_replicas),
    }


async def _partition_counts(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> dict[str, int]:
    """Per topic that exists, how many partitions it has."""
    described = await admin.describe_topics([topic.name for topic in topics])
    return {each["topic"]: len(each["partitions"]) for each in described if each["error_code"] == 0}


class KafkaPublisher:
    """A `Publisher` whose retries neither lose, double nor reorder records (`enable_idempotence`, `acks=all`)."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._servers = bootstrap_servers
        self._queue = GroupPublish(self._write)
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}

    async def publish(self, records: Sequence[OutRecord], *, deadline_s: float = 10.0) -> None:
        """See `Publisher.publish`."""
        await self._queue.publish(records, deadline_s)

    async def close(self) -> None:
        """Send what waits, if the cluster is there, then disconnect."""
        await self._queue.close(_CLOSE_WITHIN_S)
        await self._discard()

    async def _write(self, records: Sequence[OutRecord]) -> None:
        """Send *records* and wait for all acknowledgements; aiokafka repeats for as long as it takes."""
        producer = await self._connected()
        try:
            await asyncio.gather(*await self._send(producer, records))
        except _NOT_TAKEN as error:  # those already on their way stay in order
            message = f"Kafka at {self._servers} takes no records: {error!r}"
            raise BusUnavailableError(message) from error
        except KafkaError as error:  # what was refused used up sequence numbers: all that follows is out of order
            await self._discard()
            message = f"Kafka at {self._servers} refused records of this producer for good: {error!r}"
            raise FatalBusError(message) from error

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[OutRecord]) -> list[asyncio.Future[Any]]:
        """Hand *records* over in batches per partition; gives what becomes of each batch."""
        for topic in {record.topic for record in records} - self._partitions.keys():
            self._partitions[topic] = len(await producer.partitions_for(topic))
        sent: list[asyncio.Future[Any]] = []
        batches: dict[tuple[str, int], Any] = {}
        for record in records:
            key = record.key.encode()
            headers = record.headers if type(record.headers) is list else list(record.headers)  # aiokafka wants a list
            place = (record.topic, partition_of(record.key, self._partitions[record.topic]))
            batch = batches.get(place)
            if batch is None:
                batch = batches[place] = producer.create_batch()
            if batch.append(key=key, value=record.value, timestamp=None, headers=headers) is None:  # full
                sent.append(await producer.send_batch(batch, place[0], partition=place[1]))
                batch = batches[place] = producer.create_batch()
                batch.append(key=key, value=record.value, timestamp=None, headers=headers)
        for (topic, partition), batch in batches.items():
            batch.close()
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        return sent

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._servers,
                client_id="concordat",
                enable_idempotence=True,
                acks="all",
                max_batch_size=MAX_RECORD_BYTES,
            )
            try:
                async with asyncio.timeout(_CONNECT_WITHIN_S):
                    await producer.start()
            except _AWAY as error:
                await _stop(producer)
                message = f"Kafka at {self._servers} cannot be reached: {error!r}"
                raise BusUnavailableError(message) from error
            self._producer = producer
        return self._producer

    async def _discard(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await _stop(producer)


class KafkaConsumer:
    """A `Consumer`; its offsets are the caller's, Kafka only shares partitions among the members of the group.

    New partitions are paused before anything else, and placed (offsets loaded, sought, resumed) by the next poll: so
    nothing of them is handed out before, and what goes wrong while placing them is raised where it is handled.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topics: Sequence[Topic],
        group: str | None,
        load_offsets: LoadOffsets,
        session_s: float,
    ) -> None:
        self._topics = {topic.name: topic for topic in topics}
        self._load = load_offsets
        self._unplaced: frozenset[KafkaPartition] = frozenset()
        self._kafka = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers,
            client_id="concordat",
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",  # measurements may come from anybody's transactions
            session_timeout_ms=int(session_s * 1000),
            heartbeat_interval_ms=int(_HEARTBEAT_S * 1000),
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )
        if group is None:
            everything = [KafkaPartition(topic.name, n) for topic in topics for n in range(topic.partitions)]
            self._kafka.assign(everything)
            self._take_over(everything)
        else:
            self._kafka.subscribe(list(self._topics), listener=_Listener(self._take_over))

    async def start(self) -> None:
        """Connect and, in a group, wait for a share of the partitions.

        Raises:
            BusUnavailableError: The cluster is away.
        """
        try:
            async with asyncio.timeout(_JOIN_WITHIN_S):
                await self._kafka.start()
                await asyncio.sleep(0)  # a task of aiokafka that is cancelled before it began cancels who closes it
                await self._place()
        except BaseException as error:
            await self.close()
            if isinstance(error, _AWAY):
                message = f"Kafka cannot be read: {error!r}"
                raise BusUnavailableError(message) from error
            raise

    def assignment(self) -> frozenset[TopicPartition]:
        """See `Consumer.assignment`."""
        return frozenset(map(_place, self._kafka.assignment()))

    async def poll(self, *, timeout_s: float, max_records: int) -> Mapping[TopicPartition, list[BusRecord]]:
        """See `Consumer.poll`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            left = deadline - loop.time()
            try:
                await self._place()
                found = await self._fetch(min(max(left, 0), _POLL_SLICE_S), max_records)
            except NoOffsetForPartitionError:  # aiokafka asked the group for an offset before we had sought; we have
                await asyncio.sleep(_UNSOUGHT_S)
                continue
            except OffsetOutOfRangeError as error:
                ((place, offset),) = error.args[0].items()
                raise OffsetGoneError(place.topic, place.partition, offset) from error
            except _AWAY as error:
                message = f"Kafka cannot be read: {error!r}"
                raise BusUnavailableError(message) from error
            if found or left <= _POLL_SLICE_S:
                return found

    async def seek(self, offsets: Offsets) -> None:
        """See `Consumer.seek`."""
        assigned = self._kafka.assignment()
        for place, offset in offsets.items():
            if KafkaPartition(*place) in assigned:
                self._kafka.seek(KafkaPartition(*place), offset)

    async def end_offsets(self) -> Offsets:
        """See `Consumer.end_offsets`.

        Raises:
            BusUnavailableError: The cluster is away.
        """
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                ends = await self._kafka.end_offsets(list(self._kafka.assignment()))
        except _AWAY as error:
            message = f"Kafka does not say where its partitions end: {error!r}"
            raise BusUnavailableError(message) from error
        return {_place(place): offset for place, offset in ends.items()}

    async def close(self) -> None:
        """See `Consumer.close`."""
        await _stop(self._kafka)

    def _take_over(self, assigned: Collection[KafkaPartition]) -> None:
        self._kafka.pause(*assigned)
        self._unplaced = frozenset(assigned)

    async def _place(self) -> None:
        """Go to the next offset of each new partition, then read it."""
        while unplaced := self._unplaced:
            offsets = await self._starts(unplaced)
            if unplaced is self._unplaced:  # else the group was shared anew meanwhile
                for place, offset in offsets.items():
                    self._kafka.seek(place, offset)
                self._kafka.resume(*unplaced)
                self._unplaced = frozenset()

    async def _starts(self, places: Collection[KafkaPartition]) -> dict[KafkaPartition, int]:
        loaded = await self._load([_place(place) for place in places])
        starts = {place: loaded[_place(place)] for place in places if _place(place) in loaded}
        at_end = [place for place in places if place not in starts]
        cut = [place for place, offset in starts.items() if offset == 0 and self._topics[place.topic].keep]
        if at_end:
            starts |= await self._kafka.end_offsets(at_end)
        if cut:  # what was deleted by design is not missed by one who never read
            starts |= await self._kafka.beginning_offsets(cut)
        return starts

    async def _fetch(self, timeout_s: float, max_records: int) -> Mapping[TopicPartition, list[BusRecord]]:
        try:
            async with asyncio.timeout(timeout_s + _POLL_SLICE_S):  # a group that is being shared answers nobody
                found = await self._kafka.getmany(timeout_ms=int(timeout_s * 1000), max_records=max_records)
        except TimeoutError:
            return {}
        return {_place(place): _records(records) for place, records in found.items()}


class _Listener(ConsumerRebalanceListener):
    """Hears which partitions are this member's."""

    def __init__(self, take_over: Callable[[Collection[KafkaPartition]], None]) -> None:
        self._take_over = take_over

    def on_partitions_revoked(self, revoked: Collection[KafkaPartition]) -> None:
        """Nothing is kept for them."""

    def on_partitions_assigned(self, assigned: Collection[KafkaPartition]) -> None:
        """Pause them before a record is handed out: aiokafka does not wait for this to end."""
        self._take_over(assigned)


def _records(records: Iterable[Any]) -> list[BusRecord]:
    return [
        BusRecord(
            record.topic,
            record.partition,
            record.offset,
            record.key.decode(errors="replace") if record.key else "",
            record.value or b"",
            record.headers,
        )
        for record in records
    ]


def _place(partition: KafkaPartition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.partition)


async def _stop(client: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Disconnect, in bounded time: a producer would wait for its broker for ever."""
    try:
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            await client.stop()
    except _AWAY:
        return
