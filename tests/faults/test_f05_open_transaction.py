"""F5: a transaction held open at a lower position, and an INSERT that bypasses the store; no sleep decides."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from libs.events.errors import DeadlineExceededError, StoreUnavailableError
from libs.events.postgres import PostgresStore
from libs.events.store_contract import request, write
from libs.events.views import note_consumer, open_views

BYPASS = """
INSERT INTO events (stream, version, type, event_id, occurred_at, recorded_at, data, metadata)
VALUES ($1, 1, 'io.concordat.test.thing.done.v1', gen_random_uuid(), now(), now(), '{}', '{}')
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = $1"

pytestmark = pytest.mark.postgres


class Held:
    """A transaction that has drawn a position and is not committed."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.transaction = connection.transaction()

    async def waiting_for_it(self, others: int) -> None:
        """Return when that many others wait for its lock."""
        database = await self.connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
        async with asyncio.timeout(10):
            while await self.connection.fetchval(WAITING, database) < others:
                await asyncio.sleep(0.005)


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(postgres_url)
    await store.start()
    yield store
    await store.close()


@pytest.fixture
async def held(postgres_url: str) -> AsyncIterator[Held]:
    connection = await asyncpg.connect(postgres_url)
    held = Held(connection)
    await held.transaction.start()
    await connection.execute(BYPASS, "held/a")
    yield held
    await connection.close()


async def test_the_reader_stops_below_and_goes_on_when_it_ends(store: PostgresStore, held: Held) -> None:
    later = asyncio.ensure_future(store.append(request(write("later/a", 0)), deadline_s=30))
    await held.waiting_for_it(1)
    assert await store.read(0, 10) == []

    await held.transaction.commit()

    await later
    assert [one.stream for one in await store.read(0, 10)] == ["held/a", "later/a"]


async def test_an_insert_that_bypasses_the_store_waits_for_the_same_lock(
    store: PostgresStore, held: Held, postgres_url: str
) -> None:
    bypassing = await asyncpg.connect(postgres_url)
    bypass = asyncio.ensure_future(bypassing.execute(BYPASS, "bypass/a"))
    await held.waiting_for_it(1)
    assert not bypass.done()

    await held.transaction.rollback()  # its position stays unused

    await bypass
    await bypassing.close()
    (only,) = await store.read(0, 10)
    assert only.stream == "bypass/a"
    assert only.position == 2
    assert (await store.append(request(write("later/a", 0)))).position == 3


async def test_who_waits_longer_than_his_deadline_is_told_that_nothing_was_written(
    store: PostgresStore, held: Held
) -> None:
    with pytest.raises(DeadlineExceededError):
        await store.append(request(write("later/a", 0)), deadline_s=0.2)

    await held.transaction.rollback()

    await store.append(request(write("later/b", 0)), deadline_s=30)
    assert [one.stream for one in await store.read(0, 10)] == ["later/b"]


async def test_who_stands_still_in_a_transaction_keeps_the_others_only_for_a_while(postgres_url: str) -> None:
    moved = text("UPDATE generations SET writes = writes + 1")
    async with open_views(postgres_url, idle_s=0.2) as stalled, open_views(postgres_url) as other:
        await other.start([])
        await other.write(note_consumer, "incidents.paging", 0)

        async def stand_still() -> None:
            async with stalled.begin() as run:
                await run(lambda connection: connection.execute(moved))
                async with asyncio.timeout(10):
                    await other.write(lambda connection: connection.execute(moved))
                await run(lambda connection: connection.execute(moved))

        with pytest.raises(StoreUnavailableError):
            await stand_still()
        writes = await stalled.read(lambda connection: connection.scalar(text("SELECT writes FROM generations")))
    assert writes == 1
