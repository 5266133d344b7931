"""W3C trace context: which story a request belongs to, through HTTP and into the events."""

import re
import secrets
from dataclasses import dataclass

from libs.events.ids import new_id

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
    """A new span of the trace that came in; of a new trace if none did, or a malformed one."""
    came = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if came is None:
        return Trace(new_id().hex, secrets.token_hex(8))
    return Trace(came[1], secrets.token_hex(8), came[2])
