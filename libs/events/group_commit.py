"""Many callers, one transaction: what waits while one batch is being stored becomes the next batch."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence

from libs.events.errors import (
    DeadlineExceededError,
    EventsError,
    OutcomeUnknownError,
    QueueFullError,
    StorageFullError,
    StoreUnavailableError,
)
from libs.events.limits import check_request
from libs.events.store import Appended, AppendRequest

Commit = Callable[[Sequence[AppendRequest]], Awaitable[Sequence[Appended | EventsError]]]

MAX_BATCH = 256
MAX_WAITING = 4096
_LOOKED_AT = 1024  # how deep a batch is looked for behind requests that must wait for the one before them
_PAUSE_S = 0.05  # between tries while the database is away
_SWEEP_S = 0.1  # how exactly deadlines are kept while the database does not answer


class GroupCommit:
    """Collects requests and has them committed together; each gets its own result.

    No two requests of a batch touch the same stream, name, timer or idempotency key: the second waits for the next
    batch. So a batch can be checked and written as a set, and what becomes of one request does not depend on another.

    Args:
        commit: Stores a batch and answers for each request, in order. Raises `StoreUnavailableError` when nothing of
            the batch was written, `OutcomeUnknownError` when that is not known; then the batch is tried again, which
            is safe because event ids are recognised. Any other error: the requests are tried one by one.
    """

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._waiting: deque[_Waiting] = deque()
        self._draining: asyncio.Task[None] | None = None
        self._sweeping: asyncio.TimerHandle | None = None

    async def append(self, request: AppendRequest, deadline_s: float) -> Appended:
        """See `EventLog.append`."""
        check_request(request)
        if len(self._waiting) >= MAX_WAITING:
            message = f"{MAX_WAITING} requests wait already"
            raise QueueFullError(message)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(request, loop.create_future(), loop.time() + deadline_s)
        self._waiting.append(waiting)
        if self._draining is None:
            self._draining = loop.create_task(self._drain())
        if self._sweeping is None:
            self._sweeping = loop.call_later(_SWEEP_S, self._sweep)
        return await waiting.future

    async def close(self) -> None:
        """Finish what waits."""
        while self._draining is not None:
            await self._draining
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    async def _drain(self) -> None:
        await asyncio.sleep(0)  # whoever is ready now may still join
        try:
            while batch := self._collect():
                await self._store(batch)
        finally:  # at once: a done callback would run after the next append had relied on this task
            self._draining = None

    def _collect(self) -> "list[_Waiting]":
        batch: list[_Waiting] = []
        deferred: list[_Waiting] = []
        touched: set[Hashable] = set()
        while self._waiting and len(batch) < MAX_BATCH and len(deferred) < _LOOKED_AT:
            waiting = self._waiting.popleft()
            if waiting.future.done():
                continue
            before = len(touched)
            touched.update(waiting.touches)
            alone = len(touched) == before + len(waiting.touches)
            (batch if alone else deferred).append(waiting)
        self._waiting.extendleft(reversed(deferred))
        return batch

    async def _store(self, batch: "list[_Waiting]") -> None:
        while batch:
            try:
                results = await self._commit([waiting.request for waiting in batch])
            except StorageFullError as error:
                return _fail(batch, error)
            except StoreUnavailableError as error:
                for waiting in batch:
                    waiting.unknown |= isinstance(error, OutcomeUnknownError)
                await asyncio.sleep(_PAUSE_S)
                batch = [waiting for waiting in batch if not waiting.expires(error)]
            except Exception as error:  # noqa: BLE001  whatever spoils the batch must spoil only its own request
                if len(batch) == 1:
                    return _fail(batch, error)
                for waiting in batch:
                    await self._store([waiting])
                return None
            else:
                for waiting, result in zip(batch, results, strict=True):
                    waiting.settle(result)
                return None
        return None

    def _sweep(self) -> None:
        """Answer those whose deadline passed while they waited."""
        loop = asyncio.get_running_loop()
        for waiting in self._waiting:
            waiting.expires(None)
        self._sweeping = None if self._draining is None else loop.call_later(_SWEEP_S, self._sweep)


class _Waiting:
    """A request and its caller."""

    __slots__ = ("deadline", "future", "request", "touches", "unknown")

    def __init__(self, request: AppendRequest, future: asyncio.Future[Appended], deadline: float) -> None:
        self.request = request
        self.future = future
        self.deadline = deadline
        self.touches = _touches(request)
        self.unknown = False  # an earlier try may have been written

    def settle(self, result: Appended | Exception) -> None:
        if self.future.done():  # the caller went away
            return
        if isinstance(result, Appended):
            self.future.set_result(result)
        else:
            self.future.set_exception(result)

    def expires(self, cause: Exception | None) -> bool:
        """Whether the caller has waited long enough, and is told so, or has gone away."""
        if not self.future.done() and self.future.get_loop().time() > self.deadline:
            because = f": {cause}" if cause else ""
            if self.unknown:
                self.settle(OutcomeUnknownError(f"the connection was lost at the commit; send it again{because}"))
            else:
                self.settle(DeadlineExceededError(f"waited too long, nothing was written{because}"))
        return self.future.done()


def _touches(request: AppendRequest) -> set[Hashable]:
    touches: set[Hashable] = {write.stream for write in request.writes}
    if request.reserve or request.release:
        touches.update((name.scope, name.key) for name in (*request.reserve, *request.release))
    if request.schedule or request.cancel:
        touches.update(("timer", "", key) for key in (*(timer.key for timer in request.schedule), *request.cancel))
    if request.idempotency:
        key = request.idempotency
        touches.add((key.principal, key.route, key.key, ""))
    return touches


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        waiting.settle(error)
