"""Recognises who presents an API key, from folded keys that are kept and looked at again every few seconds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final

from libs.events.clock import Clock
from libs.events.handler import CommandHandler
from libs.web.internal_auth import Principal
from services.gateway.auth.secrets import parse_key
from services.gateway.contract import API_KEY
from services.gateway.domain.api_key.decider import Revoked, Valid

WHOAMI: Final = "whoami.read"  # every key may ask whom it speaks for


class UnknownKeyError(Exception):
    """The key cannot be used; the text says why, as far as its holder may know."""


@dataclass(frozen=True, slots=True)
class _Kept:
    key: Valid
    principal: Principal
    since: datetime


class ApiKeys:
    """The keys in use.

    Args:
        handler: Folds them.
        clock: Tells when they expire.
        refresh_s: A key revoked by another process is refused here after at most this time.
    """

    def __init__(self, handler: CommandHandler, clock: Clock, refresh_s: float) -> None:
        self._handler = handler
        self._clock = clock
        self._refresh = timedelta(seconds=refresh_s)
        self._kept: dict[str, _Kept] = {}

    async def authenticate(self, text: str) -> Principal:
        """Whom the key *text* speaks for.

        Raises:
            UnknownKeyError: No such key, another secret, expired or revoked.
        """
        presented = parse_key(text)
        if presented is None:
            raise UnknownKeyError("this is no API key; keys look like cc_<id>_<secret>")
        now = self._clock.now()
        kept = self._kept.get(presented.id)
        if kept is None or not kept.since <= now < kept.since + self._refresh:  # the clock may be set back
            kept = await self._look_up(presented.id, now)
        if kept is None or not compare_digest(kept.key.secret_hash, presented.secret_hash):
            raise UnknownKeyError("no such API key, or it was revoked")
        if kept.key.expired(now):
            raise UnknownKeyError("this API key has expired; ask for another")
        return kept.principal

    async def in_use(self, key_id: str) -> bool:
        """Whether the key may still be used."""
        now = self._clock.now()
        kept = await self._look_up(key_id, now)
        return kept is not None and not kept.key.expired(now)

    def forget(self, key_id: str) -> None:
        """Look at this key again when it comes next: it was changed here."""
        self._kept.pop(key_id, None)

    async def _look_up(self, key_id: str, now: datetime) -> _Kept | None:
        match (await self._handler.load(API_KEY, key_id)).state:
            case Valid(owner=owner, owner_kind=kind, scopes=scopes) as key:
                principal = Principal(owner, kind, frozenset((*scopes, WHOAMI)), "api-key", key_id)
                self._kept[key_id] = _Kept(key, principal, now)
                return self._kept[key_id]
            case Revoked() | None:
                self.forget(key_id)
                return None
