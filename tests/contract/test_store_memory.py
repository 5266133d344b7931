import pytest

from libs.events.memory import MemoryStore
from libs.events.store import Store
from libs.events.store_contract import StoreContract
from libs.events.testing import FrozenClock


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self, clock: FrozenClock) -> Store:
        return MemoryStore(clock)
