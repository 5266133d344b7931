"""F12: rebuilds while commands arrive; one killed half way; one whose code fails. The old rows serve all along."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from sqlalchemy import inspect

from libs.events.clock import SystemClock
from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Recorded
from libs.events.errors import RebuildFailedError
from libs.events.feeds import StoreFeed
from libs.events.postgres import PostgresStore
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.projector import Projector
from libs.events.rebuild import rebuilding
from libs.events.resources import Resources
from libs.events.store import AppendRequest, StreamWrite
from libs.events.views import open_views
from libs.events.worker import Worker
from tests.fixtures.servers import ROOT
from tests.fixtures.shelves import LIBRARY, SERVICE, BookAdded, count_title, new_event, tallies, tally

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(180)]

TALLIES = tallies(SERVICE)
EVENTS = 20_000
REBUILDS = 3


@pytest.fixture
async def library(postgres_url: str) -> AsyncIterator[Resources]:
    store, bus = PostgresStore(postgres_url), EmbeddedLog(None)
    await store.start()
    await bus.start()
    async with open_views(postgres_url) as views:
        resources = Resources(SERVICE, LIBRARY, store, views, bus, SystemClock())
        await add(resources, EVENTS)
        yield resources
    await bus.close()
    await store.close()


class Shelving:
    """Adds books one command at a time, and watches that the read model never has fewer than before."""

    def __init__(self, library: Resources) -> None:
        self._library = library
        self.added = EVENTS
        self.looks = self.seen = 0

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._add()), asyncio.create_task(self._look())]
        yield
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _add(self) -> None:
        while True:
            await add(self._library, 1, first=self.added + 1)
            self.added += 1

    async def _look(self) -> None:
        while True:
            count = len(await self._library.views.dump(TALLIES))
            assert count >= self.seen, "rows have gone"
            self.looks, self.seen = self.looks + 1, count
            await asyncio.sleep(0.01)


async def test_rebuilds_under_live_commands_end_with_the_same_rows(library: Resources) -> None:
    shelving = Shelving(library)
    async with running(library):
        async with shelving.going_on():
            for _ in range(REBUILDS):
                *_, last = [each async for each in rebuilding(library, TALLIES)]
        await applied(library)
        rebuilt = await library.views.digest(TALLIES)
        counted = await tally(library.views, TALLIES, await library.store.head())
    print(f"F12: {REBUILDS} rebuilds, {shelving.added - EVENTS} commands meanwhile, {shelving.looks} looks; {counted}")  # noqa: T201
    assert (last.status, last.generation) == ("serving", REBUILDS + 1)
    assert (counted.lost, counted.doubled) == (0, 0)
    assert rebuilt == await digest_of_a_fresh_one(library)
    assert await tables(library) == {f"tallies_g{REBUILDS + 1}"}


async def test_a_second_try_after_a_kill_starts_clean(library: Resources, postgres_url: str) -> None:
    async with running(library):
        await applied(library)
    before = await library.views.digest(TALLIES)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.rebuilding_process", postgres_url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        done = 0
        while done < 1_000:
            status, done = await told(process)
            assert status in {"requested", "building"}
    process.kill()
    await process.wait()
    assert await library.views.digest(TALLIES) == before
    async with running(library):  # which waits until the lease of the dead process is over
        *_, last = [each async for each in rebuilding(library, TALLIES)]
    counted = await tally(library.views, TALLIES, EVENTS)
    print(f"F12: killed after {done} of {EVENTS} events; the second try: {counted}")  # noqa: T201
    assert (last.status, counted.lost, counted.doubled) == ("serving", 0, 0)
    assert await library.views.digest(TALLIES) == before
    assert await tables(library) == {f"tallies_g{last.generation}"}


async def test_code_that_fails_leaves_the_old_one_serving(library: Resources) -> None:
    def fail_late(row: Row | None, event: BookAdded, recorded: Recorded, key: Key) -> Row:
        if recorded.position > EVENTS / 2:
            raise ValueError(event.title)
        return count_title(row, event, recorded, key)

    async with running(library):
        await applied(library)
    before = await library.views.digest(TALLIES)
    failing = replace(TALLIES, version=2, folds={BookAdded: Fold(TALLIES.folds[BookAdded].keys, fail_late)})
    async with running(library, failing):
        with pytest.raises(RebuildFailedError, match=f"position {EVENTS // 2 + 1} of library"):
            [each async for each in rebuilding(library, failing)]
        assert await library.views.digest(TALLIES) == before
    async with running(library):
        *_, last = [each async for each in rebuilding(library, TALLIES)]
    print(f"F12: failed at position {EVENTS // 2 + 1}, then generation {last.generation} was built")  # noqa: T201
    assert await library.views.digest(TALLIES) == before


@asynccontextmanager
async def running(library: Resources, projection: Projection = TALLIES) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        await library.views.start([projection])
        group.create_task(Worker(library, projections=[projection], relay=False).run(stop))
        try:
            yield
        finally:
            stop.set()


async def add(library: Resources, count: int, first: int = 1) -> None:
    """Append so many books, each to a shelf of its own, a thousand in a request."""
    for start in range(first, first + count, 1_000):
        writes = tuple(
            StreamWrite(f"shelf/{n}", 0, (new_event(BookAdded(f"{n}", "hall", f"title {n}")),))
            for n in range(start, min(start + 1_000, first + count))
        )
        await library.store.append(AppendRequest(writes), deadline_s=30)


async def applied(library: Resources) -> None:
    head, epoch = await library.store.head(), library.store.epoch
    assert await library.views.wait_applied("tallies", SERVICE, epoch, 0, head, timeout_s=60)


async def digest_of_a_fresh_one(library: Resources) -> str:
    """What the same events make in a read model that was never rebuilt."""
    fresh = tallies(SERVICE, "fresh")
    await library.views.start([fresh])
    stop = asyncio.Event()
    feeding = asyncio.create_task(StoreFeed(Projector(library.views, fresh), library.store, SERVICE).run(stop))
    head = await library.store.head()
    assert await library.views.wait_applied("fresh", SERVICE, library.store.epoch, 0, head, timeout_s=60)
    stop.set()
    await feeding
    return await library.views.digest(fresh)


async def tables(library: Resources) -> set[str]:
    names = await library.views.read(lambda connection: inspect(connection).get_table_names())
    return {name for name in names if name.startswith("tallies_g")}


async def told(process: asyncio.subprocess.Process) -> tuple[str, int]:
    assert process.stdout is not None
    status, done = (await process.stdout.readline()).decode().split()
    return status, int(done)
