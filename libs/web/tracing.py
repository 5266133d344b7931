"""W3C trace context: which story a request belongs to, through HTTP and into the events.

FastAPI makes the spans itself as soon as there is somebody to send them to (`exported_traces`).
"""

import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import trace as telemetry

from libs.events.errors import SetupError

_TRACEPARENT = re.compile(
    r"(?:00(?=.{53}$)|(?!00|ff)[0-9a-f]{2})"  # version 00 has an exact length, a later one may say more
    r"-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One request's place in its trace."""

    trace_id: str
    span_id: str
    flags: str = "00"

    @property
    def traceparent(self) -> str:
        """The header that hands the trace on."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def continue_trace(traceparent: str | None) -> Trace:
    """This request's span, if one is recorded; else one of the trace that came in, or of a new trace."""
    span = telemetry.get_current_span().get_span_context()
    if span.is_valid:
        return Trace(f"{span.trace_id:032x}", f"{span.span_id:016x}", f"{span.trace_flags:02x}")
    came = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if came is None:
        return Trace(secrets.token_hex(16), secrets.token_hex(8))
    return Trace(came[1], secrets.token_hex(8), came[2])


@contextmanager
def exported_traces(endpoint: str, service: str) -> Generator[None]:
    """Send the process's spans to *endpoint* (OTLP over HTTP) until the context ends; nowhere if it is empty.

    Raises:
        SetupError: The exporter is not installed.
    """
    if not endpoint:
        yield
        return
    try:  # only here: the exporter takes longer to import than the whole service takes to start
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        message = "CONCORDAT_OTLP_ENDPOINT is set, but the exporter is missing: pip install 'concordat[telemetry]'"
        raise SetupError(message) from error
    provider = TracerProvider(resource=Resource.create({"service.name": f"concordat-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    telemetry.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
