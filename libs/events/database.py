"""The database of read models: work on it is a plain function of a connection, and whoever asks awaits its result.

In PostgreSQL the function runs on the event loop, over asyncpg, which SQLAlchemy bridges. So does short work on a
SQLite file: a change of threads and back costs several times what a few indexed rows do. Longer work, and what finds
the file locked, runs in a thread.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection, Dialect, Engine, QueuePool, create_engine, event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection

from libs.events.errors import SetupError, StoreUnavailableError

T = TypeVar("T")

_MEMORY_NAMES = count(1)
_IDLE_S = 15.0  # as long as a statement of the store may take
_BUSY_TIMEOUT_S = 10  # how long SQLite waits for another process that writes
_READERS = 4  # threads
_SHORT_S = 0.005  # what a read may take on the event loop
_LOOK_AT_THE_TIME_EVERY = 500  # instructions of SQLite's machine, some 10 us
_CHECKPOINT_EVERY = 200  # transactions
_UNAVAILABLE = (
    "08",
    "25006",
    "40",
    "53",
    "55P03",
    "57P",
    "58",
)  # SQLSTATE: connection, reads only, deadlock, resources, lock, shutdown, I/O


class Run(Protocol):
    """Runs functions in one transaction, one after the other."""

    async def __call__(self, work: Callable[[Connection], T], /) -> T:
        """What *work* gives."""
        ...


class Database(Protocol):
    """Where read models lie.

    Attributes:
        dialect: What SQL it speaks.
    """

    dialect: Dialect

    async def read(self, query: Callable[[Connection], T], *, long: bool = False) -> T:
        """What *query* gives; all that it reads is one moment. It may be asked twice, so it changes nothing.

        Args:
            query: Asks.
            long: It takes more than some milliseconds.

        Raises:
            StoreUnavailableError: The database cannot be reached now.
        """
        ...

    async def write(self, change: Callable[[Connection], T], *, long: bool = False) -> T:
        """What *change* gives: a transaction, committed at its end, rolled back on an error.

        Args:
            change: Changes; it is called once.
            long: It takes more than some milliseconds.

        Raises:
            StoreUnavailableError: The database cannot be reached now; it may be unknown whether it was committed.
        """
        ...

    def begin(self) -> AbstractAsyncContextManager[Run]:
        """A transaction of several functions, for what must await in between; raises as `write` does."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


@asynccontextmanager
async def open_database(
    url: str, *, pool_size: int = 8, prepared_statements: bool = True, idle_s: float = _IDLE_S
) -> AsyncGenerator[Database]:
    """The database at *url*, disconnected at the end.

    Args:
        url: `memory:` (forgets at the end), `sqlite:///path/of/file` or `postgresql://user@host/database`.
        pool_size: Connections to PostgreSQL at most.
        prepared_statements: Off behind pgbouncer in transaction mode.
        idle_s: How long a transaction in PostgreSQL may stand still. A process that stands still in one, or whose
            machine is gone, would keep all others from what it has locked. Behind pgbouncer, its own
            `idle_transaction_timeout` says so.

    Raises:
        SetupError: Another kind of database.
    """
    database: Database
    match url.partition(":")[0]:
        case "postgresql":
            database = _Postgres(url, pool_size, idle_s, prepared_statements=prepared_statements)
        case "sqlite":
            database = _Sqlite(_uri(url.removeprefix("sqlite:///")))
        case "memory":
            database = _Sqlite(f"file:/views-{next(_MEMORY_NAMES)}?vfs=memdb", in_memory=True)
        case kind:
            message = f"{kind!r} is no database for read models; use memory:, sqlite:///FILE or postgresql://..."
            raise SetupError(message)
    try:
        yield database
    finally:
        await database.close()


class _Postgres:
    """`Database` in PostgreSQL, through a pool of asyncpg connections."""

    def __init__(self, url: str, pool_size: int, idle_s: float, *, prepared_statements: bool) -> None:
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  brings 8 MiB, where it is used

        connect: dict[str, Any] = {} if prepared_statements else {"prepared_statement_cache_size": 0}
        connect["statement_cache_size"] = 256 if prepared_statements else 0
        if prepared_statements:  # pgbouncer would refuse the setting
            connect["server_settings"] = {"idle_in_transaction_session_timeout": f"{idle_s * 1000:.0f}"}
        self._engine = create_async_engine(
            "postgresql+asyncpg" + url.removeprefix("postgresql"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            connect_args=connect,
            **_JSON,
        )
        # Each statement sees another moment unless told.
        self._reader = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self.dialect = self._engine.dialect

    async def read(self, query: Callable[[Connection], T], *, long: bool = False) -> T:  # noqa: ARG002  all the same
        """See `Database.read`."""
        with _unavailable():
            async with self._reader.connect() as connection:
                return await connection.run_sync(query)

    async def write(self, change: Callable[[Connection], T], *, long: bool = False) -> T:  # noqa: ARG002  as above
        """See `Database.write`."""
        async with self.begin() as run:
            return await run(change)

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[Run]:
        """See `Database.begin`."""
        with _unavailable():
            async with self._engine.begin() as connection:
                yield connection.run_sync

    async def close(self) -> None:
        """See `Database.close`."""
        await self._engine.dispose()


class _Sqlite:
    """`Database` in SQLite: one writer at a time; with WAL, readers never wait.

    `synchronous=NORMAL`: after a power cut the last transactions may be missing, never torn.

    Args:
        uri: Of the file.
        in_memory: Readers and writers of a memory wait for each other, so they never do it on the event loop.
    """

    def __init__(self, uri: str, *, in_memory: bool = False) -> None:
        mark = "&" if "?" in uri else "?"
        self._keeper = sqlite3.connect(uri, uri=True, check_same_thread=False)  # a memory lives as long
        self._engine = create_engine(
            f"sqlite:///{uri}{mark}uri=true",
            poolclass=QueuePool,
            pool_size=_READERS + 3,
            connect_args={"timeout": _BUSY_TIMEOUT_S},
            **_JSON,
        )
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        # A transaction that reads first and writes then fails at once when another wrote meanwhile: it locks first.
        self._writing = self._engine.execution_options(writes=True)
        self._turn = asyncio.Lock()  # a thread that waited for the database's lock would keep its holder waiting
        self._writer = ThreadPoolExecutor(1, "views-writer")
        self._readers = ThreadPoolExecutor(_READERS, "views-reader")
        self._reads_here = None if in_memory else _Here(self._engine, within_s=_SHORT_S)
        self._writes_here = None if in_memory else _Here(self._writing)
        self._writes = 0
        self.dialect = self._engine.dialect

    async def read(self, query: Callable[[Connection], T], *, long: bool = False) -> T:
        """See `Database.read`."""

        def reading() -> T:
            with self._engine.connect() as connection:
                return query(connection)

        with _unavailable():
            if self._reads_here and not long:
                with suppress(_NotHereError):
                    return self._reads_here.run(query)
            return await asyncio.get_running_loop().run_in_executor(self._readers, reading)

    async def write(self, change: Callable[[Connection], T], *, long: bool = False) -> T:
        """See `Database.write`."""

        def changing() -> T:
            with self._writing.begin() as connection:
                return change(connection)

        async with self._turn:
            if self._writes_here and not long:
                with _unavailable(), suppress(_NotHereError):
                    return self._write_here(self._writes_here, change)
            return await self._write(changing)

    def _write_here(self, here: "_Here", change: Callable[[Connection], T]) -> T:
        """What *change* gives; at times, a thread brings the changes into the file, which waits for the disk."""
        done = here.run(change)
        self._writes += 1
        if self._writes % _CHECKPOINT_EVERY == 0:
            self._writer.submit(self._keeper.execute, "PRAGMA wal_checkpoint(PASSIVE)")
        return done

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[Run]:
        """See `Database.begin`."""
        async with self._turn:
            transaction = ExitStack()
            try:  # whoever is cancelled while it begins ends it too: the thread does one after the other
                connection = await self._write(lambda: transaction.enter_context(self._writing.begin()))

                async def run(work: Callable[[Connection], T], /) -> T:
                    return await self._write(lambda: work(connection))

                yield run
            except BaseException as error:
                raised = type(error), error, error.__traceback__
                await self._write(lambda: transaction.__exit__(*raised))
                raise
            await self._write(transaction.close)

    async def close(self) -> None:
        """See `Database.close`."""
        await asyncio.get_running_loop().run_in_executor(None, self._shutdown)

    async def _write(self, work: Callable[[], T]) -> T:
        with _unavailable():
            return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def _shutdown(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        for here in (self._reads_here, self._writes_here):
            if here:
                here.close()
        self._engine.dispose()
        self._keeper.close()


class _NotHereError(Exception):
    """It would hold the event loop up."""


class _Here:
    """A connection for short transactions on the event loop.

    Args:
        engine: Connects; its options say whether they write.
        within_s: How long one may take; only for those that change nothing.
    """

    def __init__(self, engine: Engine, within_s: float | None = None) -> None:
        self._connection = engine.connect()
        driver: Any = self._connection.connection.dbapi_connection
        driver.execute("PRAGMA busy_timeout = 0")
        driver.execute("PRAGMA wal_autocheckpoint = 0")
        self._within_s, self._until = within_s or 0.0, 0.0
        if within_s is not None:
            driver.set_progress_handler(lambda: time.perf_counter() > self._until, _LOOK_AT_THE_TIME_EVERY)

    def run(self, work: Callable[[Connection], T]) -> T:
        """What *work* gives.

        Raises:
            _NotHereError: The file is locked, or the time is up; nothing was changed.
        """
        self._until = time.perf_counter() + self._within_s
        try:
            transaction = self._connection.begin()
        except exc.OperationalError as error:
            if _primary_code(error.orig) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT}:
                raise _NotHereError from error
            raise
        try:
            with transaction:
                return work(self._connection)
        except exc.OperationalError as error:
            if _primary_code(error.orig) == sqlite3.SQLITE_INTERRUPT:
                raise _NotHereError from error
            raise

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _primary_code(error: BaseException | None) -> int:
    return error.sqlite_errorcode & 0xFF if isinstance(error, sqlite3.Error) else 0


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
        return _primary_code(error) != sqlite3.SQLITE_ERROR  # busy, full, I/O; the rest is a wrong statement
    sqlstate = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    name = type(error).__name__  # asyncpg's, not imported here
    closed = name == "InternalClientError" or (name == "InterfaceError" and "connection" in str(error))
    return closed or str(sqlstate).startswith(_UNAVAILABLE)


def _uri(path: str) -> str:
    return Path(path).absolute().as_uri()


def _prepare(connection: DBAPIConnection, _: object) -> None:
    connection.isolation_level = None  # `_begin` begins, not the driver
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _dumps(value: object) -> str:
    return msgspec.json.encode(value).decode()


_JSON: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": msgspec.json.decode}
