"""Many callers, one write: what waits while one batch is being written becomes the next batch."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from libs.events.bus import MAX_RECORD_BYTES, OutRecord
from libs.events.errors import BusUnavailableError, RefusedError

Write = Callable[[Sequence[OutRecord]], Awaitable[None]]

_BATCH_RECORDS = 5_000
_MAX_WAITING = 50_000  # records; while the log is away, memory must not fill with what will be sent again anyway
_SURELY_SMALL_BYTES = MAX_RECORD_BYTES // 2  # headers come from requests, which are limited themselves
_FRAME_BYTES = 64  # lengths, offset, time stamp
_HEADER_BYTES = 4


class GroupPublish:
    """Collects records and has them written in the order of the calls, one batch at a time.

    A caller whose deadline passes is told at once. If its records are still waiting, they are never written; if they
    are on their way, they may be, and nothing that came later overtakes them.

    Args:
        write: Writes a batch; returns when all of it is on disk.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: deque[_Waiting] = deque()
        self._records_waiting = 0
        self._writing: asyncio.Task[None] | None = None

    async def publish(self, records: Sequence[OutRecord], deadline_s: float) -> None:
        """See `Publisher.publish`."""
        if not records:
            return
        for record in records:
            if len(record.value) > _SURELY_SMALL_BYTES:
                _check_size(record)
        if self._records_waiting > _MAX_WAITING:
            message = f"{self._records_waiting} records wait for the log already"
            raise BusUnavailableError(message)
        loop = asyncio.get_running_loop()
        waiting = _Waiting(records, loop.create_future())
        self._waiting.append(waiting)
        self._records_waiting += len(records)
        if self._writing is None:
            self._writing = loop.create_task(self._write_all())
        try:
            async with asyncio.timeout(deadline_s):
                await waiting.written
        except TimeoutError as error:
            message = f"the log did not take {len(records)} records within {deadline_s:g} s"
            raise BusUnavailableError(message) from error
        finally:
            if waiting in self._waiting:  # its caller gave up before it was its turn
                self._waiting.remove(waiting)
                self._records_waiting -= len(records)

    async def close(self, within_s: float) -> None:
        """Finish what waits; give up on what is not written in time."""
        writing = self._writing
        if writing is not None:
            await asyncio.wait({writing}, timeout=within_s)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write_all(self) -> None:
        await asyncio.sleep(0)  # whoever is ready now may still join
        batch: list[_Waiting] = []
        try:
            while batch := self._collect():
                await self._settle(batch)
        except asyncio.CancelledError:
            _tell([*batch, *self._waiting], BusUnavailableError("the log was closed before it was written"))
            raise
        finally:
            self._writing = None

    def _collect(self) -> "list[_Waiting]":
        batch: list[_Waiting] = []
        count = 0
        while self._waiting and (not batch or count + len(self._waiting[0].records) <= _BATCH_RECORDS):
            batch.append(self._waiting.popleft())
            count += len(batch[-1].records)
        self._records_waiting -= count
        return batch

    async def _settle(self, batch: "list[_Waiting]") -> None:
        try:
            await self._write([record for waiting in batch for record in waiting.records])
        except Exception as error:  # noqa: BLE001  whoever published hears of it
            _tell(batch, error)
        else:
            _tell(batch, None)


class _Waiting:
    """Records, and whoever published them."""

    __slots__ = ("records", "written")

    def __init__(self, records: Sequence[OutRecord], written: asyncio.Future[None]) -> None:
        self.records = records
        self.written = written


def _tell(batch: Sequence[_Waiting], failure: Exception | None) -> None:
    """Answer those callers that still wait."""
    for waiting in batch:
        if waiting.written.done():
            continue
        if failure is None:
            waiting.written.set_result(None)
        else:
            waiting.written.set_exception(failure)


def _check_size(record: OutRecord) -> None:
    """Refuse *record* if no bus would take it."""
    headers = sum([len(name) + len(value) + _HEADER_BYTES for name, value in record.headers])
    size = len(record.value) + 4 * len(record.key) + headers + _FRAME_BYTES
    if size > MAX_RECORD_BYTES:
        message = f"a record of {record.topic} has {size} bytes, at most {MAX_RECORD_BYTES} are taken; put less in it"
        raise RefusedError(message)
