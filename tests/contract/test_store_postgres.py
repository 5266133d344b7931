import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

from libs.events.database import is_unavailable
from libs.events.errors import OutcomeUnknownError, StoreUnavailableError
from libs.events.postgres import PostgresStore
from libs.events.store import Store
from libs.events.store_contract import StoreContract, request, write
from libs.events.testing import FrozenClock


@pytest.mark.postgres
class TestPostgresStore(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock, postgres_url: str) -> AsyncIterator[Store]:
        store = PostgresStore(postgres_url, clock=clock)
        await store.start()
        yield store
        await store.close()


@pytest.mark.postgres
class TestPostgresStoreBehindPgbouncer(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock, postgres_url: str) -> AsyncIterator[Store]:
        store = PostgresStore(postgres_url, clock=clock, prepared_statements=False)
        await store.start()
        yield store
        await store.close()


@pytest.mark.postgres
async def test_a_waiting_process_hears_of_another_one_s_append(postgres_url: str) -> None:
    waits, writes = PostgresStore(postgres_url), PostgresStore(postgres_url)
    await waits.start()
    await writes.start()
    assert not await waits.wait(0, 0.01)  # begins to listen
    loop = asyncio.get_running_loop()
    while waits._listener is None:
        await asyncio.sleep(0.005)

    started = loop.time()
    waiting = asyncio.ensure_future(waits.wait(0, 30))
    await asyncio.sleep(0)
    await writes.append(request(write("thing/a", 0)))

    assert await waiting
    assert loop.time() - started < 0.5  # well before it would have asked by itself
    await waits.close()
    await writes.close()


class SpokenFor:
    """A pool of one connection whose server has said its last word, and has not closed it yet."""

    error = asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")

    async def acquire(self, **_: float) -> "SpokenFor":
        return self

    async def release(self, _: "SpokenFor") -> None: ...

    async def fetch(self, *_: object) -> None:
        raise self.error

    fetchrow = fetch


async def test_a_server_that_has_said_its_last_word_is_away() -> None:
    store = PostgresStore("postgresql://")
    store._pool = SpokenFor()

    with pytest.raises(OutcomeUnknownError):
        await store.append(request(write("thing/a", 0)), deadline_s=0.1)
    with pytest.raises(StoreUnavailableError):
        await store.load("thing/a")


def test_read_models_on_it_are_away_too() -> None:
    said = AsyncAdapt_asyncpg_dbapi.InternalClientError(str(SpokenFor.error))
    assert is_unavailable(exc.InternalError("SELECT 1", {}, said))
