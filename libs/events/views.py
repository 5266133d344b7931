"""The database of read models: its connections, and how far each projection has come."""

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import AsyncGenerator, Collection, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from itertools import count
from typing import Any

import msgspec
from sqlalchemy import Connection, event, exc, inspect, select, text, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateTable

from libs.events.errors import SetupError, StoreUnavailableError
from libs.events.ledger import Checkpoint, Place
from libs.events.projection import Projection
from libs.events.views_tables import CHECKPOINTS, GENERATIONS, METADATA

_START_LOCK = 0x7669657773  # "views"; the advisory lock under which tables are made
_LOG = logging.getLogger(__name__)
_POLL_S = 0.02  # how often a waiting reader looks when another process applies the events
_BUSY_TIMEOUT_S = 10  # how long SQLite waits for another writer
_READS_END_WITHIN = "1s"  # new ones wait as long
_MEMORY_NAMES = count(1)
_UNAVAILABLE = (
    "08",
    "40",
    "53",
    "55P03",
    "57P",
    "58",
)  # SQLSTATE: connection, deadlock, resources, lock, shutdown, I/O


class Applied(msgspec.Struct, frozen=True):
    """How far a projection has come with the log of one service.

    Args:
        epoch: Which life of that log.
        positions: Per partition, the highest position applied (partition 0 of the service's own log is all of it).
    """

    epoch: str
    positions: Mapping[int, int]


class Generation(msgspec.Struct, frozen=True):
    """One table of a projection: the one that serves, or one that shall replace it.

    Args:
        projection: Whose.
        generation: Its number; rises with every rebuild.
        status: `serving`, `requested`, `building` or `failed`.
        fingerprint: Of the code whose rows these are.
        done: Events that the rebuild has passed.
        total: Events there were when it last looked.
        per_second: Events it passes in a second.
        error: Why it failed or stands still; empty when all is well.
    """

    projection: str
    generation: int
    status: str
    fingerprint: str
    done: int
    total: int
    per_second: float
    error: str


class Views:
    """Read models live here: SQLite or Postgres, through SQLAlchemy Core.

    Queries `connect`; whoever writes rows uses `begin`, which takes SQLite's write lock at once.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(writes=True)
        # Postgres shows each statement another moment unless told; SQLite shows a transaction one.
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ") if self.is_postgres else engine
        self._moved = asyncio.Condition()
        self._reached: dict[tuple[str, str, int], tuple[str, int]] = {}
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncConnection]:
        """A connection for reading; what it reads is one consistent moment.

        Raises:
            StoreUnavailableError: The database cannot be reached now.
        """
        with _unavailable():
            async with self._reader.connect() as connection:
                if self.is_postgres:
                    await connection.execute(_READ_LOCK)
                yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction for writing; committed at the end, rolled back on an error.

        Raises:
            StoreUnavailableError: The database cannot be reached now; it may be unknown whether it was committed.
        """
        with _unavailable():
            async with self._writer.begin() as connection:
                yield connection

    async def start(self, projections: Sequence[Projection]) -> list[str]:
        """Make what is missing: tables, and a first generation of each projection. Any process may, at any time.

        Returns:
            The projections whose rows come from other code (columns, indexes or `version` differ): to be rebuilt.
        """
        async with self.begin() as connection:
            if self.is_postgres:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _START_LOCK})
            await connection.run_sync(METADATA.create_all)
            stale: list[str] = []
            for projection in projections:
                serving = await serving_generation(connection, projection.name)
                if serving is None:
                    await add_generation(connection, projection, 1, "serving")
                    await show_generation(connection, projection, 1)
                elif serving.fingerprint != fingerprint(projection):
                    stale.append(projection.name)
        return stale

    async def applied(self, projection: str) -> Mapping[str, Applied]:
        """How far the serving generation of *projection* has come, per service whose events it folds."""
        async with self.connect() as connection:
            query = _SERVING_CHECKPOINTS.where(GENERATIONS.c.projection == projection)
            rows = (await connection.execute(query)).all()
        positions: dict[str, dict[int, int]] = {}
        epochs = {row.service: row.epoch for row in sorted(rows, key=lambda row: row.position)}
        for row in rows:
            positions.setdefault(row.service, {})[row.partition] = row.position
        return {service: Applied(epochs[service], positions[service]) for service in positions}

    async def wait_applied(
        self, projection: str, service: str, epoch: str, partition: int, position: int, timeout_s: float
    ) -> bool:
        """Whether *projection* has applied *position*; returns as soon as it has, at the latest after *timeout_s*."""
        place = projection, service, partition
        if self._has_reached(place, epoch, position):
            return True
        self._waiting += 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(timeout_s), self._moved:
                await self._moved.wait_for(lambda: self._has_reached(place, epoch, position))
        except TimeoutError:
            return self._has_reached(place, epoch, position)
        finally:
            self._waiting -= 1
        return True

    async def _look(self) -> None:
        """Read all checkpoints again and again, once for everyone who waits, as long as somebody does."""
        while self._waiting:
            try:
                async with self.connect() as connection:
                    rows = (await connection.execute(_SERVING_CHECKPOINTS)).all()
            except StoreUnavailableError as error:
                _LOG.warning("readers wait for their own writes: %s", error)
                rows = []
            for projection, service, epoch, partition, position in rows:
                place = projection, service, partition
                if not self._has_reached(place, epoch, position):  # this process may know of more already
                    self._reached[place] = (epoch, position)
            async with self._moved:
                self._moved.notify_all()
            await asyncio.sleep(_POLL_S)

    async def close(self) -> None:
        """Disconnect."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self.engine.dispose()

    async def moved(self, projection: str, moves: Mapping[Place, Checkpoint]) -> None:
        """Wake the readers of this process that wait for what was just committed."""
        for (service, partition), checkpoint in moves.items():
            self._reached[projection, service, partition] = (checkpoint.epoch, checkpoint.position)
        async with self._moved:
            self._moved.notify_all()

    async def generations(self) -> list[Generation]:
        """Every table of every projection that was ever started here, in order."""
        async with self.connect() as connection:
            return await read_generations(connection)

    async def serving(self, consumer: str) -> int | None:
        """The number of the generation that serves; 0 for reactions, None for what is neither."""
        g = GENERATIONS.c
        async with self.connect() as connection:
            found = select(g.generation).where(g.projection == consumer, g.status == "serving")
            return (await connection.execute(found)).scalar_one_or_none()

    async def note_error(self, consumer: str, error: str) -> None:
        """Say why *consumer* stands still; an empty text that it does not."""
        g = GENERATIONS.c
        async with self.begin() as connection:
            await connection.execute(
                update(GENERATIONS).where(g.projection == consumer, g.status == "serving").values(error=error)
            )

    async def dump(self, projection: Projection) -> list[tuple[Any, ...]]:
        """The rows that queries see, by primary key."""
        view = projection.view
        async with self.connect() as connection:
            rows = (await connection.execute(select(view).order_by(*view.primary_key.columns))).all()
        return [tuple(row) for row in rows]

    async def digest(self, projection: Projection) -> str:
        """A hash of `dump`: equal rows, equal digest."""
        rows = await self.dump(projection)
        return hashlib.sha256(msgspec.json.encode(rows, order="deterministic")).hexdigest()

    @property
    def is_postgres(self) -> bool:
        """Whether the database is a PostgreSQL."""
        return self.engine.dialect.name == "postgresql"

    def _has_reached(self, place: tuple[str, str, int], epoch: str, position: int) -> bool:
        reached_epoch, reached = self._reached.get(place, ("", 0))
        return reached_epoch == epoch and reached >= position


@asynccontextmanager
async def open_views(url: str, *, pool_size: int = 8, prepared_statements: bool = True) -> AsyncGenerator[Views]:
    """The read models at *url*, disconnected at the end.

    SQLite runs with WAL, so that readers never wait, and `synchronous=NORMAL`: after a power cut the last batches may
    be missing, never torn, and the checkpoint is missing with them, so that they are applied again.

    Args:
        url: `memory:` (forgets at the end), `sqlite:///path/of/file` or `postgresql://user@host/database`.
        pool_size: Connections at most.
        prepared_statements: Off behind pgbouncer in transaction mode.

    Raises:
        SetupError: Another kind of database.
    """
    json: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": msgspec.json.decode}
    keeper: Any = nullcontext()
    match url.partition(":")[0]:
        case "postgresql":
            address = "postgresql+asyncpg" + url.removeprefix("postgresql")
            connect: dict[str, Any] = {} if prepared_statements else {"prepared_statement_cache_size": 0}
            connect["statement_cache_size"] = 256 if prepared_statements else 0
            engine = create_async_engine(
                address, pool_size=pool_size, max_overflow=0, pool_timeout=5, connect_args=connect, **json
            )
        case "memory" | "sqlite" as kind:
            path = f"file:/views-{next(_MEMORY_NAMES)}?vfs=memdb" if kind == "memory" else f"file:{url[10:]}?"
            if kind == "memory":  # the database lives as long as one connection
                keeper = closing(sqlite3.connect(path, uri=True))
            engine = create_async_engine(
                f"sqlite+aiosqlite:///{path}&uri=true", connect_args={"timeout": _BUSY_TIMEOUT_S}, **json
            )
            event.listen(engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(engine.sync_engine, "begin", _begin_sqlite)
        case kind:
            message = f"{kind!r} is no database for read models; use memory:, sqlite:///FILE or postgresql://..."
            raise SetupError(message)
    views = Views(engine)
    with keeper:
        try:
            yield views
        finally:
            await views.close()


def fingerprint(projection: Projection) -> str:
    """Changes with the columns, the indexes and the `version` of *projection*."""
    table = projection.table(0)
    shape = [str(CreateTable(table)), str(projection.version), str(sorted(map(str, projection.indexes)))]
    return hashlib.sha256("\n".join(shape).encode()).hexdigest()[:16]


async def read_generations(connection: AsyncConnection, projection: str | None = None) -> list[Generation]:
    """The generations of one projection, or of all, in order; reactions have none."""
    g = GENERATIONS.c
    fields = [g[field] for field in Generation.__struct_fields__]
    query = select(*fields).where(g.generation > 0).order_by(g.projection, g.generation)
    if projection is not None:
        query = query.where(g.projection == projection)
    return [Generation(*row) for row in (await connection.execute(query)).all()]


async def serving_generation(connection: AsyncConnection, projection: str) -> Generation | None:
    """The generation that queries of *projection* see."""
    found = [each for each in await read_generations(connection, projection) if each.status == "serving"]
    return found[0] if found else None


async def add_generation(connection: AsyncConnection, projection: Projection, generation: int, status: str) -> None:
    """Write down a generation, and make its empty table unless it is only asked for."""
    await note_consumer(connection, projection.name, generation, status, fingerprint(projection))
    if status != "requested":
        await connection.run_sync(projection.table(generation).create)


async def note_consumer(
    connection: AsyncConnection, name: str, generation: int, status: str = "serving", code: str = ""
) -> None:
    """Make the row whose lock serialises what a consumer writes, if it is missing."""
    noted = {"projection": name, "generation": generation, "status": status, "fingerprint": code}
    await connection.execute(_NOTE, noted)


async def show_generation(connection: AsyncConnection, projection: Projection, generation: int) -> None:
    """Let the queries see the rows of *generation*."""
    table = projection.table(generation)
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    await connection.execute(text(f'DROP VIEW IF EXISTS "{projection.name}"'))
    await connection.execute(text(f'CREATE VIEW "{projection.name}" AS SELECT {columns} FROM "{table.name}"'))  # noqa: S608  names from code


async def lock_out_readers(connection: AsyncConnection) -> None:
    """Wait for the reads that run, and let none begin until the transaction ends; SQLite needs nothing of it.

    Raises:
        DBAPIError: They take too long.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f"SET LOCAL lock_timeout = '{_READS_END_WITHIN}'"))
        await connection.execute(text("LOCK TABLE switches IN ACCESS EXCLUSIVE MODE"))
        await connection.execute(text("SET LOCAL lock_timeout = 0"))


async def drop_tables(connection: AsyncConnection, projection: Projection, keep: Collection[int]) -> None:
    """Drop the tables of all generations of *projection* but those to *keep*, also what a crash left."""
    names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    for name in names:
        prefix, _, number = name.rpartition("_g")
        if prefix == projection.name and number.isdecimal() and int(number) not in keep:
            await connection.execute(text(f'DROP TABLE "{name}"'))


@contextmanager
def _unavailable() -> Generator[None]:
    """Tell by its type an error that goes away by waiting."""
    try:
        yield
    except Exception as error:
        if is_unavailable(error):
            message = f"the database of read models cannot be used now: {error}"
            raise StoreUnavailableError(message) from error
        raise


def is_unavailable(error: BaseException) -> bool:
    """Whether the database itself, not what it was asked, is the reason of *error*."""
    if isinstance(error, exc.TimeoutError | OSError):  # no free connection, or none to be had
        return True
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_unavailable(error.orig))
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR  # busy, full, I/O; the rest is a wrong statement
    sqlstate = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    closed = type(error).__name__ == "InterfaceError" and "connection" in str(error)  # asyncpg's, not imported here
    return closed or str(sqlstate).startswith(_UNAVAILABLE)


def _prepare_sqlite(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # `_begin_sqlite` begins, not the driver
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    # A transaction that reads first and writes then fails at once when another wrote meanwhile: take the lock first.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _dumps(value: object) -> str:
    return msgspec.json.encode(value).decode()


_READ_LOCK = text("LOCK TABLE switches IN ACCESS SHARE MODE")  # no statement that shows a moment may come before

_NOTE = text(
    "INSERT INTO generations (projection, generation, status, fingerprint, writes, done, total, per_second, error)"
    " VALUES (:projection, :generation, :status, :fingerprint, 0, 0, 0, 0, '') ON CONFLICT DO NOTHING"
)

_SERVING_CHECKPOINTS = (
    select(
        GENERATIONS.c.projection,
        CHECKPOINTS.c.service,
        CHECKPOINTS.c.epoch,
        CHECKPOINTS.c.partition,
        CHECKPOINTS.c.position,
    )
    .join(
        GENERATIONS,
        (GENERATIONS.c.projection == CHECKPOINTS.c.consumer) & (GENERATIONS.c.generation == CHECKPOINTS.c.generation),
    )
    .where(GENERATIONS.c.status == "serving")
)
