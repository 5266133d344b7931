"""What an error-budget policy does about incidents, with a real Kafka between services and PostgreSQL under them."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.kafka import KafkaServer
from libs.events.bus import MEASUREMENTS, events_topic
from libs.events.kafka import KafkaBus
from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal, sign
from tests.fixtures.postgres import MigratedDatabases
from tests.fixtures.services import KEY, Database, Running, eventually, running
from tests.fixtures.slo import NOW, Slo, running_slo

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(300)]

HOUR = timedelta(hours=1)
POLICY = "/v1/error-budget-policies/checkout-api"
DOCUMENT: dict[str, Any] = {
    "service": "checkout-api",
    "executive": "cleo",
    "signers": {"development": ["ana"], "sre": ["bo"]},
    "revisit_by": "2027-11-21",
}
DEADLINE_S = 120.0  # a broker's groups find their members slowly


@pytest.fixture
def databases(migrated_databases: MigratedDatabases, tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """A database for each of two services."""
    urls = migrated_databases.reserve(), migrated_databases.reserve()
    yield Database(urls[0], tmp_path, migrated_databases), Database(urls[1], tmp_path, migrated_databases)
    migrated_databases.drop(*urls)


@asynccontextmanager
async def _running(
    databases: tuple[Database, Database], broker: KafkaServer, clock: FrozenClock
) -> AsyncGenerator[tuple[Slo, Running]]:
    """The services slo and incidents, which hear each other."""
    async with AsyncExitStack() as stack:
        bus = KafkaBus(broker.bootstrap_servers)
        await bus.start()
        stack.push_async_callback(bus.close)
        await bus.ensure_topics([MEASUREMENTS, *map(events_topic, ("lifecycle", "slo", "incidents"))])
        slo = await stack.enter_async_context(running_slo(databases[0], clock, bus))
        yield slo, await stack.enter_async_context(running("incidents", databases[1], bus=bus, clock=clock))


async def test_an_outage_freezes_pages_and_asks_for_a_postmortem_which_is_enough(
    databases: tuple[Database, Database], fresh_kafka_server: KafkaServer
) -> None:
    clock = FrozenClock(NOW)
    async with _running(databases, fresh_kafka_server, clock) as (slo, incidents):
        await slo.define()
        await slo.call("POST", "/v1/error-budget-policies", DOCUMENT, expect=201)
        for side, by in (("development", "ana"), ("sre", "bo")):
            person = Principal(by, "person", frozenset({"*"}), "api-key", "key-2")
            token = sign(person, "slo", KEY, now_s=clock.now().timestamp())
            body = {"version": 1, "side": side, "reason": "fair"}
            await slo.call("POST", f"{POLICY}:sign", body, Authorization=f"Bearer {token}")
        await slo.measure(NOW - HOUR, 60, 500, 1000)

        async def frozen() -> bool:
            return (await slo.call("GET", POLICY))["state"] == "frozen"

        async def paged() -> Any:
            return (await incidents.call("GET", "/v1/incidents"))["items"]

        await eventually(frozen, DEADLINE_S)
        (incident,) = await eventually(paged, DEADLINE_S)
        path = f"/v1/incidents/{incident['id']}"
        times = {"impact_started": (NOW - HOUR).isoformat()}
        await incidents.call("PATCH", f"{path}/milestones", times, If_Match="*")
        await incidents.call("POST", f"{path}:resolve", {"force": True, "reason": "rolled back"})

        async def owed() -> dict[str, Any]:
            return {each["id"]: each["evidence"] for each in (await slo.call("GET", POLICY))["obligations"]}

        async def both() -> Any:
            found = await owed()
            return found if len(found) == 2 else None

        postmortem, item = f"postmortem:{incident['id']}", "quarterly-item:retry-storm:2026-Q4"
        assert await eventually(owed, DEADLINE_S) == {postmortem: None}
        await incidents.call("POST", f"{path}:classify", {"outage_class": "retry-storm"})
        assert await eventually(both, DEADLINE_S) == {postmortem: None, item: None}

        paper = await incidents.call("POST", "/v1/postmortems", {"incident": incident["id"]}, expect=201)
        task = {"postmortem": paper["id"], "title": "Limit retries", "owner": "ana", "type": "prevent"}
        task |= {"priority": "P0", "due": "2026-12-24"}
        await incidents.call("POST", "/v1/actions", task, expect=201)
        await incidents.call("POST", f"/v1/postmortems/{paper['id']}:publish", {"reason": "read by both sides"})

        async def done() -> Any:
            return (await owed())[postmortem]

        assert (await eventually(done, DEADLINE_S)).startswith(f"postmortem {paper['id']} with P0 action")
