"""F11: an event that cannot be applied at the start, in the middle, at the end; a replay heals it, a limit stops it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from libs.events.bus import OutRecord, events_topic
from libs.events.clock import SystemClock
from libs.events.deadletter import letters
from libs.events.envelope import Recorded
from libs.events.kafka import KafkaBus
from libs.events.postgres import PostgresStore
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.views import open_views
from libs.events.worker import Worker
from tests.fixtures.shelves import BookAdded, books, count_title, tallies, tally, total

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

EVENTS, STREAMS = 3_000, 100
POISON = {1: "start", 1_550: "middle", 3_000: "end"}  # by position; streams 1, 50 and 0


@pytest.fixture
async def reader(postgres_url: str, kafka: str) -> AsyncIterator[Resources]:
    store, bus = PostgresStore(postgres_url), KafkaBus(kafka)
    await store.start()
    async with open_views(postgres_url) as views:
        yield Resources("reader", EventRegistry({}), store, views, bus, SystemClock())
    await bus.close()
    await store.close()


@asynccontextmanager
async def running(reader: Resources, projection: Projection) -> AsyncIterator[Worker]:
    stop = asyncio.Event()
    worker = Worker(reader, projections=[projection], relay=False)
    await reader.views.start([projection])
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        try:
            yield worker
        finally:
            stop.set()


async def test_other_streams_go_on_and_a_replay_heals_after_the_fix(reader: Resources, topic_prefix: str) -> None:
    broken = refusing(tallies(topic_prefix), {f"title {position}" for position in POISON})
    await publish(reader, topic_prefix, books(topic_prefix, EVENTS, streams=STREAMS))
    parked = sum(waiting(position) for position in POISON)
    async with running(reader, broken):
        await applied(reader, broken, EVENTS - parked)
        kept = await letters(reader.views)
    assert len(kept) == parked
    assert {each.event.position for each in kept if not each.parked} == set(POISON)
    async with running(reader, tallies(topic_prefix)) as mended:
        replayed = [each async for each in mended.replay()]
        await publish(reader, topic_prefix, books(topic_prefix, STREAMS, streams=STREAMS, first=EVENTS + 1))
        await applied(reader, broken, EVENTS + STREAMS)
    counted = await tally(reader.views, broken, EVENTS + STREAMS)
    print(f"F11: {counted}; {len(POISON)} poison events, {parked - len(POISON)} parked, {len(replayed)} replayed")  # noqa: T201
    assert [each.error for each in replayed] == [""] * parked
    assert (counted.applied, counted.lost, counted.doubled) == (EVENTS + STREAMS, 0, 0)
    assert await letters(reader.views) == []


async def test_a_limit_stops_a_projector_that_would_swallow_everything(reader: Resources, topic_prefix: str) -> None:
    everything = {f"title {position}" for position in range(1, EVENTS + 1)}
    broken = refusing(tallies(topic_prefix), everything)
    await publish(reader, topic_prefix, books(topic_prefix, EVENTS, streams=EVENTS))
    async with running(reader, broken):
        async with asyncio.timeout(60):
            while not (await reader.views.generations())[0].error:
                await asyncio.sleep(0.05)
        (generation,) = await reader.views.generations()
    swallowed = len(await letters(reader.views))
    print(f"F11: stopped after {swallowed} dead letters of {EVENTS} events: {generation.error}")  # noqa: T201
    assert "100 in a row" in generation.error
    assert swallowed < 100


def refusing(projection: Projection, titles: set[str]) -> Projection:
    def count(row: Row | None, event: BookAdded, recorded: Recorded, key: Key) -> Row:
        if event.title in titles:
            raise ValueError(event.title)
        return count_title(row, event, recorded, key)

    return replace(projection, folds={BookAdded: Fold(projection.folds[BookAdded].keys, count)})


def waiting(position: int) -> int:
    """How many events of the stream stand at or behind *position*."""
    return len(range(position, EVENTS + 1, STREAMS))


async def publish(reader: Resources, service: str, records: list[OutRecord]) -> None:
    await reader.bus.ensure_topics([events_topic(service)])
    await reader.bus.publisher().publish(records, deadline_s=60)


async def applied(reader: Resources, projection: Projection, events: int) -> None:
    """Wait until so many are applied."""
    async with asyncio.timeout(60):
        while await total(reader.views, projection) < events:
            await asyncio.sleep(0.05)
