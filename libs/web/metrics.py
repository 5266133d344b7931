"""Every metric of Concordat, by name; one registry per process.

concordat_http_requests_total{service,method,route,status}      requests answered
concordat_http_request_seconds{service,method,route}            from the first byte to the last of the answer
concordat_command_seconds{service}                              load, fold, decide, append: until it is on disk
concordat_projection_lag_events{service,projection,source}      events of the source not applied yet
concordat_relay_lag_events{service}                             events stored, not published yet
concordat_dead_letters{service,projection}                      events that could not be applied
concordat_rebuild_events_remaining{service,projection}          0 when none runs
concordat_unhandled_errors_total{service}                       answers of 500: each is a bug
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter("concordat_http_requests", "Requests answered", ["service", "method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "concordat_http_request_seconds", "Time to the last byte", ["service", "method", "route"], buckets=_FAST_S
)
COMMAND_SECONDS = Histogram("concordat_command_seconds", "Load, fold, decide, append", ["service"], buckets=_FAST_S)
UNHANDLED = Counter("concordat_unhandled_errors", "Answers of 500", ["service"])


class Reading(NamedTuple):
    """The present value of a gauge."""

    labels: tuple[str, ...]
    value: float


Read = Callable[[], Iterable[Reading]]

GAUGES = {
    "concordat_projection_lag_events": ("Events not applied yet", ("service", "projection", "source")),
    "concordat_relay_lag_events": ("Events not published yet", ("service",)),
    "concordat_dead_letters": ("Events that could not be applied", ("service", "projection")),
    "concordat_rebuild_events_remaining": ("Events a rebuild has before it", ("service", "projection")),
}


class Gauges(Collector):
    """Asks for a gauge's value when the metrics are read, so that nobody has to keep it up to date."""

    def __init__(self) -> None:
        self._reads: dict[str, list[Read]] = {name: [] for name in GAUGES}

    def on_read(self, name: str, read: Read) -> None:
        """Ask *read* for the values of the gauge *name*, one of `GAUGES`."""
        self._reads[name].append(read)

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        for name, reads in self._reads.items():
            text, labels = GAUGES[name]
            family = GaugeMetricFamily(name, text, labels=labels)
            for reading in (reading for read in reads for reading in read()):
                family.add_metric(reading.labels, reading.value)
            yield family


GAUGES_READ = Gauges()
REGISTRY.register(GAUGES_READ)

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics() -> Response:
    """All of them, for Prometheus."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
