"""How fast gates are evaluated: of one service, and of 2,000 under another policy.

`python -m tests.benchmarks gates [--quick]`. The facts are read from SQLite as the routes read them. The reference of
one evaluation is the bare reading of its facts; of all, judging facts that are already in memory.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert

from libs.events.migrate import migrate
from libs.events.views import Views, open_views
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.gates import evaluate
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.policy import Number
from services.lifecycle.domain.simulation import differences
from services.lifecycle.projections import PROJECTIONS
from services.lifecycle.projections.evidence import EVIDENCE
from services.lifecycle.projections.facts import Standing, facts_of_all, read_facts
from services.lifecycle.projections.facts_slo import FACTS_SLO
from services.lifecycle.projections.services import SERVICES
from tests.benchmarks.result import Result, below, beside

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SERVICES_COUNT = 2_000


async def run(_: object, *, quick: bool) -> Sequence[Result]:
    """The rows."""
    policy = load_policies(LifecycleSettings()).gates
    async with open_views("memory:") as views:
        await views.write_long(migrate, "lifecycle")
        await views.start(list(PROJECTIONS))
        await views.write_long(_fill, list(policy.checks))
        rounds = 300 if quick else 2_000
        read_ms, whole_ms = [], []
        for number in range(rounds):
            name = f"service-{number % SERVICES_COUNT:04}"
            standing = Standing(
                service=name,
                phase=Phase.LIMITED_AVAILABILITY,
                phase_since=NOON - 60 * DAY,
                owner_team="checkout",
                tier=1,
            )
            started = time.perf_counter()
            facts = (await views.read(read_facts, [standing], NOON, name))[name]
            read_ms.append((time.perf_counter() - started) * 1e3)
            evaluate(policy, facts, Phase.GENERAL_AVAILABILITY, NOON)
            whole_ms.append((time.perf_counter() - started) * 1e3)
        all_s, judged_s = await _all(views)
    return [
        below("gate evaluation of one service, warm, p99", _p99(whole_ms), "ms", limit=20),
        beside("gate evaluation of one service, median", _p50(whole_ms), "ms", "reading its facts", _p50(read_ms)),
        below("2,000 services under another policy", all_s, "s", limit=10),
        beside("2,000 services under another policy, with reading", all_s, "s", "judging alone", judged_s),
    ]


async def _all(views: Views) -> tuple[float, float]:
    now = load_policies(LifecycleSettings()).gates
    books = now.checks["runbooks"]
    checks = {**now.checks, "runbooks": replace(books, max_age_days=Number(1.0, "[D] stricter"))}
    then = replace(now, version="next", checks=checks)
    started = time.perf_counter()
    facts: list[Facts] = list((await views.read_long(facts_of_all, NOON)).values())
    read = time.perf_counter()
    found = differences(now, then, facts, NOON)
    assert len(facts) == SERVICES_COUNT
    assert found
    done = time.perf_counter()
    return done - started, done - read


def _fill(connection: Connection, kinds: list[str]) -> None:
    """Services in two phases, each with all evidence and two SLOs."""
    names = [f"service-{number:04}" for number in range(SERVICES_COUNT)]
    table = SERVICES.table(1)
    phases = [Phase.ACTIVE_DEVELOPMENT, Phase.LIMITED_AVAILABILITY]
    columns = {column.name for column in table.columns}
    rows = [
        {
            "name": name,
            "phase": phases[number % 2].value,
            "phase_since": NOON - 60 * DAY,
            "tier": 1 + number % 4,
            "owner_team": "checkout",
            "registered_at": NOON - 90 * DAY,
            "recorded_at": NOON - 90 * DAY,
        }
        for number, name in enumerate(names)
    ]
    filled = [{column: row.get(column, _empty(table.columns[column])) for column in columns} for row in rows]
    connection.execute(insert(table), filled)
    evidence = [
        {
            "evidence": f"{name}-{kind}",
            "service": name,
            "kind": kind,
            "at": NOON - 5 * DAY,
            "url": "https://wiki.example/1",
            "by": "ana",
            "recorded": NOON,
            "outcome": "passed",
            "figures": {},
            "recorded_at": NOON,
        }
        for name in names
        for kind in kinds
    ]
    connection.execute(insert(EVIDENCE.table(1)), evidence)
    slos = [
        {
            "slo": f"{name}-{number}",
            "service": name,
            "revision": 1,
            "assessment": f"{name}-{number}",
            "assessed_revision": 1,
            "state": "met",
            "target": 0.99,
            "sli": 0.999,
            "coverage": 1.0,
            "window_start": NOON - 28 * DAY,
            "window_end": NOON,
            "remaining": 0.9,
        }
        for name in names
        for number in range(2)
    ]
    connection.execute(insert(FACTS_SLO.table(1)), slos)


def _empty(column: object) -> object:
    if getattr(column, "nullable", True):
        return None
    kind = str(getattr(column, "type", "")).upper()
    return [] if "JSON" in kind else 0 if "INT" in kind else ""


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def _p50(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
