"""What Prometheus can scrape of SLOs; the number of series is bounded, however many SLOs there are.

concordat_slos{state}                                 how many SLOs are in each state
concordat_slo_alerts_firing{severity}                 burn-rate alerts that fire
concordat_slo_target{slo,service}                     the least SLI promised
concordat_slo_sli{slo,service}                        good / total; absent while undefined
concordat_slo_error_budget_remaining{slo,service}     1 - consumed, negative when violated; absent while undefined
concordat_slo_coverage{slo,service}                   share of the window that was observed
concordat_slos_left_out                               SLOs beyond the bound, which have no series of their own
concordat_slo_source_up{source}                       whether a source gave what it was asked for last (`poller.py`)
concordat_slo_source_lag_seconds{source}              age of its newest minute that was read
concordat_slo_source_buckets_total{source}            buckets read from it
concordat_slo_source_failures_total{source}           reads that gave nothing; beyond 200 sources all are "(other)"
concordat_slo_evaluation_seconds                      how long the last evaluation took (`collector.py`)
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, RowMapping, func, select

from libs.events.backoff import PASSING, stopped_within
from libs.events.resources import Resources
from services.slo.config import SloSettings
from services.slo.projections.slo_alerts import SLO_ALERTS
from services.slo.projections.slos import SLOS

_LOG = logging.getLogger(__name__)
_STATES: Final = ("met", "at_risk", "violated", "undefined")
_SEVERITIES: Final = ("page", "ticket")
_PER_SLO: Final = {
    "target": "The least SLI promised",
    "sli": "Good events / all events",
    "error_budget_remaining": "1 - consumed; negative when violated",
    "coverage": "Share of the window that was observed",
}


class Published(NamedTuple):
    """The figures that were last published."""

    states: Mapping[str, int]
    firing: Mapping[str, int]
    slos: Sequence[RowMapping]


class Fleet(Collector):
    """Tells Prometheus what this process last read of all SLOs; nothing until it has read once."""

    def __init__(self) -> None:
        self.published: Published | None = None

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client.registry.Collector`."""
        if self.published is None:
            return
        states, firing, slos = self.published
        yield _gauge("concordat_slos", "SLOs by state", "state", {state: states.get(state, 0) for state in _STATES})
        by_severity = {severity: firing.get(severity, 0) for severity in _SEVERITIES}
        yield _gauge("concordat_slo_alerts_firing", "Burn-rate alerts that fire", "severity", by_severity)
        left_out = GaugeMetricFamily("concordat_slos_left_out", "SLOs that have no series of their own")
        left_out.add_metric((), sum(states.values()) - len(slos))
        yield left_out
        for name, text in _PER_SLO.items():
            family = GaugeMetricFamily(f"concordat_slo_{name}", text, labels=("slo", "service"))
            for slo in slos:
                if slo[name] is not None:
                    family.add_metric((slo["slo"], slo["service"]), slo[name])
            yield family


FLEET: Final = Fleet()
REGISTRY.register(FLEET)


async def keep_fleet(resources: Resources, settings: SloSettings, stop: asyncio.Event) -> None:
    """Read what was published about all SLOs once a tick, until *stop*."""
    while True:
        try:
            FLEET.published = await resources.views.read_long(_published, settings.metrics_slos)
        except PASSING as error:
            _LOG.warning("the metrics of SLOs stay as they are: %s", error)
        if await stopped_within(stop, settings.tick_s):
            return


def _published(connection: Connection, most: int) -> Published:
    slos, alerts = SLOS.view.c, SLO_ALERTS.view.c
    live = slos.service.is_not(None), slos.ended_at.is_(None)
    states = select(slos.state, func.count()).where(*live).group_by(slos.state)
    firing = select(alerts.severity, func.count()).where(alerts.state == "firing").group_by(alerts.severity)
    # By name: of those with the lowest budgets, some would come and go with every reading.
    some = select(slos.slo, slos.service, *(slos[name] for name in _PER_SLO)).where(*live)
    return Published(
        _counted(connection, states),
        _counted(connection, firing),
        connection.execute(some.order_by(slos.slo).limit(most)).mappings().all(),
    )


def _counted(connection: Connection, query: Any) -> dict[str, int]:  # noqa: ANN401  a select of name and count
    return dict(map(tuple, connection.execute(query)))


def _gauge(name: str, text: str, label: str, figures: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for value, number in figures.items():
        family.add_metric((value,), number)
    return family
