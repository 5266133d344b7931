"""Every metric of Concordat, by name; one registry per process.

concordat_http_requests_total{service,method,route,status}      requests answered
concordat_http_request_seconds{service,method,route}            from the first byte to the last of the answer
concordat_command_seconds{service}                              load, fold, decide, append: until it is on disk
concordat_projection_lag_events{service,projection,source}      events of the source not applied yet
concordat_relay_lag_events{service}                             events stored, not published yet
concordat_relay_lag_seconds{service}                            how long the oldest of them has waited
concordat_dead_letters{service,projection}                      events that could not be applied, parked ones included
concordat_rebuild_events_remaining{service,projection}          0 when none runs
concordat_unhandled_errors_total{service}                       answers of 500: each is a bug
"""

from collections.abc import Iterable, Iterator

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from libs.events.worker import Worker

_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter("concordat_http_requests", "Requests answered", ["service", "method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "concordat_http_request_seconds", "Time to the last byte", ["service", "method", "route"], buckets=_FAST_S
)
COMMAND_SECONDS = Histogram("concordat_command_seconds", "Load, fold, decide, append", ["service"], buckets=_FAST_S)
UNHANDLED = Counter("concordat_unhandled_errors", "Answers of 500", ["service"])


Figure = tuple[tuple[str, ...], float]  # the values of the labels, and the gauge's


class Workers(Collector):
    """Asks the workers of this process how they are doing when the metrics are read."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}

    def watch(self, worker: Worker) -> None:
        """Ask *worker* from now on, in place of an earlier one of its service."""
        self._workers[worker.resources.service] = worker

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        now = {service: worker.figures for service, worker in self._workers.items()}
        yield _gauge(
            "concordat_projection_lag_events",
            "Events not applied yet",
            ("service", "projection", "source"),
            (((service, *place), n) for service, figures in now.items() for place, n in figures.lag.items()),
        )
        yield _gauge(
            "concordat_relay_lag_events",
            "Events not published yet",
            ("service",),
            (((service,), figures.relay_lag) for service, figures in now.items()),
        )
        yield _gauge(
            "concordat_relay_lag_seconds",
            "How long the oldest event that is not published has waited",
            ("service",),
            (((service,), figures.relay_lag_s) for service, figures in now.items()),
        )
        yield _gauge(
            "concordat_dead_letters",
            "Events that could not be applied, parked ones included",
            ("service", "projection"),
            (((service, name), n) for service, figures in now.items() for name, n in figures.dead_letters.items()),
        )
        yield _gauge(
            "concordat_rebuild_events_remaining",
            "Events a rebuild has before it",
            ("service", "projection"),
            (((service, name), n) for service, figures in now.items() for name, n in figures.rebuild_remaining.items()),
        )


def _gauge(name: str, text: str, labels: tuple[str, ...], figures: Iterable[Figure]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in figures:
        family.add_metric(values, number)
    return family


WORKERS = Workers()
REGISTRY.register(WORKERS)

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics() -> Response:
    """All of them, for Prometheus."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
