"""From a valid OpenSLO SLO to what this service promises, and what of it cannot be evaluated yet."""

from collections.abc import Mapping
from typing import Any

from services.slo.domain.error_budget import Target
from services.slo.domain.errors import UnsupportedError
from services.slo.domain.openslo.decoding import Decoded, Duration
from services.slo.domain.openslo.encoding import encode
from services.slo.domain.openslo.faults import TOP, Path
from services.slo.domain.openslo.resolution import catalogue, resolve
from services.slo.domain.slo.commands import Document, Promise

_SHORTEST, _LONGEST = 60, 366 * 24 * 60
_PUSH = "concordat"


def minutes(duration: Duration | str) -> int:
    """A valid duration in minutes."""
    if isinstance(duration, str):
        duration = Duration(int(duration[:-1]), duration[-1])
    return duration.minutes


def promise_of(document: Decoded, source: Document) -> tuple[Promise, tuple[str, ...]]:
    """What the valid SLO *document* promises, and what of it has no effect yet.

    Args:
        document: Valid, of kind SLO.
        source: As it was sent; kept beside the promise.

    Raises:
        UnsupportedError: It needs a kind of SLO that this version does not evaluate.
    """
    metadata, spec = document.fields["metadata"], document.fields["spec"]
    objective = _one_objective(spec)
    method = spec["budgetingMethod"]
    if method != "Occurrences":
        raise _unsupported(TOP / "spec" / "budgetingMethod", f"{method} cannot be evaluated yet; use Occurrences")
    window = _rolling(spec["timeWindow"][0])
    percent = objective.get("targetPercent")
    target = Target.of(objective["target"]) if percent is None else Target.of_percent(percent)
    sources = [source["metricSourceRef"] for source in _metric_sources(spec) if "metricSourceRef" in source]
    resolved = resolve([document], catalogue((), {spec["service"]}, sources))
    for fault in resolved.faults.get(0, ()):
        raise _unsupported(fault.path, fault.detail)
    promise = Promise(
        slo=metadata["name"],
        service=spec["service"],
        display_name=metadata.get("displayName", ""),
        target=float(target),
        window=f"{window.value}{window.unit}",
        method=method,
        document=source,
        definition=encode(resolved.definitions[0]),
    )
    return promise, tuple(_without_effect(spec))


def _one_objective(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    if "indicatorRef" in spec:
        raise _unsupported(TOP / "spec" / "indicatorRef", "references are not resolved yet; put the indicator inline")
    if "indicator" not in spec:
        raise _unsupported(TOP / "spec" / "objectives", "composite SLOs cannot be evaluated yet; define one SLO each")
    if "ratioMetric" not in spec["indicator"]["spec"]:
        raise _unsupported(
            TOP / "spec" / "indicator" / "spec", "only ratio metrics can be evaluated yet; give ratioMetric"
        )
    objectives = spec.get("objectives", ())
    if len(objectives) != 1:
        raise _unsupported(TOP / "spec" / "objectives", f"must hold exactly one objective, holds {len(objectives)}")
    return objectives[0]


def _rolling(window: Mapping[str, Any]) -> Duration:
    if "isRolling" not in window:
        raise _unsupported(
            TOP / "spec" / "timeWindow" / 0, "calendar windows cannot be evaluated yet; set isRolling: true"
        )
    duration: Duration = window["duration"]
    if not _SHORTEST <= minutes(duration) <= _LONGEST:
        raise _unsupported(TOP / "spec" / "timeWindow" / 0 / "duration", "must be between 1h and 366d")
    return duration


def _unsupported(path: Path, detail: str) -> UnsupportedError:
    return UnsupportedError(str(path), path.pointer, detail)


def _without_effect(spec: Mapping[str, Any]) -> list[str]:
    kinds = {source.get("type", "") for source in _metric_sources(spec) if "metricSourceRef" not in source}
    warnings = [
        f"spec.indicator.spec.ratioMetric: nothing polls {kind or 'a source without type'};"
        " name a source in metricSourceRef, or push measurements"
        for kind in sorted(kinds - {_PUSH})
    ]
    if "alertPolicies" in spec:
        warnings.append("spec.alertPolicies: not evaluated yet; the default burn-rate alerts apply")
    return warnings


def _metric_sources(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    ratio = spec["indicator"]["spec"]["ratioMetric"]
    return [metric["metricSource"] for metric in ratio.values() if isinstance(metric, Mapping)]
