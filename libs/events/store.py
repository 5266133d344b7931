"""The port to a service's own database of events, and what may change with them in one transaction.

Adapters: `memory.py`, `sqlite.py`, `postgres.py`. Each passes the contract suite in `testing.py`.

One `append` is one request: all of it is stored, or none. Requests of many callers are committed together, but
each is judged alone: one conflict fails that request and no other.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from libs.events.envelope import Recorded

MAX_EVENT_BYTES = 768 * 1024  # Kafka takes 1 MiB with headers; a larger event would block the relay


class NewEvent(msgspec.Struct, frozen=True):
    """An event that is not stored yet; `data` and `metadata` are JSON."""

    event_id: UUID
    type: str
    occurred_at: datetime
    data: bytes
    metadata: bytes


class StreamWrite(msgspec.Struct, frozen=True):
    """Events for one stream, or none; it must stand at version *expected* (0: must not exist)."""

    stream: str
    expected: int
    events: tuple[NewEvent, ...]


class Reservation(msgspec.Struct, frozen=True):
    """A name that only one stream may hold at a time, across all streams."""

    scope: str
    key: str
    holder: str


class Timer(msgspec.Struct, frozen=True):
    """Something due at a time; fired at least once, its key serves as idempotency key."""

    key: str
    due_at: datetime
    kind: str
    payload: bytes = b"{}"


class IdempotencyKey(msgspec.Struct, frozen=True):
    """An `Idempotency-Key` of one principal on one route, with the hash of the payload it came with."""

    principal: str
    route: str
    key: str
    payload_hash: str


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer kept for repetition: status, body, and headers that do not depend on positions."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class StoredAnswer(msgspec.Struct, frozen=True):
    """An `Answer` with the position its transaction reached."""

    answer: Answer
    position: int


class AppendRequest(msgspec.Struct, frozen=True):
    """All that one command changes, in one transaction.

    Args:
        writes: Events per stream; each stream at most once.
        reserve: Names to take; `ReservedError` if another holder has one.
        release: Names to give back.
        schedule: Timers to set; one with the same key is replaced.
        cancel: Keys of timers to remove.
        idempotency: The key under which *answer* is kept.
        answer: What the HTTP caller gets, now and on repetition.
        recorded_at: Only for import: the original recording time of all events, never before the newest.
    """

    writes: tuple[StreamWrite, ...] = ()
    reserve: tuple[Reservation, ...] = ()
    release: tuple[Reservation, ...] = ()
    schedule: tuple[Timer, ...] = ()
    cancel: tuple[str, ...] = ()
    idempotency: IdempotencyKey | None = None
    answer: Answer | None = None
    recorded_at: datetime | None = None


class Appended(msgspec.Struct, frozen=True):
    """What an append did.

    Args:
        position: Of the request's last event; the log's head when the request held no events.
        recorded_at: When the log took it.
        duplicate: The same event ids were stored before, maybe by an earlier try; nothing was written now.
    """

    position: int
    recorded_at: datetime
    duplicate: bool = False


MOST_AHEAD = timedelta(minutes=1)  # how far the clocks of two processes may be apart


class Lease(msgspec.Struct, frozen=True):
    """A role that one process holds until *until*; *fence* rises with every new holder."""

    name: str
    holder: str
    fence: int
    until: datetime


class EventLog(Protocol):
    """Events in streams, and all of them in one order."""

    @property
    def epoch(self) -> str:
        """Identifies this life of the log; a log restored from a backup starts another."""
        ...

    async def append(self, request: AppendRequest, *, deadline_s: float = 5.0) -> Appended:
        """Store all of *request* or nothing; returns when it is on disk.

        Raises:
            ConflictError: A stream is not at its expected version.
            ReservedError: A name is taken.
            KeyInFlightError: There is an answer under its idempotency key already; ask for that.
            RefusedError: It can never be stored: an event over `MAX_EVENT_BYTES`, a NUL or a lone surrogate.
            OutcomeUnknownError: The connection was lost; sent again with the same event ids it is stored once.
            StoreUnavailableError: Try again later; nothing of it was written.
        """
        ...

    async def load(self, stream: str, *, after: int = 0, as_of: datetime | None = None) -> list[Recorded]:
        """The events of *stream* above version *after*, only those recorded until *as_of* if given."""
        ...

    async def read(self, after: int, limit: int) -> list[Recorded]:
        """At most *limit* events above position *after*, in order; never one that an earlier one may still join."""
        ...

    async def head(self) -> int:
        """The highest position that `read` would reach now; 0 when empty."""
        ...

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Whether there is an event above *after*; returns as soon as there is, at the latest after *timeout_s*."""
        ...

    async def holder(self, scope: str, key: str) -> str | None:
        """Which stream holds the name, if any."""
        ...


class IdempotencyKeys(Protocol):
    """Answers of commands that came with an `Idempotency-Key`; kept 24 h."""

    async def begin(self, key: IdempotencyKey, now: datetime) -> StoredAnswer | None:
        """The answer kept under *key*; None if this caller is the first and now runs it.

        Raises:
            KeyInFlightError: The first caller has not finished (for at most a minute: then it counts as dead).
            KeyReusedError: The key came with another payload.
        """
        ...

    async def abandon(self, key: IdempotencyKey) -> None:
        """Forget a key whose command was refused, so that it may be tried again; an answer that is kept stays."""
        ...


class Timers(Protocol):
    """Durable timers; set and cancelled by `append`."""

    async def due(self, now: datetime, limit: int, *, without: Collection[str] = ()) -> list[Timer]:
        """Timers with `due_at` not after *now*, earliest first, none of the kinds *without*."""
        ...

    async def done(self, timer: Timer) -> None:
        """Remove a timer that was carried out, unless it was set anew meanwhile."""
        ...


class Leases(Protocol):
    """Which process plays which role."""

    async def acquire(self, name: str, holder: str, now: datetime, ttl_s: float) -> Lease | None:
        """The lease, taken or renewed; None while another holder has it.

        One that lasts longer than `MOST_AHEAD` beyond what is asked for was taken before the clock was set back: it is
        over, since its holder may be gone, and nobody would play the role until then.
        """
        ...

    async def release(self, lease: Lease) -> None:
        """Give the role back early."""
        ...

    async def relayed(self) -> int:
        """The position up to which events were published."""
        ...

    async def save_relayed(self, lease: Lease, held: int, position: int) -> None:
        """Move the published position from *held* to *position*, in one transaction with a check of the fence.

        Raises:
            FencedError: The lease has another holder, or the position is not *held* any more.
        """
        ...


class Store(EventLog, IdempotencyKeys, Timers, Leases, Protocol):
    """Everything one service keeps beside its read models."""

    async def start(self) -> None:
        """Connect; refuse a database that is missing its migrations, is newer, or is in use."""
        ...

    async def close(self) -> None:
        """Finish what waits, then disconnect."""
        ...
