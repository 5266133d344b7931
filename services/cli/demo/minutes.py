"""The counts of the last four weeks, minute by minute, as the services' own instruments would have sent them."""

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from libs.events.bus import OutRecord
from services.cli.demo.organisation import DAYS, ServiceOf
from services.cli.demo.outages import Outage, outages
from services.cli.demo.reliability import MINUTES_A_DAY, WINDOW_DAYS, measured, requests_a_minute, slo_of
from services.cli.demo.world import World
from services.slo.measurements.topic import Measurement, record

_SOURCE: Final = "demo"
_MINUTE: Final = timedelta(minutes=1)


def minutes(world: World, until: datetime, days: int = WINDOW_DAYS) -> Iterator[list[OutRecord]]:
    """The records of one service and day after the other: so many whole days, and today up to *until*."""
    bad: dict[tuple[str, int], list[Outage]] = defaultdict(list)
    for outage in outages(world):
        bad[outage.service.name, outage.day].append(outage)
    last = DAYS + (until - world.today).days
    for service in measured():
        for day in range(last - days, last + 1):
            yield list(_of_a_day(world, service, day, bad[service.name, day], until))


def _of_a_day(
    world: World, service: ServiceOf, day: int, went_wrong: list[Outage], until: datetime
) -> Iterator[OutRecord]:
    midnight, slo, carried = world.at(day, 0), slo_of(service), 0.0
    busiest = requests_a_minute(world, service, day, MINUTES_A_DAY // 2)
    for minute in range(min(MINUTES_A_DAY, (until - midnight) // _MINUTE)):
        total = round(busiest * _DAYLIGHT[minute])
        carried += total * service.bad_ratio  # spread over minutes, without chance
        for outage in went_wrong:
            if outage.minute <= minute < outage.minute + outage.minutes:
                carried += total * outage.bad_share
        bad = min(int(carried), total)
        carried -= bad
        yield record(Measurement(slo, midnight + minute * _MINUTE, _SOURCE, 0, total - bad, total))


_DAYLIGHT: Final = [0.6 - 0.4 * math.cos(2 * math.pi * minute / MINUTES_A_DAY) for minute in range(MINUTES_A_DAY)]
