"""The log that services share is gone while alerts arrive: they are taken, call people, and are told of later."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from libs.events.bus import (
    BusRecord,
    Consumer,
    LoadOffsets,
    Offsets,
    OutRecord,
    Publisher,
    Topic,
    TopicPartition,
    events_topic,
)
from libs.events.embedded_log import EmbeddedLog
from libs.events.errors import BusUnavailableError
from libs.events.testing import FrozenClock
from tests.fixtures.paging import Receiver, arrived, calling, notifications, written
from tests.fixtures.services import Database, Running, eventually, memory_is_enough

ALERTS = 120
GROUPS = 4


class Cut(EmbeddedLog):
    """A log that nobody reaches while it is *away*."""

    away = False

    def publisher(self) -> Publisher:
        return _CutPublisher(self, super().publisher())

    async def consumer(self, topics: Sequence[Topic], group: str | None, load_offsets: LoadOffsets) -> Consumer:
        return _CutConsumer(self, await super().consumer(topics, group, load_offsets))

    def check(self) -> None:
        if self.away:
            raise BusUnavailableError


class _CutPublisher:
    def __init__(self, bus: Cut, inner: Publisher) -> None:
        self._bus, self._inner = bus, inner

    async def publish(self, records: Sequence[OutRecord], *, deadline_s: float = 10.0) -> None:
        self._bus.check()
        await self._inner.publish(records, deadline_s=deadline_s)


class _CutConsumer:
    def __init__(self, bus: Cut, inner: Consumer) -> None:
        self._bus, self._inner = bus, inner

    def assignment(self) -> frozenset[TopicPartition]:
        return self._inner.assignment()

    async def poll(self, *, timeout_s: float, max_records: int) -> Mapping[TopicPartition, list[BusRecord]]:
        self._bus.check()
        return await self._inner.poll(timeout_s=min(timeout_s, 0.1), max_records=max_records)

    async def seek(self, offsets: Offsets) -> None:
        await self._inner.seek(offsets)

    async def end_offsets(self) -> Offsets:
        self._bus.check()
        return await self._inner.end_offsets()

    async def close(self) -> None:
        await self._inner.close()


async def published(bus: Cut) -> set[str]:
    """The alerts that the other services have heard of."""

    async def nothing(partitions: Any) -> Offsets:
        return dict.fromkeys(partitions, 0)

    consumer = await bus.consumer([events_topic("incidents")], None, nothing)
    keys: set[str] = set()
    while found := await consumer.poll(timeout_s=0.1, max_records=10_000):
        keys |= {each.key for records in found.values() for each in records if each.key.startswith("alert/")}
    await consumer.close()
    return keys


async def incidents_of(incidents: Running) -> list[dict[str, Any]]:
    return (await incidents.call("GET", "/v1/incidents?page_size=100"))["items"]


@memory_is_enough
async def test_no_alert_that_was_accepted_is_lost_and_each_group_calls_once(
    database: Database, clock: FrozenClock, receiver: Receiver
) -> None:
    bus = Cut(None, clock)
    await bus.start()
    async with calling(database, bus, clock, receiver) as incidents:
        await written(incidents)
        body = {"name": "pd", "kind": "pagerduty", "service": "cart-api", "group_by": ["component"]}
        key = (await incidents.call("POST", "/v1/integrations", body, expect=201))["routing_key"]
        bus.away = True

        async def send(number: int) -> None:
            payload = {"summary": "x", "source": "y", "severity": "critical", "component": f"c{number % GROUPS}"}
            event = {"routing_key": key, "event_action": "trigger", "dedup_key": str(number), "payload": payload}
            await incidents.call("POST", "/v2/enqueue", event, expect=202)

        await asyncio.gather(*map(send, range(ALERTS)))

        async def grouped() -> bool:
            return sum(len(each["alerts"]) for each in await incidents_of(incidents)) == ALERTS

        assert await eventually(grouped)
        assert len(await incidents_of(incidents)) == GROUPS
        sent = await notifications(incidents, GROUPS)
        assert [(each["kind"], each["person"], each["state"]) for each in sent] == [
            ("page", "ana", "delivered")
        ] * GROUPS
        assert len({each.id for each in await arrived(receiver, GROUPS)}) == len(receiver.taken) == GROUPS
        bus.away = False

        async def heard() -> bool:
            return len(await published(bus)) == ALERTS

        assert await eventually(heard)
    await bus.close()
