"""The worker's reader of measurements, when several run at once."""

import asyncio
from datetime import timedelta

import pytest

from libs.events.bus import MEASUREMENTS, TopicPartition
from libs.events.errors import FencedError
from libs.events.partition import partition_of
from services.slo.collector import GROUP, Collector
from services.slo.config import SloSettings
from services.slo.contract import BUDGET
from services.slo.measurements.topic import Measurement, record
from tests.fixtures.services import eventually
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo

SLOS = [f"slo-{number}" for number in range(8)]


async def test_members_share_the_slos_and_everything_counts_once(slo: Slo) -> None:
    other, stop = Collector(slo.running.resources, SloSettings(tick_s=0.1)), asyncio.Event()
    for name in SLOS:
        await slo.define(name)
    working = asyncio.create_task(other.run(stop))
    for number in range(5):
        for name in SLOS:
            await slo.measure(NOW - (number + 1) * MINUTE, 1, 9, 10, name)
        if number == 3:  # one leaves with work in hand
            stop.set()
            await working
    for name in SLOS:
        status = await slo.status(name, total=50)
        assert (status["good"], status["input_version"]) == (45, 5)
        assert (await slo.figures(name, lambda figures: figures.total > 0)).state == "violated"


async def test_a_stalled_member_keeps_nothing_of_what_another_has_taken_in(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - MINUTE, 1, 1, 1)
    await slo.status(total=1)
    place = TopicPartition(MEASUREMENTS.name, partition_of(NAME, MEASUREMENTS.partitions))
    stalled = Collector(slo.running.resources, SloSettings())
    consumer = await slo.running.resources.bus.consumer([MEASUREMENTS], None, stalled._load)
    await stalled._load([place])
    await slo.measure(NOW - 2 * MINUTE, 1, 1, 1)
    await slo.status(total=2)

    async def polled() -> object:
        return await consumer.poll(timeout_s=0.1, max_records=10)

    records = await eventually(polled)
    await consumer.close()
    with pytest.raises(FencedError, match=GROUP):
        await stalled._take(records)  # pyright: ignore[reportArgumentType]  what a poll gives
    assert (await slo.status(total=2))["input_version"] == 2


async def test_anyone_may_publish_and_counts_of_an_slo_to_come_are_kept(slo: Slo) -> None:
    early = Measurement("later", NOW - timedelta(days=1), "batch", 1, 3, 4)
    await slo.running.resources.bus.publisher().publish([record(early)])
    await slo.define("later")
    assert (await slo.status("later", total=4))["good"] == 3


async def test_a_worker_that_starts_knows_what_was_said_of_many_without_reading_their_streams(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - timedelta(hours=1), 60, 700, 1000)
    await slo.figures(NAME, lambda figures: figures.total == 60_000)
    stream = (await slo.running.resources.handler.load(BUDGET, NAME)).state
    new = Collector(slo.running.resources, SloSettings())
    await new._recall([NAME, *SLOS, *(f"slo-of-others-{number}" for number in range(60))])
    (said,) = new._said.values()
    assert said.assessed is not None
    assert stream.assessed is not None
    for field in ("slo", "service", "revision", "state", "error_budget_remaining", "coverage", "input_version", "at"):
        assert getattr(said.assessed, field) == getattr(stream.assessed, field), field
    assert {tier: alert.alert for tier, alert in said.firing.items()} == {
        tier: alert.alert for tier, alert in stream.firing.items()
    }
    assert said.exhausted
    assert stream.exhausted
