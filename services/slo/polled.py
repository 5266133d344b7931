"""Which SLOs are polled, from which source, and what it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_KINDS = ("good", "bad", "total", "raw")


@dataclass(frozen=True, slots=True)
class Polled:
    """What of an SLO's definition the poller needs.

    Args:
        source: The name of the source.
        ratio: The OpenSLO `ratioMetric`.
    """

    source: str
    ratio: Mapping[str, Any]


def polled(document: Mapping[str, Any]) -> Polled | None:
    """What is polled for the SLO of *document*; None where measurements are sent.

    Every metric of the ratio must name the same source in its `metricSourceRef`.
    """
    ratio = document.get("spec", {}).get("indicator", {}).get("spec", {}).get("ratioMetric", {})
    named = {ratio[kind]["metricSource"].get("metricSourceRef", "") for kind in _KINDS if ratio.get(kind)}
    source = named.pop() if len(named) == 1 else ""
    return Polled(source, ratio) if source else None
