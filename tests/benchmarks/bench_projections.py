"""How fast read models are rebuilt and caught up, beside the bare reading of the same events.

`python -m tests.benchmarks projections [--quick]` runs these rows alone.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count

import asyncpg
from aiokafka import AIOKafkaConsumer
from sqlalchemy import Column, Float, Integer, Text

from libs.events import codec, schema
from libs.events.bus import OutRecord, events_topic
from libs.events.clock import SystemClock
from libs.events.cloudevents import to_record
from libs.events.columns import Instant
from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Metadata, Recorded
from libs.events.feeds import BATCH, BusFeed
from libs.events.ids import new_id
from libs.events.kafka import KafkaBus
from libs.events.ledger import Batch
from libs.events.postgres import PostgresStore
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.projector import Projector
from libs.events.rebuild import rebuild
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.views import Views, open_views
from tests.benchmarks.result import Result, above, against, alternate
from tests.benchmarks.servers import Servers

SERVICE = "measured"  # none of ours: whoever is measured after it would hear of its events
TYPE = "io.concordat.slo.budget.assessed.v1"
SLOS = 1_000
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


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


async def run(servers: Servers, *, quick: bool) -> list[Result]:
    """The rows of the table."""
    with servers.database() as rebuilt, servers.database() as caught_up:
        return [
            *await _rebuilds(rebuilt, quick=quick),
            *await _catching_up(caught_up, servers.kafka.bootstrap_servers, quick=quick),
        ]


async def _rebuilds(url: str, *, quick: bool) -> list[Result]:
    """Rebuild from the event store, beside reading the same pages and doing nothing with them."""
    events, rounds = (50_000, 3) if quick else (1_000_000, 3)
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
        above("rebuild, few rows", few, "events/s", limit=200_000),
        against("rebuild, every event a row", many, "events/s", "bare SELECT of the same events", read, at_least=0.2),
    ]


_READ = (
    "SELECT position, stream, version, type, event_id, occurred_at, recorded_at, data, metadata"
    " FROM events WHERE position > $1 ORDER BY position LIMIT $2"
)


async def _catching_up(url: str, bootstrap_servers: str, *, quick: bool) -> list[Result]:
    """Catch up from the real Kafka into Postgres, beside a `getmany` of the same topic; both join a group first."""
    events, rounds = (50_000, 3) if quick else (400_000, 3)
    topic = events_topic(SERVICE)
    numbers = count(1)
    async with AsyncExitStack() as stack:
        bus = KafkaBus(bootstrap_servers)
        await bus.start()
        stack.push_async_callback(bus.close)
        await bus.ensure_topics([topic])
        for first in range(1, events + 1, 10_000):
            await bus.publisher().publish([_record(first + n, topic.name) for n in range(10_000)], deadline_s=60)
        views = await stack.enter_async_context(open_views(url))

        async def bare() -> float:
            started, seen = time.perf_counter(), 0
            consumer = AIOKafkaConsumer(
                topic.name,
                bootstrap_servers=bootstrap_servers,
                group_id=f"bare-{next(numbers)}",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
            await consumer.start()
            while seen < events:
                for records in (await consumer.getmany(timeout_ms=1000, max_records=BATCH)).values():
                    seen += len(records)
            taken = time.perf_counter() - started
            await consumer.stop()
            return events / taken

        async def ours(projection: Projection) -> float:
            fresh = replace(projection, name=f"{projection.name}_{next(numbers)}")
            await views.start([fresh])
            projector = _Counting(views, fresh)
            feed = BusFeed(projector, bus, [SERVICE], f"gateway.{fresh.name}")
            stop = asyncio.Event()
            started = time.perf_counter()
            running = asyncio.create_task(feed.run(stop))
            await projector.reached(events)
            taken = time.perf_counter() - started
            stop.set()
            await running
            return events / taken

        read, few, many = await alternate(rounds, bare, lambda: ours(BUDGETS), lambda: ours(ASSESSMENTS))
    return [
        against("catch up from Kafka, few rows", few, "events/s", "bare getmany", read, at_least=0.5),
        against("catch up from Kafka, every event a row", many, "events/s", "bare getmany", read, at_least=0.38),
    ]


class _Counting(Projector):
    """A projector that says when it has applied so many events."""

    def __init__(self, views: Views, projection: Projection) -> None:
        super().__init__(views, projection)
        self._applied = asyncio.Condition()

    async def apply(self, batches: Sequence[Batch]) -> None:
        await super().apply(batches)
        async with self._applied:
            self._applied.notify_all()

    async def reached(self, events: int) -> None:
        async with self._applied:
            await self._applied.wait_for(lambda: sum(c.next for c in self.ledger.checkpoints.values()) >= events)


def _record(position: int, topic: str) -> OutRecord:
    slo = f"slo-{position % SLOS}"
    data = {
        "slo": slo,
        "service": "checkout-api",
        "revision": 3,
        "state": "met",
        "target": 0.999,
        "sli": 0.99953,
        "good": position,
        "total": position + 5,
        "coverage": 0.98,
        "window": "28d",
        "error_budget_consumed": 0.47,
        "error_budget_remaining": 0.53,
        "input_version": position,
        "at": AT,
    }
    metadata = Metadata("ana", "api-key", "cc_01", str(new_id()))
    recorded = Recorded(
        position,
        f"budget/{slo}",
        position // SLOS + 1,
        TYPE,
        new_id(),
        AT,
        AT,
        codec.encode(data),
        codec.encode(metadata),
    )
    return to_record(recorded, topic, SERVICE, "0192f0c1-7e5a-7c39-a6b3-0b7f6a3d2e11")
