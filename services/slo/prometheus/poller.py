"""Reading a span after the other, in steps that a source can bear."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NamedTuple

from services.slo.prometheus.faults import SHORTENED, SourceError
from services.slo.prometheus.indicator import Indicator, Reading
from services.slo.prometheus.plan import A_DAY_MIN, SHORTEST_MIN, Progress

if TYPE_CHECKING:
    from services.slo.prometheus.client import PrometheusSource


class Step(NamedTuple):
    """A part that was read, and how far that is. Keep both together; a restart goes on from `progress`."""

    progress: Progress
    reading: Reading


async def read_on(
    source: "PrometheusSource", indicator: Indicator, progress: Progress, *, longest_min: int = A_DAY_MIN
) -> AsyncIterator[Step]:
    """Everything that *progress* has not read, oldest first; each step says how far it has come (`progress.share`).

    What is too much for the source at once is asked for in halves, down to a quarter of an hour.

    Raises:
        SourceError: The source gives nothing usable for the next span. What was read before stays read.
    """
    while (span := progress.next(longest_min)) is not None:
        try:
            found = await source.read(indicator, span)
        except SourceError as error:
            length = span.end - span.first
            if error.fault.code not in SHORTENED or length <= SHORTEST_MIN:
                raise
            longest_min = max(length // 2, SHORTEST_MIN)
            continue
        progress = progress.after(span)
        yield Step(progress, found)
