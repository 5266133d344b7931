"""How fast it is known who is on call: a year of a schedule, and a moment over HTTP.

`python -m tests.benchmarks on_call [--quick]`. The reference of the year (`day_by_day.py`) shares no code with the
resolver, and says the same: that is looked at once. A moment is asked of the service in a process of its own, over
one connection: nine of ten lie within thirty days of now, one anywhere in a year; nothing was asked before. Time is
wall-clock time; beside it stands what of it the processor was busy for us, where that can be told.
"""

import random
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from libs.events.envelope import Context, Metadata
from libs.events.resources import Resources
from libs.web.internal_auth import Principal, sign
from services.incidents.contract import ROTATION, SCHEDULE
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import Layer, Override, Roster, RotationRevision, ScheduleRevision
from services.incidents.domain.on_call.turns import Rota
from services.incidents.domain.on_call.windows import WEEKDAYS, Window
from services.incidents.domain.person.events import Side
from services.incidents.domain.rotation import commands as of_rotation
from services.incidents.domain.schedule import commands as of_schedule
from tests.benchmarks import load
from tests.benchmarks.day_by_day import day_by_day
from tests.benchmarks.result import Result, against, below, beside
from tests.benchmarks.servers import Servers, process

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
YEAR = 365 * DAY
_BENCH = Principal("bench", "machine", frozenset({"*"}), "bench")
_NIGHTS = Window(WEEKDAYS, *(datetime(2026, 1, 1, hour).time() for hour in (20, 8)))  # noqa: DTZ001  wall times
_OFFICE = Window(WEEKDAYS[:5], *(datetime(2026, 1, 1, hour).time() for hour in (9, 17)))  # noqa: DTZ001  as above
_AT_ONCE = 500  # requests for one token, which lives a minute


async def run(servers: Servers, *, quick: bool) -> Sequence[Result]:
    """The rows."""
    return [*_year(5 if quick else 20), await _asked(servers, 1_000 if quick else 5_000)]


def _year(rounds: int) -> Sequence[Result]:
    """A year, ours and theirs in turns."""
    roster = roster_from(START)
    found = {(each.person, each.since, each.until) for each in resolve(roster, START, START + YEAR)}
    assert found == set(day_by_day(roster, START, 365))
    ours, busy, theirs = [], [], []
    for _ in range(rounds):
        started, worked = time.perf_counter(), time.process_time()
        resolve(roster, START, START + YEAR)
        ours.append((time.perf_counter() - started) * 1e3)
        busy.append((time.process_time() - worked) * 1e3)
        started = time.perf_counter()
        day_by_day(roster, START, 365)
        theirs.append((time.perf_counter() - started) * 1e3)
    year, name = median(ours), "final schedule of a year, 5 layers, 20 people"
    return [
        against(name, 1e3 / year, "years/s", "day by day", 1e3 / median(theirs), at_least=5),
        below(f"{name}, median", year, "ms", limit=50),
        beside(f"{name}, processor", median(busy), "ms", "wall clock", year),
    ]


def roster_from(start: datetime) -> Roster:
    """Five layers of four people each, three of them restricted, and for a year from *start* a cover a week."""
    lengths: list[tuple[Any, int]] = [("weekly", 1), ("daily", 1), ("hourly", 12), ("daily", 2), ("weekly", 2)]
    windows: list[tuple[Window, ...]] = [(), (_NIGHTS,), (_OFFICE,), (), (_NIGHTS, _OFFICE)]
    wall = start.replace(tzinfo=None) - 7 * DAY
    people = [tuple(f"p{layer}{number}" for number in range(4)) for layer in range(5)]
    rotations = {
        f"r{n}": (RotationRevision(Rota("Europe/Berlin", *length, wall, people[n]), start - 30 * DAY),)
        for n, length in enumerate(lengths)
    }
    layers = tuple(Layer(f"l{n}", f"r{n}", n % 3, window) for n, window in enumerate(windows))
    revision = ScheduleRevision("Europe/Berlin", ("checkout-api",), layers, (), "any", (), start - 30 * DAY)
    overrides = tuple(
        Override(
            f"o{n}", "cover", f"p0{n % 4}", "", start + n * 7 * DAY, start + n * 7 * DAY + 8 * HOUR, "", "p", start
        )
        for n in range(52)
    )
    return Roster("checkout", (revision,), overrides, rotations)


async def _asked(servers: Servers, times: int) -> Result:
    """The 99th percentile of asking who is on call, from the request to the answer."""
    key = secrets.token_urlsafe(48)
    settings = {"CONCORDAT_INTERNAL_KEY": key, "CONCORDAT_DATA_DIR": str(servers.directory)}
    env = settings | {"CONCORDAT_DATABASE_URL": "memory:"}
    now, chance = datetime.now(UTC), random.Random(1)  # noqa: S311  the same moments in every run
    taken: list[float] = []
    async with process("-m", "tests.benchmarks.http_process", "on-call", env=env) as port:
        for _ in range(0, times, _AT_ONCE):
            headers = {"Authorization": f"Bearer {sign(_BENCH, 'incidents', key, now_s=time.time())}"}
            report = await load.run(port, [_question(now, chance, headers) for _ in range(_AT_ONCE)], clients=1)
            taken += report.latencies_s
    p99 = sorted(taken)[int(len(taken) * 0.99)] * 1e3
    return below("on-call?at= over HTTP at the owner, p99", p99, "ms", limit=5)


def _question(now: datetime, chance: random.Random, headers: dict[str, str]) -> bytes:
    days = chance.uniform(-30, 30) if chance.random() < 0.9 else chance.uniform(-180, 180)
    at = now + days * DAY
    return load.request("GET", f"/v1/schedules/checkout/on-call?at={at:%Y-%m-%dT%H:%M:%SZ}", headers)


async def define(resources: Resources, start: datetime) -> None:
    """The same roster as streams."""
    roster = roster_from(start)
    context = Context.of_request(start - 30 * DAY, Metadata(actor="bench"))
    said: dict[str, Any] = {"by": "bench", "at": context.at}
    for name, (revision,) in roster.rotations.items():
        sides: dict[str, Side] = dict.fromkeys(revision.rota.participants, "sre")
        rotation = of_rotation.Define(
            rotation=name,
            display_name=name,
            rota=revision.rota,
            sides="any",
            people=sides,
            effective_from=context.at,
            **said,
        )
        await resources.handler.handle(ROTATION, name, rotation, context.part(name))
    commands: list[Any] = [
        of_schedule.Define(
            schedule=roster.schedule,
            display_name="Checkout",
            revision=roster.revisions[0],
            rotations=roster.rotations,
            **said,
        )
    ]
    for it in roster.overrides:
        told = {"override": it.override, "kind": it.kind, "person": it.person, "replaces": "", "start": it.start}
        commands.append(of_schedule.Decide(**told, end=it.end, rotations=roster.rotations, **said))
    for number, command in enumerate(commands):
        await resources.handler.handle(SCHEDULE, roster.schedule, command, context.part(f"{number}"))
