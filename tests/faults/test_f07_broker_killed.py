"""F7: kill -9 of the broker under load; it is started again each time."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping

import pytest

from deploy.local.kafka import KafkaServer
from libs.events.bus import Consumer, OutRecord, Topic, TopicPartition
from libs.events.errors import BusUnavailableError
from libs.events.kafka import KafkaBus
from libs.events.postgres import PostgresStore
from tests.fixtures.relays import caught_up, delivered, first_time, lamps, light, relaying

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

KILLS = 2
WRITERS = 12
BETWEEN_KILLS = 400
COUNTS = Topic("concordat.counts", 6)


@pytest.fixture
async def bus(fresh_kafka_server: KafkaServer) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(fresh_kafka_server.bootstrap_servers)
    yield bus
    await bus.close()


async def restart(server: KafkaServer, *, away_s: float) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(away_s)  # an outage lasts
    await asyncio.to_thread(server.start)


class Applied:
    """A consumer with offsets of its own: what it has read, in the order of reading."""

    def __init__(self) -> None:
        self.numbers: dict[str, list[int]] = defaultdict(list)
        self._next: dict[TopicPartition, int] = {}

    async def load(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {place: self._next.get(place, 0) for place in places}

    async def read(self, consumer: Consumer) -> None:
        for place, records in (await consumer.poll(timeout_s=0.2, max_records=1000)).items():
            for record in records:
                self.numbers[record.key].append(int(record.value))
                self._next[place] = record.offset + 1


async def test_nothing_acknowledged_is_lost_and_each_key_keeps_its_order(
    fresh_kafka_server: KafkaServer, bus: KafkaBus
) -> None:
    applied, acknowledged, refused, stopped = Applied(), [0] * WRITERS, 0, asyncio.Event()
    consumer = await bus.consumer([COUNTS], "readers", applied.load)

    async def writer(number: int) -> None:
        """Publish one number after the other under one key; again and again until it is acknowledged."""
        nonlocal refused
        while not stopped.is_set():
            record = OutRecord(COUNTS.name, f"key-{number}", b"%d" % (acknowledged[number] + 1))
            try:
                await bus.publisher().publish([record], deadline_s=0.5)
                acknowledged[number] += 1
            except BusUnavailableError:
                refused += 1

    async def reader() -> None:
        while not stopped.is_set():
            await applied.read(consumer)

    async def reach(total: int) -> None:
        async with asyncio.timeout(90):
            while sum(acknowledged) < total:
                await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(reader()), *(asyncio.create_task(writer(number)) for number in range(WRITERS))]
    for kill in range(1, KILLS + 1):
        await reach(kill * BETWEEN_KILLS)
        refused_before = refused
        await restart(fresh_kafka_server, away_s=2)
        assert refused > refused_before  # callers are told while it is away: 503 over HTTP
    await reach(sum(acknowledged) + BETWEEN_KILLS)
    stopped.set()
    await asyncio.gather(*tasks)

    kept = {key: sorted(set(numbers)) for key, numbers in applied.numbers.items()}
    async with asyncio.timeout(60):
        while sum(map(len, kept.values())) < sum(acknowledged):
            await applied.read(consumer)
            kept = {key: sorted(set(numbers)) for key, numbers in applied.numbers.items()}
    await consumer.close()

    lost = sum(len(set(range(1, last + 1)) - set(kept[f"key-{n}"])) for n, last in enumerate(acknowledged))
    out_of_order = sum(not in_order(numbers) for numbers in applied.numbers.values())
    repeated = sum(len(numbers) - len(set(numbers)) for numbers in applied.numbers.values())
    print(  # noqa: T201  the test's figures
        f"F7: {KILLS} kills, {refused} publishes refused meanwhile: {sum(acknowledged)} acknowledged,"
        f" {lost} lost, {out_of_order} keys out of order, {repeated} repeated because their answer came too late"
    )
    assert (lost, out_of_order) == (0, 0)


def in_order(numbers: list[int]) -> bool:
    """Whether each number came for the first time after all lower ones."""
    return list(dict.fromkeys(numbers)) == sorted(set(numbers))


@pytest.mark.postgres
async def test_commands_stay_available_and_their_events_wait_in_the_store(
    fresh_kafka_server: KafkaServer, bus: KafkaBus, postgres_url: str
) -> None:
    store, stopped = PostgresStore(postgres_url), asyncio.Event()
    await store.start()
    acknowledged = [0] * WRITERS

    async def writer(number: int) -> None:
        while not stopped.is_set():
            await light(store, f"{number}", 1, after=acknowledged[number])
            acknowledged[number] += 1
            await asyncio.sleep(0.005)

    async with lamps(store, bus) as service, relaying(service) as relay:
        writers = [asyncio.create_task(writer(number)) for number in range(WRITERS)]
        while_away = 0
        for _ in range(KILLS):
            async with asyncio.timeout(60):
                while relay.position == 0 or relay.position < sum(acknowledged) - BETWEEN_KILLS:
                    await asyncio.sleep(0.01)
            before = sum(acknowledged)
            await restart(fresh_kafka_server, away_s=2)
            while_away += sum(acknowledged) - before
        stopped.set()
        await asyncio.gather(*writers)
        await caught_up(service)
        events = await delivered(bus)
    await store.close()

    kept = [each.recorded for each in first_time(events)]
    lost = sum(acknowledged) - len({recorded.event_id for recorded in kept})
    print(  # noqa: T201  as above
        f"F7: {KILLS} kills: {sum(acknowledged)} commands acknowledged, {while_away} of them while the broker was away;"
        f" {len(events)} published, {lost} lost, {len(events) - len(kept)} repeated in order"
    )
    assert while_away > 0
    assert lost == 0
    for number, last in enumerate(acknowledged):
        assert [each.version for each in kept if each.key == f"{number}"] == list(range(1, last + 1))
