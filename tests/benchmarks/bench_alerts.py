"""How fast alerts are taken, and what becomes of a storm.

`python -m tests.benchmarks alerts [--quick]` runs these rows alone.
"""

import asyncio
import json
import math
import secrets
import time
from collections import defaultdict
from itertools import count

from aiohttp import web
from sqlalchemy import Connection, func, select

from libs.events.clock import SystemClock
from libs.events.migrate import upgrade
from libs.web.internal_auth import Principal, sign
from services.incidents.domain.integration.decider import Active
from services.incidents.domain.integration.events import Profile
from services.incidents.projections.alerts import ALERTS
from services.incidents.senders.sorting import Said
from services.incidents.senders.taking import Taking
from tests.benchmarks import load
from tests.benchmarks.bench_paging import calling
from tests.benchmarks.result import Result, above, against, alternate, below, exactly
from tests.benchmarks.servers import Servers, process
from tests.fixtures.paging import Taken, receiving
from tests.fixtures.postgres import MigratedDatabases
from tests.fixtures.services import Database

_BENCH = Principal("anonymous", "machine", frozenset(), "none")
_KEYS = count(1)
SENDERS = 64
_STEADY = 500  # alerts per second: as many as answered tells how long the queue is, not how long one takes
GROUPS = 100
_SENDING_S = 60  # of a storm; on a busy machine it is the smaller
_PATIENCE_S = 100  # what is not done by then counts as lost
_QUIET_S = 2.0


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
    """Alerts of 100 groups, as fast as 64 senders are answered, on PostgreSQL, in one process with the worker.

    Somebody is called for each group: a page is late when its message arrives long after the group's first alert.
    """
    each = (5_000 if quick else 50_000) // SENDERS
    migrated = MigratedDatabases(servers.postgres)
    database = Database(migrated.reserve(), servers.directory, migrated)
    paged: dict[str, list[float]] = defaultdict(list)

    async def page(taken: Taken) -> web.Response:
        paged[json.loads(taken.body)["data"]["incident"]].append(time.perf_counter())
        return web.Response()

    async with receiving() as receiver, calling(database, receiver.url, {}) as (incidents, _):
        receiver.answer = page
        read = incidents.resources.views.read
        taking, first = Taking(incidents.resources), dict[str, float]()
        started = time.perf_counter()
        until = started + _SENDING_S
        sent = sum(await asyncio.gather(*(_sender(taking, n, each, until, first) for n in range(SENDERS))))
        accepted_s = time.perf_counter() - started
        while (joined := await read(_joined)) < sent and time.perf_counter() - started < _PATIENCE_S:
            await asyncio.sleep(0.1)
        settled_s = time.perf_counter() - started
        while len(paged) < GROUPS and time.perf_counter() - started < _PATIENCE_S:
            await asyncio.sleep(0.1)
        await asyncio.sleep(_QUIET_S)  # for a page that should not come
        opened = await read(_opened)
    migrated.drop()
    late_s = [min(paged[incident], default=math.inf) - first[group] for incident, group in opened]
    pages, name = sum(map(len, paged.values())), f"storm of {sent:,} alerts over {GROUPS} groups"
    return [
        above(f"{name}, accepted", sent / accepted_s, "alerts/s", limit=5_000 / 60),
        below(f"{name}: alerts in no incident", sent - joined, "alerts", limit=1),
        exactly(f"{name}: incidents", len(opened), "incidents", goal=GROUPS),
        exactly(f"{name}: pages at the channel", pages, "pages", goal=GROUPS),
        below(f"{name}: first alert of a group to its page, latest", max(late_s), "s", limit=5),
        below(f"{name}: last alert to its incident", settled_s - accepted_s, "s", limit=5),
    ]


async def _sender(taking: Taking, number: int, alerts: int, until: float, first: dict[str, float]) -> int:
    """How many it sent: *alerts*, or fewer when the time was over."""
    profile = Profile("cart-api", group_by=("group",))
    sender = Active("bench", "pagerduty", profile, "", SystemClock().now(), "bench")
    for index in range(alerts):
        group, key = f"g{(index * SENDERS + number) % GROUPS}", f"{number}/{index}"
        context = taking.context("bench", "", "")
        said = Said(
            dedup_key=key,
            summary=f"{key} is broken",
            severity="critical",
            fired=context.at,
            labels={"group": group},
            details={},
        )
        await taking.take(sender, "trigger", key, said, context)
        first.setdefault(f"bench/{group}", now := time.perf_counter())
        if now > until:
            return index + 1
    return alerts


def _joined(connection: Connection) -> int:
    query = select(func.count()).select_from(ALERTS.view).where(ALERTS.view.c.incident != "")
    return connection.execute(query).scalar_one()


def _opened(connection: Connection) -> list[tuple[str, str]]:
    """Incidents, and the group of their alerts."""
    c = ALERTS.view.c
    query = select(c.incident, func.min(c.group)).where(c.incident != "").group_by(c.incident)
    return [(row[0], row[1]) for row in connection.execute(query)]


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
