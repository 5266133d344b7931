"""The event stream on a real Kafka."""

from collections.abc import AsyncGenerator

import pytest

from deploy.local.kafka import KafkaServer
from libs.events.kafka import KafkaBus
from libs.events.memory import MemoryStore
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from services.gateway.api import cursor
from services.gateway.contract import CONTRACT
from services.gateway.projections import PROJECTIONS
from tests.fixtures.elsewhere import Elsewhere
from tests.fixtures.event_stream import Open

pytestmark = pytest.mark.kafka


@pytest.fixture
async def resources(clock: FrozenClock, fresh_kafka_server: KafkaServer) -> AsyncGenerator[Resources]:
    bus = KafkaBus(fresh_kafka_server.bootstrap_servers)
    await bus.start()
    await bus.ensure_topics(cursor.TOPICS)
    async with open_views("memory:") as views:
        await views.start(PROJECTIONS)
        yield Resources("gateway", CONTRACT, MemoryStore(clock), views, bus, clock)
    await bus.close()


async def test_a_reader_that_comes_back_misses_nothing_and_hears_nothing_twice(
    open_stream: Open, elsewhere: Elsewhere
) -> None:
    await elsewhere.register("before")
    async with open_stream() as stream:
        for number in range(5):
            await elsewhere.register(f"s{number}")
        heard = [(await stream.event())["data"]["service"] for _ in range(3)]
    await elsewhere.register("s5")
    async with open_stream(last_event_id=stream.last_id) as stream:
        await elsewhere.register("s6")
        heard += [(await stream.event())["data"]["service"] for _ in range(4)]
    assert sorted(heard) == [f"s{number}" for number in range(7)]


async def test_everything_can_be_heard_from_the_start(open_stream: Open, elsewhere: Elsewhere) -> None:
    for number in range(3):
        await elsewhere.register(f"s{number}")
    async with open_stream("after=start") as stream:
        assert sorted([(await stream.event())["data"]["service"] for _ in range(3)]) == ["s0", "s1", "s2"]
