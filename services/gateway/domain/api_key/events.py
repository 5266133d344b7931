"""What happened to an API key. These events never leave the gateway."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

OwnerKind = Literal["person", "machine"]


@dataclass(frozen=True, slots=True)
class ApiKeyCreated:
    """A key was made; whoever holds its secret acts as *owner*."""

    key: str
    secret_hash: str
    owner: str
    owner_kind: OwnerKind
    description: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ApiKeyRevoked:
    """A key is no longer valid."""

    key: str
    by: str
    reason: str
    at: datetime


Event = ApiKeyCreated | ApiKeyRevoked
