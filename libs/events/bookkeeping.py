"""What a store keeps beside its events, in SQL that PostgreSQL and SQLite both understand."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from libs.events.errors import FencedError, KeyInFlightError, KeyReusedError
from libs.events.store import MOST_AHEAD, Answer, IdempotencyKey, Lease, StoredAnswer, Timer

IN_FLIGHT_FOR = timedelta(minutes=1)
KEPT_FOR = timedelta(hours=24)
_PURGE_EVERY = timedelta(hours=1)

_HEADERS = msgspec.json.Decoder(dict[str, str])
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_HOLDER = "SELECT holder FROM reservations WHERE scope = $1 AND key = $2"

_BEGIN = """
INSERT INTO idempotency AS i (principal, route, key, payload_hash, since) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (principal, route, key) DO UPDATE
SET payload_hash = excluded.payload_hash, since = excluded.since,
    status = NULL, body = NULL, headers = NULL, position = NULL
WHERE i.since <= $6 OR (i.status IS NULL AND i.since <= $7)
RETURNING 1
"""
_ANSWER = """
SELECT payload_hash, status, body, headers, position FROM idempotency WHERE principal = $1 AND route = $2 AND key = $3
"""
_ABANDON = "DELETE FROM idempotency WHERE principal = $1 AND route = $2 AND key = $3 AND status IS NULL"
_PURGE = "DELETE FROM idempotency WHERE since <= $1"

_DUE = "SELECT key, due_at, kind, payload FROM timers WHERE due_at <= $1{unwanted} ORDER BY due_at, key LIMIT $2"
_DONE = "DELETE FROM timers WHERE key = $1 AND due_at = $2 AND kind = $3 AND payload = $4"

_ACQUIRE = """
INSERT INTO leases AS l (name, holder, fence, until) VALUES ($1, $2, 1, $3)
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, until = excluded.until,
    fence = l.fence + CASE WHEN l.holder = excluded.holder AND l.until > $4 THEN 0 ELSE 1 END
WHERE l.holder = excluded.holder OR l.until <= $4 OR l.until > $5
RETURNING fence
"""
_RELEASE = "UPDATE leases SET until = $3 WHERE name = $1 AND fence = $2"

_RELAYED = "SELECT relayed FROM log"
_SAVE_RELAYED = """
UPDATE log SET relayed = $4
WHERE relayed = $3 AND EXISTS (SELECT 1 FROM leases WHERE name = $1 AND fence = $2)
RETURNING 1
"""


class Bookkeeping(Protocol):
    """Idempotency keys, timers and leases over one statement at a time."""

    _purged: datetime = _LONG_AGO

    async def _read(self, sql: str, *args: object) -> Sequence[Sequence[Any]]:
        """The rows that *sql* answers."""
        ...

    async def _write(self, sql: str, *args: object) -> Sequence[Sequence[Any]]:
        """Carry out *sql* in a transaction of its own; the rows it returns."""
        ...

    def _time(self, stored: Any) -> datetime:  # noqa: ANN401  each driver has its own
        """A time as the database gives it."""
        ...

    async def holder(self, scope: str, key: str) -> str | None:
        """See `EventLog.holder`."""
        rows = await self._read(_HOLDER, scope, key)
        return rows[0][0] if rows else None

    async def begin(self, key: IdempotencyKey, now: datetime) -> StoredAnswer | None:
        """See `IdempotencyKeys.begin`."""
        place = (key.principal, key.route, key.key)
        await self._purge(now)
        while not await self._write(_BEGIN, *place, key.payload_hash, now, now - KEPT_FOR, now - IN_FLIGHT_FOR):
            rows = await self._read(_ANSWER, *place)
            if not rows:  # abandoned just now: ours after all
                continue
            payload_hash, status, body, headers, position = rows[0]
            if payload_hash != key.payload_hash:
                raise KeyReusedError
            if status is None:
                raise KeyInFlightError
            return StoredAnswer(Answer(status, body, _HEADERS.decode(headers)), position)
        return None

    async def _purge(self, now: datetime) -> None:
        """Forget, once in a while, the keys that are kept no longer."""
        if now - self._purged > _PURGE_EVERY:
            self._purged = now
            await self._write(_PURGE, now - KEPT_FOR)

    async def abandon(self, key: IdempotencyKey) -> None:
        """See `IdempotencyKeys.abandon`."""
        await self._write(_ABANDON, key.principal, key.route, key.key)

    async def due(self, now: datetime, limit: int, *, without: Collection[str] = ()) -> list[Timer]:
        """See `Timers.due`."""
        unwanted = "".join(f" AND kind <> ${number}" for number, _ in enumerate(without, start=3))
        rows = await self._read(_DUE.format(unwanted=unwanted), now, limit, *without)
        return [Timer(key, self._time(due_at), kind, payload) for key, due_at, kind, payload in rows]

    async def done(self, timer: Timer) -> None:
        """See `Timers.done`."""
        await self._write(_DONE, timer.key, timer.due_at, timer.kind, timer.payload)

    async def acquire(self, name: str, holder: str, now: datetime, ttl_s: float) -> Lease | None:
        """See `Leases.acquire`."""
        until = now + timedelta(seconds=ttl_s)
        rows = await self._write(_ACQUIRE, name, holder, until, now, until + MOST_AHEAD)
        return Lease(name, holder, rows[0][0], until) if rows else None

    async def release(self, lease: Lease) -> None:
        """See `Leases.release`."""
        await self._write(_RELEASE, lease.name, lease.fence, _LONG_AGO)

    async def relayed(self) -> int:
        """See `Leases.relayed`."""
        return (await self._read(_RELAYED))[0][0]

    async def save_relayed(self, lease: Lease, held: int, position: int) -> None:
        """See `Leases.save_relayed`."""
        if not await self._write(_SAVE_RELAYED, lease.name, lease.fence, held, position):
            raise FencedError(lease.name)
