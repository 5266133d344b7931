from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.events.sqlite import SqliteStore
from libs.events.store import Store
from libs.events.store_contract import StoreContract
from libs.events.testing import FrozenClock


class TestSqliteStore(StoreContract):
    @pytest.fixture
    async def store(self, clock: FrozenClock, tmp_path: Path) -> AsyncIterator[Store]:
        store = SqliteStore(tmp_path / "events.db", clock)
        await store.start()
        yield store
        await store.close()
