"""Fires what is due: the leader of the role takes timers from the store, and removes them when they are carried out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from libs.events.backoff import PASSING, Backoff, stopped_within
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError
from libs.events.ids import new_id, timer_id
from libs.events.resources import Resources
from libs.events.store import Lease, Timer

_LOG = logging.getLogger(__name__)

LEASE = "timers"
LEASE_S = 10.0
_LOOK_EVERY_S = 0.5
_AT_ONCE = 100
_AGAIN_AFTER = timedelta(seconds=30)  # a timer whose firing failed; the others go on

Fire = Callable[[Timer, Context], Awaitable[None]]


def timer_context(timer: Timer, at: datetime) -> Context:
    """The circumstances of what *timer* does; its events' ids follow from the timer, so firing twice acts once."""
    due_at = timer.due_at.astimezone(UTC).isoformat()
    metadata = Metadata(actor=f"timer.{timer.kind}", auth_method="timer", correlation_id=timer.key)
    return Context(at, metadata, lambda index: timer_id(timer.key, due_at, index))


class TimerRunner:
    """Fires the timers of one service, in one process at a time.

    Args:
        resources: The service's adapters.
        lines: Per kind of timer, what happens when it is due. The kinds of a line are fired one after the other, the
            lines side by side: what takes long, or waits for a read model, holds nobody else up.
    """

    def __init__(self, resources: Resources, lines: Sequence[Mapping[str, Fire]]) -> None:
        self._store, self._clock = resources.store, resources.clock
        self._lines = [_Line(fire) for fire in lines]
        self._line_of = {kind: line for line in self._lines for kind in line.fire}
        self._holder = f"timers/{new_id()}"
        self._not_before: dict[Timer, datetime] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Fire until *stop*, while this process leads; then finish what is in hand, and give the role back."""
        backoff = Backoff()
        clock = asyncio.get_running_loop().time
        lease: Lease | None = None
        renew_at = clock()
        async with asyncio.TaskGroup() as group:
            while not stop.is_set():
                try:
                    if lease is None or clock() >= renew_at:
                        lease = await self._store.acquire(LEASE, self._holder, self._clock.now(), LEASE_S)
                        renew_at = clock() + LEASE_S / 3
                    for line, due in (await self._due()).items() if lease else ():
                        line.firing = group.create_task(self._fire(line, due, stop))
                    backoff.succeeded()
                    await self._pause(stop)
                except PASSING as error:
                    lease = None
                    _LOG.warning("timers wait: %s", error)
                    await backoff.pause(stop)
        if lease is not None:
            with suppress(*PASSING):
                await self._store.release(lease)

    async def _due(self) -> dict["_Line", list[Timer]]:
        """What is due now, earliest first, of each line that has nothing in hand."""
        now = self._clock.now()
        self._not_before = {timer: at for timer, at in self._not_before.items() if at > now}
        busy = [kind for line in self._lines if line.is_busy for kind in line.fire]
        due: dict[_Line, list[Timer]] = {}
        for timer in await self._store.due(now, _AT_ONCE + len(self._not_before), without=busy):
            if timer in self._not_before:
                continue
            if timer.kind in self._line_of:
                due.setdefault(self._line_of[timer.kind], []).append(timer)
            else:
                _LOG.error("no timers of kind %r are known here: %s waits", timer.kind, timer.key)
                self._not_before[timer] = now + _AGAIN_AFTER
        return due

    async def _pause(self, stop: asyncio.Event) -> None:
        """Until it is time to look again, or a line has done what it had in hand."""
        firing = [line.firing for line in self._lines if line.firing and line.is_busy]
        if firing:
            await asyncio.wait(firing, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        else:
            await stopped_within(stop, _LOOK_EVERY_S)

    async def _fire(self, line: "_Line", due: Sequence[Timer], stop: asyncio.Event) -> None:
        lost = False
        for timer in due:
            if stop.is_set():
                return
            try:
                await self._carry_out(line.fire[timer.kind], timer)
            except ConflictError as error:  # lost every race so far: that passes
                _LOG.warning("timer %s is tried again soon: %s", timer.key, error)
                lost = True
            except PASSING as error:
                _LOG.warning("timer %s waits, and those of its line: %s", timer.key, error)
                await line.backoff.pause(stop)
                return
        if lost:
            await line.backoff.pause(stop)
        else:
            line.backoff.succeeded()

    async def _carry_out(self, fire: Fire, timer: Timer) -> None:
        now = self._clock.now()
        try:
            await fire(timer, timer_context(timer, now))
            await self._store.done(timer)
        except (*PASSING, ConflictError):
            raise
        except Exception:  # noqa: BLE001  whatever it is, the other timers go on
            _LOG.exception("timer %s failed; it is tried again in %s", timer.key, _AGAIN_AFTER)
            self._not_before[timer] = now + _AGAIN_AFTER


class _Line:
    """Kinds of timers that are fired one after the other."""

    def __init__(self, fire: Mapping[str, Fire]) -> None:
        self.fire, self.backoff = fire, Backoff()
        self.firing: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        return self.firing is not None and not self.firing.done()
