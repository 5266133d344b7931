"""F9: the relay is killed between the acknowledgement and the saving of its position; two relays at once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from libs.events.kafka import KafkaBus
from libs.events.postgres import PostgresStore
from libs.events.relay import LEASE_S
from libs.events.resources import Resources
from tests.fixtures.relays import caught_up, delivered, first_time, lamps, light
from tests.fixtures.servers import ROOT

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

STREAMS, EVENTS = 60, 200  # some pages of the relay
EVERY_LEASE_IS_OVER = 2 * LEASE_S


@dataclass(frozen=True, slots=True)
class Count:
    """What consumers make of what is on the topic."""

    stored: int
    published: int
    repeated: int
    lost: int
    doubled: int

    def __str__(self) -> str:
        return (
            f"{self.stored} stored, {self.published} published, {self.repeated} of them repeated,"
            f" {self.lost} lost and {self.doubled} doubled at a consumer"
        )


async def count(service: Resources) -> Count:
    """What a consumer keeps that drops positions it has had; a repetition out of order would lose events."""
    events = await delivered(service.bus, service.service)
    kept = [each.recorded.position for each in first_time(events)]
    stored = {recorded.position for recorded in await service.store.read(0, STREAMS * EVENTS + 1)}
    return Count(len(stored), len(events), len(events) - len(kept), len(stored - set(kept)), len(kept) - len(set(kept)))


@pytest.fixture
async def service(postgres_url: str, kafka: str, topic_prefix: str) -> AsyncIterator[Resources]:
    store, bus = PostgresStore(postgres_url), KafkaBus(kafka)
    await store.start()
    async with lamps(store, bus, service=topic_prefix) as resources:
        for lamp in range(STREAMS):
            await light(store, f"{lamp}", EVENTS)
        yield resources
    await bus.close()
    await store.close()


class RelayingProcess:
    """A relay of the log at *url* in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        self._command = [sys.executable, "-m", "tests.faults.relaying_process", *arguments]

    async def start(self, *, ahead_s: float, at: int, fault: str) -> asyncio.subprocess.Process:
        arguments = [*self._command, str(ahead_s), str(at), fault]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdin=pipe, stdout=pipe)


@pytest.fixture
def relaying(postgres_url: str, kafka: str, topic_prefix: str) -> RelayingProcess:
    return RelayingProcess(postgres_url, kafka, topic_prefix)


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        return (await process.stdout.readline()).decode().strip()


async def test_what_was_acknowledged_and_not_saved_is_only_repeated_in_order(
    service: Resources, relaying: RelayingProcess
) -> None:
    deaths = 3
    for death in range(deaths):
        process = await relaying.start(ahead_s=death * EVERY_LEASE_IS_OVER, at=1, fault="die")
        assert await process.wait() == -9
    last = await relaying.start(ahead_s=deaths * EVERY_LEASE_IS_OVER, at=0, fault="die")
    await caught_up(service)
    last.terminate()
    assert await last.wait() == 0

    counted = await count(service)
    print(f"F9: {deaths} relays killed before they saved: {counted}")  # noqa: T201  the test's figures
    assert (counted.stored, counted.lost, counted.doubled) == (STREAMS * EVENTS, 0, 0)
    assert counted.repeated > 0


async def test_of_two_relays_the_one_that_slept_is_fenced(service: Resources, relaying: RelayingProcess) -> None:
    first = await relaying.start(ahead_s=0, at=1, fault="hold")
    assert await line_of(first) == "holding"
    second = await relaying.start(ahead_s=EVERY_LEASE_IS_OVER, at=0, fault="die")
    await caught_up(service)
    saved = await service.store.relayed()

    assert first.stdin is not None
    first.stdin.write(b"go on\n")
    assert await line_of(first) == "fenced"
    assert await service.store.relayed() == saved
    for process in (first, second):
        process.terminate()
        assert await process.wait() == 0

    counted = await count(service)
    print(f"F9: two relays at once: {counted}")  # noqa: T201  as above
    assert (counted.stored, counted.lost, counted.doubled) == (STREAMS * EVENTS, 0, 0)
