"""A rebuild fills a new table beside the old one, and takes its place at once, in every database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest
from sqlalchemy import Column, Integer, Text, inspect, select

from libs.events.embedded_log import EmbeddedLog
from libs.events.errors import FencedError, RebuildFailedError
from libs.events.feeds import StoreFeed, store_batch
from libs.events.memory import MemoryStore
from libs.events.projection import Fold, Projection, Row
from libs.events.projector import Projector
from libs.events.rebuild import rebuild, rebuilding, request_rebuild
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from libs.events.views import Views
from tests.fixtures.shelves import LIBRARY, ROOMS, SERVICE, SHELVES, BookAdded, ShelfBuilt, put
from tests.fixtures.views import read_twice


@pytest.fixture
async def library(views: Views) -> AsyncIterator[Resources]:
    bus = EmbeddedLog(None)
    await bus.start()
    yield Resources(SERVICE, LIBRARY, MemoryStore(), views, bus, FrozenClock())
    await bus.close()


async def test_the_rebuilt_table_equals_the_live_one(library: Resources) -> None:
    await library.views.start([SHELVES])
    await fill(library, 50)
    await catch_up(library)
    live = await library.views.digest(SHELVES)
    await rebuild(library, SHELVES, asyncio.Event())
    assert await library.views.digest(SHELVES) == live
    assert [(g.generation, g.status) for g in await library.views.generations()] == [(2, "serving")]
    assert await tables(library.views) == {"shelves_g2"}


async def test_a_projection_of_other_code_is_rebuilt_with_its_new_columns(library: Resources) -> None:
    await library.views.start([SHELVES])
    await fill(library, 3)
    await catch_up(library)
    counted = replace(
        SHELVES,
        columns=lambda: (Column("shelf", Text, primary_key=True), Column("books", Integer)),
        folds={BookAdded: Fold(lambda e, _: [(e.shelf,)], count)},
        indexes=(),
    )
    assert await library.views.start([counted]) == ["shelves"]
    await rebuild(library, counted, asyncio.Event())
    assert await library.views.dump(counted) == [("s0", 1), ("s1", 1), ("s2", 1)]
    assert await library.views.start([counted]) == []


async def test_the_old_one_serves_and_grows_until_the_switch_and_goes_on_after_it(library: Resources) -> None:
    await library.views.start([SHELVES])
    await fill(library, 20)
    stop = asyncio.Event()
    live = asyncio.create_task(StoreFeed(Projector(library.views, SHELVES), library.store, SERVICE).run(stop))
    writing = asyncio.create_task(fill(library, 30, first=20))
    await rebuild(library, SHELVES, asyncio.Event())
    await writing
    await fill(library, 5, first=50)
    head = await library.store.head()
    assert await library.views.wait_applied("shelves", SERVICE, library.store.epoch, 0, head, timeout_s=20)
    stop.set()
    await live
    assert [row[0] for row in await library.views.dump(SHELVES)] == sorted(f"s{n}" for n in range(55))


async def test_a_read_sees_one_moment_even_if_a_rebuild_ends_meanwhile(library: Resources) -> None:
    await library.views.start([SHELVES])
    await fill(library, 3)
    await catch_up(library)
    rebuilding_it = await read_twice(library.views, select(SHELVES.view), rebuild(library, SHELVES, asyncio.Event()))
    await rebuilding_it
    assert [(g.generation, g.status) for g in await library.views.generations()] == [(2, "serving")]


async def test_an_event_that_cannot_be_applied_stops_it_and_the_old_one_serves(library: Resources) -> None:
    await library.views.start([SHELVES])
    await fill(library, 3)
    await put(library.store, BookAdded("s1", "hall", "poison"))
    await catch_up(library)
    before = await library.views.dump(SHELVES)
    with pytest.raises(RebuildFailedError, match=r"shelves cannot apply io\.concordat\.library\.book\.added\.v1"):
        await rebuild(library, SHELVES, asyncio.Event())
    assert await library.views.dump(SHELVES) == before
    *_, failed = await library.views.generations()
    assert (failed.status, "this book cannot be read" in failed.error) == ("failed", True)


async def test_a_second_try_starts_clean(library: Resources) -> None:
    await library.views.start([SHELVES])
    await fill(library, 30)
    halfway = replace(SHELVES, folds=SHELVES.folds | {BookAdded: Fold(lambda e, _: [(e.shelf,)], break_at_s20)})
    with pytest.raises(RebuildFailedError):
        await rebuild(library, halfway, asyncio.Event())
    await rebuild(library, SHELVES, asyncio.Event())
    assert len(await library.views.dump(SHELVES)) == 30
    assert [(g.generation, g.status) for g in await library.views.generations()] == [(3, "serving")]
    assert await tables(library.views) == {"shelves_g3"}


async def test_a_stalled_builder_is_fenced_by_the_next(library: Resources) -> None:
    await library.views.start([SHELVES])
    await fill(library, 3)
    await request_rebuild(library.views, SHELVES)
    stalled = Projector(library.views, SHELVES, generation=2, strict=True)
    await stalled.load()
    await rebuild(library, SHELVES, asyncio.Event())
    await rebuild(library, SHELVES, asyncio.Event())
    events = await library.store.read(0, 10)
    with pytest.raises(FencedError):
        await stalled.apply([store_batch(SERVICE, library.store.epoch, events)])


async def test_one_rebuild_at_a_time(library: Resources) -> None:
    await library.views.start([SHELVES])
    await fill(library, 3)
    results = await asyncio.gather(
        rebuild(library, SHELVES, asyncio.Event()), rebuild(library, SHELVES, asyncio.Event()), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["FencedError", "NoneType"]


async def test_stopping_leaves_it_asked_for(library: Resources) -> None:
    await library.views.start([SHELVES])
    await fill(library, 3)
    (stop := asyncio.Event()).set()
    await rebuild(library, SHELVES, stop)
    assert [g.status for g in await library.views.generations()] == ["serving", "requested"]
    await rebuild(library, SHELVES, asyncio.Event())
    assert [(g.generation, g.status) for g in await library.views.generations()] == [(2, "serving")]


async def test_who_asks_sees_the_progress_and_does_it_when_nobody_else_does(
    library: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.events.rebuild._NOBODY_TAKES_IT_S", 0.0)
    await fill(library, 10)
    seen = [generation async for generation in rebuilding(library, ROOMS)]
    assert (seen[0].status, seen[-1].status, seen[-1].done, seen[-1].total) == ("requested", "serving", 20, 20)
    assert await library.views.dump(ROOMS) == [(-1, "all", 10), (0, "hall", 10)]


async def test_several_are_asked_for_before_the_first_is_waited_for(library: Resources) -> None:
    async with aclosing(rebuilding(library, SHELVES, ROOMS)) as steps:
        assert (await anext(steps)).projection == "rooms"
    assert [each.projection for each in await library.views.unfinished()] == ["rooms", "shelves"]


async def test_who_asks_hears_why_it_failed(library: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.events.rebuild._NOBODY_TAKES_IT_S", 0.0)
    await put(library.store, BookAdded("s1", "hall", "poison"))
    with pytest.raises(RebuildFailedError, match="this book cannot be read"):
        [generation async for generation in rebuilding(library, SHELVES)]


async def fill(library: Resources, shelves: int, first: int = 0) -> None:
    for number in range(first, first + shelves):
        await put(library.store, ShelfBuilt(f"s{number}", "hall"), BookAdded(f"s{number}", "hall", "Emma"))


async def catch_up(library: Resources, projection: Projection = SHELVES) -> None:
    projector = Projector(library.views, projection)
    stop = asyncio.Event()
    running = asyncio.create_task(StoreFeed(projector, library.store, SERVICE).run(stop))
    head = await library.store.head()
    assert await library.views.wait_applied(projection.name, SERVICE, library.store.epoch, 0, head, timeout_s=20)
    stop.set()
    await running


async def tables(views: Views) -> set[str]:
    names = await views.read(lambda connection: inspect(connection).get_table_names())
    return {name for name in names if name.startswith("shelves_g")}


def count(row: Row | None, event: BookAdded, *_: object) -> Row:
    return {"shelf": event.shelf, "books": (row["books"] if row else 0) + 1}


def break_at_s20(row: Row | None, event: BookAdded, *_: object) -> Row | None:
    if event.shelf == "s20":
        raise ValueError
    return row
