from collections.abc import AsyncIterator

import pytest

from libs.events.bus import Bus
from libs.events.bus_contract import BusContract
from libs.events.embedded_log import EmbeddedLog


class TestEmbeddedLogInMemory(BusContract):
    @pytest.fixture
    async def bus(self) -> AsyncIterator[Bus]:
        bus = EmbeddedLog(None)
        await bus.start()
        yield bus
        await bus.close()
