"""A Prometheus API over HTTP: bounded in time, size and number of queries, and with no secret in any text it gives."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import httpx
import stamina

from services.slo.domain.source.commands import Settings
from services.slo.prometheus.answers import values
from services.slo.prometheus.faults import PASSING, SourceError, refuse
from services.slo.prometheus.indicator import Indicator, Query, Reading, Values, reading
from services.slo.prometheus.plan import MOST_MIN, Span
from services.slo.prometheus.secrets import Secrets

LARGEST_ANSWER_B: Final = 4 * 1024 * 1024  # 11,000 points of one series are under 0.5 MiB
_ATTEMPTS: Final = 3
_LONGEST_WAIT_S: Final = 10.0


class PrometheusSource:
    """One source, shared by all who ask it: open it with `open_source`."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        self._free = asyncio.Semaphore(settings.concurrency)

    async def read(self, indicator: Indicator, span: Span) -> Reading:
        """The counts of *span*.

        Raises:
            SourceError: One of the queries has no usable answer; nothing of the span counts.
        """
        if not 0 < span.end - span.first <= MOST_MIN:
            message = f"{span} must hold 1 to {MOST_MIN} minutes"
            raise ValueError(message)
        return reading(indicator, [await self.values(query, span) for query in indicator.queries], span)

    async def values(self, query: Query, span: Span) -> Values:
        """The value of *query* at the end of each minute that has one.

        Reading twice changes nothing there, so what may pass (no connection, 429, 500 to 504) is tried again.

        Raises:
            SourceError: It has no usable answer.
        """
        async with self._free:
            async for attempt in stamina.retry_context(
                _wait, attempts=_ATTEMPTS, timeout=None, wait_initial=0.2, wait_max=_LONGEST_WAIT_S, wait_jitter=0.2
            ):
                with attempt:
                    return await self._ask(query, span)
        raise AssertionError  # the last attempt returned or raised

    async def _ask(self, query: Query, span: Span) -> Values:
        form = {
            "query": query.text,
            "start": str((span.first + 1) * 60),  # the value at a minute's end is about that minute
            "end": str(span.end * 60),
            "step": "60",
            "timeout": f"{self._settings.timeout_s}s",
        }
        try:
            async with (
                asyncio.timeout(self._settings.timeout_s),
                self._http.stream("POST", "api/v1/query_range", data=form) as response,
            ):
                body = await _bounded(response, query)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise refuse("source-timeout", query.place, f"no answer within {self._settings.timeout_s} s") from error
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        return values(response.status_code, response.headers, body, query, span)


@asynccontextmanager
async def open_source(settings: Settings, secrets: Secrets) -> AsyncGenerator[PrometheusSource]:
    """The source that *settings* describe; its secrets are read now.

    Raises:
        SourceError: A secret is missing or unusable.
    """
    auth = settings.auth
    headers = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "concordat"}
    if auth.kind == "bearer":
        headers["authorization"] = f"Bearer {secrets.text(auth.secret, 'auth.secret')}"
    async with httpx.AsyncClient(
        base_url=settings.address,
        headers=headers,
        auth=httpx.BasicAuth(auth.username, secrets.text(auth.secret, "auth.secret")) if auth.kind == "basic" else None,
        verify=_trust(settings, secrets),
        timeout=settings.timeout_s,
        limits=httpx.Limits(max_connections=settings.concurrency),
        follow_redirects=False,
        trust_env=False,  # no proxy and no .netrc that the settings do not show
    ) as http:
        yield PrometheusSource(settings, http)


def _trust(settings: Settings, secrets: Secrets) -> ssl.SSLContext:
    tls = settings.tls
    try:
        context = ssl.create_default_context(cafile=secrets.path(tls.ca, "tls.ca") if tls.ca else None)
        if tls.certificate:
            pair = secrets.path(tls.certificate, "tls.certificate"), secrets.path(tls.key, "tls.key")
            context.load_cert_chain(*pair, password=_no_passphrase)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise refuse("source-tls-settings", "tls", str(error)) from error
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _no_passphrase() -> str:
    raise ValueError("the key is encrypted")  # rather than ask a terminal


def _wait(error: Exception) -> bool | float:
    """Whether to ask again, and when if the server said."""
    if not isinstance(error, SourceError) or error.fault.code not in PASSING:
        return False
    return True if error.retry_after_s is None else min(error.retry_after_s, _LONGEST_WAIT_S)


async def _bounded(response: httpx.Response, query: Query) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER_B:
            raise refuse("answer-too-large", query.place, f"the answer is larger than {LARGEST_ANSWER_B} bytes")
    return bytes(body)


def _unreachable(error: httpx.HTTPError) -> SourceError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return refuse("source-untrusted", "tls", str(cause))
        cause = cause.__cause__ or cause.__context__
    return refuse("source-unreachable", "address", f"{type(error).__name__}: {error}")
