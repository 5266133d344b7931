"""The short-lived token by which a service knows that the gateway sent a request, and for whom."""

from collections.abc import Collection
from typing import Literal

import jwt
import msgspec

_ALGORITHM = "HS256"
_ISSUER = "concordat-gateway"
LIVES_S = 60


class Principal(msgspec.Struct, frozen=True):
    """Who a request is for.

    Args:
        name: Label of a person, or name of a machine.
        kind: A machine never counts as the second person of an approval.
        scopes: What it may do, `<resource>.<read|write>`; `*` is everything.
        auth_method: How the gateway recognised it.
        client: What it used, such as the id of its API key.
    """

    name: str
    kind: Literal["person", "machine"]
    scopes: frozenset[str]
    auth_method: str
    client: str = ""

    def may(self, scope: str) -> bool:
        """Whether this principal holds *scope*."""
        return "*" in self.scopes or scope in self.scopes


class InvalidTokenError(Exception):
    """The token is absent, forged, expired, or meant for another service."""


class Verified(msgspec.Struct, frozen=True):
    """A token's principal, and until when it may be believed."""

    principal: Principal
    until_s: float


def sign(principal: Principal, audience: str, key: str, *, now_s: float) -> str:
    """A token with which *audience* (a service) accepts requests for *principal*, for `LIVES_S` seconds."""
    claims = {
        "iss": _ISSUER,
        "aud": audience,
        "iat": int(now_s),
        "exp": int(now_s) + LIVES_S,
        "sub": principal.name,
        "kind": principal.kind,
        "scopes": sorted(principal.scopes),
        "method": principal.auth_method,
        "client": principal.client,
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def verify(token: str, audience: str, key: str, *, now_s: float) -> Verified:
    """The principal inside *token*.

    Raises:
        InvalidTokenError: Not signed with *key* for *audience*, or too old.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=audience,
            issuer=_ISSUER,
            # the time is the caller's, so that a clock that stands still is believed too
            options={"require": ["exp", "iat", "aud", "iss", "sub"], "verify_exp": False, "verify_iat": False},
        )
        scopes: Collection[str] = claims["scopes"]
        principal = Principal(claims["sub"], claims["kind"], frozenset(scopes), claims["method"], claims["client"])
        until_s = float(claims["exp"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
        raise InvalidTokenError(str(error)) from error
    if now_s >= until_s:
        raise InvalidTokenError("it has expired")
    return Verified(principal, until_s)
