"""The ports to the log that services share.

Adapters: `embedded_log.py` (SQLite or memory), `kafka.py`. One contract suite in `testing.py` runs on both.

A topic has a fixed number of partitions; a record's partition is murmur2 of its key. Within a partition, offsets
rise but may have gaps. A consumer's position is the offset of the *next* record; it is kept by the consumer in its
own database (compare-and-set, see `projector.py`), never in the log.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Topic(NamedTuple):
    """A topic and the number of its partitions, which never changes once used."""

    name: str
    partitions: int


EVENT_PARTITIONS = 12
MEASUREMENTS = Topic("concordat.slo.measurements", 24)


def events_topic(service: str) -> Topic:
    """Where *service* publishes its events."""
    return Topic(f"concordat.{service}.events", EVENT_PARTITIONS)


class OutRecord(msgspec.Struct, frozen=True, gc=False):
    """A record to publish."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


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
        """
        ...


class Consumer(Protocol):
    """Reads the partitions it is given; with a group, members share them."""

    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions that are this member's now."""
        ...

    async def poll(self, *, timeout_s: float, max_records: int) -> Mapping[TopicPartition, list[BusRecord]]:
        """The next records per partition; empty when none came in time."""
        ...

    async def seek(self, offsets: Offsets) -> None:
        """Go on from these offsets; partitions that are not this member's are passed over."""
        ...

    async def end_offsets(self) -> Offsets:
        """Per partition, the offset the next new record will have."""
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
        """A consumer of *topics*.

        Args:
            topics: What to read.
            group: Members of one group share the partitions; None reads all of them alone.
            load_offsets: Asked for the next offset of each partition when it is assigned; 0 reads from the start,
                and a partition that is left out of the answer starts at its end.
        """
        ...
