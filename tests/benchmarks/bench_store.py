"""How fast the store appends, beside its own bare SQL and beside pyeventsourcing.

`python -m tests.benchmarks store [--quick]` runs these rows alone.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import quantiles
from uuid import uuid4

import asyncpg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from libs.events import codec, schema
from libs.events.decider import Decider
from libs.events.envelope import Context, Metadata
from libs.events.handler import CommandHandler
from libs.events.ids import new_id
from libs.events.postgres import _APPEND, PostgresStore, _Columns
from libs.events.registry import EventRegistry
from libs.events.sqlite import SqliteStore
from libs.events.store import AppendRequest, NewEvent, Store, StreamWrite
from tests.benchmarks.result import Result, against, alternate, below, beside
from tests.benchmarks.servers import Servers
from tests.fixtures.postgres import database_of

CALLERS = 64
DATA = (
    b'{"service":"checkout-api","title":"error rate above 5 %","severity":"sev2","by":"ana","reason":"'
    + b"x" * 200
    + b'"}'
)
METADATA = (
    b'{"actor":"ana","auth_method":"api-key","client":"cc_01","request_id":"0192f0c1-7e5a-7c39-a6b3-0b7f6a3d2e11"}'
)
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
_NAMES = count(1)


def _event() -> NewEvent:
    return NewEvent(new_id(), "io.concordat.incidents.incident.declared.v1", AT, DATA, METADATA)


def _request() -> AppendRequest:
    return AppendRequest((StreamWrite(f"incident/{new_id()}", 0, (_event(),)),))


@dataclass
class Run:
    """What 64 callers achieved."""

    per_second: float
    latencies_s: list[float]


async def _appends(store: Store, total: int) -> Run:
    """*total* appends by 64 callers, each to a stream of its own; the requests are made beforehand."""
    requests = [_request() for _ in range(total)]
    latencies: list[float] = []
    clock = time.perf_counter

    async def caller(mine: list[AppendRequest]) -> None:
        for request in mine:
            started = clock()
            await store.append(request, deadline_s=60)
            latencies.append(clock() - started)

    started = clock()
    await asyncio.gather(*(caller(requests[n::CALLERS]) for n in range(CALLERS)))
    return Run(len(latencies) / (clock() - started), latencies)


async def _bare_postgres(url: str, total: int) -> float:
    """Ready-made batches of 64, one after the other on one connection."""
    connection = await asyncpg.connect(url)
    batches = [_Columns([_request() for _ in range(CALLERS)], AT).arguments for _ in range(total // CALLERS)]
    statement = await connection.prepare(_APPEND)
    await statement.fetchrow(*_Columns([_request()], AT).arguments)
    started = time.perf_counter()
    for batch in batches:
        await statement.fetchrow(*batch)
    elapsed = time.perf_counter() - started
    await connection.close()
    return len(batches) * CALLERS / elapsed


def _stored() -> StoredEvent:
    return StoredEvent(uuid4(), 1, "declared", DATA + METADATA)


async def _recorder(recorder: ApplicationRecorder, total: int, threads: int) -> float:
    """The lowest level of pyeventsourcing: its recorder, given events that are serialised already."""
    events = [_stored() for _ in range(total)]
    with ThreadPoolExecutor(threads) as pool:
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            *(loop.run_in_executor(pool, recorder.insert_events, [_stored()]) for _ in range(4 * threads))
        )
        started = time.perf_counter()
        await asyncio.gather(*(loop.run_in_executor(pool, recorder.insert_events, [event]) for event in events))
        return len(events) / (time.perf_counter() - started)


async def bench_postgres(servers: Servers, *, quick: bool) -> list[Result]:
    total, rounds = (3_200, 3) if quick else (32_000, 5)
    with _database(servers) as url, _database(servers) as bare_url, servers.database() as their_url:
        store = PostgresStore(url)
        await store.start()
        runs: list[Run] = []

        async def ours() -> float:
            runs.append(await _appends(store, total))
            return runs[-1].per_second

        with _pyeventsourcing_postgres(their_url) as recorder:
            await _appends(store, CALLERS * 10)
            ours_per_s, bare, theirs = await alternate(
                rounds, ours, lambda: _bare_postgres(bare_url, total), lambda: _recorder(recorder, total // 32, 16)
            )
        await store.close()
    p99_ms = quantiles([each for run in runs for each in run.latencies_s], n=100)[98] * 1000
    name = "append to Postgres, 64 concurrent"
    return [
        against(name, ours_per_s, "appends/s", "bare group-commit function", bare, at_least=0.6),
        against(name, ours_per_s, "appends/s", "pyeventsourcing's recorder", theirs, at_least=20),
        below(f"{name}, p99", p99_ms, "ms", limit=10),
    ]


async def bench_sqlite(directory: Path, *, quick: bool) -> list[Result]:
    """Appends to one file, synchronous=FULL, beside ready-made transactions of 64 inserts."""
    total, rounds = (3_200, 3) if quick else (32_000, 5)
    store = SqliteStore(directory / "ours.db")
    await store.start()

    async def ours() -> float:
        return (await _appends(store, total)).per_second

    async def bare() -> float:
        return await asyncio.to_thread(_bare_sqlite, directory / f"bare-{next(_NAMES)}.db", total)

    with _pyeventsourcing_sqlite(directory / "theirs.db") as recorder:
        await _appends(store, CALLERS * 10)
        ours_per_s, bare_per_s, theirs = await alternate(
            rounds, ours, bare, lambda: _recorder(recorder, total // 16, 1)
        )
    await store.close()
    name = "append to SQLite, 64 concurrent"
    return [
        against(name, ours_per_s, "appends/s", "bare batches of 64, synchronous=FULL", bare_per_s, at_least=0.4),
        against(name, ours_per_s, "appends/s", "pyeventsourcing's recorder", theirs, at_least=8),
    ]


def _bare_sqlite(path: Path, total: int) -> float:
    rows = [
        (
            n,
            f"incident/{new_id()}",
            1,
            "io.concordat.incidents.incident.declared.v1",
            new_id().bytes,
            0,
            0,
            DATA,
            METADATA,
        )
        for n in range(1, total + 1)
    ]
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(schema.SQLITE[0])
    started = time.perf_counter()
    for first in range(0, total, CALLERS):
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows[first : first + CALLERS])
        database.execute("COMMIT")
    elapsed = time.perf_counter() - started
    database.close()
    return total / elapsed


@dataclass(frozen=True)
class Bumped:
    """Something that happened to a counter."""

    service: str
    by: str
    reason: str


@dataclass(frozen=True)
class Bump:
    """Count one more."""

    reason: str


def _decide(command: Bump, state: int | None) -> tuple[Bumped, ...]:
    if state is None:
        raise LookupError
    return (Bumped("checkout-api", f"ana-{state}", command.reason),)


COUNTER: Decider[Bump, int | None, Bumped] = Decider("counter", None, _decide, lambda state, _: (state or 0) + 1)
REGISTRY = EventRegistry({"io.concordat.bench.counter.bumped.v1": Bumped})
_STREAM_LENGTH = 20
_CONTEXT = Metadata(
    actor="ana", auth_method="api-key", client="cc_01", request_id="0192f0c1-7e5a-7c39-a6b3-0b7f6a3d2e11"
)


async def bench_commands(servers: Servers, *, quick: bool) -> list[Result]:
    """Whole commands on streams of 20 events, by a process that holds their states and by one that just started."""
    streams, rounds = (640, 3) if quick else (6_400, 5)
    with _database(servers) as url:
        store = PostgresStore(url)
        await store.start()
        batches = count()

        async def prepared() -> list[str]:
            keys = [f"{next(batches)}" for _ in range(streams)]
            await _in_turns(keys, lambda key: store.append(_history(key)))
            return keys

        async def appends() -> float:
            return (await _appends(store, streams)).per_second

        async def warm() -> float:
            handler, keys = CommandHandler(store, REGISTRY), await prepared()
            await _in_turns(keys, lambda key: handler.load(COUNTER, key))
            return await _commands(handler, keys)

        async def cold() -> float:
            return await _commands(CommandHandler(store, REGISTRY), await prepared())

        await appends()
        append, warm_per_s, cold_per_s = await alternate(rounds, appends, warm, cold)
        await store.close()
    name = "load + fold + decide + append, 20-event stream, 64 concurrent"
    return [
        against(f"{name}, states kept", warm_per_s, "commands/s", "append alone", append, at_least=0.5),
        beside(f"{name}, nothing kept", cold_per_s, "commands/s", "append alone", append),
    ]


async def _commands(handler: CommandHandler, keys: list[str]) -> float:
    command = Bump("x" * 200)
    started = time.perf_counter()
    await _in_turns(keys, lambda key: handler.handle(COUNTER, key, command, Context.of_request(AT, _CONTEXT)))
    return len(keys) / (time.perf_counter() - started)


def _history(key: str) -> AppendRequest:
    data = codec.encode(Bumped("checkout-api", "ana", "x" * 200))
    kind = "io.concordat.bench.counter.bumped.v1"
    events = [NewEvent(new_id(), kind, AT, data, METADATA) for _ in range(_STREAM_LENGTH)]
    return AppendRequest((StreamWrite(COUNTER.stream(key), 0, tuple(events)),))


async def _in_turns(keys: list[str], act: Callable[[str], Awaitable[object]]) -> None:
    """Do *act* for every key, 64 at a time."""

    async def caller(mine: list[str]) -> None:
        for key in mine:
            await act(key)

    await asyncio.gather(*(caller(keys[n::CALLERS]) for n in range(CALLERS)))


@contextmanager
def _database(servers: Servers) -> Iterator[str]:
    with servers.database() as url:
        servers.postgres.execute(";".join(schema.POSTGRES), database_of(url))
        yield url


@contextmanager
def _pyeventsourcing_postgres(url: str) -> Iterator[PostgresApplicationRecorder]:
    host, _, port = url.rpartition("@")[2].partition("/")[0].partition(":")
    store = PostgresDatastore(database_of(url), host, port, "postgres", "", pool_size=16, max_overflow=16)
    recorder = PostgresApplicationRecorder(store, events_table_name="stored_events")
    recorder.create_table()
    yield recorder
    store.close()


@contextmanager
def _pyeventsourcing_sqlite(path: Path) -> Iterator[SQLiteApplicationRecorder]:
    store = SQLiteDatastore(str(path))
    recorder = SQLiteApplicationRecorder(store)
    recorder.create_table()
    yield recorder
    store.close()


async def run(servers: Servers, *, quick: bool) -> list[Result]:
    """The store's rows of the table."""
    return [
        *await bench_postgres(servers, quick=quick),
        *await bench_sqlite(servers.directory, quick=quick),
        *await bench_commands(servers, quick=quick),
    ]
