from collections.abc import AsyncIterator

import pytest

from libs.events.postgres import PostgresStore
from libs.events.store import Store
from libs.events.store_contract import StoreContract
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
