"""F6: a consumer process is stalled past its session with a batch in hand, one is killed, one joins."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from libs.events.bus import events_topic
from libs.events.kafka import KafkaBus
from libs.events.projection import Projection
from libs.events.views import Views, open_views
from tests.fixtures.servers import ROOT
from tests.fixtures.shelves import books, tallies, tally, total

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.timeout(180)]

EVENTS = 30_000


class Member:
    """A process of the group, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []
        self._heard = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def join(cls, stack: AsyncExitStack, *arguments: str) -> "Member":
        command = [sys.executable, "-m", "tests.faults.projecting_process", *arguments]
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        member = cls(process)
        stack.push_async_callback(member.end)
        return member

    async def says(self, word: str) -> None:
        """Wait until it has said *word*."""
        async with asyncio.timeout(90), self._heard:
            await self._heard.wait_for(lambda: word in self.said)

    async def end(self) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(30):
                await self.process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(line.decode().strip())
            async with self._heard:
                self._heard.notify_all()


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(kafka)
    yield bus
    await bus.close()


@pytest.fixture
async def views(empty_postgres_url: str) -> AsyncIterator[Views]:
    async with open_views(empty_postgres_url) as views:
        yield views


async def applied(views: Views, projection: Projection, events: int) -> None:
    """Wait until so many are applied."""
    async with asyncio.timeout(90):
        while await total(views, projection) < events:
            await asyncio.sleep(0.1)


async def test_every_event_is_applied_once(
    bus: KafkaBus, views: Views, empty_postgres_url: str, kafka: str, topic_prefix: str
) -> None:
    await bus.ensure_topics([events_topic(topic_prefix)])
    await bus.publisher().publish(books(topic_prefix, EVENTS // 2), deadline_s=60)
    projection, arguments = tallies(topic_prefix), (empty_postgres_url, kafka, topic_prefix)
    async with AsyncExitStack() as stack:
        stalled = await Member.join(stack, *arguments, "4", "stall")
        await stalled.says("in hand")
        killed = await Member.join(stack, *arguments, "4", "die")
        await killed.says("in hand")  # it had all partitions: the session of the first was over
        await Member.join(stack, *arguments, "0", "none")
        await applied(views, projection, EVENTS // 2)  # also what the stalled one has in hand
        stalled.process.send_signal(signal.SIGCONT)
        await stalled.says("fenced")
        await bus.publisher().publish(books(topic_prefix, EVENTS // 2, first=EVENTS // 2 + 1), deadline_s=60)
        await applied(views, projection, EVENTS)
        counted = await tally(views, projection, EVENTS)
    print(f"F6: {counted}")  # noqa: T201  the count of this fault
    assert (counted.applied, counted.lost, counted.doubled) == (EVENTS, 0, 0)
    assert await total(views, projection) == EVENTS
