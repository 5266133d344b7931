"""What surrounds every request of a service: its id, its trace, its time, and an answer even for a bug."""

import logging
import re
import time
from functools import cache

from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.web.health import Health
from libs.web.metrics import REQUEST_SECONDS, REQUESTS, UNHANDLED
from libs.web.problems import Problem, respond_problem
from libs.web.tracing import continue_trace

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_LOG = logging.getLogger("concordat.web")


class Surroundings:
    """Pure ASGI, outside of everything but the server.

    Args:
        app: What it surrounds.
        service: Whose requests they are, for the metrics.
        health: Tells when the process drains: then each answer closes its connection, so that its client goes to
            another replica before this one ends.
    """

    def __init__(self, app: ASGIApp, service: str, health: Health) -> None:
        self._app, self._service, self._health = app, service, health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _name_request(scope)
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], (b"x-request-id", request_id), *scope["state"]["headers"]]
                if self._health.draining.is_set():
                    headers.append((b"connection", b"close"))
                message["headers"] = headers
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:
            UNHANDLED.labels(self._service).inc()
            _LOG.exception("unhandled error, request %s, %s", request_id.decode(), scope["path"])
            if status:
                raise  # half an answer is out; the server cuts the connection, which is all that is left to say
            await _bug(scope)(scope, receive, send_on)
        finally:
            self._count(scope, status, time.perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route: str = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if route != "unknown" else "any"  # what anyone may send must not become a label
        requests, request_seconds = _meters(self._service, method, route, status)
        requests.inc()
        request_seconds.observe(seconds)


@cache
def _meters(service: str, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(service, method, route, status), REQUEST_SECONDS.labels(service, method, route)


def _name_request(scope: Scope) -> bytes:
    """Put the request's id and trace into its state; the id is the caller's own if it sent a decent one."""
    state = scope.setdefault("state", {})
    sent = state["sent"] = dict(scope["headers"])
    trace = continue_trace(sent.get(b"traceparent", b"").decode("latin-1"))
    request_id: bytes = sent.get(b"x-request-id", b"")
    if not _REQUEST_ID.fullmatch(request_id):
        request_id = trace.trace_id.encode()
    state["request_id"], state["trace"], state["headers"] = request_id.decode(), trace, []
    return request_id


def sent_header(request: Request, name: bytes) -> str | None:
    """A header of *request*, its name in lower case; looked up at once, where Starlette walks through all."""
    value: bytes | None = request.scope["state"]["sent"].get(name)
    return None if value is None else value.decode("latin-1")


def add_header(request: Request, name: str, value: str) -> None:
    """Answer *request* with one more header, however its route makes the answer."""
    request.scope["state"]["headers"].append((name.lower().encode(), value.encode("latin-1")))


def _bug(scope: Scope) -> ASGIApp:
    trace_id = scope["state"]["trace"].trace_id
    detail = f"this is a defect; report it with the trace id {trace_id}"
    problem = Problem(500, "internal-error", "Something went wrong here", detail)
    return respond_problem(Request(scope), problem)
