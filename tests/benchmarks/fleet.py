"""Many SLOs for benchmarks: defined as users define them, with measurements that are packed once and stored for all."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import asyncpg
import numpy as np

from libs.events.adapters import open_bus, open_resources
from libs.events.clock import SystemClock
from libs.events.envelope import Context, Metadata
from libs.events.migrate import upgrade
from libs.events.resources import Resources
from services.slo.config import SloSettings
from services.slo.contract import CONTRACT, SLO
from services.slo.domain.day_sums import DAY_MIN
from services.slo.domain.openslo import catalogue, check, resolve
from services.slo.domain.openslo.promise import promise_of
from services.slo.domain.slo.commands import Define
from services.slo.measurements.blocks import Entries, hourly, joined_hours, pack, pack_hours, series
from services.slo.measurements.buckets import SPAN_DAYS
from services.slo.projections import PROJECTIONS
from tests.benchmarks.servers import Servers
from tests.fixtures.slo import document

KEY = "k" * 48
_AT_ONCE = 64
_BENCH = Metadata("bench", "machine", "bench")


@asynccontextmanager
async def slo_service(servers: Servers) -> AsyncGenerator[tuple[Resources, Mapping[str, str]]]:
    """The adapters of the slo service on a new database and the shared broker, and the settings that name both."""
    with servers.database() as url:
        await upgrade(url, "slo")
        env = {
            "CONCORDAT_DATABASE_URL": url,
            "CONCORDAT_KAFKA_BOOTSTRAP_SERVERS": servers.kafka.bootstrap_servers,
            "CONCORDAT_INTERNAL_KEY": KEY,
            "CONCORDAT_DATA_DIR": str(servers.directory),
            "CONCORDAT_METRICS_SLOS": "0",
        }
        named = {name.removeprefix("CONCORDAT_").lower(): value for name, value in env.items()}
        settings, clock = SloSettings(**named), SystemClock()
        async with (
            open_bus(settings, clock) as bus,
            open_resources(settings, "slo", CONTRACT, bus, clock) as resources,
        ):
            await resources.views.start(PROJECTIONS)
            yield resources, env


def names(size: int) -> list[str]:
    """Of so many SLOs."""
    return [f"slo-{number:05}" for number in range(size)]


async def define(resources: Resources, slos: Sequence[str]) -> None:
    """Define *slos*: 28 days, 99.9 %, the default alert conditions."""
    sent = document(target=0.999)
    decoded = check(sent).document
    if decoded is None:
        raise AssertionError(sent)
    definition = resolve([decoded], catalogue([], ["checkout-api"])).definitions[0]
    now = resources.clock.now()
    for first in range(0, len(slos), _AT_ONCE):
        some = (replace(definition, name=slo) for slo in slos[first : first + _AT_ONCE])
        commands = [Define(promise_of(each, decoded, sent), now) for each in some]
        handle = resources.handler.handle
        await asyncio.gather(
            *(handle(SLO, each.promise.slo, each, Context.of_request(now, _BENCH)) for each in commands)
        )


class History:
    """What a busy source sent of an SLO until *now*, each minute with a revision of its own."""

    def __init__(self, now: datetime) -> None:
        self.last = int(now.timestamp()) // 60 - 1
        self.today = self.last // DAY_MIN
        self._days: dict[int, Entries] = {}

    def day(self, day: int) -> Entries:
        """The minutes of *day*."""
        if day not in self._days:
            self._days[day] = self._made(day)
        return self._days[day]

    def minutes(self, days: Iterable[int]) -> dict[int, bytes]:
        """Blocks of *days*, by day."""
        return {day: pack(self.day(day)) for day in days}

    def hours(self, days: range) -> dict[int, bytes]:
        """Blocks of the hours of *days*, by span."""
        spans: dict[int, bytes] = {}
        for span in {day // SPAN_DAYS for day in days}:
            parts = [hourly(series(self.day(day))) for day in days if day // SPAN_DAYS == span]
            spans[span] = pack_hours(joined_hours(parts))
        return spans

    def _made(self, day: int) -> Entries:
        chance = np.random.default_rng(day)
        minute = np.arange(day * DAY_MIN, min((day + 1) * DAY_MIN, self.last + 1))
        total, late_us = chance.integers(900, 1100, len(minute)), chance.integers(0, 4_000_000, len(minute))
        good = total - chance.choice((0, 0, 0, 1, 2), len(minute))
        none = np.zeros(len(minute), np.int64)
        return Entries(("",), ("push",), none, none, minute, (minute + 1) * 60_000_000 + late_us, good, total)


async def store_blocks(
    url: str, slos: Sequence[str], minutes: Mapping[int, bytes], hours: Mapping[int, bytes], inputs: tuple[int, int]
) -> None:
    """Give all *slos* these blocks; *inputs* are the first and the last minute."""
    connection = await asyncpg.connect(url)
    now = inputs[1]
    rows = ((slo, day, now, data) for slo in slos for day, data in minutes.items())
    await connection.copy_records_to_table("slo_minute_blocks", records=rows, columns=["slo", "day", "changed", "data"])
    rows = ((slo, span, data) for slo in slos for span, data in hours.items())
    await connection.copy_records_to_table("slo_hour_blocks", records=rows, columns=["slo", "span", "data"])
    if hours:
        rows = ((slo, 1, *inputs) for slo in slos)
        await connection.copy_records_to_table("slo_inputs", records=rows, columns=["slo", "version", "first", "last"])
    await connection.execute("VACUUM ANALYZE slo_minute_blocks, slo_hour_blocks, slo_inputs")
    await connection.close()
