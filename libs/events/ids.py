"""The only place that makes identifiers."""

from uuid import UUID, uuid5

import uuid_utils

_REACTIONS = UUID("6f1f3a52-6a57-5c56-9a55-3a4c6bb1d4c0")  # namespace of reaction ids; never changes


def new_id() -> UUID:
    """A time-ordered identifier (UUIDv7, RFC 9562)."""
    return UUID(int=uuid_utils.uuid7().int)


def reaction_id(source: UUID, reaction: str, index: int) -> UUID:
    """The identifier of the *index*-th event that *reaction* makes of the event *source*.

    The same three always give the same identifier (UUIDv5), so a redelivered event cannot act twice.
    """
    return uuid5(_REACTIONS, f"{source}/{reaction}/{index}")
