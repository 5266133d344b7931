"""Fires what is due: the leader of the role takes timers from the store, and removes them when they are carried out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from libs.events.backoff import PASSING, Backoff, stopped_within
from libs.events.envelope import Context, Metadata
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
        fire: Per kind of timer, what happens when it is due.
    """

    def __init__(self, resources: Resources, fire: Mapping[str, Fire]) -> None:
        self._store, self._clock, self._fire = resources.store, resources.clock, fire
        self._holder = f"timers/{new_id()}"
        self._not_before: dict[Timer, datetime] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Fire until *stop*, while this process leads; then give the role back."""
        backoff = Backoff()
        clock = asyncio.get_running_loop().time
        lease: Lease | None = None
        renew_at = clock()
        while not stop.is_set():
            try:
                if lease is None or clock() >= renew_at:
                    lease = await self._store.acquire(LEASE, self._holder, self._clock.now(), LEASE_S)
                    renew_at = clock() + LEASE_S / 3
                if lease is None or not await self.fire_due():
                    await stopped_within(stop, _LOOK_EVERY_S)
                backoff.succeeded()
            except PASSING as error:
                lease = None
                _LOG.warning("timers wait: %s", error)
                await backoff.pause(stop)
        if lease is not None:
            with suppress(*PASSING):
                await self._store.release(lease)

    async def fire_due(self) -> int:
        """Fire what is due now, earliest first; how many were carried out."""
        now = self._clock.now()
        self._not_before = {timer: at for timer, at in self._not_before.items() if at > now}
        due = await self._store.due(now, _AT_ONCE + len(self._not_before))
        fired = 0
        for timer in due:
            if timer not in self._not_before:
                fired += await self._carry_out(timer, now)
        return fired

    async def _carry_out(self, timer: Timer, now: datetime) -> bool:
        fire = self._fire.get(timer.kind)
        try:
            if fire is None:
                message = f"no timers of kind {timer.kind!r} are known here"
                raise LookupError(message)  # noqa: TRY301  one place says that it is tried again
            await fire(timer, timer_context(timer, now))
            await self._store.done(timer)
        except PASSING:
            raise
        except Exception:  # noqa: BLE001  whatever it is, the other timers go on
            _LOG.exception("timer %s failed; it is tried again in %s", timer.key, _AGAIN_AFTER)
            self._not_before[timer] = now + _AGAIN_AFTER
            return False
        return True
