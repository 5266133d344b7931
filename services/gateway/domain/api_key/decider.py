"""An API key's rules: every pair of state and command has one line below."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.gateway.domain.api_key.commands import Command, CreateApiKey, RevokeApiKey
from services.gateway.domain.api_key.events import ApiKeyCreated, ApiKeyRevoked, Event, OwnerKind
from services.gateway.domain.errors import (
    ApiKeyNotFoundError,
    ApiKeyTakenError,
    GrantExceededError,
    InvalidApiKeyError,
)

EVERYTHING: Final = "*"
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123
_SCOPE = re.compile(r"\*|[a-z][-a-z0-9]*\.(?:read|write)")


@dataclass(frozen=True, slots=True)
class Valid:
    """In use, at least until it expires."""

    secret_hash: str
    owner: str
    owner_kind: OwnerKind
    description: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    created_by: str
    created_at: datetime

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class Revoked:
    """Ended for good; what it was stays readable."""

    was: Valid
    by: str
    reason: str
    at: datetime


ApiKey = Valid | Revoked | None  # None: never made


def decide(command: Command, state: ApiKey) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        ApiKeyNotFoundError: There is no key to revoke.
        ApiKeyTakenError: The id belongs to a key with another secret.
        InvalidApiKeyError: The key cannot be made as described.
        GrantExceededError: The maker may not hand out what it asks for.
    """
    match state, command:
        case None, CreateApiKey():
            return (_create(command),)
        case None, RevokeApiKey(key=key):
            raise ApiKeyNotFoundError(key)
        case Valid(), RevokeApiKey(key=key, by=by, reason=reason, at=at):
            return (ApiKeyRevoked(key, by, reason, at),)
        case ((Valid(secret_hash=known) | Revoked(was=Valid(secret_hash=known))), CreateApiKey(secret_hash=offered)):
            if known != offered:
                raise ApiKeyTakenError
            return ()
        case Revoked(), RevokeApiKey():
            return ()


def evolve(state: ApiKey, event: Event) -> ApiKey:
    """The key after one more fact."""
    match state, event:
        case _, ApiKeyCreated():
            return Valid(
                secret_hash=event.secret_hash,
                owner=event.owner,
                owner_kind=event.owner_kind,
                description=event.description,
                scopes=event.scopes,
                expires_at=event.expires_at,
                created_by=event.by,
                created_at=event.at,
            )
        case Valid(), ApiKeyRevoked(by=by, reason=reason, at=at):
            return Revoked(state, by, reason, at)
        case ((Revoked() | None), ApiKeyRevoked()):
            return state


def _create(command: CreateApiKey) -> ApiKeyCreated:
    if not _LABEL.fullmatch(command.owner):
        raise InvalidApiKeyError("owner", "use lower-case letters, digits and inner hyphens, at most 63 (RFC 1123)")
    if not command.scopes:
        raise InvalidApiKeyError("scopes", "name at least one, such as services.read")
    for scope in command.scopes:
        if not _SCOPE.fullmatch(scope):
            message = f"{scope!r} is no scope; use <resource>.<read|write>, or * for everything"
            raise InvalidApiKeyError("scopes", message)
    if command.expires_at is not None and command.expires_at <= command.at:
        raise InvalidApiKeyError("expires_at", "lies in the past; name a later time, or none")
    exceeding = [scope for scope in command.scopes if scope not in command.granted]
    if exceeding and EVERYTHING not in command.granted:
        message = f"you do not hold {', '.join(exceeding)}, so you cannot hand it out"
        raise GrantExceededError(message)
    if command.owner_kind == "person" and command.by_kind == "machine":
        # A machine never counts as the second person of an approval; it shall not make itself one.
        raise GrantExceededError("a machine cannot make a person's key; ask a person to make it")
    return ApiKeyCreated(
        key=command.key,
        secret_hash=command.secret_hash,
        owner=command.owner,
        owner_kind=command.owner_kind,
        description=command.description,
        scopes=tuple(sorted(set(command.scopes))),
        expires_at=command.expires_at,
        by=command.by,
        at=command.at,
    )
