"""Which SLOs are polled, from which source, and what it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.slo.domain.openslo.checking import is_prometheus
from services.slo.domain.openslo.definition import Definition, RawRatio, Threshold


@dataclass(frozen=True, slots=True)
class Polled:
    """What of an SLO's definition the poller needs.

    Args:
        source: The name of the source.
        ratio: The OpenSLO `ratioMetric`.
    """

    source: str
    ratio: Mapping[str, Any]


def polled(definition: Definition) -> Polled | None:
    """What is polled for an SLO; None where measurements are sent.

    All metrics of its ratio must name the same source, a Prometheus, in their `metricSourceRef`.
    """
    indicator = definition.indicator
    if indicator is None or isinstance(indicator.measure, Threshold):
        return None
    sources = {(metric.source.name, metric.source.type) for metric in indicator.metrics.values()}
    ((source, kind), *others) = sources
    if not source or not is_prometheus(kind) or others:
        return None
    ratio: dict[str, Any] = {kind: {"metricSource": {"spec": m.spec}} for kind, m in indicator.metrics.items()}
    ratio["counter"] = indicator.measure.counter
    if isinstance(indicator.measure, RawRatio):
        ratio["rawType"] = indicator.measure.means
    return Polled(source, ratio)
