import asyncio
from collections.abc import Sequence

import pytest

from libs.events.errors import StoreUnavailableError
from libs.events.group_ask import GroupAsk
from libs.events.store_contract import all_of


class Database:
    """Remembers what it was asked; may be away."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.away = False

    async def answer(self, questions: Sequence[str]) -> list[str]:
        self.asked.append(list(questions))
        await asyncio.sleep(0)
        if self.away:
            raise StoreUnavailableError
        return [question.upper() for question in questions]


async def test_what_is_asked_at_once_is_asked_together() -> None:
    database = Database()
    group = GroupAsk(database.answer)

    replies = await asyncio.gather(*(group.ask(question) for question in "aba"))

    assert replies == ["A", "B", "A"]
    assert database.asked == [["a", "b", "a"]]


async def test_every_caller_hears_that_the_database_is_away() -> None:
    database = Database()
    database.away = True
    group = GroupAsk(database.answer)

    results = await all_of([group.ask(name) for name in "abc"])
    assert [type(result) for result in results] == [StoreUnavailableError] * 3

    database.away = False
    assert await group.ask("a") == "A"


async def test_a_caller_that_went_away_harms_nobody() -> None:
    group = GroupAsk(Database().answer)
    gone, stays = (asyncio.ensure_future(group.ask(name)) for name in "ab")
    await asyncio.sleep(0)
    gone.cancel()

    assert await stays == "B"
    with pytest.raises(asyncio.CancelledError):
        await gone
