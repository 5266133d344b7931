"""The log that services of one process share: a SQLite file (or memory) that keeps the promises of `bus.py`.

Partitions and partitioner are Kafka's, so that what runs here also runs there. One thread writes, in batches: records
of callers that wait at the same moment share one commit. Members of a group live in this process and share the
partitions among themselves.
"""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from libs.events.bus import BusRecord, LoadOffsets, Offsets, OutRecord, Topic, TopicPartition
from libs.events.clock import Clock, SystemClock
from libs.events.errors import BusUnavailableError, OffsetGoneError, SetupError, WrongPartitionCountError
from libs.events.group_publish import GroupPublish
from libs.events.partition import partition_of
from libs.events.tail import Tail

T = TypeVar("T")

_FORMAT = 1
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, partitions INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS records (
        topic TEXT, partition INTEGER, "offset" INTEGER, key TEXT NOT NULL, value BLOB NOT NULL, headers BLOB NOT NULL,
        published_at TEXT NOT NULL, PRIMARY KEY (topic, partition, "offset")
    ) WITHOUT ROWID;
"""
_CLOSE_WITHIN_S = 10.0
_TAIL = 100  # records of each partition
_PRUNE_EVERY = timedelta(hours=1)
_HEADERS = msgspec.json.Decoder(list[tuple[str, bytes]])


class EmbeddedLog:
    """A `Bus` in this process.

    Args:
        path: The SQLite file; None for a log that forgets.
        clock: Stamps records, for retention.
    """

    def __init__(self, path: Path | None, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or SystemClock()
        self._ends: dict[TopicPartition, int] = {}
        self._tails: dict[TopicPartition, Tail[BusRecord]] = defaultdict(lambda: Tail(_TAIL))
        self._topics: dict[str, Topic] = {}
        self._groups: dict[str, list[EmbeddedConsumer]] = defaultdict(list)
        self._alone: list[EmbeddedConsumer] = []
        self._queue = GroupPublish(self._write)
        self._pruned_at = datetime.min.replace(tzinfo=self._clock.now().tzinfo)
        self._writer = ThreadPoolExecutor(1, "embedded-log-writer")
        self._reader = self._writer if path is None else ThreadPoolExecutor(1, "embedded-log-reader")

    async def start(self) -> None:
        """Open the file.

        Raises:
            SetupError: It is damaged, or from a newer version.
        """
        await self._run(self._writer, self._open)

    async def close(self) -> None:
        """Write what waits, then close the file."""
        await self._queue.close(_CLOSE_WITHIN_S)
        self._write_connection.close()
        self._read_connection.close()
        self._reader.shutdown()
        self._writer.shutdown()

    async def ensure_topics(self, topics: Sequence[Topic]) -> None:
        """See `Bus.ensure_topics`."""
        for topic in topics:
            known = self._topics.get(topic.name, topic)
            if known.partitions != topic.partitions:
                raise WrongPartitionCountError(topic.name, topic.partitions, known.partitions)
        new = [(topic.name, topic.partitions) for topic in topics if topic.name not in self._topics]
        if new:
            await self._run(self._writer, self._write_many, "INSERT OR IGNORE INTO topics VALUES (?, ?)", new)
        for topic in topics:
            self._topics[topic.name] = topic
            self._ends = dict.fromkeys(_places(topic), 0) | self._ends

    def publisher(self) -> "EmbeddedLog":
        """See `Bus.publisher`."""
        return self

    async def publish(self, records: Sequence[OutRecord], *, deadline_s: float = 10.0) -> None:
        """See `Publisher.publish`."""
        await self._queue.publish(records, deadline_s)

    async def consumer(
        self, topics: Sequence[Topic], group: str | None, load_offsets: LoadOffsets
    ) -> "EmbeddedConsumer":
        """See `Bus.consumer`."""
        await self.ensure_topics(topics)
        consumer = EmbeddedConsumer(self, [topic.name for topic in topics], group, load_offsets)
        members = self._alone if group is None else self._groups[group]
        members.append(consumer)
        self._share(group)
        await consumer.place()
        return consumer

    def leave(self, consumer: "EmbeddedConsumer") -> None:
        """Take *consumer* out of its group; the others share its partitions."""
        members = self._alone if consumer.group is None else self._groups[consumer.group]
        if consumer in members:
            members.remove(consumer)
            self._share(consumer.group)

    def end(self, place: TopicPartition) -> int:
        """The offset that the next new record of *place* will have."""
        return self._ends[place]

    async def read(self, place: TopicPartition, start: int, limit: int) -> list[BusRecord]:
        """At most *limit* records of *place* from offset *start*.

        Raises:
            OffsetGoneError: It ends before, or begins later.
        """
        newest = self._tails[place].read(start, limit)
        if newest:
            return newest
        end = self._ends[place]  # what the writer has committed since is not announced yet
        records = await self._run(self._reader, self._select, place, start, end, limit)
        if not records or records[0].offset > start:
            await self._check_held(place, start)
        return records

    async def _check_held(self, place: TopicPartition, start: int) -> None:
        first = await self._run(self._reader, self._first, place)
        from_the_start = start == 0 and self._topics[place.topic].keep is not None  # then what was deleted is no loss
        if start > self._ends[place] or (start < first and not from_the_start):
            raise OffsetGoneError(*place, start)

    def _share(self, group: str | None) -> None:
        """Give each partition of a group to one member; each member without a group has all of its own."""
        if group is None:
            for consumer in self._alone:
                consumer.assign(place for place in self._ends if place.topic in consumer.topics)
        else:
            members = self._groups[group]
            given: dict[EmbeddedConsumer, list[TopicPartition]] = {member: [] for member in members}
            for index, place in enumerate(sorted(self._ends)):
                readers = [member for member in members if place.topic in member.topics]
                if readers:
                    given[readers[index % len(readers)]].append(place)
            for member, places in given.items():
                member.assign(places)

    async def _write(self, records: Sequence[OutRecord]) -> None:
        try:
            written = await self._run(self._writer, self._insert, records)
        except (sqlite3.Error, KeyError) as error:
            message = f"the embedded log cannot be written: {error!r}"
            raise BusUnavailableError(message) from error
        for place, new in written.items():
            self._tails[place].append(new[0].offset, new)
            self._ends[place] = new[-1].offset + 1
        for members in (self._alone, *self._groups.values()):
            for member in members:
                member.tell(written)

    async def _run(self, thread: ThreadPoolExecutor, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, work, *arguments)

    # What follows runs in the writer's or the reader's thread.

    def _open(self) -> None:
        try:
            self._write_connection = self._connect()
            found = self._write_connection.execute("PRAGMA user_version").fetchone()[0]
            if found > _FORMAT:
                message = f"{self._path} was written by a newer version; install that, or use another data directory"
                raise SetupError(message)
            self._write_connection.executescript(_SCHEMA + f"PRAGMA user_version = {_FORMAT};")
            known = self._write_connection.execute("SELECT name, partitions FROM topics")
            self._topics = {name: Topic(name, partitions) for name, partitions in known}
            ends = self._write_connection.execute(
                'SELECT topic, partition, max("offset") + 1 FROM records GROUP BY topic, partition'
            )
            self._ends = {
                TopicPartition(topic.name, n): 0 for topic in self._topics.values() for n in range(topic.partitions)
            }
            self._ends |= {TopicPartition(topic, partition): end for topic, partition, end in ends}
            self._read_connection = self._write_connection if self._path is None else self._connect()
        except sqlite3.DatabaseError as error:
            message = f"{self._path} is damaged ({error}); restore it from a backup, or use another data directory"
            raise SetupError(message) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path or ":memory:", isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # acknowledged means on disk
        connection.execute("PRAGMA busy_timeout = 5000")
        return connection

    def _insert(self, records: Sequence[OutRecord]) -> Mapping[TopicPartition, list[BusRecord]]:
        written: dict[TopicPartition, list[BusRecord]] = {}
        now = self._clock.now()
        stamp = now.isoformat()
        rows: list[tuple[object, ...]] = []
        for record in records:
            place = TopicPartition(record.topic, partition_of(record.key, self._topics[record.topic].partitions))
            new = written.setdefault(place, [])
            offset = self._ends[place] + len(new)
            new.append(BusRecord(*place, offset, record.key, record.value, tuple(record.headers)))
            rows.append((*place, offset, record.key, record.value, msgspec.json.encode(record.headers), stamp))
        self._write_many("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        if now - self._pruned_at >= _PRUNE_EVERY:
            self._prune(now)
        return written

    def _write_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        connection = self._write_connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(sql, rows)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _prune(self, now: datetime) -> None:
        """Forget counts that are old and that every reader has passed."""
        self._pruned_at = now
        members = [*self._alone, *(member for group in self._groups.values() for member in group)]
        passed: dict[TopicPartition, int] = {}
        for member in members:
            for place, offset in member.positions().items():
                passed[place] = min(offset, passed.get(place, offset))
        rows = [
            (*place, offset, (now - keep).isoformat())
            for place, offset in passed.items()
            if (keep := self._topics[place.topic].keep)
        ]
        # The newest record stays, so that offsets go on rising after a restart.
        self._write_many(
            'DELETE FROM records WHERE topic = ? AND partition = ? AND "offset" < ? - 1 AND published_at < ?', rows
        )

    def _first(self, place: TopicPartition) -> int:
        found = self._read_connection.execute(
            'SELECT min("offset") FROM records WHERE topic = ? AND partition = ?', place
        ).fetchone()[0]
        return self._ends[place] if found is None else found

    def _select(self, place: TopicPartition, start: int, end: int, limit: int) -> list[BusRecord]:
        rows = self._read_connection.execute(
            'SELECT "offset", key, value, headers FROM records'
            ' WHERE topic = ? AND partition = ? AND "offset" >= ? AND "offset" < ? ORDER BY "offset" LIMIT ?',
            (*place, start, end, limit),
        )
        return [
            BusRecord(*place, offset, key, value, tuple(_HEADERS.decode(headers)))
            for offset, key, value, headers in rows
        ]


def _places(topic: Topic) -> list[TopicPartition]:
    return [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]


class EmbeddedConsumer:
    """A `Consumer` of an `EmbeddedLog`."""

    def __init__(self, log: EmbeddedLog, topics: Collection[str], group: str | None, load: LoadOffsets) -> None:
        self.topics = frozenset(topics)
        self.group = group
        self._log = log
        self._load = load
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._positions: dict[TopicPartition, int] = {}
        self._news = asyncio.Event()
        self._turn = 0

    def assign(self, places: Iterable[TopicPartition]) -> None:
        """Have exactly *places* from now on; offsets of new ones are asked for at the next poll."""
        self._assigned = frozenset(places)
        self._positions = {place: at for place, at in self._positions.items() if place in self._assigned}
        self._news.set()

    def tell(self, grown: Collection[TopicPartition]) -> None:
        """Look again, if some of the partitions that have *grown* are read here."""
        if not self._assigned.isdisjoint(grown):
            self._news.set()

    async def place(self) -> None:
        """Ask for the next offset of each partition that is new here."""
        new = [place for place in self._assigned if place not in self._positions]
        if new:
            loaded = await self._load(new)
            for place in new:
                if place in self._assigned and place not in self._positions:
                    self._positions[place] = loaded.get(place, self._log.end(place))

    def positions(self) -> Mapping[TopicPartition, int]:
        """The next offset of each partition that is read."""
        return dict(self._positions)

    def assignment(self) -> frozenset[TopicPartition]:
        """See `Consumer.assignment`."""
        return self._assigned

    async def poll(self, *, timeout_s: float, max_records: int) -> Mapping[TopicPartition, list[BusRecord]]:
        """See `Consumer.poll`."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            self._news.clear()
            await self.place()
            found = await self._read(max_records)
            left = deadline - asyncio.get_running_loop().time()
            if found or left <= 0:
                return found
            if not self._behind():
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._news.wait()

    async def seek(self, offsets: Offsets) -> None:
        """See `Consumer.seek`."""
        self._positions |= {place: offset for place, offset in offsets.items() if place in self._assigned}

    async def end_offsets(self) -> Offsets:
        """See `Consumer.end_offsets`."""
        return {place: self._log.end(place) for place in self._assigned}

    async def close(self) -> None:
        """See `Consumer.close`."""
        self._log.leave(self)

    async def _read(self, max_records: int) -> Mapping[TopicPartition, list[BusRecord]]:
        found: dict[TopicPartition, list[BusRecord]] = {}
        behind = self._behind()
        self._turn += 1
        for index in range(len(behind)):  # a different one first each time, so that a busy partition starves nobody
            place = behind[(index + self._turn) % len(behind)]
            held = self._positions.get(place)
            if held is None or max_records <= 0:
                continue
            records = await self._log.read(place, held, max_records)
            if records and self._positions.get(place) == held:  # nobody took it over or sought meanwhile
                self._positions[place] = records[-1].offset + 1
                found[place] = records
                max_records -= len(records)
        return found

    def _behind(self) -> list[TopicPartition]:
        return [place for place, held in self._positions.items() if held != self._log.end(place)]
