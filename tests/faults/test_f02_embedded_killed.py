"""F2: kill -9 of the embedded process under load, three times: nothing acknowledged is lost or doubled.

The next start needs no repair, and the read models equal rebuilt ones.
"""

import asyncio
from typing import Any

import httpx
import pytest

from tests.fixtures.servers import ConcordatServer, concordat, digests

CLIENTS, KILLS, ACKNOWLEDGED_BEFORE_A_KILL = 16, 3, 150


class Load:
    """Clients that register teams until the server is gone, and remember what was acknowledged."""

    def __init__(self, http: httpx.AsyncClient, life: int) -> None:
        self._http, self._life = http, life
        self.acknowledged: list[str] = []
        self.enough = asyncio.Event()

    async def client(self, number: int) -> None:
        count = 0
        while True:
            name = f"team-{self._life}-{number}-{count}"
            count += 1
            try:
                answer = await self._http.post("/v1/teams", json={"name": name, "kind": "dev"})
            except httpx.TransportError:
                return
            assert answer.status_code == 201, answer.text
            self.acknowledged.append(name)
            if len(self.acknowledged) >= ACKNOWLEDGED_BEFORE_A_KILL:
                self.enough.set()


async def pages(http: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """Every item of a list."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = (await http.get(path, params={"page_size": 1000} | ({"page_token": token} if token else {}))).json()
        found += page["items"]
        token = page["next_page_token"]
        if not token:
            return found


async def names(http: httpx.AsyncClient) -> list[str]:
    """Every team in the read model."""
    return [team["name"] for team in await pages(http, "/v1/teams")]


async def journal(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Every registration of a team that the gateway has heard of."""
    return await pages(http, "/v1/events?type=io.concordat.lifecycle.team.registered.v1")


@pytest.mark.timeout(240)
async def test_nothing_acknowledged_is_lost_or_doubled(concordat_server: ConcordatServer) -> None:
    server, acknowledged = concordat_server, list[str]()
    for life in range(KILLS):
        headers = {"X-API-Key": server.api_key}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http:
            load = Load(http, life)
            clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
            await load.enough.wait()
            server.kill()
            await asyncio.gather(*clients)
        acknowledged += load.acknowledged
        server.start()

    async with httpx.AsyncClient(base_url=server.url, headers={"X-API-Key": server.api_key}, timeout=30) as http:
        async with asyncio.timeout(30):
            while len(found := await names(http)) < len(acknowledged):
                await asyncio.sleep(0.1)  # the read model catches up with the log
        async with asyncio.timeout(30):
            while len(await journal(http)) < len(found):
                await asyncio.sleep(0.1)  # so does the gateway's
    lost, doubled = set(acknowledged) - set(found), len(found) - len(set(found))
    print(f"F2: acknowledged {len(acknowledged)}, found {len(found)}, lost {len(lost)}, doubled {doubled}")  # noqa: T201
    assert (len(lost), doubled) == (0, 0)

    live = digests(server.environment)
    concordat(server.environment, "projections", "rebuild", "all")
    assert digests(server.environment) == live
    verified = concordat(server.environment, "events", "verify")
    assert {line["summary"]["faults"] for line in verified} == {0}
