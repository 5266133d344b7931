"""The only place that makes identifiers."""

from datetime import datetime
from uuid import UUID, uuid5

import uuid_utils

_TIMERS = UUID("0d5b8e1c-94a3-5f0e-8c1d-7be1f0a3c2d9")  # namespace of timer ids; never changes
_REACTIONS = UUID("6f1f3a52-6a57-5c56-9a55-3a4c6bb1d4c0")  # namespace of reaction ids; never changes


def new_id() -> UUID:
    """A time-ordered identifier (UUIDv7, RFC 9562)."""
    return UUID(int=uuid_utils.uuid7().int)


def reaction_id(source: UUID, reaction: str, index: int) -> UUID:
    """The identifier of the *index*-th event that *reaction* makes of the event *source*.

    The same three always give the same identifier (UUIDv5), so a redelivered event cannot act twice.
    """
    return uuid5(_REACTIONS, f"{source}/{reaction}/{index}")


def derived_id(at: datetime, source: UUID, reaction: str, index: int) -> UUID:
    """The identifier of the *index*-th thing that *reaction* opens because of the event *source* of time *at*.

    The same four always give the same identifier. It has the form of a UUIDv7 (RFC 9562, 5.7), so that it sorts by
    time among those of `new_id`; what is random there, is a hash here.
    """
    digest = reaction_id(source, reaction, index).int
    low = digest & (2**62 - 1)
    middle = digest >> 116  # the first 12 bits; the version's and the variant's bits of the hash are left out
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | middle << 64 | 0b10 << 62 | low)


def timer_id(key: str, due_at: str, index: int) -> UUID:
    """The identifier of the *index*-th event that follows when the timer *key*, set for *due_at*, fires.

    The same three always give the same identifier (UUIDv5), so a timer that fires twice cannot act twice.
    """
    return uuid5(_TIMERS, f"{key}/{due_at}/{index}")
