"""A definition as plain JSON values and back: how it travels in events and lies in read models.

Ratios are texts such as `999/1000`, wall times ISO 8601, lengths minutes; what a definition does not have is left out.
The connection details of a DataSource are never among it: they may hold secrets.
"""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from services.slo.domain.error_budget import Target
from services.slo.domain.openslo.definition import (
    Component,
    Condition,
    Definition,
    Indicator,
    Limit,
    Metric,
    Notification,
    Objective,
    Policy,
    Ratio,
    RawRatio,
    Slices,
    Source,
    Threshold,
)
from services.slo.domain.windows import Calendar, Rolling, Window

Plain = dict[str, Any]


def encode(definition: Definition) -> Plain:
    """*definition* as plain values; `read` gives it back, less the connection details of its sources."""
    return _filled(
        name=definition.name,
        display_name=definition.display_name,
        description=definition.description,
        service=definition.service,
        method=definition.method,
        window=_window(definition.window),
        indicator=definition.indicator and _indicator(definition.indicator),
        objectives=[_objective(objective) for objective in definition.objectives],
        policies=[_policy(policy) for policy in definition.policies],
        labels={name: list(values) for name, values in definition.labels.items()},
        annotations=dict(definition.annotations),
    )


def read(plain: Plain) -> Definition:
    """The definition that `encode` made *plain* of."""
    return Definition(
        name=plain["name"],
        display_name=plain.get("display_name", ""),
        description=plain.get("description", ""),
        service=plain["service"],
        method=plain["method"],
        window=_read_window(plain["window"]),
        indicator=_read_indicator(plain["indicator"]) if "indicator" in plain else None,
        objectives=tuple([_read_objective(each) for each in plain["objectives"]]),
        policies=tuple([_read_policy(each) for each in plain.get("policies", ())]),
        labels={name: tuple(values) for name, values in plain.get("labels", {}).items()},
        annotations=plain.get("annotations", {}),
    )


def _filled(**members: object) -> Plain:
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}


def _window(window: Window) -> Plain:
    if isinstance(window, Rolling):
        return {"rolling_min": window.length_min}
    return {
        "count": window.count,
        "unit": window.unit,
        "anchor": window.anchor.isoformat(),
        "zone": window.zone,
    }


def _read_window(plain: Plain) -> Window:
    if "rolling_min" in plain:
        return Rolling(plain["rolling_min"])
    return Calendar(plain["count"], plain["unit"], datetime.fromisoformat(plain["anchor"]), plain["zone"])


def _indicator(indicator: Indicator) -> Plain:
    measure = indicator.measure
    match measure:
        case Ratio():
            kind, more = "ratio", {"counter": measure.counter}
        case RawRatio():
            kind, more = "raw_ratio", {"means": measure.means, "counter": measure.counter}
        case Threshold():
            kind, more = "threshold", {}
    return _filled(
        name=indicator.name,
        display_name=indicator.display_name,
        description=indicator.description,
        type=kind,
        **more,
        metrics={name: _metric(metric) for name, metric in indicator.metrics.items()},
    )


def _read_indicator(plain: Plain) -> Indicator:
    metrics = {name: _read_metric(each) for name, each in plain["metrics"].items()}
    match plain["type"]:
        case "ratio":
            measure = Ratio(metrics["total"], metrics.get("good"), metrics.get("bad"), plain["counter"])
        case "raw_ratio":
            measure = RawRatio(metrics["raw"], plain["means"], plain["counter"])
        case _:
            measure = Threshold(metrics["threshold"])
    return Indicator(plain["name"], plain.get("display_name", ""), plain.get("description", ""), measure)


def _metric(metric: Metric) -> Plain:
    return _filled(source=metric.source.name, type=metric.source.type, spec=dict(metric.spec))


def _read_metric(plain: Plain) -> Metric:
    spec: Mapping[str, Any] = plain.get("spec", {})
    return Metric(Source(plain.get("source", ""), plain.get("type", "")), spec)


def _objective(objective: Objective) -> Plain:
    limit, component = objective.limit, objective.component
    return _filled(
        display_name=objective.display_name,
        target=f"{objective.target.p}/{objective.target.q}",
        slices=_slices(objective.slices),
        limit=limit and {"op": limit.op, "value": str(limit.value)},
        component=component and _component(component),
    )


def _read_objective(plain: Plain) -> Objective:
    limit, component = plain.get("limit"), plain.get("component")
    p, _, q = plain["target"].partition("/")
    return Objective(
        display_name=plain.get("display_name", ""),
        target=Target(int(p), int(q)),
        slices=_read_slices(plain.get("slices")),
        limit=limit and Limit(limit["op"], Fraction(limit["value"])),
        component=component and _read_component(component),
    )


def _slices(slices: Slices | None) -> Plain | None:
    if slices is None:
        return None
    return _filled(length_min=slices.length_min, target=None if slices.target is None else str(slices.target))


def _read_slices(plain: Plain | None) -> Slices | None:
    return Slices(plain["length_min"], _ratio(plain.get("target"))) if plain else None


def _component(component: Component) -> Plain:
    part = {"slo": component.of} if isinstance(component.of, str) else {"indicator": _indicator(component.of)}
    return part | _filled(
        weight=str(component.weight),
        missing=component.missing if component.missing != "ignore" else None,
        delay_min=component.delay_min or None,
        method=component.method,
        slices=_slices(component.slices),
        parts=[_component(each) for each in component.parts],
    )


def _read_component(plain: Plain) -> Component:
    return Component(
        of=plain["slo"] if "slo" in plain else _read_indicator(plain["indicator"]),
        weight=Fraction(plain["weight"]),
        missing=plain.get("missing", "ignore"),
        delay_min=plain.get("delay_min", 0),
        method=plain.get("method"),
        slices=_read_slices(plain.get("slices")),
        parts=tuple([_read_component(each) for each in plain.get("parts", ())]),
    )


def _policy(policy: Policy) -> Plain:
    return _filled(
        name=policy.name,
        display_name=policy.display_name,
        description=policy.description,
        when_no_data=policy.when_no_data,
        when_breaching=policy.when_breaching,
        when_resolved=policy.when_resolved,
        conditions=[_condition(condition) for condition in policy.conditions],
        notifications=[
            _filled(name=each.name, target=each.target, description=each.description) for each in policy.notifications
        ],
    )


def _read_policy(plain: Plain) -> Policy:
    return Policy(
        name=plain["name"],
        display_name=plain.get("display_name", ""),
        description=plain.get("description", ""),
        when_no_data=plain["when_no_data"],
        when_breaching=plain["when_breaching"],
        when_resolved=plain["when_resolved"],
        conditions=tuple([_read_condition(each) for each in plain.get("conditions", ())]),
        notifications=tuple(
            [
                Notification(each["name"], each["target"], each.get("description", ""))
                for each in plain.get("notifications", ())
            ]
        ),
    )


def _condition(condition: Condition) -> Plain:
    return _filled(
        name=condition.name,
        severity=condition.severity,
        op=condition.op,
        factor=str(condition.factor),
        lookback_min=condition.lookback_min,
        after_min=condition.after_min,
        description=condition.description,
    )


def _read_condition(plain: Plain) -> Condition:
    return Condition(
        name=plain["name"],
        severity=plain["severity"],
        op=plain["op"],
        factor=Fraction(plain["factor"]),
        lookback_min=plain["lookback_min"],
        after_min=plain["after_min"],
        description=plain.get("description", ""),
    )


def _ratio(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)
