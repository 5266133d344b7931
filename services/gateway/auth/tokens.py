"""The signed tokens under which services accept the gateway's requests, kept as long as they are good."""

from libs.events.clock import Clock
from libs.web.internal_auth import LIVES_S, Principal, sign

_RENEW_AFTER_S = LIVES_S / 2
_MOST = 10_000  # principals times services; beyond, start anew


class Tokens:
    """Signs once per principal and service, again well before the token runs out.

    Args:
        key: Shared with the services.
        clock: Tells when to renew.
    """

    def __init__(self, key: str, clock: Clock) -> None:
        self._key = key
        self._clock = clock
        self._signed: dict[tuple[Principal, str], tuple[float, bytes]] = {}

    def authorization(self, principal: Principal, service: str) -> bytes:
        """The `Authorization` header with which *service* knows that *principal* asks."""
        now_s = self._clock.now().timestamp()
        since_s, header = self._signed.get((principal, service), (0.0, b""))
        if not since_s <= now_s < since_s + _RENEW_AFTER_S:  # the clock may be set back
            if len(self._signed) >= _MOST:
                self._signed.clear()
            header = b"Bearer " + sign(principal, service, self._key, now_s=now_s).encode()
            self._signed[principal, service] = (now_s, header)
        return header
