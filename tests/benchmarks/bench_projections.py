"""How fast read models are rebuilt and caught up, beside the bare reading of the same events.

`python -m tests.benchmarks.bench_projections [--quick]` runs these rows alone.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import uvloop
from sqlalchemy import Column, Float, Integer, Text

from deploy.local.postgres import PostgresServer
from libs.events import schema
from libs.events.clock import SystemClock
from libs.events.columns import Instant
from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Recorded
from libs.events.feeds import BATCH
from libs.events.postgres import PostgresStore
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.rebuild import rebuild
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.views import open_views
from tests.benchmarks.result import Result, against, alternate

SERVICE = "slo"
TYPE = "io.concordat.slo.budget.assessed.v1"
SLOS = 1_000


@dataclass(frozen=True, slots=True)
class BudgetAssessed:
    """What the read models below keep of an assessment."""

    slo: str
    service: str
    state: str
    target: float
    good: int
    total: int
    at: datetime


REGISTRY = EventRegistry({TYPE: BudgetAssessed})


def _latest(_row: Row | None, event: BudgetAssessed, _recorded: Recorded, key: Key) -> Row:
    return {
        "slo": key[0],
        "service": event.service,
        "state": event.state,
        "target": event.target,
        "good": event.good,
        "total": event.total,
        "at": event.at,
    }


def _columns() -> Sequence[Column[object]]:
    return (
        Column("service", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("target", Float, nullable=False),
        Column("good", Integer, nullable=False),
        Column("total", Integer, nullable=False),
        Column("at", Instant(), nullable=False),
    )


BUDGETS = Projection(
    name="budgets",
    columns=lambda: (Column("slo", Text, primary_key=True), *_columns()),
    events=REGISTRY,
    folds={BudgetAssessed: Fold(lambda event, _: ((event.slo,),), _latest)},
    sources=(SERVICE,),
)


def _assessment(_row: Row | None, event: BudgetAssessed, recorded: Recorded, key: Key) -> Row:
    return _latest(None, event, recorded, (event.slo,)) | {"position": key[0]}


ASSESSMENTS = Projection(
    name="assessments",
    columns=lambda: (
        Column("position", Integer, primary_key=True, autoincrement=False),
        Column("slo", Text, nullable=False),
        *_columns(),
    ),
    events=REGISTRY,
    folds={BudgetAssessed: Fold(lambda _, recorded: ((recorded.position,),), _assessment)},
    sources=(SERVICE,),
)

_FILL = f"""
INSERT INTO events (stream, version, type, event_id, occurred_at, recorded_at, data, metadata)
SELECT 'budget/slo-' || n % {SLOS}, n / {SLOS} + 1, '{TYPE}', gen_random_uuid(), t, t,
    convert_to('{{"slo":"slo-' || n % {SLOS} || '","service":"checkout-api","revision":3,"state":"met","target":0.999,'
        '"sli":0.99953,"good":' || n || ',"total":' || n + 5 || ',"coverage":0.98,"window":"28d",'
        '"error_budget_consumed":0.47,"error_budget_remaining":0.53,"input_version":' || n
        || ',"at":"2026-11-21T10:00:00Z"}}', 'UTF8'),
    convert_to('{{"actor":"ana","auth_method":"api-key","client":"cc_01","request_id":"' || gen_random_uuid() || '"}}',
        'UTF8')
FROM generate_series(0, $1 - 1) AS n, (SELECT timestamptz '2026-11-21 10:00Z' AS t) AS at
"""  # noqa: S608  constants


async def run(quick: bool) -> list[Result]:  # noqa: FBT001  as for every benchmark
    """The rows of the table."""
    with TemporaryDirectory() as folder, PostgresServer(Path(folder) / "postgres", external="") as postgres:
        return [*await _rebuilds(postgres, quick=quick), *await _catching_up(postgres, Path(folder), quick=quick)]


async def _rebuilds(postgres: PostgresServer, *, quick: bool) -> list[Result]:
    """Rebuild from the event store, beside reading the same pages and doing nothing with them."""
    events, rounds = (200_000, 3) if quick else (1_000_000, 3)
    url = postgres.create_database("rebuild")
    async with AsyncExitStack() as stack:
        connection = await asyncpg.connect(url)
        stack.push_async_callback(connection.close)
        for statement in schema.POSTGRES:
            await connection.execute(statement)
        await connection.execute(_FILL, events)
        await connection.execute("VACUUM ANALYZE events")
        store = PostgresStore(url)
        await store.start()
        stack.push_async_callback(store.close)
        views = await stack.enter_async_context(open_views(url))
        library = Resources(SERVICE, REGISTRY, store, views, EmbeddedLog(None), SystemClock())
        await views.start([BUDGETS, ASSESSMENTS])

        async def bare() -> float:
            started = time.perf_counter()
            after = 0
            while rows := await connection.fetch(_READ, after, BATCH):
                after = rows[-1]["position"]
            return events / (time.perf_counter() - started)

        async def ours(projection: Projection) -> float:
            started = time.perf_counter()
            await rebuild(library, projection, asyncio.Event())
            return events / (time.perf_counter() - started)

        read, few, many = await alternate(rounds, bare, lambda: ours(BUDGETS), lambda: ours(ASSESSMENTS))
    return [
        against("rebuild, few rows", few, "events/s", "bare SELECT of the same events", read, at_least=0.35),
        Result("rebuild, few rows", few, "events/s", "", None, None, ">= 200,000 events/s", few >= 200_000),
        against("rebuild, every event a row", many, "events/s", "bare SELECT of the same events", read, at_least=0.2),
    ]


_READ = (
    "SELECT position, stream, version, type, event_id, occurred_at, recorded_at, data, metadata"
    " FROM events WHERE position > $1 ORDER BY position LIMIT $2"
)


async def _catching_up(postgres: PostgresServer, folder: Path, *, quick: bool) -> list[Result]:
    """Catch up from the real Kafka into Postgres, beside `getmany` of the same topic."""
    return []


if __name__ == "__main__":
    for result in uvloop.run(run("--quick" in sys.argv)):
        sys.stdout.write(f"{result}\n")
