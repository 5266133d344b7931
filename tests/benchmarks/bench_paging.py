"""How long an alert takes to its first call: from what a sender sends to the message at the webhook of who is called.

`python -m tests.benchmarks paging [--quick]`. One alert after the other, each of an incident of its own, over the
service's own routes, PagerDuty's. Kafka is part of the second row only because the service publishes to it meanwhile.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from libs.events.adapters import open_bus
from libs.events.clock import SystemClock
from services.cli.wiring import settings_of
from tests.benchmarks.result import Result, below
from tests.benchmarks.servers import Servers
from tests.fixtures.paging import owned, people, receiving, written
from tests.fixtures.postgres import MigratedDatabases
from tests.fixtures.services import Database, Elsewhere, running


async def run(servers: Servers, *, quick: bool) -> Sequence[Result]:
    """The rows."""
    rounds = 50 if quick else 500
    with tempfile.TemporaryDirectory(dir=servers.directory) as folder:
        embedded_ms = await _measure(Database("sqlite:", Path(folder)), rounds)
        migrated = MigratedDatabases(servers.postgres)
        database = Database(migrated.reserve(), Path(folder), migrated)
        kafka_ms = await _measure(database, rounds, kafka_bootstrap_servers=servers.kafka.bootstrap_servers)
        migrated.drop()
    return [
        below("alert to first notification at the channel, embedded, p99", embedded_ms, "ms", limit=200),
        below("alert to first notification at the channel, PostgreSQL and Kafka, p99", kafka_ms, "ms", limit=1_000),
    ]


async def _measure(database: Database, rounds: int, **settings: Any) -> float:
    taken_ms: list[float] = []
    async with receiving() as receiver, calling(database, receiver.url, settings) as (incidents, key):
        for number in range(rounds):
            event: dict[str, Any] = {"routing_key": key, "event_action": "trigger", "dedup_key": f"disk/{number}"}
            event["payload"] = {"summary": f"disk {number} is full", "source": "db-1", "severity": "critical"}
            started = time.perf_counter()
            await incidents.call("POST", "/v2/enqueue", event, expect=202)
            async with asyncio.timeout(30):
                while len(receiver.taken) <= number:
                    await asyncio.sleep(0.0005)
            taken_ms.append((time.perf_counter() - started) * 1e3)
    return sorted(taken_ms)[int(len(taken_ms) * 0.99)]


@asynccontextmanager
async def calling(database: Database, url: str, settings: Any) -> AsyncGenerator[tuple[Any, str]]:
    """Incidents with somebody to call, and the key of a sender."""
    clock = SystemClock()
    chosen = settings_of("incidents", database_url=database.url, data_dir=database.data_dir, **settings)
    async with (
        open_bus(chosen, clock) as bus,
        running("incidents", database, bus=bus, clock=clock, outbound_private=True, **settings) as incidents,
    ):
        lifecycle = Elsewhere("lifecycle", bus, clock)
        await people(incidents, lifecycle, "ana", base=url)
        await owned(incidents, lifecycle, "cart-api")
        await written(incidents, steps=[{"targets": [{"kind": "person", "name": "ana"}], "delay": "P1D"}])
        sender = {"name": "pd", "kind": "pagerduty", "service": "cart-api", "group_by": []}
        made = await incidents.call("POST", "/v1/integrations", sender, expect=201)
        yield incidents, made["routing_key"]
