"""A store that forgets: for tests, and for a look around without a disk."""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import msgspec

from libs.events.bookkeeping import IN_FLIGHT_FOR, KEPT_FOR
from libs.events.clock import Clock, SystemClock
from libs.events.envelope import Recorded
from libs.events.errors import ConflictError, FencedError, KeyInFlightError, KeyReusedError, ReservedError
from libs.events.ids import new_id
from libs.events.limits import check_request
from libs.events.store import MOST_AHEAD, Appended, AppendRequest, IdempotencyKey, Lease, StoredAnswer, Timer

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NO_ANSWER = ("", _LONG_AGO, None)


class MemoryStore:
    """`Store` in dictionaries; one append at a time, as the event loop gives them."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.epoch = str(new_id())
        self._clock = clock or SystemClock()
        self._log: list[Recorded] = []
        self._streams: dict[str, list[Recorded]] = defaultdict(list)
        self._ids: dict[str, Recorded] = {}
        self._reserved: dict[tuple[str, str], str] = {}
        self._timers: dict[str, Timer] = {}
        self._answers: dict[tuple[str, str, str], tuple[str, datetime, StoredAnswer | None]] = {}
        self._leases: dict[str, Lease] = {}
        self._relayed = 0
        self._grown = asyncio.Condition()

    async def start(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Nothing to disconnect."""

    async def append(self, request: AppendRequest, *, deadline_s: float = 5.0) -> Appended:  # noqa: ARG002  never waits
        """See `EventLog.append`."""
        check_request(request)
        known = [self._ids[str(e.event_id)] for w in request.writes for e in w.events if str(e.event_id) in self._ids]
        if known:
            return Appended(known[-1].position, known[-1].recorded_at, duplicate=True)
        for write in request.writes:
            actual = len(self._streams[write.stream])
            if actual != write.expected:
                raise ConflictError(write.stream, write.expected, actual)
        for name in request.reserve:
            holder = self._reserved.get((name.scope, name.key), name.holder)
            if holder != name.holder:
                raise ReservedError(name.scope, name.key, holder)
        place = request.idempotency and _place(request.idempotency)
        if request.writes and place and self._answers.get(place, _NO_ANSWER)[2]:
            raise KeyInFlightError
        newest = self._log[-1].recorded_at if self._log else _LONG_AGO
        recorded_at = max(request.recorded_at or self._clock.now(), newest)
        self._write(request, recorded_at)
        appended = Appended(len(self._log), recorded_at)
        if request.idempotency and request.answer and place and not self._answers.get(place, _NO_ANSWER)[2]:
            kept = StoredAnswer(request.answer, appended.position)
            self._answers[place] = (request.idempotency.payload_hash, self._clock.now(), kept)
        async with self._grown:
            self._grown.notify_all()
        return appended

    async def load(self, stream: str, *, after: int = 0, as_of: datetime | None = None) -> list[Recorded]:
        """See `EventLog.load`."""
        return [r for r in self._streams.get(stream, [])[after:] if as_of is None or r.recorded_at <= as_of]

    async def read(self, after: int, limit: int) -> list[Recorded]:
        """See `EventLog.read`."""
        return self._log[after : after + limit]

    async def head(self) -> int:
        """See `EventLog.head`."""
        return len(self._log)

    async def wait(self, after: int, timeout_s: float) -> bool:
        """See `EventLog.wait`."""
        try:
            async with asyncio.timeout(timeout_s), self._grown:
                await self._grown.wait_for(lambda: len(self._log) > after)
        except TimeoutError:
            return len(self._log) > after
        return True

    async def holder(self, scope: str, key: str) -> str | None:
        """See `EventLog.holder`."""
        return self._reserved.get((scope, key))

    async def begin(self, key: IdempotencyKey, now: datetime) -> StoredAnswer | None:
        """See `IdempotencyKeys.begin`."""
        place = _place(key)
        payload_hash, since, kept = self._answers.get(place, ("", now, None))
        lived = now - since
        if place not in self._answers or lived >= KEPT_FOR or (kept is None and lived >= IN_FLIGHT_FOR):
            self._answers[place] = (key.payload_hash, now, None)
            return None
        if payload_hash != key.payload_hash:
            raise KeyReusedError
        if kept is None:
            raise KeyInFlightError
        return kept

    async def abandon(self, key: IdempotencyKey) -> None:
        """See `IdempotencyKeys.abandon`."""
        if self._answers.get(_place(key), _NO_ANSWER)[2] is None:
            self._answers.pop(_place(key), None)

    async def due(self, now: datetime, limit: int, *, without: Collection[str] = ()) -> list[Timer]:
        """See `Timers.due`."""
        due = (timer for timer in self._timers.values() if timer.due_at <= now and timer.kind not in without)
        return sorted(due, key=lambda timer: timer.due_at)[:limit]

    async def done(self, timer: Timer) -> None:
        """See `Timers.done`."""
        if self._timers.get(timer.key) == timer:
            del self._timers[timer.key]

    async def acquire(self, name: str, holder: str, now: datetime, ttl_s: float) -> Lease | None:
        """See `Leases.acquire`."""
        held = self._leases.get(name)
        until = now + timedelta(seconds=ttl_s)
        if held and held.holder != holder and now < held.until <= until + MOST_AHEAD:
            return None
        renewed = held is not None and held.holder == holder and held.until > now
        fence = (held.fence if held else 0) + (0 if renewed else 1)
        self._leases[name] = Lease(name, holder, fence, until)
        return self._leases[name]

    async def release(self, lease: Lease) -> None:
        """See `Leases.release`."""
        held = self._leases.get(lease.name)
        if held and held.fence == lease.fence:
            self._leases[lease.name] = msgspec.structs.replace(held, until=_LONG_AGO)

    async def relayed(self) -> int:
        """See `Leases.relayed`."""
        return self._relayed

    async def save_relayed(self, lease: Lease, held: int, position: int) -> None:
        """See `Leases.save_relayed`."""
        current = self._leases.get(lease.name)
        if current is None or current.fence != lease.fence or self._relayed != held:
            raise FencedError(lease.name)
        self._relayed = position

    def _write(self, request: AppendRequest, recorded_at: datetime) -> None:
        for write in request.writes:
            for version, event in enumerate(write.events, start=write.expected + 1):
                recorded = Recorded(
                    position=len(self._log) + 1,
                    stream=write.stream,
                    version=version,
                    type=event.type,
                    event_id=event.event_id,
                    occurred_at=event.occurred_at,
                    recorded_at=recorded_at,
                    data=event.data,
                    metadata=event.metadata,
                )
                self._log.append(recorded)
                self._streams[write.stream].append(recorded)
                self._ids[str(event.event_id)] = recorded
        for name in request.release:
            if self._reserved.get((name.scope, name.key)) == name.holder:
                del self._reserved[name.scope, name.key]
        self._reserved |= {(name.scope, name.key): name.holder for name in request.reserve}
        for key in request.cancel:
            self._timers.pop(key, None)
        self._timers |= {timer.key: timer for timer in request.schedule}


def _place(key: IdempotencyKey) -> tuple[str, str, str]:
    return key.principal, key.route, key.key
