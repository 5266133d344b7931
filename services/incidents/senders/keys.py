"""Which integration a key is of. Keys are kept as hashes only, and looked up by them."""

import secrets
import string
import time
from hashlib import sha256
from typing import Final

from libs.events.resources import Resources
from services.incidents.contract import INTEGRATION
from services.incidents.domain.integration.decider import Active
from services.incidents.intake import key_of

KEY: Final = "integration-key"  # scope of the reservations by which a key is found
_ALPHABET: Final = string.ascii_letters + string.digits
_LENGTH: Final = 32  # PagerDuty's; 190 random bits, so that a plain hash is enough: there is nothing to guess
_MOST: Final = 10_000


def new_key() -> str:
    """A key nobody had before."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def hash_of(key: str) -> str:
    """What is kept of *key*."""
    return sha256(key.encode(errors="replace")).hexdigest()


class Senders:
    """Knows senders by their keys, and keeps what it knows for a moment.

    Args:
        resources: The service's adapters.
        kept_s: How long; so much later another process takes notice of a change.
    """

    def __init__(self, resources: Resources, kept_s: float) -> None:
        self._resources, self._kept_s = resources, kept_s
        self._known: dict[str, tuple[float, Active | None]] = {}

    async def of_key(self, key: str) -> Active | None:
        """The integration whose key it is, if it may send."""
        key_hash, now = hash_of(key), time.monotonic()
        until, found = self._known.get(key_hash, (0.0, None))
        if now >= until:
            found = await self._look(key_hash)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key_hash] = (now + self._kept_s, found)
        return found if found and found.takes(key_hash, self._resources.clock.now()) else None

    def forget(self) -> None:
        """Look again: something has changed here."""
        self._known.clear()

    async def _look(self, key_hash: str) -> Active | None:
        held = await self._resources.store.holder(KEY, key_hash)
        if held is None:
            return None
        state = (await self._resources.handler.load(INTEGRATION, key_of(held))).state
        return state if isinstance(state, Active) else None
