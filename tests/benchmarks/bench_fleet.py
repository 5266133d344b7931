"""What 10,000 SLOs cost: bytes in PostgreSQL, seconds of a tick, seconds of a worker that starts again.

`python -m tests.benchmarks fleet [--quick]` runs these rows alone; quick takes 500 SLOs. All SLOs hold the same
measurements, packed once: what is measured is keeping, reading and evaluating them, not making them.
"""

import asyncio
import gc
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
from sqlalchemy import func, select

from deploy.local.server import free_port
from libs.events.resources import Resources
from libs.events.views import Views
from services.slo.domain.assessment import Terms
from services.slo.domain.burn_rate import default_tiers
from services.slo.domain.day_sums import DAY_MIN
from services.slo.domain.error_budget import Target
from services.slo.domain.windows import Rolling
from services.slo.evaluation import assessment, fill, first_wants, lacking
from services.slo.measurements.book import Book, Promised
from services.slo.measurements.buckets import read
from services.slo.measurements.topic import Measurement, record
from services.slo.projections.slos import SLOS
from tests.benchmarks.fleet import History, define, names, slo_service, store_blocks
from tests.benchmarks.load import request
from tests.benchmarks.result import Result, below
from tests.benchmarks.servers import Servers, process

SLOS_PLANNED = 10_000
PERIODS = (7, 28, 90)
MINUTES_OF_DAYS, HOURS_OF_DAYS = 8, 400
_QUIET = timedelta(minutes=1)
_READ = 500  # SLOs in a question, as the worker asks
_TICKS = 5
_WITHIN_S = 120
_FLAT = 1.2


async def run(servers: Servers, *, quick: bool) -> list[Result]:
    """The rows."""
    slos = names(500 if quick else SLOS_PLANNED)
    history = History(datetime.now(UTC))
    async with slo_service(servers) as (resources, env):
        url = env["CONCORDAT_DATABASE_URL"]
        return [
            await _storage(url, slos, history),
            *await _ticks(url, resources.views, slos, history),
            *await _restart(resources, env, slos, history),
        ]


async def _storage(url: str, slos: Sequence[str], history: History) -> Result:
    """Bytes in PostgreSQL of whole days of minutes and hours, a bucket, with indexes and all."""
    hours = range(history.today - HOURS_OF_DAYS, history.today)
    minutes = range(history.today - MINUTES_OF_DAYS, history.today)
    await store_blocks(url, slos, history.minutes(minutes), history.hours(hours), (hours.start * DAY_MIN, history.last))
    connection = await asyncpg.connect(url)
    size = await connection.fetchval(_SIZE)
    await connection.close()
    buckets = len(slos) * (len(minutes) * DAY_MIN + len(hours) * 24)
    name = f"stored, {len(slos):,} SLOs, 8 days of minutes, 400 of hours, Postgres"
    return below(name, int(size) / buckets, "bytes a bucket", limit=16)


_SIZE = """
SELECT sum(pg_total_relation_size(name::regclass))
FROM unnest(ARRAY['slo_minute_blocks', 'slo_hour_blocks', 'slo_inputs', 'slo_journal']) AS name
"""


async def _ticks(url: str, views: Views, slos: Sequence[str], history: History) -> list[Result]:
    """All figures of all SLOs, by a process that holds what it read; seconds of its core."""
    more = history.minutes([history.today, *(history.today - days for days in PERIODS if days > MINUTES_OF_DAYS)])
    await store_blocks(url, slos, more, {}, (0, history.last))
    at = datetime.fromtimestamp((history.last + 1) * 60, UTC)
    taken: dict[int, float] = {}
    for days in PERIODS:
        books = await _loaded(views, slos, days, at)
        gc.freeze()
        taken[days] = min(_tick(books, at) for _ in range(_TICKS)) * SLOS_PLANNED / len(slos)
        gc.unfreeze()
    flat = taken[PERIODS[-1]] / taken[PERIODS[0]]
    return [
        *[below(f"a tick of 10,000 SLOs, window of {days} days", taken[days], "s", limit=1) for days in PERIODS],
        Result("a tick, window of 90 days", taken[90], "s", "of 7 days", taken[7], flat, "<= 1.2", flat <= _FLAT),
    ]


async def _loaded(views: Views, slos: Sequence[str], days: int, at: datetime) -> dict[str, Book]:
    terms = Terms(Target.of("0.999"), Rolling(days * DAY_MIN))
    tiers = default_tiers(days * DAY_MIN, terms.target)[0]
    books = {slo: Book(Promised(slo, "checkout-api", 1, f"{days}d", terms, tiers), at) for slo in slos}
    for first in range(0, len(slos), _READ):
        some = {slo: books[slo] for slo in slos[first : first + _READ]}
        wants = first_wants(some, at)
        fill(some, wants, await views.read_long(read, wants))
        while wants := lacking(some, at):
            fill(some, wants, await views.read_long(read, wants))
    return books


def _tick(books: Mapping[str, Book], at: datetime) -> float:
    started = time.process_time()
    for book in books.values():
        assessment(book, at, _QUIET)
    return time.process_time() - started


async def _restart(resources: Resources, env: Mapping[str, str], slos: Sequence[str], history: History) -> list[Result]:
    """A worker that starts where another ended, until all SLOs are evaluated and what came meanwhile is told."""
    await define(resources, slos)
    async with _worker(env) as port:
        await _until(lambda: _evaluated(port))
        await _until(lambda: _assessed(resources, len(slos)))
        await _until(lambda: _idle(port))
    spent = slos[::100]
    minute = datetime.fromtimestamp(history.last * 60, UTC)
    outages = [record(Measurement(slo, minute, "push", 2**52, 0, 10_000_000)) for slo in spent]
    await resources.bus.publisher().publish(outages)
    started = time.perf_counter()
    async with _worker(env) as port:
        await _until(lambda: _evaluated(port))
        await _until(lambda: _assessed(resources, len(spent), "violated"))
        taken = time.perf_counter() - started
    name = f"restart of the worker to the first correct tick, {len(slos):,} SLOs"
    return [below(name, taken, "s", limit=10)]


@asynccontextmanager
async def _worker(env: Mapping[str, str]) -> AsyncGenerator[int]:
    """The worker as production runs it; the port of its metrics."""
    port = free_port()
    arguments = ("-m", "services.cli.main", "run", "slo", "worker", "--port", str(port))
    async with process(*arguments, env=env, port=port):
        yield port


async def _evaluated(port: int) -> bool:
    """Whether the worker has evaluated all SLOs once."""
    return any(seconds > 0 for seconds in await _metric(port, "concordat_slo_evaluation_seconds"))


async def _idle(port: int) -> bool:
    """Whether all that was said is published, in read models, and reacted to."""
    lags = [await _metric(port, f"concordat_{name}_lag_events") for name in ("relay", "projection")]
    return all(lags) and not any(map(sum, lags))


async def _metric(port: int, name: str) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("GET", "/metrics", {"Connection": "close"}))
    told = (await reader.read()).decode()
    writer.close()
    return [float(line.rpartition(" ")[2]) for line in told.splitlines() if re.split("[{ ]", line)[0] == name]


async def _assessed(resources: Resources, number: int, state: str | None = None) -> bool:
    """Whether the figures of so many SLOs, or of so many in *state*, are in the read model."""
    which = SLOS.view.c.assessed_at.is_not(None) if state is None else SLOS.view.c.state == state
    query = select(func.count()).select_from(SLOS.view).where(which)
    return await resources.views.read(lambda connection: connection.execute(query).scalar_one()) == number


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while not await holds():
            await asyncio.sleep(0.1)
