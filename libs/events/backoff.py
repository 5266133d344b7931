"""Waiting: longer after each failure in a row, and never longer than until the process shall stop."""

import asyncio
import random
from collections.abc import Awaitable
from typing import Any, TypeVar

from libs.events.errors import BusUnavailableError, StoreUnavailableError

PASSING = (StoreUnavailableError, BusUnavailableError)  # errors that go away by waiting

T = TypeVar("T")


class Backoff:
    """Pauses that double with every failure, up to a limit; a success starts them anew."""

    def __init__(self, first_s: float = 0.1, most_s: float = 10.0) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._next_s = first_s

    def succeeded(self) -> None:
        """Begin with the shortest pause again."""
        self._next_s = self._first_s

    async def pause(self, stop: asyncio.Event) -> None:
        """Wait for the next pause, or until *stop*."""
        jittered = self._next_s * random.uniform(0.5, 1.0)  # noqa: S311  spreads retries, guards nothing
        self._next_s = min(self._next_s * 2, self._most_s)
        await stopped_within(stop, jittered)


async def stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    """Wait; whether *stop* was set meanwhile, which ends the wait at once."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


async def unless_stopped(stop: asyncio.Event, work: Awaitable[T], otherwise: T) -> T:
    """What *work* gives; when *stop* is set first, it is cancelled and *otherwise* is given."""
    running: asyncio.Future[T] = asyncio.ensure_future(work)
    stopping: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return running.result() if running.done() else otherwise
    finally:
        running.cancel()
        stopping.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
