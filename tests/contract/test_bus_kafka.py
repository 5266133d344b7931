import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from libs.events.bus import Bus, Topic
from libs.events.bus_contract import DurableBusContract, Reader, Reopen, nothing_loaded, numbered, record, starting_at
from libs.events.errors import BusUnavailableError, FatalBusError, OffsetGoneError
from libs.events.kafka import KafkaBus

pytestmark = pytest.mark.kafka

NOBODY = "127.0.0.1:1"


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(kafka)
    await bus.start()
    yield bus
    await bus.close()


@pytest.fixture
async def admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    yield admin
    await admin.close()


class TestKafka(DurableBusContract):
    @pytest.fixture
    async def reopen(self, kafka: str) -> AsyncIterator[Reopen]:
        opened: list[KafkaBus] = []

        async def reopen() -> Bus:
            opened.append(KafkaBus(kafka))
            return opened[-1]

        yield reopen
        for each in opened:
            await each.close()


async def test_a_reader_passes_over_gaps_and_what_was_aborted(bus: Bus, kafka: str, topic_prefix: str) -> None:
    topic = Topic(f"{topic_prefix}.gaps", 1)
    await bus.ensure_topics([topic])
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=topic_prefix)
    await producer.start()
    for number in range(4):
        await producer.begin_transaction()
        await producer.send_and_wait(topic.name, b"%d" % number, key=b"a")
        await (producer.abort_transaction() if number == 2 else producer.commit_transaction())
    await producer.stop()
    consumer = await bus.consumer([topic], None, starting_at(0))
    read = await Reader().read(consumer, 3)
    await consumer.close()
    assert [(each.offset, each.value) for each in read] == [(0, b"0"), (2, b"1"), (6, b"3")]


async def test_a_record_without_key_or_value_is_read_all_the_same(bus: Bus, kafka: str, topic_prefix: str) -> None:
    topic = Topic(f"{topic_prefix}.odd", 1)
    await bus.ensure_topics([topic])
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    await producer.send_and_wait(topic.name, b"{}")
    await producer.send_and_wait(topic.name, key=b"\xff")
    await producer.stop()
    consumer = await bus.consumer([topic], None, starting_at(0))
    read = await Reader().read(consumer, 2)
    await consumer.close()
    assert [(each.key, each.value) for each in read] == [("", b"{}"), ("\N{REPLACEMENT CHARACTER}", b"")]


async def test_history_that_was_cut_is_refused(bus: Bus, admin: AIOKafkaAdminClient, topic_prefix: str) -> None:
    topic = Topic(f"{topic_prefix}.cut", 1)
    await bus.ensure_topics([topic])
    await bus.publisher().publish(numbered(topic, 10))
    await admin.delete_records({KafkaPartition(topic.name, 0): RecordsToDelete(before_offset=5)})
    consumer = await bus.consumer([topic], None, starting_at(0))
    with pytest.raises(OffsetGoneError, match="offset 0"):
        await consumer.poll(timeout_s=10, max_records=10)
    await consumer.close()


async def test_who_never_read_counts_starts_at_what_is_left(
    bus: Bus, admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    topic = Topic(f"{topic_prefix}.counts", 1, timedelta(days=7))
    await bus.ensure_topics([topic])
    await bus.publisher().publish(numbered(topic, 10))
    await admin.delete_records({KafkaPartition(topic.name, 0): RecordsToDelete(before_offset=5)})
    consumer = await bus.consumer([topic], "slo", starting_at(0))
    read = await Reader().read(consumer, 5)
    await consumer.close()
    assert [each.offset for each in read] == [5, 6, 7, 8, 9]


async def test_events_are_kept_for_ever_and_counts_for_a_week(
    bus: Bus, admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    events, counts = Topic(f"{topic_prefix}.events", 1), Topic(f"{topic_prefix}.counts", 1, timedelta(days=7))
    await bus.ensure_topics([events, counts])
    found: list[dict[str, str]] = []
    for topic in (events, counts):
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name)])
        found.append({entry[0]: entry[1] for entry in answer.resources[0][4]})
    assert [each["retention.ms"] for each in found] == ["-1", "604800000"]
    assert {each["cleanup.policy"] for each in found} == {"delete"}


async def test_records_bear_the_time_they_were_published(bus: Bus, topic_prefix: str) -> None:
    topic = Topic(f"{topic_prefix}.stamped", 1)
    consumer = await bus.consumer([topic], None, nothing_loaded)
    before = asyncio.get_running_loop().time()
    await bus.publisher().publish([record(topic, "a")])
    raw = await consumer._kafka.getone()  # type: ignore[attr-defined]
    await consumer.close()
    assert raw.timestamp > 1_700_000_000_000
    assert asyncio.get_running_loop().time() - before < 30


async def test_a_producer_that_is_out_of_step_says_so_and_is_replaced(bus: KafkaBus, topic_prefix: str) -> None:
    topic = Topic(f"{topic_prefix}.steps", 1)
    consumer = await bus.consumer([topic], None, starting_at(0))
    await bus.publisher().publish([record(topic, "a", b"1")])
    producer = bus.publisher()._producer
    assert producer is not None
    producer._txn_manager.increment_sequence_number(KafkaPartition(topic.name, 0), 5)
    with pytest.raises(FatalBusError, match="OutOfOrderSequenceNumber"):
        await bus.publisher().publish([record(topic, "a", b"2")])
    await bus.publisher().publish([record(topic, "a", b"2")])
    read = await Reader().read(consumer, 2)
    await consumer.close()
    assert [each.value for each in read] == [b"1", b"2"]


async def test_a_cluster_that_is_away_stops_no_start_and_is_named() -> None:
    bus = KafkaBus(NOBODY)
    await bus.start()
    topic = Topic("any", 1)
    with pytest.raises(BusUnavailableError, match=NOBODY):
        await bus.ensure_topics([topic])
    with pytest.raises(BusUnavailableError, match=NOBODY):
        await bus.publisher().publish([record(topic, "a")])
    with pytest.raises(BusUnavailableError, match=NOBODY):
        await bus.consumer([topic], "group", nothing_loaded)
    await bus.close()


async def test_a_topic_that_nobody_made_takes_nothing(bus: Bus, topic_prefix: str) -> None:
    with pytest.raises(BusUnavailableError, match=r"within 0\.5 s"):
        await bus.publisher().publish([record(Topic(f"{topic_prefix}.none", 1), "a")], deadline_s=0.5)
