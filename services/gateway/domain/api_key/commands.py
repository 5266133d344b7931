"""What can be asked of an API key."""

from dataclasses import dataclass
from datetime import datetime

from services.gateway.domain.api_key.events import OwnerKind


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """Make a key.

    Args:
        key: Its id.
        secret_hash: SHA-256 of the secret, hexadecimal; the secret itself is never kept.
        owner: Label of the person, or name of the machine, that it speaks for.
        owner_kind: Which of the two.
        description: What it is for.
        scopes: What it may do: `<resource>.<read|write>`, or `*` for everything.
        expires_at: From when it is no longer valid; None: never.
        by: Who makes it.
        by_kind: Whether a person or a machine makes it.
        granted: The scopes of who makes it: nobody hands out more than they hold.
        at: When.
    """

    key: str
    secret_hash: str
    owner: str
    owner_kind: OwnerKind
    description: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    by: str
    by_kind: OwnerKind
    granted: frozenset[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """End a key for good."""

    key: str
    by: str
    reason: str
    at: datetime


Command = CreateApiKey | RevokeApiKey
