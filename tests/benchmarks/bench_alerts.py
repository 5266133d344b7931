"""How fast alerts are taken, and what becomes of a storm.

`python -m tests.benchmarks alerts [--quick]` runs these rows alone.
"""

import asyncio
import json
import secrets
import time
from itertools import count

from sqlalchemy import func, select

from libs.events.adapters import open_resources
from libs.events.clock import SystemClock
from libs.events.embedded_log import EmbeddedLog
from libs.events.migrate import upgrade
from libs.events.store import Store
from libs.events.worker import Worker
from libs.web.internal_auth import Principal, sign
from services.cli.wiring import settings_of
from services.incidents.config import IncidentsSettings
from services.incidents.contract import CONTRACT
from services.incidents.domain.integration.decider import Active
from services.incidents.domain.integration.events import Profile
from services.incidents.grouping import Grouping
from services.incidents.projections.alerts import ALERTS
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.silences import SILENCES
from services.incidents.senders.sorting import Said
from services.incidents.senders.taking import Taking
from tests.benchmarks import load
from tests.benchmarks.result import Result, above, against, alternate, below
from tests.benchmarks.servers import Servers, process

_BENCH = Principal("anonymous", "machine", frozenset(), "none")
_KEYS = count(1)
SENDERS = 64
_STEADY = 500  # alerts per second: as many as answered tells how long the queue is, not how long one takes
GROUPS = 100


async def run(servers: Servers, *, quick: bool) -> list[Result]:
    """The rows of alerts."""
    return [*await bench_enqueue(servers, quick=quick), *await bench_storm(servers, quick=quick)]


async def bench_enqueue(servers: Servers, *, quick: bool) -> list[Result]:
    """64 senders trigger alerts at the owner; beside it, behind the same server, a route that only appends an event."""
    total, rounds = (2_000, 3) if quick else (20_000, 5)
    key, routing_key = secrets.token_urlsafe(48), secrets.token_hex(16)
    settings = {"CONCORDAT_INTERNAL_KEY": key, "CONCORDAT_DATA_DIR": str(servers.directory)}
    reports: dict[tuple[str, float], load.Report] = {}
    with servers.database() as url:
        await upgrade(url, "incidents")
        env = settings | {"CONCORDAT_DATABASE_URL": url}
        async with process("-m", "tests.benchmarks.http_process", "incidents", routing_key, env=env) as port:

            async def send(path: str, per_second: float = 0) -> float:
                headers = {"Authorization": f"Bearer {sign(_BENCH, 'incidents', key, now_s=time.time())}"}
                requests = [_trigger(path, headers, routing_key) for _ in range(total)]
                reports[path, per_second] = await load.run(port, requests, clients=SENDERS, per_second=per_second)
                return reports[path, per_second].per_second

            await send("/v2/enqueue")
            taken, bare = await alternate(rounds, lambda: send("/v2/enqueue"), lambda: send("/v2/reference"))
            await send("/v2/enqueue", _STEADY)
    p99_ms = reports["/v2/enqueue", _STEADY].p99_ms()
    name = "/v2/enqueue accepted and stored, 64 senders, Postgres"
    return [
        against(name, taken, "alerts/s", "bare group-commit append behind the same server", bare, at_least=0.4),
        below(f"{name}, p99 at {_STEADY} alerts/s", p99_ms, "ms", limit=25),
    ]


async def bench_storm(servers: Servers, *, quick: bool) -> list[Result]:
    """Alerts of 100 groups, as fast as 64 senders are answered, on PostgreSQL."""
    total = 5_000 if quick else 50_000
    with servers.database() as url:
        await upgrade(url, "incidents")
        settings = settings_of("incidents", database_url=url, data_dir=servers.directory, internal_key="-" * 48)
        assert isinstance(settings, IncidentsSettings)
        clock, bus = SystemClock(), EmbeddedLog(None, SystemClock())
        await bus.start()
        async with open_resources(settings, "incidents", CONTRACT, bus, clock) as resources:
            grouping = Grouping(resources, settings)
            worker = Worker(resources, projections=(ALERTS, INCIDENTS, SILENCES), followers=(grouping,), relay=False)
            stop = asyncio.Event()
            work = asyncio.create_task(worker.run(stop))
            while not worker.ready:
                await asyncio.sleep(0.01)
            taking = Taking(resources)
            first: dict[str, float] = {}
            opened = asyncio.create_task(_opened(resources.store, stop))
            started = time.perf_counter()
            await asyncio.gather(*(_sender(taking, number, total // SENDERS, first) for number in range(SENDERS)))
            accepted_s = time.perf_counter() - started
            sent = total // SENDERS * SENDERS
            while await resources.views.read(_joined) < sent and time.perf_counter() - started < 600:
                await asyncio.sleep(0.05)
            settled_s = time.perf_counter() - started
            joined = await resources.views.read(_joined)
            incidents = await resources.views.read(_incidents)
            stop.set()
            await work
            at = await opened
        await bus.close()
    latest_s = max(at[group] - first[group] for group in first if group in at)
    name = f"storm of {sent:,} alerts over {GROUPS} groups"
    return [
        above(f"{name}, accepted", sent / accepted_s, "alerts/s", limit=5_000 / 60),
        below(f"{name}: alerts in no incident", sent - joined, "alerts", limit=1),
        below(f"{name}: incidents", incidents, "incidents", limit=GROUPS + 1),
        below(f"{name}: first alert of a group to its incident, latest", latest_s, "s", limit=5),
        below(f"{name}: last alert to its incident", settled_s - accepted_s, "s", limit=5),
    ]


async def _sender(taking: Taking, number: int, alerts: int, first: dict[str, float]) -> None:
    sender = Active(
        "bench", "pagerduty", Profile("checkout-api", group_by=("group",)), "", SystemClock().now(), "bench"
    )
    for index in range(alerts):
        group = f"g{(index * SENDERS + number) % GROUPS}"
        context = taking.context("bench", "", "")
        key = f"{number}/{index}"
        said = Said(
            dedup_key=key,
            summary=f"{key} is broken",
            severity="critical",
            fired=context.at,
            labels={"group": group},
            details={},
        )
        await taking.take(sender, "trigger", key, said, context)
        first.setdefault(f"bench/{group}", time.perf_counter())


async def _opened(store: Store, stop: asyncio.Event) -> dict[str, float]:
    """When the incident of each group was there."""
    found: dict[str, float] = {}
    position = 0
    while not stop.is_set():
        for recorded in await store.read(position, 10_000):
            position = recorded.position
            if recorded.type.endswith("incident.declared.v1"):
                found.setdefault(json.loads(recorded.data)["group"], time.perf_counter())
        await store.wait(position, 0.2)
    return found


def _joined(connection: object) -> int:
    query = select(func.count()).select_from(ALERTS.view).where(ALERTS.view.c.incident != "")
    return connection.execute(query).scalar_one()  # type: ignore[attr-defined]


def _incidents(connection: object) -> int:
    return connection.execute(select(func.count()).select_from(INCIDENTS.view)).scalar_one()  # type: ignore[attr-defined]


def _trigger(path: str, headers: dict[str, str], routing_key: str) -> bytes:
    number = next(_KEYS)
    body = {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": f"disk/{number}",
        "payload": {
            "summary": f"disk of db-{number} is full",
            "source": f"db-{number}",
            "severity": "critical",
            "component": "postgres",
            "custom_details": {"free_bytes": 0, "note": "x" * 100},
        },
    }
    return load.request("POST", path, headers, json.dumps(body).encode())
