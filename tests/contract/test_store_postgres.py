import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec
import pytest
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import exc
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi

from deploy.local.postgres import PostgresServer
from libs.events import postgres
from libs.events.database import is_unavailable
from libs.events.errors import OutcomeUnknownError, StoreUnavailableError
from libs.events.postgres import _APPEND, PostgresStore, _Columns
from libs.events.store import AppendRequest, Reservation, Store
from libs.events.store_contract import ANSWER, KEY, START, StoreContract, request, write
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from tests.fixtures.postgres import database_of


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
async def test_a_waiting_process_hears_of_another_one_s_append(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_ASK_EVERY_S", 60)  # by itself
    waits, writes = PostgresStore(postgres_url), PostgresStore(postgres_url)
    await waits.start()
    await writes.start()
    assert not await waits.wait(0, 0.01)  # begins to listen
    while waits._listener is None:
        await asyncio.sleep(0.005)

    waiting = asyncio.ensure_future(waits.wait(0, 60))
    await asyncio.sleep(0)
    await writes.append(request(write("thing/a", 0)))

    async with asyncio.timeout(30):
        assert await waiting
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


@pytest.mark.postgres
async def test_a_server_that_only_reads_as_one_that_was_replaced_does_is_away(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    postgres_server.execute(f'ALTER DATABASE "{database_of(postgres_url)}" SET default_transaction_read_only = on')
    store = PostgresStore(postgres_url)
    await store.start()

    with pytest.raises(StoreUnavailableError):
        await store.append(request(write("thing/a", 0)), deadline_s=0.2)
    with pytest.raises(StoreUnavailableError):
        await store.acquire("timers", "one", START, 10)
    async with open_views(postgres_url) as views:
        with pytest.raises(StoreUnavailableError):
            await views.start([])
    await store.close()


@pytest.mark.postgres
async def test_names_and_keys_are_looked_up_one_by_one_also_by_plans_of_when_there_were_none(postgres_url: str) -> None:
    store = PostgresStore(postgres_url)
    await store.start()

    def command(name: str) -> AppendRequest:
        events = write(f"thing/{name}", 0)
        names = {"reserve": (Reservation("thing", name, name),), "release": (Reservation("old", name, name),)}
        key = msgspec.structs.replace(KEY, key=name)
        return AppendRequest((events,), **names, cancel=(name,), idempotency=key, answer=ANSWER)

    async def appended(connection: "PoolConnectionProxy[Any]", name: str) -> int:
        """How many rows of what stands beside the events were looked at."""
        looked = "SELECT sum(idx_tup_fetch)::int FROM pg_stat_xact_user_tables WHERE relname = ANY ($1)"
        tables = ["reservations", "idempotency", "timers"]
        before = await connection.fetchval(looked, tables)
        await connection.fetchrow(_APPEND, *_Columns([command(name)], datetime.now(UTC)).arguments)
        return int(await connection.fetchval(looked, tables) - before)

    async with store._connection() as connection, connection.transaction():
        await appended(connection, "first")
        for table, row in (
            ("reservations", "'thing', 'n' || n, 'n' || n"),
            ("idempotency", "'ana', 'POST /things', 'n' || n, '', now(), 201"),
            ("timers", "'n' || n, now(), 'look', ''"),
        ):
            await connection.execute(f"INSERT INTO {table} SELECT {row} FROM generate_series(1, 1000) n")  # noqa: S608

        assert await appended(connection, "then") < 10
    await store.close()
