"""Many callers, one statement: what is asked at the same moment is asked together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Reply = TypeVar("Reply")

_TOGETHER = 64  # questions in a statement
_IN_FLIGHT = 2  # statements at a time: one is on its way while the other's rows are decoded


class GroupAsk(Generic[Question, Reply]):
    """Collects questions while a statement runs, and asks all of them with the next.

    Args:
        ask: Answers several questions, in their order.
    """

    def __init__(self, ask: Callable[[Sequence[Question]], Awaitable[Sequence[Reply]]]) -> None:
        self._ask = ask
        self._waiting: list[tuple[Question, asyncio.Future[Reply]]] = []
        self._running: set[asyncio.Task[None] | None] = set()

    async def ask(self, question: Question) -> Reply:
        """The reply to *question*."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting.append((question, future))
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

    async def _answer(self, some: "list[tuple[Question, asyncio.Future[Reply]]]") -> None:
        try:
            replies = await self._ask([question for question, _ in some])
        except Exception as error:  # noqa: BLE001  whatever it is, each caller is told
            for _, future in some:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), reply in zip(some, replies, strict=True):
            if not future.done():
                future.set_result(reply)
