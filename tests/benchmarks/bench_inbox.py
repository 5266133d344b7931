"""How fast somebody's inbox is read among 2,000 services, each of which has something that waits for somebody.

`python -m tests.benchmarks inbox [--quick]`. Ana leads a development team with twenty services, and belongs to the SRE
team that is engaged with it and nine others: 200 services are hers to look at. The other 1,800 are rows of the read
models. The reference is a list over the same app: a page of 200 services.
"""

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, insert

from services.lifecycle.projections.risks import RISKS
from services.lifecycle.projections.services import SERVICES
from tests.benchmarks.result import Result, below, beside
from tests.fixtures.lifecycle_api import BO, signed_in
from tests.fixtures.services import Database, Running, eventually, running

TEAMS, OWNED, STRANGERS = 10, 20, 1_800
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


async def run(_: object, *, quick: bool) -> Sequence[Result]:
    """The rows."""
    with tempfile.TemporaryDirectory() as directory:
        async with running("lifecycle", Database("sqlite:", Path(directory))) as service:
            await _fill(service)
            inbox, page = "/v1/inbox?page_size=200", "/v1/services?page_size=200"
            await eventually(lambda: _holds(service, inbox))
            read_ms: list[float] = []
            listed_ms: list[float] = []
            for _each in range(100 if quick else 500):
                read_ms.append(await _timed(service, inbox))
                listed_ms.append(await _timed(service, page))
    return [
        below("inbox of a person among 2,000 services, 200 of them theirs, p99", _at(read_ms, 0.99), "ms", limit=50),
        beside("the same, median", _at(read_ms, 0.5), "ms", "a page of 200 services", _at(listed_ms, 0.5)),
    ]


async def _timed(service: Running, path: str) -> float:
    started = time.perf_counter()
    await service.call("GET", path)
    return (time.perf_counter() - started) * 1e3


async def _holds(service: Running, inbox: str) -> bool:
    """Whether everything that was said is in it: a risk of each service that Ana's own team has to assess."""
    found = await service.call("GET", inbox)
    return found["counts"].get("risk_assessment") == OWNED and found["counts"].get("charter_part", 0) >= TEAMS


async def _fill(service: Running) -> None:
    await service.call("POST", "/v1/teams", {"name": "sre", "kind": "sre", "members": ["bo", "ana"]}, expect=201)
    for number in range(TEAMS):
        await _team(service, number)
    await service.resources.views.write_long(_strangers)


async def _team(service: Running, number: int) -> None:
    """A development team, its services with a risk each, and an engagement."""
    team, lead = f"team-{number}", "cy" if number else "ana"
    body = {"name": team, "kind": "dev", "members": [lead], "leads": [lead]}
    await service.call("POST", "/v1/teams", body, expect=201)
    names = [f"service-{number}-{each}" for each in range(OWNED)]
    for name in names:
        body = {"name": name, "owner_team": team, "tier": 2, "phase": "general_availability"}
        await service.call("POST", "/v1/services", body, expect=201)
        await service.call("POST", "/v1/risks", {"service": name, "title": "a zone fails", "cause": "zone"}, expect=201)
    asked = {"sre_team": "sre", "dev_team": team, "services": names, "model": "full", "reason": "scale"}
    path = "/v1/engagements/" + (await service.call("POST", "/v1/engagements", asked, expect=201))["id"]
    await signed_in(service, BO).call("POST", f"{path}:triage", {"decision": "accepted", "reason": "it matters"})
    await service.call("POST", f"{path}:activate", {"reason": "begin"})


def _strangers(connection: Connection) -> None:
    """The services of everybody else, as copies of one of Ana's, each with its risk."""
    for projection, key in ((SERVICES, "name"), (RISKS, "risk")):
        table = projection.table(1)
        found = connection.execute(table.select().limit(1)).mappings().one()
        names = [f"stranger-{number:04}" for number in range(STRANGERS)]
        others = {"owner_team": "others", "sre_team": "", "engagement": ""} if projection is SERVICES else {}
        rows = [{**found, **others, "service": name, key: name} for name in names]
        connection.execute(insert(table), [{k: v for k, v in row.items() if k in table.columns} for row in rows])


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]
