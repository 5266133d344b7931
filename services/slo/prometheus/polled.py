"""Which SLOs are polled, from which source, and what it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.slo.domain.openslo.checking import is_prometheus
from services.slo.domain.openslo.definition import Definition, Indicator, Limit, RawRatio, Threshold
from services.slo.prometheus.faults import SourceError
from services.slo.prometheus.indicator import indicator_of


@dataclass(frozen=True, slots=True)
class Polled:
    """What of an SLO's definition the poller needs.

    Args:
        source: The name of the source.
        sli: The `spec` of its OpenSLO SLI, as `indicator_of` takes it.
    """

    source: str
    sli: Mapping[str, Any]


def polled(definition: Definition) -> dict[str, Polled]:
    """What is polled for an SLO, by what is measured; empty where measurements are sent.

    All metrics of an indicator must name the same source, a Prometheus, in their `metricSourceRef`.
    """
    asked = ((key, _polled(*measured)) for key, measured in definition.indicators.items())
    return {key: found for key, found in asked if found is not None}


def not_polled(definition: Definition) -> list[str]:
    """Why metrics in a Prometheus are not polled, or cannot be, for people; nothing of an SLO that asks none."""
    found = polled(definition)
    return [
        said if key == definition.name else f"{key}: {said}"
        for key, (indicator, _) in definition.indicators.items()
        if any(is_prometheus(kind) for _, kind in _sources(indicator)) and (said := _unasked(found.get(key)))
    ]


def _polled(indicator: Indicator, limit: Limit | None) -> Polled | None:
    ((source, kind), *others) = _sources(indicator)
    if not source or not is_prometheus(kind) or others:
        return None
    metrics: dict[str, Any] = {kind: {"metricSource": {"spec": m.spec}} for kind, m in indicator.metrics.items()}
    if isinstance(indicator.measure, Threshold):
        if limit is None:
            return None
        return Polled(source, {"thresholdMetric": metrics["threshold"], "op": limit.op, "value": str(limit.value)})
    ratio = metrics | {"counter": indicator.measure.counter}
    if isinstance(indicator.measure, RawRatio):
        ratio["rawType"] = indicator.measure.means
    return Polled(source, {"ratioMetric": ratio})


def _unasked(found: Polled | None) -> str:
    if found is None:
        remedy = "have all its metrics name the same source of type Prometheus in metricSourceRef, or push measurements"
        return f"nothing polls it: {remedy} (POST /v1/measurements)"
    try:
        indicator_of(found.sli)
    except SourceError as error:
        return f"it cannot be polled: {error}"
    return ""


def _sources(indicator: Indicator) -> set[tuple[str, str]]:
    return {(metric.source.name, metric.source.type) for metric in indicator.metrics.values()}
