from datetime import timedelta

import httpx
from fastapi import FastAPI

from libs.events.testing import FrozenClock


async def test_a_process_that_turns_is_alive_started_and_ready(client: httpx.AsyncClient) -> None:
    for path in ("/livez", "/startupz", "/readyz"):
        assert (await client.get(path, headers={"Authorization": ""})).status_code == 200


async def test_a_draining_process_is_alive_but_not_ready(client: httpx.AsyncClient, app: FastAPI) -> None:
    app.state.health.draining.set()
    assert (await client.get("/livez")).status_code == 200
    assert (await client.get("/readyz")).status_code == 503


async def test_a_draining_process_closes_its_connections(client: httpx.AsyncClient, app: FastAPI) -> None:
    app.state.health.draining.set()
    assert (await client.get("/livez")).headers["Connection"] == "close"


async def test_verbose_says_what_else_is_up(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz?verbose")
    lines = ["[+] serving", "[+] store: head at 0 (informational)"]
    lines += ["[+] relay: 0 events wait, the oldest for 0 s (informational)", "ready"]
    assert answer.text.splitlines() == lines


async def test_a_store_that_is_away_does_not_unready(client: httpx.AsyncClient, app: FastAPI) -> None:
    async def away() -> int:
        raise ConnectionRefusedError

    app.state.resources.store.head = away
    answer = await client.get("/readyz?verbose")
    assert (answer.status_code, "[-] store: ConnectionRefusedError" in answer.text) == (200, True)


async def test_a_process_that_starts_is_alive_but_not_ready(client: httpx.AsyncClient, app: FastAPI) -> None:
    app.state.health.started = lambda: False
    answers = [(await client.get(path)).status_code for path in ("/livez", "/startupz", "/readyz")]
    assert answers == [200, 503, 503]


async def test_verbose_says_what_no_relay_has_published(client: httpx.AsyncClient, clock: FrozenClock) -> None:
    await client.post("/v1/counters", json={"name": "waiting"})
    clock.advance(timedelta(minutes=5))
    answer = await client.get("/readyz?verbose")
    assert "[-] relay: 1 events wait, the oldest for 300 s (informational)" in answer.text
