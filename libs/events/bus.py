"""The ports to the log that services share.

Adapters: `embedded_log.py` (SQLite or memory), `kafka.py`. One contract suite in `testing.py` runs on both.

A topic has a fixed number of partitions; a record's partition is murmur2 of its key. Within a partition, offsets
rise but may have gaps. A consumer's position is the offset of the *next* record; it is kept by the consumer in its
own database (compare-and-set, see `projector.py`), never in the log.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol

import msgspec


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Topic(NamedTuple):
    """A topic.

    Args:
        name: Dotted.
        partitions: How many; never changes once used, because keys are spread over them.
        keep: How long records stay at least; for ever if None.
    """

    name: str
    partitions: int
    keep: timedelta | None = None


MAX_RECORD_BYTES = 1_000_000  # Kafka's own limit is 1 MiB (1,048,588 bytes) for a batch with its frame
EVENT_PARTITIONS = 12
MEASUREMENTS = Topic("concordat.slo.measurements", 24, timedelta(days=7))  # its reader keeps the sums


def events_topic(service: str) -> Topic:
    """Where *service* publishes its events."""
    return Topic(f"concordat.{service}.events", EVENT_PARTITIONS)


class OutRecord(msgspec.Struct, frozen=True, gc=False):
    """A record to publish."""

    topic: str
    key: str
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


class BusRecord(msgspec.Struct, frozen=True, gc=False):
    """A record as read back."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


Offsets = Mapping[TopicPartition, int]
LoadOffsets = Callable[[Collection[TopicPartition]], Awaitable[Offsets]]


class Publisher(Protocol):
    """Writes records."""

    async def publish(self, records: Sequence[OutRecord], *, deadline_s: float = 10.0) -> None:
        """Write *records*, keeping their order per key; returns when all are on disk.

        Raises:
            BusUnavailableError: Not all are known to be written; the same records may be published again.
            FatalBusError: As above, and this process had better start anew.
            RefusedError: One is over `MAX_RECORD_BYTES`; nothing was written.
        """
        ...


class Consumer(Protocol):
    """Reads the partitions it is given; with a group, members share them."""

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are this member's now."""
        ...

    async def poll(self, *, timeout_s: float, max_records: int) -> Mapping[TopicPartition, list[BusRecord]]:
        """The next records per partition, of each in order; empty when none came in time.

        Raises:
            OffsetGoneError: The log does not hold what is to be read next.
            BusUnavailableError: The log cannot be read now; poll again.
        """
        ...

    async def seek(self, offsets: Offsets) -> None:
        """Go on from these offsets; partitions that are not this member's are passed over."""
        ...

    async def end_offsets(self) -> Offsets:
        """Per partition that is this member's, the offset the next new record will have."""
        ...

    async def close(self) -> None:
        """Leave the group at once, so that others take over."""
        ...


class Bus(Protocol):
    """The shared log: makes topics, publishers and consumers."""

    async def start(self) -> None:
        """Connect."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...

    async def ensure_topics(self, topics: Sequence[Topic]) -> None:
        """Make the topics that are missing.

        Raises:
            WrongPartitionCountError: One exists with another number of partitions.
        """
        ...

    def publisher(self) -> Publisher:
        """The publisher of this process."""
        ...

    async def consumer(self, topics: Sequence[Topic], group: str | None, load_offsets: LoadOffsets) -> Consumer:
        """A consumer of *topics*, which are made if they are missing.

        Args:
            topics: What to read.
            group: Members of one group share the partitions; None reads all of them alone.
            load_offsets: Asked for the next offset of each partition when it is assigned; 0 reads from the start,
                and a partition that is left out of the answer starts at its end.
        """
        ...
