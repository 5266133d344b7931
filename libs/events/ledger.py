"""Where a consumer stands, moved by compare-and-set in the transaction of what it writes.

A member that was stalled past its session still holds a batch when it wakes up. Its checkpoint is not where it left it
then, so nothing of that batch is kept.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from libs.events.envelope import Recorded
from libs.events.errors import AheadOfLogError, FencedError
from libs.events.views_tables import CHECKPOINTS, DEAD_LETTERS, GENERATIONS

_LOG = logging.getLogger(__name__)

Place = tuple[str, int]  # a service whose log it is, and a partition of it


class Checkpoint(msgspec.Struct, frozen=True):
    """How far a consumer has come with one partition of one log.

    Args:
        epoch: Which life of that log.
        next: The offset of the next record to read; in an event store, the next position.
        position: The highest position applied; what is not above it was applied before.
    """

    epoch: str
    next: int
    position: int


START = Checkpoint("", 0, 0)


class Batch(msgspec.Struct, frozen=True):
    """Consecutive events of one partition of one log.

    Args:
        service: Whose log.
        epoch: Which life of it; empty when nothing in it could be read.
        partition: Of the bus; 0 in an event store.
        events: In the order of the log.
        offsets: Of each event; in an event store, its position.
        next: The offset that follows.
    """

    service: str
    epoch: str
    partition: int
    events: Sequence[Recorded]
    offsets: Sequence[int]
    next: int

    @property
    def place(self) -> Place:
        """The partition it comes from."""
        return self.service, self.partition

    def only(self, wanted: Callable[[Recorded], bool]) -> "Batch":
        """The same batch with no events but those that are *wanted*."""
        keep = [i for i, recorded in enumerate(self.events) if wanted(recorded)]
        events, offsets = [self.events[i] for i in keep], [self.offsets[i] for i in keep]
        return Batch(self.service, self.epoch, self.partition, events, offsets, self.next)

    def part(self, start: int, end: int) -> "Batch":
        """Some of the events, up to the offset of the one that follows them."""
        after = self.next if end == len(self.events) else self.offsets[end]
        events, offsets = self.events[start:end], self.offsets[start:end]
        return Batch(self.service, self.epoch, self.partition, events, offsets, after)

    def halves(self) -> "tuple[Batch, ...]":
        """The same events in two batches; nothing if there is but one."""
        size = len(self.events)
        return (self.part(0, size // 2), self.part(size // 2, size)) if size > 1 else ()


class Ledger:
    """Checkpoints and parked streams of one consumer, as last read or written.

    Args:
        consumer: A projection, or `<service>.reactions`.
        generation: Of the projection; 0 for reactions.

    Attributes:
        has_passed: It went on behind events, and that does not stand in the database yet.
    """

    def __init__(self, consumer: str, generation: int) -> None:
        self.consumer = consumer
        self.generation = generation
        self.checkpoints: dict[Place, Checkpoint] = {}
        self._stored: dict[Place, Checkpoint] = {}
        self.parked: frozenset[tuple[str, str]] = frozenset()
        self.has_passed = False
        self._writes = -1

    def next(self, place: Place) -> int:
        """The offset to read from."""
        return self.checkpoints.get(place, START).next

    def position(self, service: str) -> int:
        """The highest position of a service's log that was applied from any partition."""
        return max((c.position for (s, _), c in self.checkpoints.items() if s == service), default=0)

    def fresh(self, batch: Batch) -> Batch:
        """What of *batch* was not applied before.

        Raises:
            AheadOfLogError: The log was restored from a backup, and this consumer has applied what it lost.
        """
        held = self.checkpoints.get(batch.place, START)
        if not batch.events:
            return batch
        first = batch.events[0].position
        if held.epoch not in ("", batch.epoch):
            reached = self.position(batch.service)
            if first <= reached:
                raise AheadOfLogError(self.consumer, batch.service, reached, batch.epoch)
            _LOG.warning("%s goes on with the restored log of %s", self.consumer, batch.service)
            return batch
        return batch if first > held.position else batch.only(lambda recorded: recorded.position > held.position)

    def moves(self, batches: Iterable[Batch]) -> dict[Place, Checkpoint]:
        """Where the checkpoints stand after *batches*; those that do not move are left out."""
        moves: dict[Place, Checkpoint] = {}
        for batch in batches:
            held = self.checkpoints.get(batch.place, START)
            position = max(held.position, batch.events[-1].position) if batch.events else held.position
            new = Checkpoint(batch.epoch or held.epoch, max(held.next, batch.next), position)
            if new != held:
                moves[batch.place] = new
        return moves

    def load(self, connection: Connection) -> None:
        """Read everything anew."""
        load_all(connection, [self])

    def loaded(self, writes: int, checkpoints: Mapping[Place, Checkpoint], parked: Iterable[tuple[str, str]]) -> None:
        """Take over what was read: how often it was written to, and what stands there."""
        self._writes = writes
        self.checkpoints = dict(checkpoints)
        self._stored = dict(checkpoints)
        self.parked = frozenset(parked)

    def lock(self, connection: Connection) -> bool:
        """Keep every other writer of this consumer out until the transaction ends.

        Returns:
            Whether nobody else has written since this ledger was read: what was cached still holds.

        Raises:
            FencedError: The generation is gone, or streams were parked or set free meanwhile: load again.
        """
        locked = connection.exec_driver_sql(_spoken(_LOCK, connection), (self.consumer, self.generation))
        writes = locked.scalar_one_or_none()
        if writes is None:
            message = f"generation {self.generation} of {self.consumer} is gone"
            raise FencedError(message)
        alone, self._writes = writes == self._writes + 1, writes
        if not alone and self._read_parked(connection) != self.parked:
            message = f"streams of {self.consumer} were parked or set free"
            raise FencedError(message)
        return alone

    def advance(self, connection: Connection, moves: Mapping[Place, Checkpoint]) -> None:
        """Move the checkpoints, if they are where this ledger has them.

        Raises:
            FencedError: One is not: another member took over.
        """
        for (service, partition), new in moves.items():
            held = self._stored.get((service, partition))
            place = (self.consumer, self.generation, service, partition)
            after = (held.next, held.epoch) if held else (-1, "")
            values = (*place, new.epoch, new.next, new.position, *after)
            moved = connection.exec_driver_sql(_spoken(_ADVANCE, connection), values)
            if moved.rowcount != 1:
                message = f"the checkpoint of {self.consumer} at {service}[{partition}] was moved by another process"
                raise FencedError(message)

    def keep_letters(self, connection: Connection, batch: Batch, error: str) -> None:
        """Store the events of *batch* as dead letters; with an empty *error* as parked behind one."""
        letters = [
            {
                "consumer": self.consumer,
                "generation": self.generation,
                "service": batch.service,
                "partition": batch.partition,
                "offset": offset,
                "epoch": batch.epoch,
                "stream": recorded.stream,
                "type": recorded.type,
                "event": msgspec.msgpack.encode(recorded),
                "parked": not error,
                "error": error,
            }
            for offset, recorded in zip(batch.offsets, batch.events, strict=True)
        ]
        if letters:
            connection.execute(insert(DEAD_LETTERS), letters)

    def remove_letter(self, connection: Connection, batch: Batch) -> None:
        """Take one letter away, because its event is applied now.

        Raises:
            FencedError: It is gone already.
        """
        d = DEAD_LETTERS.c
        gone = connection.execute(
            delete(DEAD_LETTERS).where(
                d.consumer == self.consumer,
                d.generation == self.generation,
                d.service == batch.service,
                d.partition == batch.partition,
                d.offset == batch.offsets[0],
            )
        )
        if gone.rowcount != 1:
            message = f"the dead letter {batch.offsets[0]} of {self.consumer} is gone"
            raise FencedError(message)

    def committed(self, moves: Mapping[Place, Checkpoint], parked: Iterable[tuple[str, str]]) -> None:
        """Remember what the transaction wrote."""
        self.checkpoints |= moves
        self._stored |= moves
        self.has_passed = False
        self.parked |= frozenset(parked)

    def passed(self, moves: Mapping[Place, Checkpoint]) -> None:
        """Go on behind events that change nothing; whoever starts anew passes them again."""
        self.checkpoints |= moves
        self.has_passed |= bool(moves)

    @property
    def begun(self) -> bool:
        """Whether each of its checkpoints has a row in the database."""
        return self.checkpoints.keys() == self._stored.keys()

    def passing(self) -> list[tuple[Any, ...]]:
        """What `move_all` moves: a checkpoint's row, its new values, and those that it must have."""
        moves = [(place, self._stored[place], new) for place, new in self.unsaved().items()]
        of = self.consumer, self.generation
        return [(*of, *place, new.epoch, new.next, new.position, held.next, held.epoch) for place, held, new in moves]

    def unsaved(self) -> dict[Place, Checkpoint]:
        """The checkpoints that were passed and do not stand in the database yet."""
        return {place: each for place, each in self.checkpoints.items() if self._stored.get(place) != each}

    def forget_passed(self) -> None:
        """Stand again where the database was last seen."""
        self.checkpoints = dict(self._stored)
        self.has_passed = False

    def _read_parked(self, connection: Connection) -> frozenset[tuple[str, str]]:
        d = DEAD_LETTERS.c
        rows = connection.execute(
            select(d.service, d.stream).distinct().where(d.consumer == self.consumer, d.generation == self.generation)
        )
        return frozenset((row.service, row.stream) for row in rows)


def load_all(connection: Connection, ledgers: Sequence[Ledger]) -> None:
    """Read all of *ledgers* anew; however many they are, each table is asked once."""
    g, c, d = GENERATIONS.c, CHECKPOINTS.c, DEAD_LETTERS.c
    consumers = {ledger.consumer for ledger in ledgers}
    noted = connection.execute(select(g.projection, g.generation, g.writes).where(g.projection.in_(consumers)))
    writes = {(consumer, generation): count for consumer, generation, count in noted}
    checkpoints: defaultdict[tuple[str, int], dict[Place, Checkpoint]] = defaultdict(dict)
    places = select(c.consumer, c.generation, c.service, c.partition, c.epoch, c.next, c.position)
    for consumer, generation, service, partition, *held in connection.execute(places.where(c.consumer.in_(consumers))):
        checkpoints[consumer, generation][service, partition] = Checkpoint(*held)
    parked: defaultdict[tuple[str, int], list[tuple[str, str]]] = defaultdict(list)
    streams = select(d.consumer, d.generation, d.service, d.stream).distinct()
    for consumer, generation, service, stream in connection.execute(streams.where(d.consumer.in_(consumers))):
        parked[consumer, generation].append((service, stream))
    for ledger in ledgers:
        key = ledger.consumer, ledger.generation
        ledger.loaded(writes.get(key, 0), checkpoints[key], parked[key])


def move_all(connection: Connection, ledgers: Sequence[Ledger]) -> set[str]:
    """Write the checkpoints that *ledgers* have passed, all at once; no row depends on them, so nobody is locked out.

    Returns:
        The consumers of which one was not where its ledger has it: another process, or another generation, went on.
    """
    rows = [row for ledger in ledgers for row in ledger.passing()]
    if connection.dialect.name == "postgresql":
        columns = tuple(map(list, zip(*rows, strict=True)))
        moved = [row[0] for row in connection.exec_driver_sql(_MOVE_MANY, columns)]
    else:
        moved = [row[0] for row in rows if connection.exec_driver_sql(_MOVE, row).rowcount]
    return set(Counter([row[0] for row in rows]) - Counter(moved))


# Every batch carries these out: as plain text, they take half the time.
_LOCK = (
    "UPDATE generations SET writes = writes + 1 WHERE projection = $1 AND generation = $2"
    " AND status IN ('serving', 'building') RETURNING writes"
)

_ADVANCE = (
    "INSERT INTO checkpoints (consumer, generation, service, partition, epoch, next, position)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
    " ON CONFLICT (consumer, generation, service, partition) DO UPDATE"
    " SET epoch = excluded.epoch, next = excluded.next, position = excluded.position"
    " WHERE checkpoints.next = $8 AND checkpoints.epoch = $9"
)

_MOVE = (
    "UPDATE checkpoints SET epoch = ?5, next = ?6, position = ?7"
    " WHERE consumer = ?1 AND generation = ?2 AND service = ?3 AND partition = ?4 AND next = ?8 AND epoch = ?9"
)
_MOVE_MANY = (
    "UPDATE checkpoints c SET epoch = v.epoch, next = v.next, position = v.position"
    " FROM unnest($1::text[], $2::int[], $3::text[], $4::int[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],"
    " $9::text[]) AS v(consumer, generation, service, partition, epoch, next, position, held, held_epoch)"
    " WHERE c.consumer = v.consumer AND c.generation = v.generation AND c.service = v.service"
    " AND c.partition = v.partition AND c.next = v.held AND c.epoch = v.held_epoch RETURNING c.consumer"
)


def _spoken(sql: str, connection: Connection) -> str:
    """*sql* with the placeholders of the database: SQLite takes `?1` by position, and `$1` as a name."""
    return sql if connection.dialect.name == "postgresql" else sql.replace("$", "?")
