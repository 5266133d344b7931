"""A game day: an outage from its first alert to closed actions, while processes and servers die in the middle of it."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local.server import LocalServer
from tests.e2e.outage import ALERTS_WHILE_AWAY, Outage
from tests.fixtures.paging import receiving
from tests.fixtures.servers import DevServers


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[DevServers]:
    """A process for each role, on a PostgreSQL and a Kafka of their own; webhooks may lead to this machine."""
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CONCORDAT_OUTBOUND_PRIVATE", "true")
    monkeypatch.setenv("CONCORDAT_OUTBOUND_TIMEOUT_S", "2")
    servers = DevServers(tmp_path / "dev")
    servers.start()
    yield servers
    servers.stop()


@asynccontextmanager
async def started(server: LocalServer) -> AsyncGenerator[None]:
    """A server that runs meanwhile; webhooks are answered while it starts."""
    try:
        await asyncio.to_thread(server.start)
        yield
    finally:
        await asyncio.to_thread(server.stop)


@pytest.mark.timeout(600)
@pytest.mark.postgres
@pytest.mark.kafka
async def test_an_outage_goes_from_its_first_alert_to_closed_actions_whatever_dies_meanwhile(
    servers: DevServers, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    async with receiving() as receiver, httpx.AsyncClient(base_url=servers.url, timeout=30) as http:
        outage = Outage(http=http, receiver=receiver, servers=servers)
        await outage.prepare()
        await outage.the_worker_dies_between_the_alert_and_the_page()
        await outage.alerts_arrive_while_kafka_is_gone()
        async with started(servers.kafka):
            await outage.nobody_answers()
            await outage.work()
            await outage.hand_over()
            await outage.end()
            await outage.learn()
            await outage.follow_through()
            await outage.figures()
            counts = await outage.account()
            assert await asyncio.to_thread(servers.stop) == 0
    with capsys.disabled():
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        sys.stdout.write(f"\n  game day of {time.monotonic() - began:.0f} s: {told}\n")
    assert (counts["alerts"], counts["lost"], counts["astray"]) == (ALERTS_WHILE_AWAY + 1 + 5, 0, 0)
    assert (counts["incidents"], counts["pages"], counts["ids"], counts["unseen"]) == (2, 3, 3, 0)
    assert (counts["kills"], counts["undelivered"], counts["asked_again"]) == (3, 0, counts["unanswered"])
