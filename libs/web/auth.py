"""Who may do what: each route names its scope, and the owner checks again what the gateway has checked."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from libs.events.clock import Clock
from libs.web.internal_auth import InvalidTokenError, Principal, Verified, verify
from libs.web.middleware import sent_header
from libs.web.problems import Problem

SCOPE = "x-concordat-scope"
IF_MATCH = "x-concordat-if-match"
PUBLIC: dict[str, Any] = {SCOPE: None, "security": []}
"""`openapi_extra` of a route that needs no key."""

Authenticate = Callable[[Request], Principal]
_REMEMBERED = 10_000


def needs(scope: str, *, if_match: bool = False) -> dict[str, Any]:
    """`openapi_extra` of a route that only holders of *scope* may call.

    Args:
        scope: `<resource>.<read|write>`.
        if_match: The route refuses requests without `If-Match` (428).
    """
    return {SCOPE: scope} | ({IF_MATCH: True} if if_match else {})


class GatewayTokens:
    """Believes the gateway's tokens, and nothing else; a token is verified once and remembered until it expires."""

    def __init__(self, service: str, key: str, clock: Clock) -> None:
        self._service, self._key, self._clock = service, key, clock
        self._seen: dict[str, Verified] = {}

    def __call__(self, request: Request) -> Principal:
        """The principal for whom the gateway sent *request*.

        Raises:
            Problem: 401.
        """
        scheme, _, token = (sent_header(request, b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthenticated("send the request to the gateway, which signs it")
        now_s = self._clock.now().timestamp()
        seen = self._seen.get(token)
        if seen is None or now_s >= seen.until_s:
            try:
                seen = verify(token, self._service, self._key, now_s=now_s)
            except InvalidTokenError as error:
                self._seen.pop(token, None)
                message = f"the token is not the gateway's: {error}"
                raise _unauthenticated(message) from error
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[token] = seen
        return seen.principal


def authorise(principal: Principal, scope: str) -> None:
    """Refuse a principal that lacks *scope*.

    Raises:
        Problem: 403.
    """
    if not principal.may(scope):
        detail = f"{principal.name} lacks the scope {scope}; use a key that has it"
        raise Problem(403, "forbidden", "The scope is missing", detail, extra={"scope": scope})


def principal(request: Request) -> Principal:
    """Who asks; the route has checked it."""
    found: Principal = request.scope["state"]["principal"]
    return found


async def _principal(request: Request) -> Principal:
    return principal(request)  # async, so that FastAPI does not send it to a thread


PrincipalDep = Annotated[Principal, Depends(_principal)]


def _unauthenticated(detail: str) -> Problem:
    headers = {"WWW-Authenticate": 'Bearer realm="concordat"'}
    return Problem(401, "unauthenticated", "The request is not authenticated", detail, headers=headers)
