import asyncio
from collections.abc import Sequence

import pytest

from libs.events.bus import MAX_RECORD_BYTES, OutRecord
from libs.events.errors import BusUnavailableError, RefusedError
from libs.events.group_publish import GroupPublish


class Log:
    """Writes when it is let, and fails when it is told."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failures: list[Exception] = []

    async def write(self, records: Sequence[OutRecord]) -> None:
        await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append([record.key for record in records])


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def queue(log: Log) -> GroupPublish:
    return GroupPublish(log.write)


def records(*keys: str) -> list[OutRecord]:
    return [OutRecord("topic", key, b"{}") for key in keys]


async def settled() -> None:
    """Whatever can go on without the log has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_callers_at_the_same_moment_share_a_write_in_their_order(queue: GroupPublish, log: Log) -> None:
    await asyncio.gather(*(queue.publish(records(f"{n}", f"{n}'"), 5) for n in range(3)))
    assert log.batches == [["0", "0'", "1", "1'", "2", "2'"]]


async def test_what_comes_during_a_write_is_the_next_one(queue: GroupPublish, log: Log) -> None:
    log.open.clear()
    first = asyncio.create_task(queue.publish(records("a"), 5))
    await settled()
    rest = [asyncio.create_task(queue.publish(records(key), 5)) for key in "bc"]
    await settled()
    log.open.set()
    await asyncio.gather(first, *rest)
    assert log.batches == [["a"], ["b", "c"]]


async def test_who_waited_too_long_is_told_and_never_written(queue: GroupPublish, log: Log) -> None:
    log.open.clear()
    first = asyncio.create_task(queue.publish(records("a"), 5))
    await settled()
    with pytest.raises(BusUnavailableError, match=r"2 records within 0\.02 s"):
        await queue.publish(records("late", "later"), 0.02)
    log.open.set()
    await first
    await queue.publish(records("b"), 5)
    assert log.batches == [["a"], ["b"]]


async def test_what_was_on_its_way_at_the_deadline_is_not_overtaken(
    queue: GroupPublish, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.open.clear()
    late = asyncio.create_task(queue.publish(records("a"), 5))
    await settled()
    loop = asyncio.get_running_loop()
    with monkeypatch.context() as later:
        time = loop.time
        later.setattr(loop, "time", lambda: time() + 5)
        with pytest.raises(BusUnavailableError):
            await late
    again = asyncio.create_task(queue.publish(records("a", "b"), 5))
    await settled()
    log.open.set()
    await again
    assert log.batches == [["a"], ["a", "b"]]


async def test_while_the_log_is_away_no_more_than_so_many_wait(queue: GroupPublish, log: Log) -> None:
    log.open.clear()
    waiting: list[asyncio.Task[None]] = []
    for _ in range(3):  # one is on its way, two wait
        waiting.append(asyncio.create_task(queue.publish(records(*["x"] * 30_000), 5)))
        await settled()
    with pytest.raises(BusUnavailableError, match="wait for the log already"):
        await queue.publish(records("one more"), 5)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    log.open.set()
    await queue.publish(records("afterwards"), 5)
    assert log.batches[-1] == ["afterwards"]


async def test_all_callers_of_a_failed_write_hear_of_it_and_the_next_succeeds(queue: GroupPublish, log: Log) -> None:
    log.failures.append(BusUnavailableError("away"))
    outcomes = await asyncio.gather(*(queue.publish(records(key), 5) for key in "ab"), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["away", "away"]
    await queue.publish(records("c"), 5)
    assert log.batches == [["c"]]


async def test_a_fault_in_the_writer_itself_reaches_the_caller(queue: GroupPublish, log: Log) -> None:
    log.failures.append(KeyError("a bug"))
    with pytest.raises(KeyError, match="a bug"):
        await queue.publish(records("a"), 5)


async def test_closing_finishes_what_waits(queue: GroupPublish, log: Log) -> None:
    publishing = asyncio.create_task(queue.publish(records("a"), 5))
    await asyncio.sleep(0)
    await queue.close(5)
    await publishing
    assert log.batches == [["a"]]


async def test_closing_gives_up_on_a_log_that_is_away(queue: GroupPublish, log: Log) -> None:
    log.open.clear()
    publishing = [asyncio.create_task(queue.publish(records(key), 5)) for key in "ab"]
    await settled()
    publishing.append(asyncio.create_task(queue.publish(records("c"), 5)))
    await settled()
    await queue.close(0.02)
    for task in publishing:
        with pytest.raises(BusUnavailableError, match="closed"):
            await task


@pytest.mark.parametrize(
    "record",
    [
        OutRecord("topic", "key", b"x" * MAX_RECORD_BYTES),
        OutRecord("topic", "key", b"x" * (MAX_RECORD_BYTES - 100_000), (("ce_actor", b"a" * 100_000),)),
    ],
    ids=["value", "value and headers"],
)
async def test_a_record_that_is_too_large_is_refused_before_anything_is_written(
    queue: GroupPublish, log: Log, record: OutRecord
) -> None:
    with pytest.raises(RefusedError, match=r"topic has .* bytes"):
        await queue.publish([*records("a"), record], 5)
    assert log.batches == []
