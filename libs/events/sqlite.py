"""The store in one SQLite file: one thread writes, batch by batch, and a few read."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from libs.events import schema
from libs.events.bookkeeping import Bookkeeping
from libs.events.clock import Clock, SystemClock
from libs.events.envelope import Recorded
from libs.events.errors import (
    ConflictError,
    EventsError,
    KeyInFlightError,
    ReservedError,
    SetupError,
    StorageFullError,
    StoreUnavailableError,
)
from libs.events.group_commit import GroupCommit
from libs.events.head import Head
from libs.events.ids import new_id
from libs.events.store import Appended, AppendRequest
from libs.events.tail import Tail

T = TypeVar("T")

_COLUMNS = "position, stream, version, type, event_id, occurred_at, recorded_at, data, metadata"
_LOAD = f"""
SELECT {_COLUMNS} FROM events WHERE stream = ? AND version > ? AND recorded_at <= ? ORDER BY version
"""  # noqa: S608  constants
_READ = f"SELECT {_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?"  # noqa: S608  constants
_HEAD = "SELECT coalesce(max(position), 0) FROM events"
_NEWEST = "SELECT position, recorded_at FROM events ORDER BY position DESC LIMIT 1"
_INSERT = f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  constants
_VERSIONS = """
WITH asked(stream) AS (VALUES {})
SELECT stream, coalesce((SELECT max(version) FROM events e WHERE e.stream = asked.stream), 0) FROM asked
"""
_KNOWN = "SELECT event_id, position, recorded_at FROM events WHERE event_id IN (VALUES {})"
_HELD_BY_OTHER = "SELECT holder FROM reservations WHERE scope = ? AND key = ? AND holder <> ?"
_ANSWERED = "SELECT 1 FROM idempotency WHERE principal = ? AND route = ? AND key = ? AND status IS NOT NULL"
_KEEP_ANSWER = """
INSERT INTO idempotency AS i VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE
SET payload_hash = excluded.payload_hash, since = excluded.since, status = excluded.status,
    body = excluded.body, headers = excluded.headers, position = excluded.position
WHERE i.status IS NULL
"""

_READERS = 2
_TAIL = 1_000  # events
_VALUES = 250  # asked for at once: SQLite takes at most 500 terms in a VALUES
_BUSY_S = 5.0
_ASK_EVERY_S = 1.0
_FOREVER = 2**63 - 1
_CHECKED_BYTES = 256 * 1024 * 1024  # quick_check reads the whole file: half a second for this much

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC})


class SqliteStore(Bookkeeping):
    """`Store` in the file *path*, which is made at the first start.

    What is acknowledged is on disk (`synchronous=FULL`): neither a killed process nor a power cut takes it away.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self.epoch = ""
        self._path = path
        self._clock = clock or SystemClock()
        self._commits = GroupCommit(self._commit)
        self._head = Head()
        self._tail: Tail[Recorded] = Tail(_TAIL)
        self._open: list[sqlite3.Connection] = []
        self._local = threading.local()
        self._writer = ThreadPoolExecutor(1, f"{path.stem}-writer")
        self._readers = ThreadPoolExecutor(_READERS, f"{path.stem}-reader")

    async def start(self) -> None:
        """See `Store.start`.

        Raises:
            SetupError: The file is damaged, from a newer version, or no events file.
        """
        try:
            await self._on(self._writer, self._prepare)
        except (sqlite3.DatabaseError, StoreUnavailableError) as error:
            message = f"{self._path} is damaged or cannot be used ({error}); restore it from a backup"
            raise SetupError(message) from error

    async def close(self) -> None:
        """See `Store.close`."""
        await self._commits.close()
        await asyncio.get_running_loop().run_in_executor(None, self._shutdown)

    async def append(self, request: AppendRequest, *, deadline_s: float = 5.0) -> Appended:
        """See `EventLog.append`."""
        return await self._commits.append(request, deadline_s)

    async def load(self, stream: str, *, after: int = 0, as_of: datetime | None = None) -> list[Recorded]:
        """See `EventLog.load`."""
        rows = await self._read(_LOAD, stream, after, _FOREVER if as_of is None else as_of)
        return [_recorded(row) for row in rows]

    async def read(self, after: int, limit: int) -> list[Recorded]:
        """See `EventLog.read`."""
        newest = self._tail.read(after + 1, limit)
        return newest or [_recorded(row) for row in await self._read(_READ, after, limit)]

    async def head(self) -> int:
        """See `EventLog.head`."""
        return (await self._read(_HEAD))[0][0]

    async def wait(self, after: int, timeout_s: float) -> bool:
        """See `EventLog.wait`."""
        return await self._head.wait(after, timeout_s, self.head, _ASK_EVERY_S)

    async def _read(self, sql: str, *args: object) -> Sequence[Sequence[Any]]:
        return await self._on(self._readers, lambda: self._execute(sql, args))

    async def _write(self, sql: str, *args: object) -> Sequence[Sequence[Any]]:
        return await self._on(self._writer, lambda: self._execute(sql, args))

    def _time(self, stored: int) -> datetime:
        return _EPOCH + timedelta(microseconds=stored)

    async def _on(self, threads: ThreadPoolExecutor, act: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, act)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode in _FULL:
                message = f"the disk of {self._path} is full; make room, then try again"
                raise StorageFullError(message) from error
            message = f"{self._path} cannot be used now: {error}"
            raise StoreUnavailableError(message) from error

    def _execute(self, sql: str, args: Sequence[object]) -> Sequence[Sequence[Any]]:
        """The rows of one statement; what is read is one moment, and over when this returns."""
        values = [_microseconds(value) if isinstance(value, datetime) else value for value in args]
        return self._connection().execute(sql.replace("$", "?"), values).fetchall()

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, _BUSY_S, isolation_level=None, check_same_thread=False)
            self._open.append(connection)
            connection.execute("PRAGMA synchronous = FULL")
            self._local.connection = connection
        return connection

    def _prepare(self) -> None:
        """Make the file, or refuse it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = self._connection()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version > schema.SQLITE_SCHEMA_VERSION:
            message = f"{self._path} was written by a newer version of Concordat; start that version, or a newer one"
            raise SetupError(message)
        database.execute("PRAGMA journal_mode = WAL")
        if version == 0:
            self._create(database)
        elif self._path.stat().st_size <= _CHECKED_BYTES:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(found)
        (self.epoch,) = database.execute("SELECT epoch FROM log").fetchone()

    def _create(self, database: sqlite3.Connection) -> None:
        database.execute("BEGIN IMMEDIATE")
        try:
            for statement in schema.SQLITE:
                database.execute(statement)
            database.execute("INSERT INTO log (epoch) VALUES (?)", (str(new_id()),))
            database.execute(f"PRAGMA user_version = {schema.SQLITE_SCHEMA_VERSION}")
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _shutdown(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        for connection in self._open:
            connection.close()
        self._open.clear()

    async def _commit(self, batch: Sequence[AppendRequest]) -> Sequence[Appended | EventsError]:
        now = self._clock.now()
        results, stored = await self._on(self._writer, lambda: self._store(batch, now))
        if stored:
            self._tail.append(stored[0].position, stored)
            self._head.move(stored[-1].position)
        return results

    def _store(
        self, batch: Sequence[AppendRequest], now: datetime
    ) -> tuple[list[Appended | EventsError], list[Recorded]]:
        """What becomes of each request, and the events that were stored."""
        database = self._connection()
        database.execute("BEGIN IMMEDIATE")  # a deferred transaction that reads first fails when it comes to write
        try:
            storing = _Batch(database, now)
            results = storing.store(batch)
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        return results, [_recorded(row) for row in storing.rows]


class _Batch:
    """One transaction of the writer; no two of its requests touch the same thing (see `GroupCommit`)."""

    def __init__(self, database: sqlite3.Connection, now: datetime) -> None:
        self._ask = database.execute
        self._many = database.executemany
        self._now = now
        head, newest = self._ask(_NEWEST).fetchone() or (0, 0)
        self._head: int = head
        self._recorded_at = _EPOCH + timedelta(microseconds=newest)
        self.rows: list[tuple[Any, ...]] = []
        self._versions: dict[str, int] = {}
        self._known: dict[bytes, list[int]] = {}

    def store(self, batch: Sequence[AppendRequest]) -> list[Appended | EventsError]:
        """What becomes of each request, in order."""
        writes = [write for request in batch for write in request.writes]
        self._versions = dict(self._about(_VERSIONS, [write.stream for write in writes]))
        ids = [event.event_id.bytes for write in writes for event in write.events]
        self._known = {event_id: seen for event_id, *seen in self._about(_KNOWN, ids)}
        results = [self._refusal(request) or self._accept(request) for request in batch]
        self._many(_INSERT, self.rows)
        return results

    def _refusal(self, request: AppendRequest) -> Appended | EventsError | None:
        if self._known:
            ids = [event.event_id.bytes for write in request.writes for event in write.events]
            position, recorded_at = max((self._known[each] for each in ids if each in self._known), default=(0, 0))
            if position:
                return Appended(position, _EPOCH + timedelta(microseconds=recorded_at), duplicate=True)
        for write in request.writes:
            actual = self._versions[write.stream]
            if actual != write.expected:
                return ConflictError(write.stream, write.expected, actual)
        for name in request.reserve:
            held = self._ask(_HELD_BY_OTHER, (name.scope, name.key, name.holder)).fetchone()
            if held is not None:
                return ReservedError(name.scope, name.key, held[0])
        key = request.idempotency
        if key and request.writes and self._ask(_ANSWERED, (key.principal, key.route, key.key)).fetchone():
            return KeyInFlightError()
        return None

    def _about(self, question: str, values: Sequence[str | bytes]) -> Iterator[tuple[Any, ...]]:
        """What *question* answers about all *values*, some at a time."""
        for first in range(0, len(values), _VALUES):
            some = values[first : first + _VALUES]
            yield from self._ask(question.format(",".join(["(?)"] * len(some))), some)

    def _accept(self, request: AppendRequest) -> Appended:
        self._recorded_at = max(self._recorded_at, request.recorded_at or self._now)
        recorded_at = _microseconds(self._recorded_at)
        for write in request.writes:
            version = write.expected
            for event in write.events:
                version += 1
                self._head += 1
                self.rows.append(
                    (
                        self._head,
                        write.stream,
                        version,
                        event.type,
                        event.event_id.bytes,
                        _microseconds(event.occurred_at),
                        recorded_at,
                        event.data,
                        event.metadata,
                    )
                )
        self._apply_effects(request)
        return Appended(self._head, self._recorded_at)

    def _apply_effects(self, request: AppendRequest) -> None:
        for name in request.release:
            values = (name.scope, name.key, name.holder)
            self._ask("DELETE FROM reservations WHERE scope = ? AND key = ? AND holder = ?", values)
        for name in request.reserve:
            self._ask("INSERT OR IGNORE INTO reservations VALUES (?, ?, ?)", (name.scope, name.key, name.holder))
        for key in request.cancel:
            self._ask("DELETE FROM timers WHERE key = ?", (key,))
        for timer in request.schedule:
            values = (timer.key, _microseconds(timer.due_at), timer.kind, timer.payload)
            self._ask("INSERT OR REPLACE INTO timers VALUES (?, ?, ?, ?)", values)
        key, answer = request.idempotency, request.answer
        if key is not None and answer is not None:
            kept = (answer.status, answer.body, msgspec.json.encode(answer.headers).decode(), self._head)
            place = (key.principal, key.route, key.key, key.payload_hash, _microseconds(self._now))
            self._ask(_KEEP_ANSWER, (*place, *kept))


def _recorded(row: Sequence[Any]) -> Recorded:
    position, stream, version, kind, event_id, occurred_at, recorded_at, data, metadata = row
    return Recorded(
        position,
        stream,
        version,
        kind,
        UUID(bytes=event_id),
        _EPOCH + timedelta(microseconds=occurred_at),
        _EPOCH + timedelta(microseconds=recorded_at),
        data,
        metadata,
    )


def _microseconds(time: datetime) -> int:
    """Since 1970, exactly."""
    return (time - _EPOCH) // _MICROSECOND
