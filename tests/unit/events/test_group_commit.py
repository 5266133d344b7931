import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from libs.events import group_commit
from libs.events.errors import (
    ConflictError,
    DeadlineExceededError,
    EventsError,
    OutcomeUnknownError,
    QueueFullError,
    RefusedError,
    StorageFullError,
    StoreUnavailableError,
)
from libs.events.group_commit import GroupCommit
from libs.events.store import Appended, AppendRequest
from libs.events.store_contract import all_of, request, write

AT = datetime(2026, 11, 21, tzinfo=UTC)


class Database:
    """Remembers the batches it was given; fails as it is told."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.errors: list[Exception] = []
        self.refuses: dict[str, EventsError] = {}
        self.spoiled_by = ""
        self.open = asyncio.Event()
        self.open.set()

    async def commit(self, batch: Sequence[AppendRequest]) -> list[Appended | EventsError]:
        streams = [one.writes[0].stream for one in batch]
        self.batches.append(streams)
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        if self.spoiled_by in streams:
            raise RefusedError(self.spoiled_by)
        return [self.refuses.get(stream) or Appended(1, AT) for stream in streams]


async def test_who_waits_while_a_batch_is_stored_goes_with_the_next() -> None:
    database = Database()
    commits = GroupCommit(database.commit)
    database.open.clear()
    first = asyncio.ensure_future(commits.append(request(write("a", 0)), 5))
    while not database.batches:
        await asyncio.sleep(0)
    others = [asyncio.ensure_future(commits.append(request(write(name, 0)), 5)) for name in "bcd"]
    await asyncio.sleep(0)
    database.open.set()
    await asyncio.gather(first, *others)

    assert database.batches == [["a"], ["b", "c", "d"]]


async def test_what_touches_the_same_stream_waits_for_the_next_batch_in_order() -> None:
    database = Database()
    commits = GroupCommit(database.commit)

    await all_of([commits.append(request(write(name, 0)), 5) for name in ("a", "b", "a", "a", "c")])
    assert database.batches == [["a", "b", "c"], ["a"], ["a"]]

    database.batches.clear()
    both = request(write("a", 0), write("b", 0))
    await all_of([commits.append(one, 5) for one in (request(write("a", 0)), both, request(write("b", 0)))])
    assert database.batches == [["a"], ["a"], ["b"]]


async def test_a_refusal_is_told_to_its_own_caller_only() -> None:
    database = Database()
    database.refuses["b"] = ConflictError("b", 0, 1)
    commits = GroupCommit(database.commit)

    results = await all_of([commits.append(request(write(name, 0)), 5) for name in "abc"])

    assert [type(result) for result in results] == [Appended, ConflictError, Appended]


async def test_a_batch_that_one_request_spoils_is_stored_request_by_request() -> None:
    database = Database()
    database.spoiled_by = "b"
    commits = GroupCommit(database.commit)

    results = await all_of([commits.append(request(write(name, 0)), 5) for name in "abc"])

    assert [type(result) for result in results] == [Appended, RefusedError, Appended]


@pytest.mark.parametrize("error", [StoreUnavailableError("away"), OutcomeUnknownError("lost")])
async def test_while_the_database_is_away_a_batch_is_tried_again(error: StoreUnavailableError) -> None:
    database = Database()
    database.errors = [error]
    commits = GroupCommit(database.commit)

    assert await commits.append(request(write("a", 0)), 5) == Appended(1, AT)
    assert database.batches == [["a"], ["a"]]


async def test_a_deadline_tells_whether_something_may_have_been_written() -> None:
    database = Database()
    commits = GroupCommit(database.commit)
    database.errors = [StoreUnavailableError("away") for _ in range(100)]
    with pytest.raises(DeadlineExceededError, match=r"nothing was written: away"):
        await commits.append(request(write("a", 0)), 0.01)

    database.errors = [OutcomeUnknownError("lost") for _ in range(100)]
    with pytest.raises(OutcomeUnknownError, match="send it again"):
        await commits.append(request(write("a", 0)), 0.01)


async def test_who_waits_behind_a_stuck_batch_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "_SWEEP_S", 0.01)
    database = Database()
    commits = GroupCommit(database.commit)
    database.open.clear()
    stuck = asyncio.ensure_future(commits.append(request(write("a", 0)), 5))
    while not database.batches:
        await asyncio.sleep(0)

    with pytest.raises(DeadlineExceededError):
        await commits.append(request(write("b", 0)), 0.02)
    database.open.set()

    assert await stuck == Appended(1, AT)
    assert database.batches == [["a"]]


async def test_a_full_disk_is_told_at_once() -> None:
    database = Database()
    database.errors = [StorageFullError("full")]

    with pytest.raises(StorageFullError):
        await GroupCommit(database.commit).append(request(write("a", 0)), 5)


async def test_beyond_the_limit_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_WAITING", 2)
    commits = GroupCommit(Database().commit)

    results = await all_of([commits.append(request(write(name, 0)), 5) for name in "abc"])

    assert [type(result) for result in results] == [Appended, Appended, QueueFullError]


async def test_a_caller_that_went_away_is_passed_over() -> None:
    database = Database()
    commits = GroupCommit(database.commit)
    gone = asyncio.ensure_future(commits.append(request(write("a", 0)), 5))
    await asyncio.sleep(0)
    gone.cancel()

    await commits.append(request(write("b", 0)), 5)
    await commits.close()

    assert database.batches == [["b"]]


async def test_closing_finishes_what_waits() -> None:
    database = Database()
    commits = GroupCommit(database.commit)
    waiting = [asyncio.ensure_future(commits.append(request(write(name, 0)), 5)) for name in ("a", "a")]
    await asyncio.sleep(0)

    await commits.close()

    assert [one.result() for one in waiting] == [Appended(1, AT)] * 2
