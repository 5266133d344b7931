"""Everything that comes in: which operation it is for, who asks, whether they may; then on to the owner.

Plain ASGI, because most requests only pass through: no body is parsed here, and no header that goes on is changed.
"""

import re
from collections.abc import Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.web.auth import authorise
from libs.web.internal_auth import Principal
from libs.web.problems import Problem
from services.gateway.api.document import SELF
from services.gateway.api.forwarding import authorization, back, forward, onward
from services.gateway.api.routing import Operation, Routes
from services.gateway.auth.keys import ApiKeys, UnknownKeyError
from services.gateway.auth.tokens import Tokens
from services.gateway.clients import Owner, OwnerAnswer, OwnerRequest

NOBODY: Final = Principal("anonymous", "machine", frozenset(), "none")
_NEEDS_NO_KEY: Final = frozenset({"/livez", "/readyz", "/startupz", "/metrics", "/openapi.json"})
_API_KEY: Final = b"x-api-key"
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")


class Forwarder:
    """Sends requests on to owners, signed for whoever asks.

    Args:
        owners: By service.
        tokens: Signs.
        timeout_s: For an answer, a second try included.
    """

    def __init__(self, owners: Mapping[str, Owner], tokens: Tokens, timeout_s: float) -> None:
        self._owners = owners
        self._tokens = tokens
        self._timeout_s = timeout_s

    async def send(
        self, service: str, principal: Principal, scope: Scope, target: bytes, body: bytes = b""
    ) -> OwnerAnswer:
        """What *service* answers to the request in *scope*, asked for *target* instead of the scope's own path."""
        state = scope["state"]
        own = authorization(scope["headers"]) if principal is NOBODY else ()
        headers = onward(
            scope["headers"],
            *own,
            (b"authorization", self._tokens.authorization(principal, service)),
            (b"x-request-id", state["request_id"].encode()),
            (b"traceparent", state["trace"].traceparent.encode()),
        )
        request = OwnerRequest(scope["method"], target.decode("ascii"), headers, body)
        return await forward(self._owners[service], request, name=service, timeout_s=self._timeout_s)


class Front:
    """The gateway before its own routes.

    Args:
        app: The gateway's own routes.
        routes: Every operation there is.
        keys: Recognises who asks.
        forwarder: Reaches the owners.
        request_bytes: The largest body.
    """

    def __init__(self, app: ASGIApp, routes: Routes, keys: ApiKeys, forwarder: Forwarder, request_bytes: int) -> None:
        self._app = app
        self._routes = routes
        self._keys = keys
        self._forwarder = forwarder
        self._request_bytes = request_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        operation = None if scope["path"] in _NEEDS_NO_KEY else self._operation(scope)
        if scope["method"] == "HEAD":  # as GET, without the content (RFC 9110, section 9.3.2)
            scope, send = {**scope, "method": "GET"}, _without_content(send)
        if operation is None:
            await self._app(scope, receive, send)
            return
        if operation.scope is None:
            principal = NOBODY
        else:
            principal = await self._authenticate(scope)
            authorise(principal, operation.scope)
        if operation.owner == SELF:
            scope["state"]["principal"] = principal
            await self._app(scope, receive, send)
            return
        body = await self._body(scope, receive)
        answer = await self._forwarder.send(operation.owner, principal, scope, _target(scope), body)
        await send({"type": "http.response.start", "status": answer.status, "headers": back(answer.headers)})
        await send({"type": "http.response.body", "body": answer.body})

    def _operation(self, scope: Scope) -> Operation:
        methods = self._routes.find(scope["path"])
        if not methods:
            raise HTTPException(404)
        operation = methods.get(scope["method"])
        if operation is None:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(methods))})
        scope["route"] = operation  # names the request in the metrics
        return operation

    async def _authenticate(self, scope: Scope) -> Principal:
        presented = next((value for name, value in scope["headers"] if name == _API_KEY), None)
        if presented is None:
            raise _unauthenticated("send an API key as X-API-Key; POST /v1/api-keys makes one")
        try:
            return await self._keys.authenticate(presented.decode("latin-1"))
        except UnknownKeyError as error:
            raise _unauthenticated(str(error)) from error

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        limit = self._request_bytes
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value[:20]) > limit:
                raise _too_large(limit)
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message: Message = await receive()
            if message["type"] == "http.disconnect":
                raise _gone()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > limit:
                raise _too_large(limit)
        return b"".join(parts)


def _without_content(send: Send) -> Send:
    async def send_on(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_on


def _target(scope: Scope) -> bytes:
    """Path and query as they came; bytes that a client should have encoded are encoded."""
    query = scope["query_string"]
    target: bytes = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
    return target if target.isascii() else _NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], target)


def _unauthenticated(detail: str) -> Problem:
    headers = {"WWW-Authenticate": 'ApiKey realm="concordat", header="X-API-Key"'}
    return Problem(401, "unauthenticated", "The request is not authenticated", detail, headers=headers)


def _too_large(limit: int) -> Problem:
    detail = f"the body is larger than {limit} bytes; send it in parts"
    return Problem(413, "body-too-large", "The body is too large", detail)


def _gone() -> Problem:
    return Problem(400, "incomplete-body", "The body is incomplete", "the connection ended before the body did")
