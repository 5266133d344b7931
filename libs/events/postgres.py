"""The store in PostgreSQL: appends of many callers in one call of `append_batch` (see `schema.py`)."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import starmap
from typing import Any

import asyncpg
import msgspec

from libs.events import migrate
from libs.events.bookkeeping import Bookkeeping
from libs.events.clock import Clock, SystemClock
from libs.events.envelope import Recorded
from libs.events.errors import (
    ConflictError,
    EventsError,
    KeyInFlightError,
    OutcomeUnknownError,
    RefusedError,
    ReservedError,
    SetupError,
    StorageFullError,
    StoreUnavailableError,
)
from libs.events.group_ask import GroupAsk
from libs.events.group_commit import GroupCommit
from libs.events.head import Head
from libs.events.schema import GROWN_CHANNEL
from libs.events.store import Appended, AppendRequest, IdempotencyKey, Reservation, StoredAnswer, Timer

_COLUMNS = "position, stream, version, type, event_id, occurred_at, recorded_at, data, metadata"
_APPEND = "SELECT * FROM append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
# OFFSET 0 keeps the planner from joining, which it would do by reading the whole log.
_LOAD = f"""
SELECT w.number, e.*
FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS w(stream, after, number)
CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM events WHERE stream = w.stream AND version > w.after OFFSET 0) e
ORDER BY w.number, e.version
"""  # noqa: S608  constants
_LOAD_AS_OF = f"""
SELECT {_COLUMNS} FROM events WHERE stream = $1 AND version > $2 AND recorded_at <= $3 ORDER BY version
"""  # noqa: S608  constants
_READ = f"SELECT {_COLUMNS} FROM events WHERE position > $1 ORDER BY position LIMIT $2"  # noqa: S608  constants
# Sorted, or two processes that take the same keys would wait for each other. Not waited for on disk: what is lost
# with the server is that a request ran, and it runs no more.
_TAKE = """
INSERT INTO idempotency (principal, route, key, payload_hash, since)
SELECT u.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS u,
    set_config('synchronous_commit', 'off', true)
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
RETURNING principal, route, key
"""
_HEAD = "SELECT coalesce(max(position), 0) FROM events"

_COMMAND_TIMEOUT_S = 15.0  # longer than any lock_timeout of ours: what takes longer has lost its server
_CONNECT_TIMEOUT_S = 5.0  # also for a free connection of the pool
_ASK_EVERY_S = 1.0  # beside LISTEN
_ASK_OFTEN_S = 0.05  # instead of LISTEN, which does not pass a pgbouncer in transaction mode

_UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server's last words have arrived, and the end of the connection has not
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,  # shutting down, starting up, cancelled
    asyncpg.exceptions.InsufficientResourcesError,  # too many connections, out of memory
    asyncpg.ReadOnlySQLTransactionError,  # another server has taken its place
)


class _Effect(msgspec.Struct, omit_defaults=True):
    """What a request changes beside its events, as `apply_effects` reads it; bytes become base64."""

    request: int
    since: datetime
    reserve: tuple[Reservation, ...] = ()
    release: tuple[Reservation, ...] = ()
    schedule: tuple[Timer, ...] = ()
    cancel: tuple[str, ...] = ()
    key: IdempotencyKey | None = None
    answer: "_Answer | None" = None


class _Answer(msgspec.Struct):
    status: int
    body: bytes
    headers: str


class PostgresStore(Bookkeeping):
    """`Store` in a database of its own.

    Args:
        url: `postgresql://user:password@host:port/database`.
        service: Whose migrations the database must have; None checks nothing.
        clock: Gives the recording times.
        pool_size: The most connections it opens, besides one that listens.
        prepared_statements: Off behind a pgbouncer in transaction mode; then it asks for news instead of listening.
    """

    def __init__(
        self,
        url: str,
        service: str | None = None,
        clock: Clock | None = None,
        *,
        pool_size: int = 8,
        prepared_statements: bool = True,
    ) -> None:
        self.epoch = ""
        self._url = url
        self._service = service
        self._clock = clock or SystemClock()
        self._pool_size = pool_size
        self._direct = prepared_statements
        self._commits = GroupCommit(self._commit)
        self._loads = GroupAsk(self._fetch)
        self._firsts = GroupAsk(self._take)
        self._head = Head()
        self._pool: Any = None
        self._listening: asyncio.Task[None] | None = None
        self._listener: Any = None  # the connection that hears of other processes' appends

    async def start(self) -> None:
        """See `Store.start`.

        Raises:
            SetupError: The database cannot be reached, or its migrations are not this program's.
        """
        try:
            if self._service is not None:
                await migrate.check(self._url, self._service)
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=self._pool_size,
                command_timeout=_COMMAND_TIMEOUT_S,
                timeout=_CONNECT_TIMEOUT_S,
                statement_cache_size=100 if self._direct else 0,
                reset=_keep,
            )
            self.epoch = await self._pool.fetchval("SELECT epoch FROM log")
        except asyncpg.UndefinedTableError as error:
            message = f"the database {_shown(self._url)} has no event store; run `concordat migrate`"
            raise SetupError(message) from error
        except (*_UNREACHABLE, asyncpg.PostgresError) as error:
            message = f"the database {_shown(self._url)} cannot be used: {error}"
            raise SetupError(message) from error

    async def close(self) -> None:
        """See `Store.close`."""
        await self._commits.close()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def append(self, request: AppendRequest, *, deadline_s: float = 5.0) -> Appended:
        """See `EventLog.append`."""
        return await self._commits.append(request, deadline_s)

    async def load(self, stream: str, *, after: int = 0, as_of: datetime | None = None) -> list[Recorded]:
        """See `EventLog.load`."""
        if as_of is None:
            return await self._loads.ask((stream, after))
        return [Recorded(*row) for row in await self._read(_LOAD_AS_OF, stream, after, as_of)]

    async def read(self, after: int, limit: int) -> list[Recorded]:
        """See `EventLog.read`."""
        return list(starmap(Recorded, await self._read(_READ, after, limit)))

    async def head(self) -> int:
        """See `EventLog.head`."""
        return (await self._read(_HEAD))[0][0]

    async def wait(self, after: int, timeout_s: float) -> bool:
        """See `EventLog.wait`."""
        if self._listening is None and self._direct:
            self._listening = asyncio.get_running_loop().create_task(self._listen())
        return await self._head.wait(after, timeout_s, self.head, _ASK_EVERY_S if self._direct else _ASK_OFTEN_S)

    async def _commit(self, batch: Sequence[AppendRequest]) -> Sequence[Appended | EventsError]:
        now = self._clock.now()
        columns = _Columns(batch, now)
        async with self._connection() as connection:
            try:
                row = await connection.fetchrow(_APPEND, *columns.arguments)
            except asyncpg.DiskFullError as error:
                raise StorageFullError("the database's disk is full; make room, then try again") from error
            except asyncpg.LockNotAvailableError as error:
                raise StoreUnavailableError("another writer holds the log") from error
            except _UNREACHABLE as error:
                message = f"the database went away: {error!r}"
                raise OutcomeUnknownError(message) from error
            except asyncpg.DataError as error:
                message = f"no text a database keeps: {error}"
                raise RefusedError(message) from error
        last, newest, refused = row
        self._head.move(last)
        return columns.results(last, newest, refused)

    async def begin(self, key: IdempotencyKey, now: datetime) -> StoredAnswer | None:
        """See `IdempotencyKeys.begin`."""
        await self._purge(now)
        if await self._firsts.ask((key, now)):
            return None
        return await super().begin(key, now)  # it was there before; what that means is settled alone

    async def _take(self, asked: Sequence[tuple[IdempotencyKey, datetime]]) -> list[bool]:
        """For each key, whether nobody had it before."""
        columns = zip(*((key.principal, key.route, key.key, key.payload_hash, now) for key, now in asked), strict=True)
        taken = {tuple(row) for row in await self._write(_TAKE, *map(list, columns))}
        firsts: list[bool] = []
        for key, _ in asked:
            place = (key.principal, key.route, key.key)
            firsts.append(place in taken)
            taken.discard(place)  # two callers of one batch with the same key: one is the first
        return firsts

    async def _fetch(self, wanted: Sequence[tuple[str, int]]) -> list[list[Recorded]]:
        """For each stream, its events above a version."""
        found: list[list[Recorded]] = [[] for _ in wanted]
        streams, after = zip(*wanted, strict=True)
        for number, *row in await self._read(_LOAD, streams, after):
            found[number - 1].append(Recorded(*row))
        return found

    async def _read(self, sql: str, *args: object) -> Sequence[Any]:
        async with self._connection() as connection:
            try:
                return await connection.fetch(sql, *args)
            except _UNREACHABLE as error:
                message = f"the database went away: {error!r}"
                raise StoreUnavailableError(message) from error

    _write = _read  # a statement is a transaction

    def _time(self, stored: datetime) -> datetime:
        return stored

    @asynccontextmanager
    async def _connection(self) -> "AsyncGenerator[Any]":
        if self._pool is None:
            raise StoreUnavailableError("the store is not started, or closed already")
        try:
            connection = await self._pool.acquire(timeout=_CONNECT_TIMEOUT_S)
        except (*_UNREACHABLE, asyncpg.PostgresError) as error:
            message = f"the database cannot be reached: {error!r}"
            raise StoreUnavailableError(message) from error
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    async def _listen(self) -> None:
        """Hear of other processes' appends, for as long as this one runs."""
        while True:
            try:
                connection = await asyncpg.connect(self._url)
                try:
                    gone = asyncio.Event()
                    connection.add_termination_listener(_setter(gone))
                    await connection.add_listener(GROWN_CHANNEL, self._heard)
                    self._listener = connection
                    await gone.wait()
                finally:
                    self._listener = None
                    connection.terminate()
            except (*_UNREACHABLE, asyncpg.PostgresError):
                await asyncio.sleep(_ASK_EVERY_S)

    def _heard(self, _connection: object, _pid: int, _channel: str, position: object) -> None:
        self._head.move(int(str(position)))


class _Columns:
    """A batch, turned into the arrays that `append_batch` takes."""

    def __init__(self, batch: Sequence[AppendRequest], now: datetime) -> None:
        self._recorded_at: list[datetime] = []  # per request, before the log's newest is considered
        self._sizes = [sum([len(write.events) for write in request.writes]) for request in batch]
        writes: list[tuple[Any, ...]] = []
        events: list[tuple[Any, ...]] = []
        effects: list[_Effect] = []
        newest: datetime | None = None
        for number, request in enumerate(batch):
            newest = max(newest or request.recorded_at or now, request.recorded_at or now)
            self._recorded_at.append(newest)
            for write in request.writes:
                writes.append((number, write.stream, write.expected))
                version = write.expected
                for event in write.events:
                    version += 1
                    events.append(
                        (
                            number,
                            write.stream,
                            version,
                            event.type,
                            event.event_id,
                            event.occurred_at,
                            newest,
                            event.data,
                            event.metadata,
                        )
                    )
            effect = _effect(number, request, now)
            if effect is not None:
                effects.append(effect)
        self.arguments = (
            *(zip(*writes, strict=True) if writes else [()] * 3),
            *(zip(*events, strict=True) if events else [()] * 9),
            msgspec.json.encode(effects).decode() if effects else None,
        )

    def results(self, last: int, newest: datetime | None, refused: str | None) -> list[Appended | EventsError]:
        """What became of each request, in order."""
        reasons: dict[int, list[Any]] = {}
        for number, *reason in msgspec.json.decode(refused) if refused else ():
            if number not in reasons or reason[0] == "duplicate":
                reasons[number] = reason
        results: list[Appended | EventsError] = []
        position = last - sum(self._sizes) + sum(self._sizes[number] for number in reasons)
        for number, (size, recorded_at) in enumerate(zip(self._sizes, self._recorded_at, strict=True)):
            if number in reasons:
                results.append(_REASONS[reasons[number][0]](*reasons[number][1:]))
                continue
            position += size
            results.append(Appended(position, max(recorded_at, newest) if newest else recorded_at))
        return results


def _effect(number: int, request: AppendRequest, now: datetime) -> _Effect | None:
    answer = request.answer if request.idempotency else None
    if not (request.reserve or request.release or request.schedule or request.cancel or answer):
        return None
    return _Effect(
        request=number,
        since=now,
        reserve=request.reserve,
        release=request.release,
        schedule=request.schedule,
        cancel=request.cancel,
        key=request.idempotency,
        answer=answer and _Answer(answer.status, answer.body, msgspec.json.encode(answer.headers).decode()),
    )


def _duplicate(position: int, recorded_at: str) -> Appended:
    return Appended(position, datetime.fromisoformat(recorded_at), duplicate=True)


_REASONS: Mapping[str, Callable[..., Appended | EventsError]] = {
    "duplicate": _duplicate,
    "conflict": ConflictError,
    "reserved": ReservedError,
    "answered": KeyInFlightError,
}


def _setter(event: asyncio.Event) -> Callable[[object], None]:
    return lambda _: event.set()


async def _keep(_: object) -> None:
    """Nothing to reset: the store's statements leave no trace in a session."""


def _shown(url: str) -> str:
    """*url* without its password."""
    return url.rpartition("@")[2]
