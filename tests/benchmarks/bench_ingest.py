"""How fast measurements are taken in: from Kafka into stored blocks, and over HTTP into Kafka.

`python -m tests.benchmarks ingest [--quick]` runs these rows alone.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from libs.events.bus import MEASUREMENTS
from libs.events.resources import Resources
from libs.web.internal_auth import Principal, sign
from services.slo.collector import Collector
from services.slo.config import SloSettings
from services.slo.measurements.buckets import merge
from services.slo.measurements.topic import Measurement, decode, record
from tests.benchmarks import load
from tests.benchmarks.fleet import KEY, define, names, slo_service
from tests.benchmarks.result import Result, above, against, alternate, beside
from tests.benchmarks.servers import Servers, process

_AT_ONCE = 10_000  # records that are read or published together
_HOUR_MIN = 60
_BATCH = 1_000  # buckets of a request
_CLIENTS = 8
_PATIENCE_S = 60
_BENCH = Principal("bench", "machine", frozenset({"*"}), "bench")


async def run(servers: Servers, *, quick: bool) -> list[Result]:
    """The rows."""
    async with slo_service(servers) as (resources, env):
        await resources.bus.ensure_topics([MEASUREMENTS])
        return [*await _from_kafka(resources, env, quick=quick), *await _over_http(resources, env, quick=quick)]


async def _from_kafka(resources: Resources, env: Mapping[str, str], *, quick: bool) -> list[Result]:
    """What SLOs measured in an hour, after which journals are merged: into blocks of days and hours, or a plain table.

    Seconds are of this process's core.
    """
    size, rounds = (2_000, 2) if quick else (5_000, 5)
    await _publish(resources, names(size), _HOUR_MIN)
    servers = env["CONCORDAT_KAFKA_BOOTSTRAP_SERVERS"]
    total = await _size(servers)
    connection = await asyncpg.connect(env["CONCORDAT_DATABASE_URL"])
    await connection.execute(_PLAIN)

    async def bare() -> float:
        await connection.execute("TRUNCATE plain")
        started = time.process_time()
        rows = await _read(servers, total)
        await connection.copy_records_to_table("plain", records=rows)
        return total / (time.process_time() - started)

    async def ours() -> float:
        await connection.execute(_EMPTY)
        collector, stop = Collector(resources, SloSettings()), asyncio.Event()
        started = time.process_time()
        working = asyncio.create_task(collector.run(stop))
        async with asyncio.timeout(_PATIENCE_S):
            while sum(each.next for each in collector._ledger.checkpoints.values()) < total:
                await asyncio.sleep(0.001)
        stop.set()
        await working
        for partition in range(MEASUREMENTS.partitions):
            await resources.views.write_long(merge, partition, resources.clock.now())
        return total / (time.process_time() - started)

    per_s, plain = await alternate(rounds, ours, bare)
    await connection.close()
    name, reference = "measurements from Kafka into blocks in Postgres", "bare getmany, one COPY"
    return [
        above(name, per_s, "buckets/s", limit=50_000),
        against(name, per_s, "buckets/s", reference, plain, at_least=0.4),
    ]


_PLAIN = """
CREATE TABLE plain (slo text, start timestamptz, source text, revision bigint, good bigint, total bigint)
"""
_EMPTY = """
TRUNCATE slo_journal, slo_minute_blocks, slo_hour_blocks, slo_inputs; DELETE FROM checkpoints
"""


async def _publish(resources: Resources, slos: Sequence[str], minutes: int) -> None:
    """One bucket a minute of each SLO, in the order in which live sources send them."""
    last = datetime.now(UTC).replace(second=0, microsecond=0)
    publisher, waiting = resources.bus.publisher(), []
    for minute in range(minutes):
        start = last - timedelta(minutes=minutes - minute)
        revision = int(start.timestamp() * 1_000_000)
        waiting += [
            record(Measurement(slo, start, "push", revision + n, 990 + n % 10, 1000)) for n, slo in enumerate(slos)
        ]
        if len(waiting) >= _AT_ONCE or minute == minutes - 1:
            await publisher.publish(waiting, deadline_s=_PATIENCE_S)
            waiting = []


async def _size(servers: str) -> int:
    """How many records the topic holds, those of other rows included."""
    async with _topic(servers) as consumer:
        return sum((await consumer.end_offsets(consumer.assignment())).values())


async def _read(servers: str, total: int) -> list[tuple[object, ...]]:
    """All of the topic as rows."""
    rows: list[tuple[object, ...]] = []
    async with _topic(servers) as consumer:
        while len(rows) < total:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=_AT_ONCE)).values():
                rows += [msgspec.structs.astuple(found) for each in records if (found := decode(each.value))]
    return rows


@asynccontextmanager
async def _topic(servers: str) -> AsyncGenerator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(MEASUREMENTS.name, number) for number in range(MEASUREMENTS.partitions)])
    await consumer.start()
    yield consumer
    await consumer.stop()


async def _over_http(resources: Resources, env: Mapping[str, str], *, quick: bool) -> list[Result]:
    """Batches of 1,000 buckets to the API, answered when Kafka has them on disk; beside a route that only parses."""
    requests, rounds = (40, 2) if quick else (300, 5)
    slos = names(requests)
    await define(resources, slos)
    body = _batch()

    async with process("-m", "tests.benchmarks.http_process", "slo", env=env) as port:

        async def sent(path: str) -> float:
            signed = {"Authorization": f"Bearer {sign(_BENCH, 'slo', KEY, now_s=time.time())}"}
            batches = [load.request("POST", path.format(slo=slo), signed, body) for slo in slos]
            return (await load.run(port, batches, clients=_CLIENTS)).per_second * _BATCH

        per_s, parsed = await alternate(
            rounds, lambda: sent("/v1/slos/{slo}/measurements"), lambda: sent("/v1/reference/measurements")
        )
    name = "measurements over HTTP, batches of 1,000"
    return [
        above(name, per_s, "buckets/s", limit=30_000),
        beside(name, per_s, "buckets/s", "the same app, parsing and answering", parsed),
    ]


def _batch() -> bytes:
    last = datetime.now(UTC).replace(second=0, microsecond=0)
    starts = [(last - timedelta(minutes=minute)).isoformat() for minute in range(_BATCH, 0, -1)]
    return msgspec.json.encode({"buckets": [{"start": start, "good": 990, "total": 1000} for start in starts]})
