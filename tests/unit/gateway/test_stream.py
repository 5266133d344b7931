"""What a stream says while the log is busy with what its reader does not want."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from libs.events.bus import BusRecord, Offsets, TopicPartition
from services.gateway.api import cursor
from services.gateway.api.stream import Reader, Wanted, tell

PLACE = TopicPartition("concordat.lifecycle.events", 0)
NOBODY: Any = None  # no key is looked at within an hour


class Busy:
    """Hands out one record at a time; the last one is of `wanted`."""

    def __init__(self, services: Collection[str]) -> None:
        self._services = list(services)
        self.polls = 0

    async def poll(self, *, timeout_s: float, max_records: int) -> Mapping[TopicPartition, list[BusRecord]]:
        del timeout_s, max_records
        self.polls += 1
        value = b'{"service": "%s"}' % self._services.pop(0).encode()
        headers = (("ce_type", b"io.concordat.lifecycle.service.changed.v1"),)
        return {PLACE: [BusRecord(PLACE.topic, PLACE.partition, self.polls, "", value, headers)]}

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset((PLACE,))

    async def seek(self, offsets: Offsets) -> None:
        raise NotImplementedError

    async def end_offsets(self) -> Offsets:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


async def test_what_is_not_wanted_costs_its_reader_nothing() -> None:
    log = Busy([*("other",) * 50, "wanted"])
    reader, wanted = Reader(log, cursor.start()), Wanted(services=("wanted",))
    told = tell(reader, wanted, NOBODY, "", asyncio.Event(), 3600)

    assert (await anext(told)).startswith(b"retry: ")
    assert b'"service": "wanted"' in await anext(told)
    assert log.polls == 51
    await told.aclose()
