"""Many callers, one query: streams that are wanted at the same moment are read together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from libs.events.envelope import Recorded

_TOGETHER = 64  # streams in a query
_IN_FLIGHT = 2  # queries at a time: one is on its way while the other's rows are decoded


class Wanted(NamedTuple):
    """The events of *stream* above version *after*."""

    stream: str
    after: int


Fetch = Callable[[Sequence[Wanted]], Awaitable[Sequence[list[Recorded]]]]


class GroupLoad:
    """Collects what is wanted while a query runs, and asks for all of it with the next.

    Args:
        fetch: Reads several streams; their events in the order of what was wanted.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._waiting: list[tuple[Wanted, asyncio.Future[list[Recorded]]]] = []
        self._running: set[asyncio.Task[None] | None] = set()

    async def load(self, stream: str, after: int) -> list[Recorded]:
        """The events of *stream* above version *after*."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Recorded]] = loop.create_future()
        self._waiting.append((Wanted(stream, after), future))
        if len(self._running) < _IN_FLIGHT:
            self._running.add(loop.create_task(self._drain()))
        return await future

    async def _drain(self) -> None:
        await asyncio.sleep(0)  # whoever is ready now may still join
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                await self._answer(some)
        finally:
            self._running.discard(asyncio.current_task())

    async def _answer(self, some: "list[tuple[Wanted, asyncio.Future[list[Recorded]]]]") -> None:
        try:
            found = await self._fetch([wanted for wanted, _ in some])
        except Exception as error:  # noqa: BLE001  whatever it is, each caller is told
            for _, future in some:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), events in zip(some, found, strict=True):
            if not future.done():
                future.set_result(events)
