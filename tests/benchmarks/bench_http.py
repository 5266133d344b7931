"""How fast commands are answered over HTTP, at their owner and through the gateway, and how soon they are seen.

`python -m tests.benchmarks http [--quick]` runs these rows alone. Every server is a process of its own, and so
is the load; all of them share the machine's cores.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

from deploy.local.kafka import KafkaServer
from deploy.local.server import free_port
from libs.events.migrate import upgrade
from libs.web.internal_auth import Principal, sign
from tests.benchmarks import load
from tests.benchmarks.result import Result, against, alternate, below
from tests.benchmarks.servers import Servers, process

_PROCESS = ("-m", "tests.benchmarks.http_process")
_CONCORDAT = ("-m", "services.cli.main")
_NAMES = count(1)
_BENCH = Principal("bench", "machine", frozenset({"*"}), "bench")


async def run(servers: Servers, *, quick: bool) -> list[Result]:
    """The HTTP rows of the table."""
    return [
        *await bench_commands(servers, quick=quick),
        *await bench_visible_embedded(servers.directory / "embedded", quick=quick),
        *await bench_visible_kafka(servers.directory / "dev", quick=quick),
        *await bench_start(servers.directory, quick=quick),
    ]


async def bench_commands(servers: Servers, *, quick: bool) -> list[Result]:
    """64 clients register teams: at the owner, through the gateway, through a gateway that forwards with httpx."""
    total, rounds = (800, 3) if quick else (8_000, 5)
    key = secrets.token_urlsafe(48)
    settings = {"CONCORDAT_INTERNAL_KEY": key, "CONCORDAT_DATA_DIR": str(servers.directory)}
    async with AsyncExitStack() as stack:
        database = {"CONCORDAT_DATABASE_URL": stack.enter_context(servers.database())}
        await upgrade(database["CONCORDAT_DATABASE_URL"], "lifecycle")
        owner = await stack.enter_async_context(process(*_PROCESS, "owner", env=settings | database))
        url = f"http://127.0.0.1:{owner}"
        ours = {"CONCORDAT_LIFECYCLE_URL": url, "CONCORDAT_DATABASE_URL": "memory:"}
        gateway = await stack.enter_async_context(process(*_PROCESS, "gateway", env=settings | ours))
        with_httpx = await stack.enter_async_context(process(*_PROCESS, "httpx-gateway", url, env=settings))
        api_key = _api_key(servers.directory)

        async def commands(
            port: int, headers: Mapping[str, str], path: str = "/v1/teams", number: int = total
        ) -> float:
            return (await load.run(port, [_register_team(headers, path) for _ in range(number)])).per_second

        def signed() -> Mapping[str, str]:  # anew for each round: a token lives a minute
            return {"Authorization": f"Bearer {sign(_BENCH, 'lifecycle', key, now_s=time.time())}"}

        reference, at_owner, through_gateway, through_httpx = await alternate(
            rounds,
            lambda: commands(owner, signed(), "/v1/reference/teams"),
            lambda: commands(owner, signed()),
            lambda: commands(gateway, api_key),
            lambda: commands(with_httpx, signed(), number=total // 8),  # it takes as long
        )
    parses = "the same app, parsing and answering"
    return [
        against("command over HTTP at the owner, Postgres", at_owner, "req/s", parses, reference, at_least=0.5),
        against("the same through the gateway", through_gateway, "req/s", parses, reference, at_least=0.3),
        against(
            "the same through the gateway", through_gateway, "req/s", "a gateway with httpx", through_httpx, at_least=5
        ),
    ]


async def bench_visible_embedded(data_dir: Path, *, quick: bool) -> list[Result]:
    """Read the gateway's view of a service with the token of its registration, everything in one process."""
    settings = {"CONCORDAT_DATA_DIR": str(data_dir)}
    port = free_port()
    async with process(*_CONCORDAT, "serve", "--port", str(port), env=settings, port=port):
        p99_ms = await _visible_p99_ms(port, _api_key(data_dir), quick=quick)
    return [below("event in the gateway's view after the 201, embedded, p99", p99_ms, "ms", limit=30)]


async def bench_visible_kafka(dev_dir: Path, *, quick: bool) -> list[Result]:
    """The same with a process per role, Postgres and Kafka (`make dev`)."""
    port = free_port()
    settings = {
        "DEV_DIR": str(dev_dir),
        "DEV_GATEWAY_PORT": str(port),
        "DEV_KAFKA_PORT": str(free_port()),
        "DEV_POSTGRES_PORT": str(free_port()),
    }
    KafkaServer(dev_dir)  # fetches what is not cached yet, outside of the time to start
    async with process("-m", "deploy.local.dev", env=settings, port=port):
        p99_ms = await _visible_p99_ms(port, _api_key(dev_dir), quick=quick)
    return [below("event in the gateway's view after the 201, Kafka, p99", p99_ms, "ms", limit=100)]


async def bench_start(directory: Path, *, quick: bool) -> list[Result]:
    """From the start of the process to its first answer, beside FastAPI and uvicorn with nothing of ours."""

    async def started(*arguments: str, port: int = 0) -> float:
        settings = {"CONCORDAT_DATA_DIR": str(directory / f"start-{next(_NAMES)}")}
        began = time.perf_counter()
        async with process(*arguments, env=settings, port=port):  # it has answered one, that it is ready
            return time.perf_counter() - began

    def ours() -> "asyncio.Future[float]":
        port = free_port()
        return asyncio.ensure_future(started(*_CONCORDAT, "serve", "--port", str(port), port=port))

    seconds, bare = await alternate(1 if quick else 3, ours, lambda: started(*_PROCESS, "bare"))
    return [
        Result(
            "concordat serve to its first answer",
            seconds,
            "s",
            "bare FastAPI",
            bare,
            seconds / bare,
            "< 3 s",
            seconds < 3,
        )
    ]


async def _visible_p99_ms(port: int, headers: Mapping[str, str], *, quick: bool) -> float:
    """Services registered at 200 a second; how long after its 201 each is in the gateway's view."""
    team = f"team-{next(_NAMES)}"
    await load.run(port, [_post("/v1/teams", {"name": team, "kind": "dev"}, headers)], clients=1)
    names = [f"service-{next(_NAMES)}" for _ in range(600 if quick else 4_000)]
    requests = [_post("/v1/services", {"name": name, "owner_team": team, "tier": 1}, headers) for name in names]
    reads = [load.request("GET", f"/v1/services/{name}", headers) for name in names]
    await load.run(port, requests[:200], reads=reads[:200], per_second=200, clients=32)
    report = await load.run(port, requests[200:], reads=reads[200:], per_second=200, clients=32)
    return report.p99_ms()


def _api_key(directory: Path) -> Mapping[str, str]:
    return {"X-API-Key": (directory / "admin.key").read_text(encoding="ascii").strip()}


def _register_team(headers: Mapping[str, str], path: str) -> bytes:
    return _post(path, {"name": f"team-{next(_NAMES)}", "kind": "dev", "display_name": "A team"}, headers)


def _post(path: str, body: object, headers: Mapping[str, str]) -> bytes:
    return load.request("POST", path, dict(headers), json.dumps(body).encode())
