"""SLOs on latency, as Pyrra has them: the share of requests that a histogram counted at or below a threshold."""

from collections.abc import Sequence
from decimal import Decimal

Document = dict[str, object]


def latency_slo(  # noqa: PLR0913  each is a part of the promise
    name: str,
    *,
    service: str,
    histogram: str,
    threshold: str,
    target: str,
    matchers: str = "",
    window: str = "28d",
    native: bool = False,
    grouping: Sequence[str] = (),
) -> Document:
    """The OpenSLO v1 document of "*target* of the requests take at most *threshold* seconds".

    Args:
        name: The SLO's, a DNS label.
        service: Whose requests.
        histogram: The metric without suffix, such as `http_request_duration_seconds`.
        threshold: In the histogram's unit, such as `0.5`; for a classic histogram one of its `le`.
        target: Ratio of fast to all requests, such as `0.99`.
        matchers: Which of its series, such as `job="api", code!~"5.."`.
        window: Rolling period, OpenSLO short form.
        native: Whether it is a native histogram, which has no buckets of fixed bounds.
        grouping: Labels whose values each get a budget of their own.
    """
    by = f" by ({', '.join(grouping)})" if grouping else ""
    if native:
        rate = f"sum{by} (rate({histogram}{_selector(matchers)}[{{{{.window}}}}]))"
        total = f"histogram_count({rate})"
        good = f"histogram_fraction(0, {threshold}, {rate}) * {total}"
    else:
        total, good = (
            f"sum{by} (rate({histogram}_{part}[{{{{.window}}}}]))"
            for part in (f"count{_selector(matchers)}", f"bucket{_selector(matchers, _le(threshold))}")
        )
    ratio = {"counter": True, "good": _metric(good), "total": _metric(total)}
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": name},
        "spec": {
            "description": f"{Decimal(target) * 100:f} % of requests take at most {threshold} s",
            "service": service,
            "indicator": {"metadata": {"name": f"{name}-latency"}, "spec": {"ratioMetric": ratio}},
            "timeWindow": [{"duration": window, "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": f"within {threshold} s", "target": float(target)}],
        },
    }


def _selector(*matchers: str) -> str:
    given = ", ".join(filter(None, matchers))
    return f"{{{given}}}" if given else ""


def _le(threshold: str) -> str:
    """The bucket's matcher: a whole bound is `1` or `1.0`, depending on who wrote it and who stored it."""
    bound = Decimal(threshold)
    return f'le=~"{bound:.0f}(\\\\.0)?"' if bound == bound.to_integral_value() else f'le="{threshold}"'


def _metric(query: str) -> Document:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}
