import asyncio
from collections.abc import Sequence

import pytest

from libs.events.envelope import Recorded
from libs.events.errors import StoreUnavailableError
from libs.events.group_load import GroupLoad, Wanted
from libs.events.store_contract import all_of


class Database:
    """Remembers what it was asked; may be away."""

    def __init__(self) -> None:
        self.asked: list[list[Wanted]] = []
        self.away = False

    async def fetch(self, wanted: Sequence[Wanted]) -> list[list[Recorded]]:
        self.asked.append(list(wanted))
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailableError
        return [[] for _ in wanted]


async def test_streams_wanted_at_once_are_read_with_one_query() -> None:
    database = Database()
    loads = GroupLoad(database.fetch)

    await asyncio.gather(loads.load("a", 0), loads.load("b", 3), loads.load("a", 0))

    assert database.asked == [[Wanted("a", 0), Wanted("b", 3), Wanted("a", 0)]]


async def test_every_caller_hears_that_the_database_is_away() -> None:
    database = Database()
    database.away = True
    loads = GroupLoad(database.fetch)

    results = await all_of([loads.load(name, 0) for name in "abc"])
    assert [type(result) for result in results] == [StoreUnavailableError] * 3

    database.away = False
    assert await loads.load("a", 0) == []


async def test_a_caller_that_went_away_harms_nobody() -> None:
    loads = GroupLoad(Database().fetch)
    gone, stays = (asyncio.ensure_future(loads.load(name, 0)) for name in "ab")
    await asyncio.sleep(0)
    gone.cancel()

    assert await stays == []
    with pytest.raises(asyncio.CancelledError):
        await gone
