"""The database of read models: work on it is a plain function of a connection, and whoever asks awaits its result.

In PostgreSQL the function runs on the event loop, over asyncpg, which SQLAlchemy bridges. In SQLite it runs in a
thread, so that a transaction costs one change of threads however many statements it has.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection, Dialect, QueuePool, create_engine, event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import create_async_engine

from libs.events.errors import SetupError, StoreUnavailableError

T = TypeVar("T")

_MEMORY_NAMES = count(1)
_BUSY_TIMEOUT_S = 10  # how long SQLite waits for another process that writes
_READERS = 4  # threads
_UNAVAILABLE = (
    "08",
    "40",
    "53",
    "55P03",
    "57P",
    "58",
)  # SQLSTATE: connection, deadlock, resources, lock, shutdown, I/O


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

    async def read(self, query: Callable[[Connection], T]) -> T:
        """What *query* gives; all that it reads is one moment.

        Raises:
            StoreUnavailableError: The database cannot be reached now.
        """
        ...

    async def write(self, change: Callable[[Connection], T]) -> T:
        """What *change* gives: a transaction, committed at its end, rolled back on an error.

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
async def open_database(url: str, *, pool_size: int = 8, prepared_statements: bool = True) -> AsyncGenerator[Database]:
    """The database at *url*, disconnected at the end.

    Args:
        url: `memory:` (forgets at the end), `sqlite:///path/of/file` or `postgresql://user@host/database`.
        pool_size: Connections to PostgreSQL at most.
        prepared_statements: Off behind pgbouncer in transaction mode.

    Raises:
        SetupError: Another kind of database.
    """
    database: Database
    match url.partition(":")[0]:
        case "postgresql":
            database = _Postgres(url, pool_size, prepared_statements=prepared_statements)
        case "sqlite":
            database = _Sqlite(_uri(url.removeprefix("sqlite:///")))
        case "memory":
            database = _Sqlite(f"file:/views-{next(_MEMORY_NAMES)}?vfs=memdb")
        case kind:
            message = f"{kind!r} is no database for read models; use memory:, sqlite:///FILE or postgresql://..."
            raise SetupError(message)
    try:
        yield database
    finally:
        await database.close()


class _Postgres:
    """`Database` in PostgreSQL, through a pool of asyncpg connections."""

    def __init__(self, url: str, pool_size: int, *, prepared_statements: bool) -> None:
        connect: dict[str, Any] = {} if prepared_statements else {"prepared_statement_cache_size": 0}
        connect["statement_cache_size"] = 256 if prepared_statements else 0
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

    async def read(self, query: Callable[[Connection], T]) -> T:
        """See `Database.read`."""
        with _unavailable():
            async with self._reader.connect() as connection:
                return await connection.run_sync(query)

    async def write(self, change: Callable[[Connection], T]) -> T:
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
    """`Database` in SQLite: one thread writes, a few read; with WAL, readers never wait.

    `synchronous=NORMAL`: after a power cut the last transactions may be missing, never torn.
    """

    def __init__(self, uri: str) -> None:
        mark = "&" if "?" in uri else "?"
        self._keeper = sqlite3.connect(uri, uri=True, check_same_thread=False)  # a memory lives as long
        self._engine = create_engine(
            f"sqlite:///{uri}{mark}uri=true",
            poolclass=QueuePool,
            pool_size=_READERS + 1,
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
        self.dialect = self._engine.dialect

    async def read(self, query: Callable[[Connection], T]) -> T:
        """See `Database.read`."""

        def reading() -> T:
            with self._engine.connect() as connection:
                return query(connection)

        with _unavailable():
            return await asyncio.get_running_loop().run_in_executor(self._readers, reading)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """See `Database.write`."""

        def changing() -> T:
            with self._writing.begin() as connection:
                return change(connection)

        async with self._turn:
            return await self._write(changing)

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[Run]:
        """See `Database.begin`."""
        async with self._turn:
            transaction = self._writing.begin()
            connection = await self._write(transaction.__enter__)

            async def run(work: Callable[[Connection], T], /) -> T:
                return await self._write(lambda: work(connection))

            try:
                yield run
            except BaseException as error:
                raised = type(error), error, error.__traceback__
                await self._write(lambda: transaction.__exit__(*raised))
                raise
            await self._write(lambda: transaction.__exit__(None, None, None))

    async def close(self) -> None:
        """See `Database.close`."""
        await asyncio.get_running_loop().run_in_executor(None, self._shutdown)

    async def _write(self, work: Callable[[], T]) -> T:
        with _unavailable():
            return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def _shutdown(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self._engine.dispose()
        self._keeper.close()


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
