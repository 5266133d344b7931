import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from libs.events.bus import Bus, Topic, TopicPartition
from libs.events.bus_contract import DurableBusContract, Reader, Reopen, numbered, record, starting_at
from libs.events.embedded_log import EmbeddedLog
from libs.events.errors import OffsetGoneError, SetupError
from libs.events.testing import FrozenClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bus.db"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def bus(path: Path, clock: FrozenClock) -> AsyncIterator[EmbeddedLog]:
    bus = EmbeddedLog(path, clock)
    await bus.start()
    yield bus
    await bus.close()


class TestEmbeddedLogInAFile(DurableBusContract):
    @pytest.fixture
    async def reopen(self, path: Path) -> AsyncIterator[Reopen]:
        opened: list[EmbeddedLog] = []

        async def reopen() -> Bus:
            opened.append(EmbeddedLog(path))
            await opened[-1].start()
            return opened[-1]

        yield reopen
        for each in opened:
            await each.close()


BOUNDED = Topic("counts", 2, timedelta(days=7))
MORE_THAN_IN_MEMORY = 250  # records of a partition


async def test_a_reader_passes_over_a_gap_within_a_partition(bus: EmbeddedLog, path: Path) -> None:
    topic = Topic("gaps", 1)
    consumer = await bus.consumer([topic], None, starting_at(0))
    await bus.publisher().publish(numbered(topic, MORE_THAN_IN_MEMORY))
    with sqlite3.connect(path) as other:
        other.execute('DELETE FROM records WHERE "offset" BETWEEN 3 AND 6')
    other.close()
    read = await Reader().read(consumer, MORE_THAN_IN_MEMORY - 4, at_once=2)
    assert [each.offset for each in read] == [0, 1, 2, *range(7, MORE_THAN_IN_MEMORY)]


async def test_a_cut_below_the_readers_place_is_refused(bus: EmbeddedLog, path: Path) -> None:
    topic = Topic("cut", 1)
    consumer = await bus.consumer([topic], None, starting_at(2))
    await bus.publisher().publish(numbered(topic, MORE_THAN_IN_MEMORY))
    with sqlite3.connect(path) as other:
        other.execute('DELETE FROM records WHERE "offset" < 5')
    other.close()
    with pytest.raises(OffsetGoneError):
        await consumer.poll(timeout_s=1, max_records=10)


async def test_old_counts_go_when_every_reader_has_passed_them(bus: EmbeddedLog, clock: FrozenClock) -> None:
    consumer = await bus.consumer([BOUNDED], "slo", starting_at(0))
    await bus.publisher().publish(numbered(BOUNDED, 4 * MORE_THAN_IN_MEMORY))
    await Reader().read(consumer, 4 * MORE_THAN_IN_MEMORY)
    clock.advance(timedelta(days=8))
    await bus.publisher().publish([record(BOUNDED, "a", b"new")])  # this write prunes
    left = await Reader().read(await bus.consumer([BOUNDED], None, starting_at(0)), 3)
    assert b"new" in [each.value for each in left]
    assert len(left) == 3  # the newest that was read of each partition stays, so that offsets go on rising


async def test_counts_that_were_not_read_yet_stay(bus: EmbeddedLog, clock: FrozenClock) -> None:
    consumer = await bus.consumer([BOUNDED], "slo", starting_at(0))
    await bus.publisher().publish(numbered(BOUNDED, 100))
    clock.advance(timedelta(days=8))
    await bus.publisher().publish([record(BOUNDED, "a")])
    assert len(await Reader().read(consumer, 101)) == 101


async def test_events_stay_for_ever(bus: EmbeddedLog, clock: FrozenClock) -> None:
    topic = Topic("kept", 1)
    consumer = await bus.consumer([topic], "all", starting_at(0))
    await bus.publisher().publish(numbered(topic, 10))
    await Reader().read(consumer, 10)
    clock.advance(timedelta(days=4000))
    await bus.publisher().publish(numbered(topic, 1))
    assert len(await Reader().read(await bus.consumer([topic], None, starting_at(0)), 11)) == 11


async def test_a_reader_is_woken_at_once(bus: EmbeddedLog) -> None:
    topic = Topic("quick", 4)
    consumer = await bus.consumer([topic], None, starting_at(0))
    took: list[float] = []
    for _ in range(50):
        await bus.publisher().publish([record(topic, "a")])
        published = time.perf_counter()
        await consumer.poll(timeout_s=5, max_records=10)
        took.append(time.perf_counter() - published)
    assert sorted(took)[len(took) // 2] < 0.005


async def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(SetupError, match="newer version"):
        await EmbeddedLog(path).start()


@pytest.fixture
def rubbish(path: Path) -> Path:
    path.write_bytes(b"no database, but long enough to look like one " * 100)
    return path


async def test_a_file_that_is_none_of_ours_is_refused(rubbish: Path) -> None:
    with pytest.raises(SetupError, match=r"damaged.*restore"):
        await EmbeddedLog(rubbish).start()


async def test_a_key_in_a_partition_of_its_own_does_not_keep_others_waiting(bus: EmbeddedLog) -> None:
    topic = Topic("busy", 12)
    consumer = await bus.consumer([topic], None, starting_at(0))
    await bus.publisher().publish([record(topic, "busy", b"%d" % number) for number in range(500)])
    await bus.publisher().publish([record(topic, "quiet", b"q")])
    places: list[TopicPartition] = []
    for _ in range(2):
        places.extend(await consumer.poll(timeout_s=1, max_records=10))
    assert len(set(places)) == 2
