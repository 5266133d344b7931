"""A composite whose components two workers take in from a real Kafka, with PostgreSQL under them."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.kafka import KafkaServer
from libs.events.bus import MEASUREMENTS, events_topic
from libs.events.kafka import KafkaBus
from libs.events.testing import FrozenClock
from services.slo.collector import Collector
from services.slo.config import SloSettings
from tests.fixtures.postgres import MigratedDatabases
from tests.fixtures.services import Database, eventually
from tests.fixtures.slo import MINUTE, NOW, Slo, document, running_slo

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

DEADLINE_S = 120.0  # a broker's groups find their members slowly
PARTS = [f"part-{number}" for number in range(8)]


@pytest.fixture
def database(migrated_databases: MigratedDatabases, tmp_path: Path) -> Iterator[Database]:
    """A database of the test's own."""
    url = migrated_databases.reserve()
    yield Database(url, tmp_path, migrated_databases)
    migrated_databases.drop(url)


async def test_a_composite_counts_what_any_worker_takes_in(database: Database, fresh_kafka_server: KafkaServer) -> None:
    clock, bus = FrozenClock(NOW), KafkaBus(fresh_kafka_server.bootstrap_servers)
    await bus.start()
    await bus.ensure_topics([MEASUREMENTS, *map(events_topic, ("lifecycle", "slo"))])
    try:
        async with running_slo(database, clock, bus) as slo:
            for name in PARTS:
                await slo.define(name)
            whole = document("whole", 0.9)
            del whole["spec"]["indicator"]
            whole["spec"]["objectives"] = [{"target": 0.9, "indicatorRef": name} for name in PARTS]
            await slo.call("POST", "/v1/slos", whole, expect=201)
            stop, other = asyncio.Event(), Collector(slo.running.resources, SloSettings(tick_s=0.1))
            working = asyncio.create_task(other.run(stop))
            try:
                for number, name in enumerate(PARTS):
                    await slo.measure(NOW - MINUTE, 1, number, 10, name)
                await _until(slo, total=80, sli=0.35)
                clock.advance(timedelta(days=1))  # the figures are repeated once a day
                said = await eventually(lambda: _said(slo), DEADLINE_S)
                assert (said.sli, said.total) == (0.35, 80)
            finally:
                stop.set()
                await working
    finally:
        await bus.close()


async def _until(slo: Slo, **figures: Any) -> None:
    async def same() -> bool:
        status = await slo.call("GET", "/v1/slos/whole/status")
        return {name: status[name] for name in figures} == figures

    assert await eventually(same, DEADLINE_S)


async def _said(slo: Slo) -> Any:
    """The figures published about the composite that know of all measurements."""
    recorded = await slo.running.resources.store.load("budget/whole")
    events = map(slo.running.resources.registry.decode, recorded)
    return next(
        (each for each in events if getattr(each, "input_version", 0) == len(PARTS) and hasattr(each, "sli")), None
    )
