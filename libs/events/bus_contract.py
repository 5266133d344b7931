"""What every bus does, as tests: an adapter's test class inherits `BusContract` and brings its `bus`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

import pytest

from libs.events.bus import (
    EVENT_PARTITIONS,
    MAX_RECORD_BYTES,
    Bus,
    BusRecord,
    Consumer,
    LoadOffsets,
    OutRecord,
    Topic,
    TopicPartition,
)
from libs.events.errors import OffsetGoneError, RefusedError, WrongPartitionCountError
from libs.events.ids import new_id
from libs.events.partition import partition_of

Reopen = Callable[[], Awaitable[Bus]]

_WITHIN_S = 30.0  # a group of members that all answer is shared in a second or two
KEYS = tuple(f"team/{number}" for number in range(40))


def record(topic: Topic, key: str, value: bytes = b"{}") -> OutRecord:
    """A record with two headers."""
    return OutRecord(topic.name, key, value, (("ce_id", b"1"), ("ce_subject", "é".encode())))


def numbered(topic: Topic, count: int) -> list[OutRecord]:
    """*count* records over all keys; a value is its place among all."""
    return [record(topic, KEYS[number % len(KEYS)], b"%d" % number) for number in range(count)]


def starting_at(offset: int) -> LoadOffsets:
    """Offsets of a consumer that starts every partition there."""

    async def load(places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(places, offset)

    return load


async def nothing_loaded(_: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
    """Offsets of a consumer that never read."""
    return {}


class Reader:
    """Polls a consumer and keeps what came, as a reader with offsets in its own database would."""

    def __init__(self) -> None:
        self.records: list[BusRecord] = []
        self.next: dict[TopicPartition, int] = {}

    async def load(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Where to go on; new partitions from their start."""
        return {place: self.next.get(place, 0) for place in places}

    async def read(self, consumer: Consumer, count: int, *, at_once: int = 1000) -> list[BusRecord]:
        """Poll until *count* records are kept in all; then once more, for one too many."""
        deadline = time.monotonic() + _WITHIN_S
        while len(self.records) < count:
            assert time.monotonic() < deadline, f"{len(self.records)} of {count} records came"
            self.keep(await consumer.poll(timeout_s=0.5, max_records=at_once))
        self.keep(await consumer.poll(timeout_s=0.05, max_records=at_once))
        return self.records

    def keep(self, polled: Mapping[TopicPartition, list[BusRecord]]) -> None:
        """Take *polled*, as long as it goes on where the partition was left; what came before is passed over."""
        for place, records in polled.items():
            for each in records:
                assert (each.topic, each.partition) == place
                if each.offset >= self.next.get(place, 0):
                    self.records.append(each)
                    self.next[place] = each.offset + 1


class BusContract:
    """A subclass brings the fixture `bus`, started."""

    @pytest.fixture
    def topic(self) -> Topic:
        return Topic(f"t{new_id().hex[-12:]}.events", EVENT_PARTITIONS)

    async def test_a_record_comes_back_as_it_was_published(self, bus: Bus, topic: Topic) -> None:
        sent = record(topic, "team/zoë", b'{"name":"\xc3\xa9"}\x00')
        consumer = await bus.consumer([topic], None, starting_at(0))
        await bus.publisher().publish([sent])
        (read,) = await Reader().read(consumer, 1)
        await consumer.close()
        assert (read.topic, read.key, read.value, tuple(read.headers)) == (
            sent.topic,
            sent.key,
            sent.value,
            sent.headers,
        )

    async def test_a_key_keeps_its_partition_and_its_order(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(0))
        for start in range(0, 400, 100):
            await bus.publisher().publish(numbered(topic, 400)[start : start + 100])
        read = await Reader().read(consumer, 400)
        await consumer.close()
        for key in KEYS:
            own = [each for each in read if each.key == key]
            assert {each.partition for each in own} == {partition_of(key, topic.partitions)}
            assert [int(each.value) for each in own] == list(range(KEYS.index(key), 400, len(KEYS)))

    async def test_callers_at_once_keep_each_ones_order(self, bus: Bus, topic: Topic) -> None:
        async def publish(key: str) -> None:
            for number in range(10):
                await bus.publisher().publish([record(topic, key, b"%d" % number)])

        await bus.ensure_topics([topic])
        await asyncio.gather(*map(publish, KEYS))
        consumer = await bus.consumer([topic], None, starting_at(0))
        read = await Reader().read(consumer, 10 * len(KEYS))
        await consumer.close()
        for key in KEYS:
            assert [int(each.value) for each in read if each.key == key] == list(range(10))

    async def test_offsets_rise_within_a_partition(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(0))
        await bus.publisher().publish(numbered(topic, 400))
        polled: dict[TopicPartition, list[int]] = {}
        while sum(map(len, polled.values())) < 400:
            for place, records in (await consumer.poll(timeout_s=1, max_records=50)).items():
                polled.setdefault(place, []).extend(each.offset for each in records)
        await consumer.close()
        assert all(offsets == sorted(set(offsets)) for offsets in polled.values())

    async def test_a_poll_gives_no_more_than_was_asked_for(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(0))
        await bus.publisher().publish(numbered(topic, 100))
        sizes: list[int] = []
        while sum(sizes) < 100:
            sizes.append(sum(map(len, (await consumer.poll(timeout_s=1, max_records=7)).values())))
        await consumer.close()
        assert max(sizes) <= 7

    async def test_a_poll_ends_in_time_when_there_is_nothing(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(0))
        started = time.monotonic()
        assert await consumer.poll(timeout_s=0.3, max_records=10) == {}
        assert 0.2 < time.monotonic() - started < 5
        await consumer.close()

    async def test_without_a_group_everyone_reads_everything(self, bus: Bus, topic: Topic) -> None:
        consumers = [await bus.consumer([topic], None, starting_at(0)) for _ in range(2)]
        await bus.publisher().publish(numbered(topic, 80))
        for consumer in consumers:
            assert len(consumer.assignment()) == topic.partitions
            assert len(await Reader().read(consumer, 80)) == 80
            await consumer.close()

    async def test_a_consumer_may_read_several_topics(self, bus: Bus, topic: Topic) -> None:
        other = Topic(f"{topic.name}.others", 3)
        consumer = await bus.consumer([topic, other], None, starting_at(0))
        await bus.publisher().publish([record(topic, "a"), record(other, "a"), record(topic, "b")])
        read = await Reader().read(consumer, 3)
        await consumer.close()
        assert sorted(each.topic for each in read) == sorted([topic.name, topic.name, other.name])

    async def test_a_partition_without_an_offset_starts_at_its_end(self, bus: Bus, topic: Topic) -> None:
        await bus.ensure_topics([topic])
        await bus.publisher().publish(numbered(topic, 80))
        consumer = await bus.consumer([topic], None, nothing_loaded)
        await bus.publisher().publish([record(topic, "team/late", b"late")])
        read = await Reader().read(consumer, 1)
        await consumer.close()
        assert [each.value for each in read] == [b"late"]

    async def test_a_consumer_starts_where_its_own_offsets_say(self, bus: Bus, topic: Topic) -> None:
        await bus.ensure_topics([topic])
        await bus.publisher().publish([record(topic, "a", b"%d" % number) for number in range(10)])
        consumer = await bus.consumer([topic], None, starting_at(0))
        first = await Reader().read(consumer, 10)
        await consumer.close()

        async def load(_: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
            return {TopicPartition(topic.name, first[0].partition): first[6].offset}

        consumer = await bus.consumer([topic], None, load)
        read = await Reader().read(consumer, 4)
        await consumer.close()
        assert [each.value for each in read] == [b"6", b"7", b"8", b"9"]

    async def test_seeking_goes_back_and_forth(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(0))
        await bus.publisher().publish([record(topic, "a", b"%d" % number) for number in range(10)])
        read = await Reader().read(consumer, 10)
        place = TopicPartition(topic.name, read[0].partition)
        await consumer.seek({place: read[8].offset, TopicPartition("not.mine", 0): 3})
        assert [each.value for each in await Reader().read(consumer, 2)] == [b"8", b"9"]
        await consumer.seek({place: read[2].offset})
        assert len(await Reader().read(consumer, 8)) == 8
        await consumer.close()

    async def test_seeking_drops_what_was_fetched_ahead(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(0))
        await bus.publisher().publish([record(topic, "a", b"%d" % number) for number in range(100)])
        first = await consumer.poll(timeout_s=_WITHIN_S, max_records=5)
        ((place, records),) = first.items()
        await consumer.seek({place: records[0].offset})
        read = await Reader().read(consumer, 100, at_once=10)
        await consumer.close()
        assert [int(each.value) for each in read] == list(range(100))

    async def test_end_offsets_follow_the_last_record(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(0))
        assert set((await consumer.end_offsets()).values()) == {0}
        await bus.publisher().publish(numbered(topic, 80))
        reader = Reader()
        await reader.read(consumer, 80)
        ends = await consumer.end_offsets()
        await consumer.close()
        assert {place: offset for place, offset in ends.items() if offset} == reader.next

    async def test_what_the_log_lacks_is_named_and_not_skipped(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(7))
        with pytest.raises(OffsetGoneError, match=f"{topic.name}.* offset 7.* republish"):
            await consumer.poll(timeout_s=_WITHIN_S, max_records=10)
        await consumer.close()

    async def test_members_of_a_group_share_the_partitions(self, bus: Bus, topic: Topic) -> None:
        reader, group = Reader(), f"group-{topic.name}"
        one = await bus.consumer([topic], group, reader.load)
        assert len(one.assignment()) == topic.partitions
        two = (await asyncio.gather(bus.consumer([topic], group, reader.load), _polling(one, reader, 2.5)))[0]
        deadline = time.monotonic() + _WITHIN_S
        while len(one.assignment()) != topic.partitions // 2 or len(two.assignment()) != topic.partitions // 2:
            assert time.monotonic() < deadline
            await asyncio.gather(_polling(one, reader, 0.2), _polling(two, reader, 0.2))
        assert not one.assignment() & two.assignment()
        await bus.publisher().publish(numbered(topic, 400))
        while len(reader.records) < 400:
            assert time.monotonic() < deadline
            await asyncio.gather(_polling(one, reader, 0.2), _polling(two, reader, 0.2))
        await asyncio.gather(one.close(), two.close())
        assert sorted(int(each.value) for each in reader.records) == list(range(400))

    async def test_who_stays_takes_over_from_who_leaves(self, bus: Bus, topic: Topic) -> None:
        reader, group = Reader(), f"group-{topic.name}"
        one = await bus.consumer([topic], group, reader.load)
        two = (await asyncio.gather(bus.consumer([topic], group, reader.load), _polling(one, reader, 2.5)))[0]
        await bus.publisher().publish(numbered(topic, 80))
        await asyncio.gather(_polling(one, reader, 0.5), _polling(two, reader, 0.5))
        await one.close()
        await bus.publisher().publish(numbered(topic, 80))
        read = await reader.read(two, 160)
        assert len(two.assignment()) == topic.partitions
        await two.close()
        assert sorted(int(each.value) for each in read) == sorted([*range(80), *range(80)])

    async def test_groups_do_not_disturb_each_other(self, bus: Bus, topic: Topic) -> None:
        one, two = Reader(), Reader()
        consumers = [
            (reader, await bus.consumer([topic], f"{topic.name}-{n}", reader.load))
            for n, reader in enumerate([one, two])
        ]
        await bus.publisher().publish(numbered(topic, 80))
        for reader, consumer in consumers:
            assert len(await reader.read(consumer, 80)) == 80
            await consumer.close()

    async def test_a_new_owner_asks_for_offsets_again(self, bus: Bus, topic: Topic) -> None:
        reader, group = Reader(), f"group-{topic.name}"
        await bus.ensure_topics([topic])
        await bus.publisher().publish(numbered(topic, 80))
        first = await bus.consumer([topic], group, reader.load)
        await reader.read(first, 80)
        await first.close()
        await bus.publisher().publish([record(topic, "a", b"80")])
        second = await bus.consumer([topic], group, reader.load)
        read = await reader.read(second, 81)
        await second.close()
        assert [int(each.value) for each in read[80:]] == [80]

    async def test_topics_may_be_asked_for_again(self, bus: Bus, topic: Topic) -> None:
        await bus.ensure_topics([topic])
        await asyncio.gather(bus.ensure_topics([topic]), bus.ensure_topics([topic, Topic(f"{topic.name}.new", 2)]))

    async def test_another_partition_count_is_refused(self, bus: Bus, topic: Topic) -> None:
        await bus.ensure_topics([topic])
        with pytest.raises(WrongPartitionCountError, match=f"{topic.name} has 12 partitions, expected 24"):
            await bus.ensure_topics([topic._replace(partitions=24)])

    async def test_a_record_that_is_too_large_is_refused_alone(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(0))
        with pytest.raises(RefusedError, match=f"{topic.name} has .* bytes"):
            await bus.publisher().publish([record(topic, "a", b"x" * MAX_RECORD_BYTES)])
        await bus.publisher().publish([record(topic, "a", b"x" * (MAX_RECORD_BYTES - 1000))])
        (read,) = await Reader().read(consumer, 1)
        await consumer.close()
        assert len(read.value) == MAX_RECORD_BYTES - 1000

    async def test_publishing_nothing_is_no_work(self, bus: Bus) -> None:
        await bus.publisher().publish([])

    async def test_closing_twice_is_harmless(self, bus: Bus, topic: Topic) -> None:
        consumer = await bus.consumer([topic], None, starting_at(0))
        await consumer.close()
        await consumer.close()


class DurableBusContract(BusContract):
    """As above; a subclass also brings the fixture `reopen`: what another process finds after this one."""

    async def test_records_and_offsets_survive_a_restart(self, bus: Bus, topic: Topic, reopen: Reopen) -> None:
        await bus.ensure_topics([topic])
        await bus.publisher().publish(numbered(topic, 80))
        again = await reopen()
        consumer = await again.consumer([topic], None, starting_at(0))
        await again.publisher().publish([record(topic, KEYS[0], b"80")])
        read = await Reader().read(consumer, 81)
        await consumer.close()
        assert sorted(int(each.value) for each in read) == list(range(81))
        assert [int(each.value) for each in read if each.key == KEYS[0]] == [0, 40, 80]

    async def test_the_partition_count_survives_a_restart(self, bus: Bus, topic: Topic, reopen: Reopen) -> None:
        await bus.ensure_topics([topic])
        again = await reopen()
        with pytest.raises(WrongPartitionCountError):
            await again.ensure_topics([topic._replace(partitions=3)])


async def _polling(consumer: Consumer, reader: Reader, for_s: float) -> None:
    """Poll, as a worker does all the time: a member that does not is waited for."""
    deadline = time.monotonic() + for_s
    while time.monotonic() < deadline:
        reader.keep(await consumer.poll(timeout_s=0.1, max_records=100))
