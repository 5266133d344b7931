"""F10: every record is delivered twice, records of different partitions arrive in another order, all is replayed."""

import random
from collections.abc import AsyncIterator, Collection, Sequence

import pytest

from libs.events.bus import Offsets, OutRecord, TopicPartition, events_topic
from libs.events.feeds import bus_batches
from libs.events.kafka import KafkaBus
from libs.events.partition import partition_of
from libs.events.projector import Projector
from libs.events.views import Views, open_views
from tests.fixtures.shelves import books, tallies, tally

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

EVENTS = 5_000


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(kafka)
    yield bus
    await bus.close()


@pytest.fixture
async def views(empty_postgres_url: str) -> AsyncIterator[Views]:
    async with open_views(empty_postgres_url) as views:
        yield views


@pytest.mark.parametrize("seed", range(3))
async def test_the_read_model_is_the_same(bus: KafkaBus, views: Views, topic_prefix: str, seed: int) -> None:
    shuffle = random.Random(seed)  # noqa: S311  a repeatable order
    records = books(topic_prefix, EVENTS)
    projector = await published_and_applied(bus, views, topic_prefix, records, shuffle)
    expected = await views.digest(projector.projection)
    twice = [record for record in swapped(records, shuffle) for _ in range(2)]
    await bus.publisher().publish(twice, deadline_s=60)
    delivered = 0
    for _ in range(2):  # from offset 0 both times
        delivered += await apply_all(bus, projector, topic_prefix, shuffle)
    counted = await tally(views, projector.projection, EVENTS)
    print(f"F10: {counted}, of {delivered + EVENTS} delivered")  # noqa: T201  the count of this fault
    assert (counted.applied, counted.lost, counted.doubled) == (EVENTS, 0, 0)
    assert await views.digest(projector.projection) == expected


async def test_another_order_of_the_partitions_makes_the_same_rows(
    bus: KafkaBus, views: Views, topic_prefix: str
) -> None:
    records = books(topic_prefix, EVENTS)
    digests: set[str] = set()
    for seed in range(3):
        service, shuffle = f"{topic_prefix}x{seed}", random.Random(seed)  # noqa: S311  a repeatable order
        mine = [OutRecord(events_topic(service).name, each.key, each.value, each.headers) for each in records]
        projector = await published_and_applied(bus, views, service, mine, shuffle, f"tallies{seed}")
        digests.add(await views.digest(projector.projection))
    assert len(digests) == 1


async def published_and_applied(
    bus: KafkaBus,
    views: Views,
    service: str,
    records: Sequence[OutRecord],
    shuffle: random.Random,
    name: str = "tallies",
) -> Projector:
    await bus.ensure_topics([events_topic(service)])
    await bus.publisher().publish(swapped(records, shuffle), deadline_s=60)
    projection = tallies(service, name)
    await views.start([projection])
    projector = Projector(views, projection)
    await projector.load()
    await apply_all(bus, projector, service, shuffle)
    return projector


async def apply_all(bus: KafkaBus, projector: Projector, service: str, shuffle: random.Random) -> int:
    """Everything on the topic, from offset 0, the partitions in any order; how many records that were."""
    consumer = await bus.consumer([events_topic(service)], None, from_the_start)
    held: dict[TopicPartition, int] = {}
    count = 0
    while any(held.get(place, 0) < end for place, end in (await consumer.end_offsets()).items()):
        polled = await consumer.poll(timeout_s=1, max_records=500)
        held |= {place: records[-1].offset + 1 for place, records in polled.items()}
        count += sum(map(len, polled.values()))
        for batches in bus_batches(polled):
            shuffle.shuffle(batches)
            for batch in batches:
                await projector.apply([batch])
    await consumer.close()
    return count


async def from_the_start(partitions: Collection[TopicPartition]) -> Offsets:
    return dict.fromkeys(partitions, 0)


def swapped(records: Sequence[OutRecord], shuffle: random.Random) -> list[OutRecord]:
    """Neighbours change places now and then, unless they go to the same partition, whose order is the relay's."""
    out = list(records)
    for left in range(0, len(out) - 1, 2):
        apart = partition_of(out[left].key, 12) != partition_of(out[left + 1].key, 12)
        if apart and shuffle.random() < 0.5:
            out[left], out[left + 1] = out[left + 1], out[left]
    return out
