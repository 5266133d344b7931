"""Read models behave alike in memory, in SQLite and in Postgres."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, Connection, Integer, Text, insert, select

from libs.events.columns import Instant, Json
from libs.events.projection import Projection
from libs.events.registry import EventRegistry
from libs.events.views import Views
from tests.fixtures.views import read_twice

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
PLACES = Projection(
    name="places",
    columns=lambda: (
        Column("name", Text, primary_key=True),
        Column("size", Integer),
        Column("seen", Instant()),
        Column("notes", Json()),
    ),
    events=EventRegistry({}),
    folds={},
    sources=("lifecycle",),
    indexes=(("size",),),
)


async def test_a_value_comes_back_as_it_went_in(views: Views) -> None:
    await views.start([PLACES])
    row = {"name": "a", "size": 1, "seen": NOON, "notes": {"tags": ["x", None], "n": 1.5}}
    await views.write(add, row)
    query = select(PLACES.view).where(PLACES.view.c.seen == NOON)
    assert await views.read(lambda connection: dict(connection.execute(query).mappings().one())) == row


async def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(views: Views) -> None:
    await views.start([PLACES])
    writing = await read_twice(views, select(PLACES.view), views.write(add, {"name": "a"}))
    await writing
    assert len(await views.dump(PLACES)) == 1


async def test_starting_again_changes_nothing(views: Views) -> None:
    assert await views.start([PLACES]) == []
    await views.write(add, {"name": "a"})
    assert await views.start([PLACES]) == []
    assert await views.dump(PLACES) == [("a", None, None, None)]


async def test_processes_may_start_at_the_same_time(views: Views) -> None:
    assert await asyncio.gather(*(views.start([PLACES]) for _ in range(4))) == [[], [], [], []]
    assert [(each.projection, each.generation, each.status) for each in await views.generations()] == [
        ("places", 1, "serving")
    ]


async def test_a_changed_shape_is_reported(views: Views) -> None:
    await views.start([PLACES])
    wider = Projection("places", lambda: (*PLACES.columns(), Column("colour", Text)), PLACES.events, {}, ("lifecycle",))
    newer = Projection("places", PLACES.columns, PLACES.events, {}, ("lifecycle",), PLACES.indexes, version=2)
    assert await views.start([wider]) == ["places"]
    assert await views.start([newer]) == ["places"]


async def test_a_failed_transaction_leaves_nothing(views: Views) -> None:
    await views.start([PLACES])

    def fail(connection: Connection) -> None:
        add(connection, {"name": "a"})
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await views.write(fail)
    assert await views.dump(PLACES) == []


async def test_a_transaction_may_await_in_between(views: Views) -> None:
    await views.start([PLACES])
    async with views.begin() as run:
        await run(lambda connection: add(connection, {"name": "a"}))
        await asyncio.sleep(0)
        await run(lambda connection: add(connection, {"name": "b"}))
    assert [row[0] for row in await views.dump(PLACES)] == ["a", "b"]


async def test_a_transaction_that_fails_between_its_functions_leaves_nothing(views: Views) -> None:
    await views.start([PLACES])

    async def fail() -> None:
        async with views.begin() as run:
            await run(lambda connection: add(connection, {"name": "a"}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await views.dump(PLACES) == []
    await views.write(add, {"name": "b"})  # the next one finds nothing held


async def test_whoever_is_cancelled_in_a_transaction_holds_nothing(views: Views) -> None:
    await views.start([PLACES])

    async def begin() -> None:
        async with views.begin() as run:
            await run(lambda connection: add(connection, {"name": "a"}))

    for turns in range(6):  # cancelled at another await each time
        beginning = asyncio.create_task(begin())
        for _ in range(turns):
            await asyncio.sleep(0)
        beginning.cancel()
        await asyncio.gather(beginning, return_exceptions=True)
        async with asyncio.timeout(5):
            await views.write(lambda connection: connection.execute(PLACES.table(1).delete()))


async def test_writers_take_turns(views: Views) -> None:
    await views.start([PLACES])
    table = PLACES.table(1)
    await views.write(add, {"name": "a", "size": 0})

    def add_one(connection: Connection) -> None:
        size = connection.execute(select(table.c.size).with_for_update()).scalar_one()
        connection.execute(table.update().values(size=size + 1))

    await asyncio.gather(*(views.write(add_one) for _ in range(20)))
    assert await views.dump(PLACES) == [("a", 20, None, None)]


def add(connection: Connection, row: dict[str, object]) -> None:
    connection.execute(insert(PLACES.table(1)).values(row))
