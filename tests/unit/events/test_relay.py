import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from libs.events.bus import EVENT_PARTITIONS, events_topic
from libs.events.cloudevents import Delivered
from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Recorded
from libs.events.errors import BusUnavailableError, FatalBusError, FencedError, StoreUnavailableError
from libs.events.memory import MemoryStore
from libs.events.partition import partition_of
from libs.events.relay import LEASE, LEASE_S, Relay, unpublished
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from tests.fixtures.relays import INTERNAL, Fragile, caught_up, delivered, first_time, lamps, light, relaying


class ForgetfulStore(MemoryStore):
    """A store whose reads fail as often as it is told."""

    failures = 0

    async def read(self, after: int, limit: int) -> list[Recorded]:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailableError("gone for a moment")
        return await super().read(after, limit)


@pytest.fixture
def store() -> ForgetfulStore:
    return ForgetfulStore()


@pytest.fixture
async def bus() -> AsyncIterator[Fragile]:
    bus = Fragile(EmbeddedLog(None))
    await bus.start()
    yield bus
    await bus.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def service(store: ForgetfulStore, bus: Fragile, clock: FrozenClock) -> AsyncIterator[Resources]:
    async with lamps(store, bus, clock) as resources:
        yield resources


def positions(events: Sequence[Delivered]) -> list[int]:
    return sorted(each.recorded.position for each in events)


async def test_what_is_stored_is_published_as_it_is(service: Resources) -> None:
    await light(service.store, "a", 3)
    async with relaying(service):
        await caught_up(service)
    events = await delivered(service.bus)
    assert [each.recorded for each in events] == await service.store.read(0, 10)
    assert {(each.service, each.epoch) for each in events} == {("lamps", service.store.epoch)}


async def test_a_stream_has_one_partition_and_keeps_its_order(service: Resources) -> None:
    for lamp in range(30):
        await light(service.store, f"{lamp}", 2)
    for lamp in range(30):
        await light(service.store, f"{lamp}", 2, after=2)
    async with relaying(service):
        await caught_up(service)
    events = await delivered(service.bus)
    for lamp in range(30):
        own = [each for each in events if each.recorded.key == f"{lamp}"]
        assert [each.recorded.version for each in own] == [1, 2, 3, 4]
        assert {each.partition for each in own} == {partition_of(f"lamp/{lamp}", EVENT_PARTITIONS)}


async def test_internal_events_stay_inside_and_hold_nothing_up(service: Resources) -> None:
    await light(service.store, "a", 2, kind=INTERNAL)
    await light(service.store, "a", 1, after=2)
    await light(service.store, "a", 1, after=3, kind=INTERNAL)
    async with relaying(service):
        await caught_up(service)
    assert positions(await delivered(service.bus)) == [3]


async def test_what_comes_later_is_published_at_once(service: Resources, bus: Fragile) -> None:
    async with relaying(service):
        took: list[float] = []
        for number in range(20):
            started = time.perf_counter()
            await light(service.store, f"{number}", 1)
            while len(bus.published) == number:
                await asyncio.sleep(0)
            took.append(time.perf_counter() - started)
    assert sorted(took)[10] < 0.02


async def test_a_successor_goes_on_where_it_was_left(service: Resources, bus: Fragile) -> None:
    await light(service.store, "a", 3)
    async with relaying(service, "one"):
        await caught_up(service)
    await light(service.store, "a", 3, after=3)
    async with relaying(service, "two"):
        await caught_up(service)
    assert positions(await delivered(service.bus)) == [1, 2, 3, 4, 5, 6]
    assert len(bus.published) == 6


async def test_what_may_have_been_written_is_published_again_in_order(service: Resources, bus: Fragile) -> None:
    await light(service.store, "a", 3)
    bus.after.append(BusUnavailableError("no answer in time"))
    async with relaying(service):
        await caught_up(service)
    events = await delivered(service.bus)
    assert [each.recorded.version for each in events] == [1, 2, 3, 1, 2, 3]
    assert [each.recorded.version for each in first_time(events)] == [1, 2, 3]


async def test_it_waits_for_a_bus_and_a_store_that_are_away(
    service: Resources, store: ForgetfulStore, bus: Fragile
) -> None:
    await light(service.store, "a", 3)
    bus.before += [BusUnavailableError("away"), BusUnavailableError("away")]
    store.failures = 2
    async with relaying(service):
        await caught_up(service)
    assert [each.recorded.version for each in await delivered(service.bus)] == [1, 2, 3]


async def test_a_producer_that_lost_its_place_ends_it(service: Resources, bus: Fragile) -> None:
    await light(service.store, "a", 1)
    bus.before.append(FatalBusError("out of order"))
    with pytest.raises(FatalBusError):
        await Relay(service, "one").run(asyncio.Event())
    assert await service.store.relayed() == 0


async def test_only_one_publishes_and_the_other_takes_over(service: Resources, bus: Fragile) -> None:
    async with relaying(service, "one") as one:
        await light(service.store, "a", 1)
        await caught_up(service)
        second, stop = Relay(service, "two"), asyncio.Event()
        waiting = asyncio.create_task(second.run(stop))
        await light(service.store, "a", 1, after=1)
        await caught_up(service)
        assert (one.leads, second.leads) == (True, False)
    assert not one.leads
    await light(service.store, "a", 1, after=2)
    await caught_up(service)
    assert second.leads
    stop.set()
    await waiting
    assert len(bus.published) == 3


async def test_who_slept_through_its_lease_moves_nothing(service: Resources, clock: FrozenClock) -> None:
    store = service.store
    slept = await store.acquire(LEASE, "one", clock.now(), LEASE_S)
    assert slept is not None
    clock.advance(timedelta(seconds=LEASE_S + 1))
    await light(store, "a", 2)
    async with relaying(service, "two"):
        await caught_up(service)
    with pytest.raises(FencedError):
        await store.save_relayed(slept, 0, 1)
    assert await store.relayed() == 2


async def test_the_role_is_free_when_it_has_ended(service: Resources, clock: FrozenClock) -> None:
    await light(service.store, "a", 1)
    async with relaying(service, "one"):
        await caught_up(service)
    assert await service.store.acquire(LEASE, "two", clock.now(), LEASE_S) is not None


async def test_its_lag_is_what_the_log_holds_and_the_bus_does_not(service: Resources, clock: FrozenClock) -> None:
    await light(service.store, "a", 3)
    oldest, *_ = await service.store.read(0, 1)
    clock.advance(oldest.recorded_at + timedelta(seconds=40) - clock.now())
    assert await unpublished(service) == (3, 40.0)
    async with relaying(service):
        await caught_up(service)
        assert await unpublished(service) == (0, 0.0)


async def test_what_was_published_is_published_again_on_demand(service: Resources) -> None:
    await light(service.store, "a", 5)
    async with relaying(service) as relay:
        await caught_up(service)
        assert await Relay(service, "an operator").republish(3) == 3
        await caught_up(service)
        await light(service.store, "a", 1, after=5)
        await caught_up(service)
        assert relay.position == 6
    events = await delivered(service.bus)
    assert [each.recorded.position for each in events] == [1, 2, 3, 4, 5, 3, 4, 5, 6]


async def test_publishing_again_waits_for_a_relay_to_run(service: Resources) -> None:
    await light(service.store, "a", 2)
    async with relaying(service, "one"):
        await caught_up(service)
    assert await Relay(service, "an operator").republish(1) == 2
    async with relaying(service, "two"):
        await caught_up(service)
    assert [each.recorded.position for each in await delivered(service.bus)] == [1, 2, 1, 2]


async def test_publishing_again_skips_nothing_that_was_not_published(service: Resources) -> None:
    await light(service.store, "a", 2)
    assert await Relay(service, "an operator").republish(100) == 0
    assert await service.store.relayed() == 0


async def test_the_topic_is_made_before_it_is_used(service: Resources, bus: Fragile) -> None:
    await light(service.store, "a", 1)
    async with relaying(service):
        await caught_up(service)
    assert {record.topic for record in bus.published} == {events_topic("lamps").name}
