import subprocess
import sys

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from libs.web.tracing import continue_trace

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"


def test_a_trace_goes_on_with_a_span_of_its_own() -> None:
    trace = continue_trace(f"00-{TRACE_ID}-{SPAN_ID}-01")
    assert (trace.trace_id, trace.flags) == (TRACE_ID, "01")
    assert trace.span_id != SPAN_ID
    assert continue_trace(trace.traceparent).trace_id == TRACE_ID


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "rubbish",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-01-more",
    ],
)
def test_anything_else_starts_a_new_trace(sent: str | None) -> None:
    assert continue_trace(sent).trace_id != TRACE_ID


def test_a_later_version_may_say_more() -> None:
    assert continue_trace(f"01-{TRACE_ID}-{SPAN_ID}-01-more").trace_id == TRACE_ID


def test_a_recorded_span_is_the_one_that_events_name() -> None:
    span = NonRecordingSpan(
        SpanContext(int(TRACE_ID, 16), int(SPAN_ID, 16), is_remote=False, trace_flags=TraceFlags(1))
    )
    with use_span(span):
        assert continue_trace(None).traceparent == f"00-{TRACE_ID}-{SPAN_ID}-01"


def test_without_an_endpoint_no_exporter_is_loaded() -> None:
    script = (
        "import sys\n"
        "from libs.web.tracing import exported_traces\n"
        "with exported_traces('', 'demo'):\n"
        "    print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])\n"
    )
    ran = subprocess.run(  # noqa: S603  the script stands above
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
