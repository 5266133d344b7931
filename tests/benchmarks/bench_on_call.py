"""How fast it is known who is on call: a year of a schedule, and this moment over HTTP.

`python -m tests.benchmarks on_call [--quick]`. The reference of the year goes day by day, as schedulers do that look
at each day's layers and rules anew; it gives the same answer, which is checked.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import httpx

from libs.events.adapters import open_bus, open_resources
from libs.events.clock import SystemClock
from libs.events.envelope import Context, Metadata
from libs.events.resources import Resources
from libs.web.internal_auth import Principal, sign
from services.cli.wiring import settings_of
from services.incidents.app import create_app
from services.incidents.contract import CONTRACT, ROTATION, SCHEDULE
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import Layer, Override, Roster, RotationRevision, ScheduleRevision
from services.incidents.domain.on_call.turns import Rota
from services.incidents.domain.on_call.windows import WEEKDAYS, Window
from services.incidents.domain.person.events import Side
from services.incidents.domain.rotation import commands as of_rotation
from services.incidents.domain.schedule import commands as of_schedule
from tests.benchmarks.result import Result, against, below

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_BENCH = Principal("bench", "machine", frozenset({"*"}), "bench")
_KEY = "a-key-that-only-the-benchmark-knows-and-nobody-else"
_NIGHTS = Window(WEEKDAYS, *(datetime(2026, 1, 1, hour).time() for hour in (20, 8)))  # noqa: DTZ001  wall times
_OFFICE = Window(WEEKDAYS[:5], *(datetime(2026, 1, 1, hour).time() for hour in (9, 17)))  # noqa: DTZ001  as above


async def run(_: object, *, quick: bool) -> Sequence[Result]:
    """The rows."""
    rounds = 5 if quick else 20
    roster = _roster()
    ours, theirs = [], []
    for _round in range(rounds):
        started = time.perf_counter()
        found = resolve(roster, START, START + 365 * DAY)
        ours.append((time.perf_counter() - started) * 1e3)
        started = time.perf_counter()
        day_by_day = _day_by_day(roster, 365)
        theirs.append((time.perf_counter() - started) * 1e3)
        assert day_by_day == {(each.person, each.since, each.until, each.shadow) for each in found}
    year = median(ours)
    name = "final schedule of a year, 5 layers, 20 people"
    return [
        against(name, 1e3 / year, "years/s", "day by day", 1e3 / median(theirs), at_least=5),
        below(f"{name}, median", year, "ms", limit=50),
        below("on-call?at= over ASGI, p99", await _asked(roster, 300 if quick else 3_000), "ms", limit=5),
    ]


def _roster() -> Roster:
    """Five layers of four people each, three of them restricted, and an override a week."""
    lengths: list[tuple[Any, int]] = [("weekly", 1), ("daily", 1), ("hourly", 12), ("daily", 2), ("weekly", 2)]
    windows: list[tuple[Window, ...]] = [(), (_NIGHTS,), (_OFFICE,), (), (_NIGHTS, _OFFICE)]
    wall = START.replace(tzinfo=None) - 7 * DAY
    people = [tuple(f"p{layer}{number}" for number in range(4)) for layer in range(5)]
    rotations = {
        f"r{n}": (RotationRevision(Rota("Europe/Berlin", *length, wall, people[n]), START - 30 * DAY),)
        for n, length in enumerate(lengths)
    }
    layers = tuple(Layer(f"l{n}", f"r{n}", n % 3, window) for n, window in enumerate(windows))
    revision = ScheduleRevision("Europe/Berlin", ("checkout-api",), layers, (), "any", (), START - 30 * DAY)
    overrides = tuple(
        Override(
            f"o{n}", "cover", f"p0{n % 4}", "", START + n * 7 * DAY, START + n * 7 * DAY + 8 * HOUR, "", "p", START
        )
        for n in range(52)
    )
    return Roster("checkout", (revision,), overrides, rotations)


def _day_by_day(roster: Roster, days: int) -> set[tuple[str, datetime, datetime, bool]]:
    """Each day is laid out on its own; what reaches into it from other days is found again every day."""
    return {
        (each.person, each.since, each.until, each.shadow)
        for day in range(days)
        for each in resolve(roster, START + day * DAY, START + (day + 1) * DAY)
    }


async def _asked(roster: Roster, times: int) -> float:
    """The 99th percentile of asking who is on call, from the request to the answer."""
    clock = SystemClock()
    settings = settings_of("incidents", database_url="memory:", internal_key=_KEY)
    async with (
        open_bus(settings, clock) as bus,
        open_resources(settings, "incidents", CONTRACT, bus, clock) as resources,
    ):
        await _define(resources, roster)
        headers = {"Authorization": f"Bearer {sign(_BENCH, 'incidents', _KEY, now_s=time.time())}"}
        transport = httpx.ASGITransport(create_app(resources, settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://incidents", headers=headers) as client:
            taken: list[float] = []
            for number in range(times):
                at = f"{START + number % 90 * 8 * HOUR:%Y-%m-%dT%H:%M:%SZ}"  # in a month
                started = time.perf_counter()
                answer = await client.get(f"/v1/schedules/checkout/on-call?at={at}")
                taken.append((time.perf_counter() - started) * 1e3)
                answer.raise_for_status()
            return sorted(taken)[int(len(taken) * 0.99)]


async def _define(resources: Resources, roster: Roster) -> None:
    """The same as streams."""
    context = Context.of_request(START - 30 * DAY, Metadata(actor="bench"))
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
