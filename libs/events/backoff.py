"""Waiting: longer after each failure in a row, and never longer than until the process shall stop."""

import asyncio
import random
from collections.abc import Coroutine, Generator, Iterable
from contextlib import contextmanager
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


async def unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, T], otherwise: T) -> T:
    """What *work* gives; when *stop* is set first, it is cancelled and *otherwise* is given.

    It runs in the caller's task: loops that wait for every event would spend more time on two tasks for each wait.
    """
    limit = asyncio.timeout(None)
    try:
        async with limit:
            with _ended_by(stop, limit):
                return await work
    except TimeoutError:
        if not limit.expired():
            raise
        return otherwise


async def side_by_side(work: Iterable[Coroutine[Any, Any, T]], at_once: int = 100) -> list[T]:
    """What all of *work* gives; when some fails, the rest is done first, and what passes by itself is said first."""
    places = asyncio.Semaphore(at_once)

    async def in_turn(each: Coroutine[Any, Any, T]) -> T:
        async with places:
            return await each

    done = await asyncio.gather(*map(in_turn, work), return_exceptions=True)
    failed = [each for each in done if isinstance(each, BaseException)]
    for error in sorted(failed, key=lambda error: not isinstance(error, PASSING)):
        raise error
    return [each for each in done if not isinstance(each, BaseException)]


@contextmanager
def _ended_by(stop: asyncio.Event, limit: asyncio.Timeout) -> Generator[None]:
    """While this lasts, *limit* is over as soon as *stop* is set; all limits of a *stop* share one task that waits."""
    if stop.is_set():
        limit.reschedule(asyncio.get_running_loop().time())
    limits = _LIMITS.setdefault(stop, set())
    limits.add(limit)
    if len(limits) == 1:
        _WATCHING[stop] = asyncio.get_running_loop().create_task(_end_all(stop, limits))
    try:
        yield
    finally:
        limits.discard(limit)
        if not limits:
            del _LIMITS[stop]
            _WATCHING.pop(stop).cancel()


async def _end_all(stop: asyncio.Event, limits: set[asyncio.Timeout]) -> None:
    await stop.wait()
    for limit in limits:
        limit.reschedule(asyncio.get_running_loop().time())


_LIMITS: dict[asyncio.Event, set[asyncio.Timeout]] = {}
_WATCHING: dict[asyncio.Event, asyncio.Task[None]] = {}
