"""`concordat incidents watch` beside a real server that is taken away and comes back."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from services.cli.watching import watch
from tests.fixtures.servers import ConcordatServer

SOON_S = 60


async def test_who_watches_an_incident_misses_nothing_when_the_server_comes_back(
    concordat_server: ConcordatServer,
) -> None:
    server = concordat_server
    await _sent(server, "/v1/teams", {"name": "checkout", "kind": "dev", "display_name": "Checkout"})
    await _sent(server, "/v1/services", {"name": "shop", "owner_team": "checkout", "tier": 1})
    await _sent(server, "/v1/incidents", {"title": "Shop fails", "service": "shop", "severity": "sev2"})
    await _heard_of(server, "INC-1")
    lines: list[dict[str, Any]] = []
    watching = asyncio.ensure_future(_keep(server, lines))
    try:
        await _until(watching, lambda: lines)
        await _sent(server, "/v1/incidents/INC-1/timeline", {"text": "before"})
        await _until(watching, lambda: "noted: before" in _said(lines))

        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await _sent(server, "/v1/incidents/INC-1/timeline", {"text": "after"})
        await _sent(server, "/v1/deployments", {"service": "shop", "version": "1.42.0"})

        await _until(watching, lambda: "deployment recorded: 1.42.0" in _said(lines) and "noted: after" in _said(lines))
    finally:
        watching.cancel()
    assert (lines[0]["number"], lines[0]["what"]) == ("INC-1", "triage: Shop fails")
    assert [said for said in _said(lines) if said.startswith("noted")] == ["noted: before", "noted: after"]


async def _keep(server: ConcordatServer, lines: list[dict[str, Any]]) -> None:
    async for line in watch(server.url, server.api_key, "INC-1", [], forever=True):
        lines.append(line["item"])  # noqa: PERF401  they are looked at while they come


def _said(lines: list[dict[str, Any]]) -> list[str]:
    return [line["what"] for line in lines]


async def _until(watching: "asyncio.Future[None]", seen: Callable[[], object]) -> None:
    """Return once *seen*; fail when the watching ended, or the time is up."""
    async with asyncio.timeout(SOON_S):
        while not seen():
            if watching.done():
                watching.result()
            await asyncio.sleep(0.02)


async def _heard_of(server: ConcordatServer, number: str) -> None:
    """Return once the gateway, which streams it, has heard of the incident."""
    async with asyncio.timeout(SOON_S), httpx.AsyncClient(base_url=server.url) as client:
        while number not in (await client.get("/v1/overview", headers={"X-API-Key": server.api_key})).text:
            await asyncio.sleep(0.02)


async def _sent(server: ConcordatServer, path: str, body: dict[str, Any]) -> None:
    headers = {"X-API-Key": server.api_key}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=SOON_S) as client:
        answer = await client.post(path, json=body)
        assert answer.status_code == 201, answer.text
