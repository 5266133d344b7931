"""The demo's two years, reading the past of a long stream, and the unified view of a service.

`python -m tests.benchmarks demo [--quick]`. The load is the command itself, its start included; the view is read from a
process of its own that has just begun, by another one that sends 200 requests a second.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

from deploy.local.server import free_port
from libs.events.envelope import Context, Metadata
from libs.events.handler import CommandHandler
from libs.events.sqlite import SqliteStore
from libs.events.store import AppendRequest, StreamWrite
from services.cli.demo.history import history
from services.lifecycle.contract import CONTRACT, TEAM
from services.lifecycle.domain.team.events import TeamChanged, TeamRegistered
from tests.benchmarks import load
from tests.benchmarks.result import Result
from tests.benchmarks.servers import Servers, process

_ROOT = Path(__file__).parents[2]
_NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
_LONG = 1_000  # events of a stream
_SERVICES = 50
_PER_SECOND = 200
_LOAD_WITHIN_S = 300


async def run(servers: Servers, *, quick: bool) -> Sequence[Result]:
    """The rows."""
    return [
        await bench_load(servers.directory / "demo"),
        await bench_as_of(servers.directory / "as-of.db", quick=quick),
        await bench_view(servers.directory / "view", quick=quick),
    ]


async def bench_load(data_dir: Path) -> Result:
    """`concordat demo load` into a new data directory, beside making the same history and writing nothing."""
    began = time.perf_counter()
    history(1, _NOON.replace(hour=0))
    made_s = time.perf_counter() - began
    began = time.perf_counter()
    command = ("-m", "services.cli.main", "demo", "load", "--json", "--data-dir", str(data_dir))
    loading = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=_ROOT, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(_LOAD_WITHIN_S):
        out, _ = await loading.communicate()
    took_s = time.perf_counter() - began
    written = json.loads(out)["summary"]["events"]
    name, reference = f"demo load of two years, {written:,} events", "making the history alone"
    return Result(name, took_s, "s", reference, made_s, took_s / made_s, "< 30 s", took_s < 30)


async def bench_as_of(path: Path, *, quick: bool) -> Result:
    """What a team was known to be, beside reading those events and folding nothing."""
    store = SqliteStore(path)
    await store.start()
    try:
        handler = CommandHandler(store, CONTRACT)
        told: list[object] = [TeamRegistered("t", "dev", "T 0", _NOON)]
        told += [TeamChanged("t", f"T {number}", _NOON) for number in range(1, _LONG)]
        new = handler.encode(told, Context.of_request(_NOON, Metadata(actor="ana")))
        await store.append(AppendRequest((StreamWrite("team/t", 0, new),), recorded_at=_NOON))
        then = _NOON + timedelta(days=1)
        ours, bare = [], []
        for _ in range(100 if quick else 500):
            began = time.perf_counter()
            await handler.load(TEAM, "t", as_of=then)
            folded = time.perf_counter()
            assert len(await store.load("team/t", as_of=then)) == _LONG
            ours.append((folded - began) * 1e3)
            bare.append((time.perf_counter() - folded) * 1e3)
    finally:
        await store.close()
    value, reference = _p99(ours), _p99(bare)
    name = f"as_of on a stream of {_LONG:,} events, p99"
    return Result(name, value, "ms", "reading the events alone", reference, value / reference, "< 50 ms", value < 50)


async def bench_view(data_dir: Path, *, quick: bool) -> Result:
    """`GET /v1/services/{service}` of the embedded process, beside a route of bare FastAPI at the same pace."""
    number, port = 600 if quick else 3_000, free_port()
    settings = {"CONCORDAT_DATA_DIR": str(data_dir)}
    async with process("-m", "services.cli.main", "serve", "--port", str(port), env=settings, port=port):
        headers = {"X-API-Key": (data_dir / "admin.key").read_text(encoding="ascii").strip()}
        team = json.dumps({"name": "checkout", "kind": "dev"}).encode()
        await load.run(port, [load.request("POST", "/v1/teams", headers, team)], clients=1)
        names = [f"service-{each}" for each in range(_SERVICES)]
        bodies = [json.dumps({"name": name, "owner_team": "checkout", "tier": 1}).encode() for name in names]
        await load.run(port, [load.request("POST", "/v1/services", headers, body) for body in bodies], clients=4)
        await asyncio.sleep(1)  # the views follow the log
        reads = [load.request("GET", f"/v1/services/{names[each % _SERVICES]}", headers) for each in range(number)]
        await load.run(port, reads[:_PER_SECOND], clients=16, per_second=_PER_SECOND)
        ours = (await load.run(port, reads, clients=16, per_second=_PER_SECOND)).p99_ms()
    async with process("-m", "tests.benchmarks.http_process", "bare", env={}) as bare_port:
        alive = [load.request("GET", "/livez", {})] * number
        bare = (await load.run(bare_port, alive, clients=16, per_second=_PER_SECOND)).p99_ms()
    name = f"unified view of a service at {_PER_SECOND}/s, p99"
    return Result(name, ours, "ms", "a route of bare FastAPI", bare, ours / bare, "< 15 ms", ours < 15)


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]
