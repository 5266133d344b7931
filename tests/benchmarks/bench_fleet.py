"""How fast many SLOs are evaluated from what is stored, how soon after a restart, and how little they take up.

`python -m tests.benchmarks fleet [--quick]`. All SLOs hold the same measurements, packed once: what is measured is
reading and evaluating them, not making them. Seconds are of one core.
"""

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, insert, select

from libs.events.migrate import migrate
from libs.events.views import Views, open_views
from services.slo.domain.assessment import Terms
from services.slo.domain.burn_rate import default_tiers
from services.slo.domain.day_sums import DAY_MIN
from services.slo.domain.error_budget import Target
from services.slo.domain.windows import Rolling
from services.slo.evaluation import assessment, fill, first_wants, lacking
from services.slo.measurements.blocks import Entries, hourly, joined_hours, pack, pack_hours, series
from services.slo.measurements.book import Book, Promised
from services.slo.measurements.buckets import HOURS, INPUTS, MINUTES, SPAN_DAYS, read
from services.slo.measurements.topic import Measurement
from tests.benchmarks.result import Result, below, beside
from tests.benchmarks.servers import Servers

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = int(NOON.timestamp()) // (60 * DAY_MIN)
QUIET = timedelta(minutes=1)
PERIODS = (7, 28, 90)
_AT_ONCE = 500


async def run(_: Servers, *, quick: bool) -> Sequence[Result]:
    """The rows."""
    size = 1_000 if quick else 10_000
    found: list[Result] = []
    ticks: dict[int, float] = {}
    async with open_views("memory:") as views:
        await views.write_long(migrate, "slo")
        await views.write_long(_store, size)
        found += await _storage(views)
        for days in PERIODS:
            books, loaded_s = await _loaded(views, size, days)
            ticks[days] = min(_tick(books) for _ in range(3)) * 10_000 / size
            if days == PERIODS[1]:
                name = "10,000 SLOs read from SQLite after a restart"
                found.append(below(name, loaded_s * 10_000 / size, "s", limit=10))
    found += [below(f"tick of 10,000 SLOs, window of {days} days", ticks[days], "s", limit=1) for days in PERIODS]
    found.append(beside("tick, window of 90 days", ticks[90], "s", "of 7 days", ticks[7]))
    return found


def _day(day: int) -> Entries:
    """A day of measurements as a busy source sends them, each minute with a revision of its own."""
    chance = random.Random(day)  # noqa: S311  a workload
    minutes = DAY_MIN if day < TODAY else DAY_MIN // 2
    made: list[Measurement] = []
    for minute in range(minutes):
        start = datetime.fromtimestamp((day * DAY_MIN + minute) * 60, UTC)
        total = chance.randrange(900, 1100)
        revision = int(start.timestamp() * 1e6) + 60_000_000 + chance.randrange(4_000_000)
        made.append(Measurement("", start, "push", revision, total - chance.choice((0, 0, 0, 1, 2)), total))
    return Entries.of(made)


def _store(connection: Connection, size: int) -> None:
    """What *size* SLOs have: minutes of the days in which windows begin, and hours of 128 days."""
    days = range(TODAY - 127, TODAY + 1)
    made = {day: _day(day) for day in days}
    minutes = {day: pack(made[day]) for day in (*range(TODAY - 7, TODAY + 1), TODAY - 28, TODAY - 90)}
    spans: dict[int, bytes] = {}
    for span in {day // SPAN_DAYS for day in days}:
        spans[span] = pack_hours(joined_hours([hourly(series(made[d])) for d in days if d // SPAN_DAYS == span]))
    last = int(made[TODAY].minute[-1])
    for slo in map(_name, range(size)):
        blocks = [{"slo": slo, "day": day, "changed": 0, "data": data} for day, data in minutes.items()]
        connection.execute(insert(MINUTES), blocks)
        connection.execute(insert(HOURS), [{"slo": slo, "span": span, "data": data} for span, data in spans.items()])
    taken = {"version": 1, "first": days.start * DAY_MIN, "last": last}
    connection.execute(insert(INPUTS), [{"slo": _name(number)} | taken for number in range(size)])


async def _storage(views: Views) -> list[Result]:
    def sizes(connection: Connection) -> tuple[float, float]:
        whole = select(func.avg(func.length(MINUTES.c.data))).where(MINUTES.c.day < TODAY)
        hours = select(func.max(func.length(HOURS.c.data)))
        return connection.execute(whole).scalar_one(), connection.execute(hours).scalar_one()

    minutes, hours = await views.read(sizes)
    return [
        below("a minute's bucket, packed", minutes / DAY_MIN, "bytes", limit=16),
        below("an hour's bucket, packed", hours / (SPAN_DAYS * 24), "bytes", limit=16),
    ]


async def _loaded(views: Views, size: int, days: int) -> tuple[dict[str, Book], float]:
    terms = Terms(Target.of("0.999"), Rolling(days * DAY_MIN))
    tiers = default_tiers(days * DAY_MIN, terms.target)[0]
    started = time.process_time()
    books = {slo: Book(Promised(slo, "s", 1, f"{days}d", terms, tiers), NOON) for slo in map(_name, range(size))}
    names = list(books)
    for first in range(0, size, _AT_ONCE):
        some = {slo: books[slo] for slo in names[first : first + _AT_ONCE]}
        wants = first_wants(some, NOON)
        fill(some, wants, await views.read_long(read, wants))
        while wants := lacking(some, NOON):
            fill(some, wants, await views.read_long(read, wants))
    return books, time.process_time() - started


def _tick(books: dict[str, Book]) -> float:
    started = time.process_time()
    for book in books.values():
        assessment(book, NOON, QUIET)
    return time.process_time() - started


def _name(number: int) -> str:
    return f"slo-{number:05}"
