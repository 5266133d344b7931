"""Words are found by the database's own index, whatever becomes of the rows."""

import asyncio
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Connection, Text, inspect, select

from libs.events.embedded_log import EmbeddedLog
from libs.events.feeds import store_batch
from libs.events.full_text import Words, holds
from libs.events.memory import MemoryStore
from libs.events.projection import Fold, Projection, Row
from libs.events.projector import Projector
from libs.events.rebuild import rebuild
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from libs.events.views import Views
from tests.fixtures.shelves import LIBRARY, SERVICE, BookAdded, ShelfBuilt, ShelfBurnt, put


def burnt(*_: object) -> None:
    return None


def built(row: Row | None, event: ShelfBuilt, *_: object) -> Row:
    return {"shelf": event.shelf, "words": "  "}


def added(row: Row | None, event: BookAdded, *_: object) -> Row:
    assert row is not None
    return row | {"words": f"{row['words'].rstrip()} {event.title} "}


TITLES = Projection(
    name="titles",
    columns=lambda: (Column("shelf", Text, primary_key=True), Column("words", Words, nullable=False)),
    events=LIBRARY,
    folds={
        ShelfBuilt: Fold(lambda e, _: [(e.shelf,)], built),
        BookAdded: Fold(lambda e, _: [(e.shelf,)], added),
        ShelfBurnt: Fold(lambda e, _: [(e.shelf,)], burnt),
    },
    sources=(SERVICE,),
)


async def found(views: Views, *words: str, every: bool = True) -> list[str]:
    query = select(TITLES.view.c.shelf).where(holds(TITLES.view.c.words, words, every=every)).order_by("shelf")
    return await views.read(lambda connection: list(connection.execute(query).scalars()))


async def test_rows_are_found_by_what_they_say_now_also_after_a_rebuild(views: Views) -> None:
    store = MemoryStore()
    await views.start([TITLES])
    projector = Projector(views, TITLES)
    await projector.load()
    seen = 0

    async def happens(*events: Any) -> None:
        nonlocal seen
        await put(store, *events)
        recorded = await store.read(seen, 100)
        seen = recorded[-1].position
        await projector.apply([store_batch(SERVICE, store.epoch, recorded)])

    await happens(*(ShelfBuilt(name, "hall") for name in "abc"), BookAdded("a", "hall", "zähler"))
    await happens(BookAdded("b", "hall", "zähler"), BookAdded("b", "hall", "emma"), BookAdded("c", "hall", "emmas"))

    for _ in range(2):
        assert await found(views, "zähler") == ["a", "b"]
        assert await found(views, "zähler", "emma") == ["b"]
        assert await found(views, "emma", "emmas", every=False) == ["b", "c"]
        assert await found(views, "zahler") == await found(views, "or") == []
        bus = EmbeddedLog(None)
        await bus.start()
        await rebuild(Resources(SERVICE, LIBRARY, store, views, bus, FrozenClock()), TITLES, asyncio.Event())
        await bus.close()
    projector = Projector(views, TITLES)
    await projector.load()
    await happens(ShelfBurnt("b", "hall"), BookAdded("a", "hall", "emma"))

    assert await found(views, "emma") == ["a"]
    names = await views.read(lambda connection: inspect(connection).get_table_names())
    assert [name for name in names if name.startswith(("titles_g1", "titles_g2"))] == []


async def test_the_index_is_asked(views: Views) -> None:
    await views.start([TITLES])
    query = select(TITLES.view.c.shelf).where(holds(TITLES.view.c.words, ["emma"]))

    def plan(connection: Connection) -> str:
        explain = "EXPLAIN" if views.is_postgres else "EXPLAIN QUERY PLAN"
        asked = query.compile(connection, compile_kwargs={"literal_binds": True})
        return str(connection.exec_driver_sql(f"{explain} {asked}").all())

    assert ("ix_titles_g1_words" if views.is_postgres else "titles_g1_words VIRTUAL TABLE") in await views.read(plan)


async def test_a_column_that_is_searched_from_now_on_is_filled_anew(views: Views) -> None:
    def unsearched() -> tuple[Column[str], ...]:
        return (Column("shelf", Text, primary_key=True), Column("words", Text, nullable=False))

    await views.start([replace(TITLES, columns=unsearched)])

    assert await views.start([TITLES]) == ["titles"]
