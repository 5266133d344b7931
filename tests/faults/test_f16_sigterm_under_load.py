"""F16: SIGTERM under load with an open SSE stream: 0 requests cut, nothing lost, exit within the grace period."""

import asyncio
import time
from collections import Counter
from itertools import count

import httpx
import pytest

from tests.fixtures.servers import ConcordatServer

CLIENTS = 24
ANSWERED_BEFORE = 300  # requests, until the signal
GRACE_S = 20


class Load:
    """Clients that register teams and read them, until the server takes no more connections."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.counted: Counter[str] = Counter()
        self.acknowledged: set[str] = set()
        self.failures: list[str] = []
        self.enough = asyncio.Event()
        self._numbers = count(1)

    async def client(self) -> None:
        while True:
            name = f"team-{next(self._numbers)}"
            try:
                written = await self.http.post("/v1/teams", json={"name": name, "kind": "dev", "display_name": name})
                self.counted[f"{written.status_code}"] += 1
                if written.status_code == 201:
                    self.acknowledged.add(name)
                read = await self.http.get(f"/v1/teams/{name}")
                self.counted[f"{read.status_code}"] += 1
            except httpx.ConnectError:
                return  # nothing was sent: another replica would have been asked
            except httpx.TransportError as error:
                self.counted["cut"] += 1
                self.failures.append(repr(error))
                return
            if self.counted.total() >= ANSWERED_BEFORE:
                self.enough.set()


async def stream_until_it_ends(http: httpx.AsyncClient, opened: asyncio.Event) -> str:
    async with http.stream("GET", "/v1/events/stream", timeout=60) as answer:
        assert answer.status_code == 200
        opened.set()
        return "".join([part async for part in answer.aiter_text()])


@pytest.mark.timeout(120)
async def test_no_request_is_cut_and_nothing_acknowledged_is_lost(concordat_server: ConcordatServer) -> None:
    server = concordat_server
    headers = {"X-API-Key": server.api_key}
    limits = httpx.Limits(max_connections=CLIENTS + 1)
    async with httpx.AsyncClient(base_url=server.url, headers=headers, limits=limits, timeout=30) as http:
        load, opened = Load(http), asyncio.Event()
        streaming = asyncio.create_task(stream_until_it_ends(http, opened))
        await opened.wait()
        clients = [asyncio.create_task(load.client()) for _ in range(CLIENTS)]
        await load.enough.wait()
        told = time.monotonic()
        code = await asyncio.to_thread(server.stop)
        took_s = time.monotonic() - told
        await asyncio.gather(*clients)
        streamed = await streaming

    server.start()
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http:
        answers = [await http.get(f"/v1/teams/{name}") for name in load.acknowledged]
    lost = sum(answer.status_code != 200 for answer in answers)

    figures = f"{dict(load.counted)}, acknowledged {len(load.acknowledged)}, lost {lost}, ended after {took_s:.1f} s"
    print(f"F16: {figures}")  # noqa: T201  the test's figures
    assert (code, load.failures, lost) == (0, [], 0)
    assert took_s < GRACE_S
    assert "io.concordat.lifecycle.team.registered.v1" in streamed
