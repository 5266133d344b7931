"""The database of read models: its connections, and how far each projection has come."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from sqlalchemy import Connection, Dialect, inspect, select, text, update

from libs.events.database import Database, Run, open_database
from libs.events.errors import OtherCodeError, StoreUnavailableError
from libs.events.full_text import know_words, searched, show_words
from libs.events.group_ask import GroupAsk
from libs.events.ledger import Checkpoint, Ledger, Place, load_all
from libs.events.projection import Projection
from libs.events.views_tables import CHECKPOINTS, GENERATIONS, METADATA

P = ParamSpec("P")
T = TypeVar("T")

_START_LOCK = 0x7669657773  # "views"; the advisory lock under which tables are made
_LOG = logging.getLogger(__name__)
_POLL_S = 0.02  # how often a waiting reader looks when another process applies the events
_POLL_ALONE_S = 0.5  # on a file, which no other process writes: only what this one did before it started is news
_READS_END_WITHIN = "1s"  # new ones wait as long


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

    Args:
        database: Where.

    Attributes:
        rebuild_asked: Set when this process asks for a rebuild; other processes are found by looking.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reached: dict[tuple[str, str, int], tuple[str, int]] = {}
        self._waiting: dict[tuple[str, str, int], set[asyncio.Event]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._ledgers = GroupAsk(self._ask_ledgers)
        self.rebuild_asked = asyncio.Event()

    async def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What *query* gives; all that it reads is one moment. It may be asked twice, so it changes nothing.

        Raises:
            StoreUnavailableError: The database cannot be reached now.
        """
        return await self._database.read(self._reading(query, *args, **kwargs))

    async def read_long(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `read`, for what takes more than some milliseconds."""
        return await self._database.read(self._reading(query, *args, **kwargs), long=True)

    def _reading(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Callable[[Connection], T]:
        def reading(connection: Connection) -> T:
            if self.is_postgres:
                connection.execute(_READ_LOCK)
            return query(connection, *args, **kwargs)

        return reading

    async def write(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What *change* gives: a transaction, committed at its end, rolled back on an error.

        Raises:
            StoreUnavailableError: The database cannot be reached now; it may be unknown whether it was committed.
        """
        return await self._database.write(lambda connection: change(connection, *args, **kwargs))

    async def write_long(self, change: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `write`, for what takes more than some milliseconds."""
        return await self._database.write(lambda connection: change(connection, *args, **kwargs), long=True)

    def begin(self) -> AbstractAsyncContextManager[Run]:
        """A transaction of several functions, for what must await in between; raises as `write` does."""
        return self._database.begin()

    async def start(self, projections: Sequence[Projection]) -> list[str]:
        """Make what is missing: tables, and a first generation of each projection. Any process may, at any time.

        Returns:
            The projections whose rows come from other code (columns, indexes or `version` differ): to be rebuilt.
        """
        return await self.write_long(_start, projections)

    async def applied(self, projection: str) -> Mapping[str, Applied]:
        """How far the serving generation of *projection* has come, per service whose events it folds."""
        rows = [row for row in await self.read(_serving_checkpoints) if row[0] == projection]
        positions: dict[str, dict[int, int]] = {}
        epochs = {service: epoch for _, service, epoch, _, _ in sorted(rows, key=lambda row: row[-1])}
        for _, service, _, partition, position in rows:
            positions.setdefault(service, {})[partition] = position
        return {service: Applied(epochs[service], positions[service]) for service in positions}

    async def wait_applied(
        self, projection: str, service: str, epoch: str, partition: int, position: int, timeout_s: float
    ) -> bool:
        """Whether *projection* has applied *position*; returns as soon as it has, at the latest after *timeout_s*."""
        place = projection, service, partition
        if self._has_reached(place, epoch, position):
            return True
        moved = asyncio.Event()
        waiting = self._waiting.setdefault(place, set())
        waiting.add(moved)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(timeout_s):
                while not self._has_reached(place, epoch, position):
                    moved.clear()
                    await moved.wait()
        except TimeoutError:
            return False
        finally:
            waiting.discard(moved)
            if not waiting:
                self._waiting.pop(place, None)
        return True

    async def _look(self) -> None:
        """Read all checkpoints again and again, once for everyone who waits, as long as somebody does."""
        while self._waiting:
            try:
                rows = await self.read(_serving_checkpoints)
            except StoreUnavailableError as error:
                _LOG.warning("readers wait for their own writes: %s", error)
                rows = []
            for projection, service, epoch, partition, position in rows:
                place = projection, service, partition
                if not self._has_reached(place, epoch, position):  # this process may know of more already
                    self._reach(place, epoch, position)
            await asyncio.sleep(_POLL_S if self.is_postgres else _POLL_ALONE_S)

    async def close(self) -> None:
        """Wait for nobody any more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def ledger(self, projection: Projection, generation: int | None) -> Ledger:
        """Where that generation of *projection* stands, or the one that serves; many who ask at once are one read.

        Raises:
            OtherCodeError: The rows that serve come from other code.
            StoreUnavailableError: The database cannot be reached now.
        """
        found = await self._ledgers.ask((projection, generation))
        if isinstance(found, OtherCodeError):
            raise found
        return found

    async def _ask_ledgers(self, asked: Sequence[tuple[Projection, int | None]]) -> list[Ledger | OtherCodeError]:
        return await self.read(_read_ledgers, asked)

    def moved(self, projection: str, moves: Mapping[Place, Checkpoint]) -> None:
        """Wake the readers of this process that wait for what was just committed."""
        for (service, partition), checkpoint in moves.items():
            self._reach((projection, service, partition), checkpoint.epoch, checkpoint.position)

    async def generations(self) -> list[Generation]:
        """Every table of every projection that was ever started here, in order."""
        return await self.read(read_generations)

    async def unfinished(self) -> list[Generation]:
        """The rebuilds that are asked for or on their way."""
        return await self.read(_read_unfinished)

    async def serving(self, consumer: str) -> int | None:
        """The number of the generation that serves; 0 for reactions, None for what is neither."""
        g = GENERATIONS.c
        found = select(g.generation).where(g.projection == consumer, g.status == "serving")
        return await self.read(lambda connection: connection.execute(found).scalar_one_or_none())

    async def note_error(self, consumers: Collection[str], error: str) -> None:
        """Say why *consumers* stand still; an empty text that they do not."""
        g = GENERATIONS.c
        noted = update(GENERATIONS).where(g.projection.in_(consumers), g.status == "serving").values(error=error)
        await self.write(lambda connection: connection.execute(noted))

    async def dump(self, projection: Projection) -> list[tuple[Any, ...]]:
        """The rows that queries see, by primary key."""
        view = projection.view
        query = select(view).order_by(*view.primary_key.columns)
        return await self.read_long(lambda connection: [tuple(row) for row in connection.execute(query)])

    async def digest(self, projection: Projection) -> str:
        """A hash of `dump`: equal rows, equal digest."""
        rows = await self.dump(projection)
        return hashlib.sha256(msgspec.json.encode(rows, order="deterministic")).hexdigest()

    @property
    def is_postgres(self) -> bool:
        """Whether the database is a PostgreSQL."""
        return self.dialect.name == "postgresql"

    @property
    def dialect(self) -> Dialect:
        """What SQL the database speaks."""
        return self._database.dialect

    def _reach(self, place: tuple[str, str, int], epoch: str, position: int) -> None:
        self._reached[place] = (epoch, position)
        for waiting in self._waiting.get(place, ()):
            waiting.set()

    def _has_reached(self, place: tuple[str, str, int], epoch: str, position: int) -> bool:
        reached_epoch, reached = self._reached.get(place, ("", 0))
        return reached_epoch == epoch and reached >= position


@asynccontextmanager
async def open_views(url: str, **settings: Any) -> AsyncGenerator[Views]:  # noqa: ANN401  of open_database
    """The read models at *url*, disconnected at the end; arguments and errors are those of `open_database`."""
    async with open_database(url, **settings) as database:
        views = Views(database)
        try:
            yield views
        finally:
            await views.close()


def _start(connection: Connection, projections: Sequence[Projection]) -> list[str]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _START_LOCK})
    METADATA.create_all(connection)
    know_words(connection)
    stale: list[str] = []
    serving_now = _serving(connection)
    for projection in projections:
        serving = serving_now.get(projection.name)
        if serving is None:
            add_generation(connection, projection, 1, "serving")
            show_generation(connection, projection, 1)
        elif serving.fingerprint != projection.fingerprint:
            stale.append(projection.name)
    return stale


def read_generations(connection: Connection, projection: str | None = None) -> list[Generation]:
    """The generations of one projection, or of all, in order; reactions have none."""
    query = _GENERATIONS if projection is None else _GENERATIONS.where(GENERATIONS.c.projection == projection)
    return [Generation(*row) for row in connection.execute(query).all()]


def _read_unfinished(connection: Connection) -> list[Generation]:
    return [Generation(*row) for row in connection.execute(_UNFINISHED).all()]


def _serving(connection: Connection) -> Mapping[str, Generation]:
    """The generations that queries see, by projection."""
    return {each.projection: each for each in read_generations(connection) if each.status == "serving"}


def _read_ledgers(
    connection: Connection, asked: Sequence[tuple[Projection, int | None]]
) -> list[Ledger | OtherCodeError]:
    serving = _serving(connection)
    ledgers = [_ledger(projection, generation, serving.get(projection.name)) for projection, generation in asked]
    load_all(connection, [ledger for ledger in ledgers if isinstance(ledger, Ledger)])
    return ledgers


def _ledger(projection: Projection, generation: int | None, serving: Generation | None) -> Ledger | OtherCodeError:
    if generation is not None:
        return Ledger(projection.name, generation)
    if serving is None or serving.fingerprint != projection.fingerprint:
        return OtherCodeError(f"{projection.name} waits for a rebuild: its rows come from other code")
    return Ledger(projection.name, serving.generation)


def add_generation(connection: Connection, projection: Projection, generation: int, status: str) -> None:
    """Write down a generation, and make its empty table unless it is only asked for."""
    note_consumer(connection, projection.name, generation, status, projection.fingerprint)
    if status != "requested":
        projection.table(generation).create(connection)


def note_consumer(connection: Connection, name: str, generation: int, status: str = "serving", code: str = "") -> None:
    """Make the row whose lock serialises what a consumer writes, if it is missing."""
    noted = {"projection": name, "generation": generation, "status": status, "fingerprint": code}
    connection.execute(_NOTE, noted)


def show_generation(connection: Connection, projection: Projection, generation: int) -> None:
    """Let the queries see the rows of *generation*."""
    table = projection.table(generation)
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    if searched(table) and connection.dialect.name == "sqlite":
        columns += ", rowid AS row"
    connection.execute(text(f'DROP VIEW IF EXISTS "{projection.name}"'))
    connection.execute(text(f'CREATE VIEW "{projection.name}" AS SELECT {columns} FROM "{table.name}"'))  # noqa: S608  names from code
    show_words(connection, projection.view, table)


def lock_out_readers(connection: Connection) -> None:
    """Wait for the reads that run, and let none begin until the transaction ends; SQLite needs nothing of it.

    Raises:
        DBAPIError: They take too long.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_READS_END_WITHIN}'"))
        connection.execute(text("LOCK TABLE switches IN ACCESS EXCLUSIVE MODE"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))


def drop_tables(connection: Connection, projection: Projection, keep: Collection[int]) -> None:
    """Drop the tables of all generations of *projection* but those to *keep*, also what a crash left."""
    names = inspect(connection).get_table_names()
    for name in names:
        prefix, _, number = name.rpartition("_g")
        if prefix == projection.name and number.isdecimal() and int(number) not in keep:
            connection.execute(text(f'DROP TABLE "{name}"'))
            for column in searched(projection.view):
                connection.execute(text(f'DROP TABLE IF EXISTS "{name}_{column}"'))


_READ_LOCK = text("LOCK TABLE switches IN ACCESS SHARE MODE")  # no statement that shows a moment may come before

_NOTE = text(
    "INSERT INTO generations (projection, generation, status, fingerprint, writes, done, total, per_second, error)"
    " VALUES (:projection, :generation, :status, :fingerprint, 0, 0, 0, 0, '') ON CONFLICT DO NOTHING"
)

_GENERATIONS = (
    select(*(GENERATIONS.c[field] for field in Generation.__struct_fields__))
    .where(GENERATIONS.c.generation > 0)
    .order_by(GENERATIONS.c.projection, GENERATIONS.c.generation)
)
_UNFINISHED = _GENERATIONS.where(GENERATIONS.c.status.in_(("requested", "building")))

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


def _serving_checkpoints(connection: Connection) -> Sequence[tuple[str, str, str, int, int]]:
    """Projection, service, epoch, partition and position of every checkpoint of what serves."""
    return [tuple(row) for row in connection.execute(_SERVING_CHECKPOINTS)]
