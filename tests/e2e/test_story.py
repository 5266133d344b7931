"""The story in both set-ups: told, every process killed, told again from the logs, every read model rebuilt."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import httpx
import pytest

from services.cli.main import SERVICES
from tests.e2e.story import Teller
from tests.fixtures.servers import ConcordatServer, DevServers, concordat, digests


async def tell_twice(servers: ConcordatServer | DevServers, environments: Sequence[Mapping[str, str]]) -> None:
    """Tell the story; kill everything; rebuild everything; the answers stay the same."""
    async with httpx.AsyncClient(base_url=servers.url, headers={"X-API-Key": servers.api_key}, timeout=30) as http:
        teller = Teller(http, datetime.now(UTC).replace(second=0, microsecond=0))
        await teller.tell()
        told = await teller.settled()

    servers.kill()
    servers.start()
    async with httpx.AsyncClient(base_url=servers.url, headers={"X-API-Key": servers.api_key}, timeout=30) as http:
        teller.http = http
        assert await teller.answers() == told, "after kill -9"

        for environment in environments:
            before = digests(environment)
            concordat(environment, "projections", "rebuild", "all")
            assert digests(environment) == before
            verified = concordat(environment, "events", "verify")
            assert {line["summary"]["faults"] for line in verified} == {0}
        assert await teller.answers() == told, "after the rebuild"
    assert servers.stop() == 0


@pytest.mark.timeout(240)
async def test_the_story_in_one_process_survives_a_kill_and_a_rebuild(concordat_server: ConcordatServer) -> None:
    await tell_twice(concordat_server, [concordat_server.environment])


@pytest.mark.timeout(600)
@pytest.mark.postgres
@pytest.mark.kafka
async def test_the_story_on_postgres_and_kafka_survives_a_kill_of_every_process_and_a_rebuild(
    dev_servers: DevServers,
) -> None:
    await tell_twice(dev_servers, [dev_servers.environment(service) for service in SERVICES])
