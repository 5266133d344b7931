"""F1: kill -9 of the Postgres server while appends run; it is started again each time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest

from deploy.local.postgres import PostgresServer
from libs.events import schema
from libs.events.errors import StoreUnavailableError
from libs.events.postgres import PostgresStore
from libs.events.store_contract import event, request, write
from tests.faults.counting import count
from tests.fixtures.postgres import own_postgres_server

WRITERS = 16
KILLS = 3
BETWEEN_KILLS = 600  # appends acknowledged

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with own_postgres_server(external="") as server:
        server.create_database("faults")
        server.execute(";".join(schema.POSTGRES), "faults")
        yield server


@pytest.fixture
async def store(server: PostgresServer) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(server.url("faults"))
    await store.start()
    yield store
    await store.close()


async def test_nothing_acknowledged_is_lost_or_doubled(server: PostgresServer, store: PostgresStore) -> None:
    acknowledged: list[UUID] = []
    errors: list[StoreUnavailableError] = []
    stopped = False

    async def writer(number: int) -> None:
        """Append one event after the other to one stream, sending again whatever was not acknowledged."""
        version = 0
        while not stopped:
            new = event()
            for _ in range(50):
                try:
                    await store.append(request(write(f"killed/{number}", version, new)))
                    break
                except StoreUnavailableError as error:
                    errors.append(error)
            acknowledged.append(new.event_id)
            version += 1

    writers = [asyncio.ensure_future(writer(number)) for number in range(WRITERS)]
    for kill in range(1, KILLS + 1):
        while len(acknowledged) < kill * BETWEEN_KILLS:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    reached = len(acknowledged)
    while len(acknowledged) < reached + BETWEEN_KILLS:  # it comes back by itself
        await asyncio.sleep(0.01)
    stopped = True
    await asyncio.gather(*writers)

    counted = await count(store, acknowledged)
    print(f"F1: {KILLS} kills, {len(errors)} appends refused meanwhile: {counted}")  # noqa: T201  the test's figures
    assert (counted.lost, counted.doubled, counted.gaps) == (0, 0, 0)
    assert counted.found == counted.acknowledged


async def test_while_it_is_away_callers_are_told_and_afterwards_served(
    server: PostgresServer, store: PostgresStore
) -> None:
    await store.append(request(write("away/a", 0)))
    await asyncio.to_thread(server.kill)
    try:
        with pytest.raises(StoreUnavailableError):
            await store.append(request(write("away/a", 1)), deadline_s=0.3)
        with pytest.raises(StoreUnavailableError):
            await store.load("away/a")
        waiting = asyncio.ensure_future(store.append(request(write("away/b", 0)), deadline_s=30))
    finally:
        await asyncio.to_thread(server.start)

    assert (await waiting).position > 0
    assert [one.version for one in await store.load("away/a")] == [1]
