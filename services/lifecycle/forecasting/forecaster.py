"""The process that forecasts, started when there is something to forecast, and ended when there is not.

The library takes seconds and more than 100 MiB to import: here neither stays with the worker.
"""

import asyncio
import os
import sys
from contextlib import suppress
from typing import Final, Self

from libs.events import codec
from services.lifecycle.forecasting.task import Found, Task

_IDLE_S: Final = 10.0  # then its memory is given back
_PATIENCE_S: Final = 60.0  # with one history, the import of the library included
_LONGEST_LINE: Final = 1024 * 1024
_FOUND = codec.decoder(Found)


class ForecastError(Exception):
    """The process ended, or took too long; the history is tried again later."""


class Forecaster:
    """Asks one process, a history at a time; whoever asks waits for the answer before the next."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._asked_at = 0.0

    async def forecast(self, task: Task) -> Found:
        """How the history of *task* goes on, or why nobody can say.

        Raises:
            ForecastError: Nothing came back.
        """
        self._asked_at = asyncio.get_running_loop().time()
        process = self._process = self._process or await _started()
        assert process.stdin is not None  # noqa: S101  both are pipes
        assert process.stdout is not None  # noqa: S101  as above
        try:
            async with asyncio.timeout(_PATIENCE_S):
                process.stdin.write(codec.encode(task) + b"\n")
                await process.stdin.drain()
                line = await process.stdout.readline()
        except (TimeoutError, OSError) as error:
            await self._end()
            raise ForecastError("the process that forecasts gave no answer") from error
        if not line:
            await self._end()
            raise ForecastError("the process that forecasts has ended")
        return _FOUND.decode(line)

    async def rest(self) -> None:
        """End the process if nothing was asked for a while."""
        if self._process is not None and asyncio.get_running_loop().time() - self._asked_at > _IDLE_S:
            await self._end()

    async def __aenter__(self) -> Self:
        """Nothing is started before there is something to forecast."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave no process behind."""
        await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


async def _started() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.lifecycle.forecasting",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
    )
