"""Notes until when the other services were heard, so that silence can be told from good news."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from libs.events.backoff import PASSING, stopped_within
from libs.events.clock import Clock, SystemClock
from libs.events.ledger import Place
from libs.events.worker import Worker
from services.lifecycle.projections import LISTENED
from services.lifecycle.projections.heard import note_heard

_EVERY_S: Final = 5.0
_AT_FIRST_S: Final = 0.2  # until every line has been heard once


class Listening:
    """A sink of the worker that it looks at.

    Args:
        clock: The machine's: how long a line has been dead has nothing to do with the time of events.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.worker: Worker | None = None
        self._clock = clock or SystemClock()
        self._ends: dict[tuple[str, Place], tuple[int, datetime]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Note, every few seconds, what is applied by now of that which had been published when it last looked."""
        noted: set[str] = set()
        while not stop.is_set():
            with suppress(*PASSING):
                noted |= {projection for projection, _ in await self._note()}
            await stopped_within(stop, _EVERY_S if len(noted) == len(LISTENED) else _AT_FIRST_S)

    async def _note(self) -> dict[tuple[str, Place], datetime]:
        if self.worker is None:
            return {}
        now = self._clock.now()
        until: dict[tuple[str, Place], datetime] = {}
        for projection in (each.name for each in LISTENED):
            for place, (held, end) in (await self.worker.offsets(projection)).items():
                before, then = self._ends.get((projection, place), (end, now - timedelta.resolution))
                if held >= end:
                    until[projection, place] = now
                elif held >= before:
                    until[projection, place] = then
                self._ends[projection, place] = end, now
        if until:
            await self.worker.resources.views.write(note_heard, until)
        return until
