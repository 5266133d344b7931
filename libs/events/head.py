"""Waiting for the log to grow."""

import asyncio
from collections.abc import Awaitable, Callable


class Head:
    """The highest position this process has heard of, and those who wait for a higher one."""

    def __init__(self) -> None:
        self.position = 0
        self._moved = asyncio.Event()
        self._ask_at = 0.0  # the loop's time

    def move(self, position: int) -> None:
        """The log has reached *position*."""
        if position > self.position:
            self.position = position
            self._moved.set()
            self._moved = asyncio.Event()

    async def wait(self, after: int, timeout_s: float, ask: Callable[[], Awaitable[int]], ask_every_s: float) -> bool:
        """Whether the log is above *after*; returns as soon as it is, at the latest after *timeout_s*.

        Args:
            after: The position to pass.
            timeout_s: How long to wait.
            ask: Asks the database for its head, in case nobody tells.
            ask_every_s: How often.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while self.position <= after:
            moved = self._moved
            if loop.time() >= self._ask_at:
                self._ask_at = loop.time() + ask_every_s
                self.move(await ask())
            left = deadline - loop.time()
            if self.position > after or left <= 0:
                break
            try:
                async with asyncio.timeout(max(min(left, self._ask_at - loop.time()), 0)):
                    await moved.wait()
            except TimeoutError:
                continue
        return self.position > after
