"""When the clock was set back, no escalation waits longer for that."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from libs.events.backoff import PASSING, stopped_within
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError
from libs.events.resources import Resources
from services.incidents.contract import ESCALATION
from services.incidents.domain.escalation.commands import CorrectClock
from services.incidents.paging.ladder import NAME
from services.incidents.paging.waking import CLIMBING, waking

_LOOK_EVERY_S: Final = 1.0
_JUMP, _EVER = timedelta(seconds=2), timedelta(days=366)
_TIMERS: Final = 10_000


class ClockWatch:
    """Corrects what waits when the clock was set back, maybe while nobody was there."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    async def run(self, stop: asyncio.Event) -> None:
        """Look at the clock until *stop*."""
        last: datetime | None = None
        while not stop.is_set():
            now = self._resources.clock.now()
            try:
                if last is None or now < last - _JUMP:
                    await self._correct(now)
                last = now
            except PASSING:
                last = None
            await stopped_within(stop, _LOOK_EVERY_S)

    async def _correct(self, now: datetime) -> None:
        context = Context.of_request(now, Metadata(actor=NAME, auth_method="timer"))
        for timer in await self._resources.store.due(now + _EVER, _TIMERS):
            if timer.kind == CLIMBING:
                incident = timer.key.partition("/")[2]
                with suppress(ConflictError):  # it moved: then it is not what waits
                    await self._resources.handler.handle(
                        ESCALATION, incident, CorrectClock(at=now), context.part(incident), effects=waking
                    )
