"""From valid documents to definitions: references followed, among the documents and into what is stored.

What OpenSLO allows and no arithmetic can make sense of is refused here, each with its path and a code:

unknown_reference    nothing of that kind has that name
invalid_reference    what is referred to cannot be used itself
duplicate            two documents define the same object
cycle                a composite SLO that contains itself
ambiguous            two components of a composite that would be measured under one name
type_differs         a metric source of one type that names a DataSource of another
promql               a query for Prometheus that is none
impossible_threshold a burn rate that the target makes impossible
out_of_range         a length of time that is too short or too long
required, one_of, forbidden   the go-sdk's rules about an indicator, once the reference to it is followed
"""

import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, TypeVar, cast

from services.slo.domain.composite import order
from services.slo.domain.error_budget import Target
from services.slo.domain.errors import CompositeCycleError
from services.slo.domain.openslo.checking import Complain, is_prometheus
from services.slo.domain.openslo.decoding import INLINE, Decoded, Duration, decode
from services.slo.domain.openslo.definition import (
    Component,
    Condition,
    Definition,
    Indicator,
    Limit,
    Method,
    Metric,
    Missing,
    Notification,
    Objective,
    Policy,
    Ratio,
    RawRatio,
    Slices,
    Source,
    Threshold,
    weighed_target,
)
from services.slo.domain.openslo.faults import TOP, Fault, Path
from services.slo.domain.openslo.rules import OPERATORS, civil_time
from services.slo.domain.windows import Calendar, Rolling, Unit, Window

Fields = Mapping[str, Any]
Catalogue = Mapping[tuple[str, str], Decoded]  # kind and name -> object
Built = TypeVar("Built")

_REFERENCES: Mapping[str, tuple[str, ...]] = {
    "indicatorRef": ("SLI", "SLO"),
    "metricSourceRef": ("DataSource",),
    "alertPolicyRef": ("AlertPolicy",),
    "conditionRef": ("AlertCondition",),
    "targetRef": ("AlertNotificationTarget",),
}
_SHORTEST_MIN, LONGEST_MIN = 60, 366 * 24 * 60

WHEN_MISSING: Final = "concordat.io/composite-missing"  # annotations of a composite: `bad`, or `cart=bad, pay=good`
DELAY: Final = "concordat.io/composite-delay"
DEFAULT_DELAY: Final = "15m"  # a default of ours
MISSING: Final = ("good", "bad", "ignore")
MOST_COMPONENTS: Final = 200  # of a composite, those of its components included
_DELAY, _LONGEST_DELAY = re.compile(r"[0-9]{1,4}[mhd]"), 24 * 60


@dataclass(frozen=True, slots=True)
class Resolved:
    """What documents define.

    Args:
        definitions: Of the SLOs among them that nothing is wrong with, by the document's index.
        faults: What is wrong, by the document's index; documents that nothing is wrong with are absent.
    """

    definitions: Mapping[int, Definition]
    faults: Mapping[int, tuple[Fault, ...]]


def catalogue(documents: Iterable[object], services: Iterable[str] = (), sources: Iterable[str] = ()) -> Catalogue:
    """What is stored, as `resolve` looks it up: OpenSLO documents, and services and polled sources known otherwise."""
    decoded = (decode(document) for document in documents)
    found = {(each.kind, each.name): each for each in decoded if isinstance(each, Decoded)}
    known = {("Service", name): Decoded("Service", {"metadata": {"name": name}}, ()) for name in services}
    polled = {"type": "Prometheus", "connectionDetails": {}}
    known |= {
        ("DataSource", name): Decoded("DataSource", {"metadata": {"name": name}, "spec": polled}, ())
        for name in sources
    }
    return known | found


def references(document: Decoded) -> frozenset[tuple[str, str]]:
    """What the valid *document* may refer to itself, by kind and name; an `indicatorRef` may be of two kinds."""
    service = {("Service", document.fields["spec"]["service"])} if document.kind == "SLO" else set[tuple[str, str]]()
    return frozenset(service.union(_named(document.fields)))


def _named(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _named(item)
    elif isinstance(value, dict):
        for name, held in cast("dict[str, object]", value).items():
            if isinstance(held, str):
                yield from ((kind, held) for kind in _REFERENCES.get(name, ()))
            elif name not in {"connectionDetails", "labels", "annotations"}:
                yield from _named(held)


def resolve(documents: Sequence[Decoded], stored: Catalogue, complain: Complain | None = None) -> Resolved:
    """What *documents* define.

    Args:
        documents: Valid ones, of any kind; what they define takes the place of what is stored under the same name.
        stored: What they may refer to besides each other.
        complain: Asked about every query for Prometheus, where given.
    """
    known = ChainMap({(document.kind, document.name): document for document in reversed(documents)}, dict(stored))
    definitions: dict[int, Definition] = {}
    faults: dict[int, tuple[Fault, ...]] = {}
    for index, document in enumerate(documents):
        scope = _Scope(known, complain)
        if known[document.kind, document.name] is not document:
            scope.fault(
                TOP / "metadata" / "name", "duplicate", f"an earlier document defines {document.kind} {document.name!r}"
            )
        built = _BUILD[document.kind](document.fields, TOP, scope)
        if scope.faults:
            faults[index] = tuple(scope.faults)
        elif isinstance(built, Definition):
            definitions[index] = built
    return Resolved(definitions, faults)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one document can refer to, and what is wrong with it so far."""

    known: Catalogue
    complain: Complain | None
    faults: list[Fault] = field(default_factory=list[Fault])

    def fault(self, path: Path, code: str, detail: str) -> None:
        self.faults.append(Fault(path, code, detail))

    def refer(self, kind: str, name: str, path: Path, build: "Build[Built]") -> Built | None:
        """What *build* makes of the object called *name*; None if there is none."""
        document = self.known.get((kind, name))
        if document is None:
            detail = f"there is no {kind} {name!r}, neither among these documents nor stored"
            return self.fault(path, "unknown_reference", detail)
        inner = _Scope(self.known, self.complain)
        built = build(document.fields, TOP, inner)
        if inner.faults:
            first = inner.faults[0]
            self.fault(path, "invalid_reference", f"{kind} {name!r} cannot be used: {first.path}: {first.detail}")
        return built


Build = Callable[[Fields, Path, _Scope], Built]


def _definition(slo: Fields, path: Path, scope: _Scope) -> Definition | None:
    metadata, spec, path = slo["metadata"], slo["spec"], path / "spec"
    scope.refer("Service", spec["service"], path / "service", _nothing)
    indicator = _held_indicator(spec, path, scope)
    window = _window(spec["timeWindow"][0], path / "timeWindow" / 0, scope)
    objectives = tuple(_objectives(slo, path, indicator, scope))
    if not spec.get("objectives"):
        scope.fault(path / "objectives", "required", "must hold at least one objective")
    policies = _policies(spec, path, scope)
    if window is None:
        return None
    return Definition(
        name=metadata["name"],
        display_name=metadata.get("displayName", ""),
        description=spec.get("description", ""),
        service=spec["service"],
        method=spec["budgetingMethod"],
        window=window,
        indicator=indicator,
        objectives=objectives,
        policies=policies,
        labels={key: tuple(values or ()) for key, values in metadata.get("labels", {}).items()},
        annotations={key: value or "" for key, value in metadata.get("annotations", {}).items()},
    )


def _objectives(slo: Fields, path: Path, shared: Indicator | None, scope: _Scope) -> Iterator[Objective]:
    """The objectives of an SLO, which has the indicator *shared*; without one, it is a composite."""
    spec = slo["spec"]
    if shared is None and not _unfolds(slo["metadata"]["name"], path, scope):
        return
    missing = _Missing.of(slo, scope) if shared is None else None
    measured: dict[str, tuple[Indicator, Limit | None]] = {}
    for index, objective in enumerate(spec.get("objectives", ())):
        at = path / "objectives" / index
        found = _objective(objective, at, spec["budgetingMethod"], shared, missing, scope)
        yield found
        of = found.component.of if found.component else ""
        if isinstance(of, Indicator) and measured.setdefault(of.name, (of, found.limit)) != (of, found.limit):
            detail = f"another objective measures {of.name!r} otherwise; give each indicator a name of its own"
            scope.fault(at, "ambiguous", detail)
    if missing:
        missing.refuse_unused(scope)


def _unfolds(name: str, path: Path, scope: _Scope) -> bool:
    """Whether the components of the SLO called *name*, and their components, are so many that they can be named."""
    cycle = _cycle(name, scope.known)
    if cycle:
        detail = f"a composite cannot contain itself: {' contains '.join(cycle)}"
        scope.fault(path / "objectives", "cycle", detail)
        return False
    components = _contained(name, scope.known)
    leaves = dict[str, int]()
    try:
        inside_out = order(components)
    except CompositeCycleError as error:
        scope.fault(path / "objectives", "cycle", str(error))
        return False
    for each in inside_out:
        leaves[each] = sum(leaves.get(part, 1) for part in components[each])
    if leaves.get(name, 1) > MOST_COMPONENTS:
        detail = f"at most {MOST_COMPONENTS} components are weighed, theirs included; these are {leaves[name]}"
        scope.fault(path / "objectives", "out_of_range", detail)
        return False
    return True


def _contained(name: str, known: Catalogue) -> dict[str, list[str]]:
    """The composites in the one called *name*, itself included, each with the names of all its components."""
    found, queue = dict[str, list[str]](), [name]
    while queue:
        at = queue.pop()
        slo = known.get(("SLO", at))
        inner = list(_components(slo, known)) if slo else []
        own = len(slo.fields["spec"].get("objectives", ())) - len(inner) if slo else 0
        if inner or at == name:
            found[at] = [*inner, *(f"{at}.{number}" for number in range(own))]
        queue += [each for each in inner if each not in found]
    return found


@dataclass(frozen=True, slots=True)
class _Missing:
    """What the annotations of a composite say about missing measurements: per component, and of all others."""

    rules: dict[str, Missing]
    delay_min: int
    named: set[str] = field(default_factory=set[str])

    @classmethod
    def of(cls, slo: Fields, scope: _Scope) -> "_Missing":
        annotations = slo["metadata"].get("annotations", {})
        rules: dict[str, Missing] = {}
        for rule in filter(None, (part.strip() for part in (annotations.get(WHEN_MISSING) or "").split(","))):
            name, _, policy = rule.rpartition("=")
            if policy.strip() not in MISSING:
                detail = f"{rule!r} is none of {', '.join(MISSING)}, or cart=bad for the component cart"
                scope.fault(_annotation(WHEN_MISSING), "one_of", detail)
            else:
                rules[name.strip()] = cast("Missing", policy.strip())
        delay = annotations.get(DELAY) or DEFAULT_DELAY
        if not _DELAY.fullmatch(delay) or (minutes := Duration(int(delay[:-1]), delay[-1]).minutes) > _LONGEST_DELAY:
            detail = f"is {delay!r}; give minutes or hours, such as 15m, and at most 1d"
            scope.fault(_annotation(DELAY), "out_of_range", detail)
            minutes = 0
        return cls(rules, minutes)

    def rule(self, component: str) -> tuple[Missing, int]:
        self.named.add(component)
        missing = self.rules.get(component, self.rules.get("", "ignore"))
        return missing, 0 if missing == "ignore" else self.delay_min

    def refuse_unused(self, scope: _Scope) -> None:
        for name in self.rules.keys() - self.named - {""}:
            detail = f"names {name!r}, which is no component; it has {', '.join(sorted(self.named))}"
            scope.fault(_annotation(WHEN_MISSING), "unknown_reference", detail)


def _annotation(name: str) -> Path:
    return TOP / "metadata" / "annotations" / name


def policies_of(slo: Decoded, known: Catalogue) -> tuple[tuple[Policy, ...], tuple[Fault, ...]]:
    """The alert policies of a valid SLO, references into *known* followed, and what is wrong with them."""
    scope, path = _Scope(known, None), TOP / "spec"
    policies = _policies(slo.fields["spec"], path, scope)
    return policies, tuple(scope.faults)


def _policies(spec: Fields, path: Path, scope: _Scope) -> tuple[Policy, ...]:
    """Those of an SLO; no condition may be one that its targets make impossible."""
    policies = _listed(spec, "alertPolicies", ("alertPolicyRef", "AlertPolicy"), path, scope, _policy)
    targets = [_target(objective) for objective in spec.get("objectives", ())]
    if targets and _is_composite(spec):
        weights = [_weight(objective) for objective in spec["objectives"]]
        targets = [weighed_target(list(zip(weights, targets, strict=True)))]
    for index, policy in enumerate(policies):
        for condition in policy.conditions if policy else ():
            _possible(condition, targets, path / "alertPolicies" / index, scope)
    return tuple(filter(None, policies))


def _window(window: Fields, path: Path, scope: _Scope) -> Window | None:
    duration: Duration = window["duration"]
    if not _SHORTEST_MIN <= duration.minutes <= LONGEST_MIN:
        return scope.fault(path / "duration", "out_of_range", "must be between 1h and 366d")
    if "calendar" not in window:
        return Rolling(duration.minutes)
    start = civil_time(window["calendar"]["startTime"])
    if start is None or start[0] == 0:
        return scope.fault(path / "calendar" / "startTime", "out_of_range", "must be after the year 0")
    anchor = datetime(*start)  # noqa: DTZ001  wall time, in the zone
    return Calendar(duration.value, cast("Unit", duration.unit), anchor, window["calendar"]["timeZone"])


def _held_indicator(holder: Fields, path: Path, scope: _Scope) -> Indicator | None:
    """The indicator that an SLO or an objective holds or names."""
    if "indicator" in holder:
        return _indicator(holder["indicator"], path / "indicator", scope)
    if "indicatorRef" in holder:
        return scope.refer("SLI", holder["indicatorRef"], path / "indicatorRef", _indicator)
    return None


def _indicator(sli: Fields, path: Path, scope: _Scope) -> Indicator:
    metadata, spec, path = sli["metadata"], sli["spec"], path / "spec"
    ratio: Fields = spec.get("ratioMetric", {})
    metrics = {
        name: _metric(ratio[name], path / "ratioMetric" / name, scope)
        for name in ("total", "good", "bad", "raw")
        if name in ratio
    }
    counter = ratio.get("counter", False)
    if "total" in metrics:
        measure = Ratio(metrics["total"], metrics.get("good"), metrics.get("bad"), counter)
    elif "raw" in metrics:
        measure = RawRatio(metrics["raw"], ratio["rawType"], counter)
    else:
        measure = Threshold(_metric(spec["thresholdMetric"], path / "thresholdMetric", scope))
    return Indicator(metadata["name"], metadata.get("displayName", ""), spec.get("description", ""), measure)


def _metric(metric: Fields, path: Path, scope: _Scope) -> Metric:
    held, path = metric["metricSource"], path / "metricSource"
    name, kind = held.get("metricSourceRef", ""), held.get("type", "")
    source = scope.refer("DataSource", name, path / "metricSourceRef", _data_source) if name else None
    source = source or Source(name, kind)
    if kind.lower() not in {"", source.type.lower()}:
        scope.fault(path / "type", "type_differs", f"is {kind!r}, but the DataSource {name!r} is {source.type!r}")
    found = Metric(source, held["spec"])
    if is_prometheus(source.type):
        if not found.query:
            scope.fault(path / "spec" / "query", "required", "must be a PromQL query")
        elif scope.complain and (said := scope.complain(found.query)):
            scope.fault(path / "spec" / "query", "promql", said)
    return found


def _data_source(source: Fields, _: Path, __: _Scope) -> Source:
    spec = source["spec"]
    return Source(source["metadata"]["name"], spec["type"], spec["connectionDetails"])


def _objective(
    objective: Fields, path: Path, method: Method, shared: Indicator | None, missing: _Missing | None, scope: _Scope
) -> Objective:
    slices = _slices_of(objective, path, method, scope)
    component = _component(objective, path, method, slices, missing, scope) if missing else None
    indicator = component.of if component and isinstance(component.of, Indicator) else shared
    return Objective(
        display_name=objective.get("displayName", ""),
        target=_target(objective),
        slices=slices,
        limit=_limit(objective, path, indicator, scope),
        component=component,
    )


def _target(objective: Fields) -> Target:
    percent = objective.get("targetPercent")
    return Target.of(objective["target"]) if percent is None else Target.of_percent(percent)


def _slices_of(objective: Fields, path: Path, method: Method, scope: _Scope) -> Slices | None:
    return None if method == "Occurrences" else _slices(objective, path, scope, judged=method == "Timeslices")


def _slices(objective: Fields, path: Path, scope: _Scope, *, judged: bool) -> Slices:
    length: int = objective["timeSliceWindow"].minutes
    if not 1 <= length <= LONGEST_MIN:
        scope.fault(path / "timeSliceWindow", "out_of_range", "must be between 1m and 366d")
    return Slices(length, _exact(objective["timeSliceTarget"]) if judged else None)


def _limit(objective: Fields, path: Path, indicator: Indicator | None, scope: _Scope) -> Limit | None:
    """What the go-sdk can only ask for where the indicator is inline."""
    if indicator is None:
        return None
    threshold = isinstance(indicator.measure, Threshold)
    for name in ("op", "value"):
        if (name in objective) != threshold:
            detail = f"is for threshold metrics, and the SLI {indicator.name!r} is {'one' if threshold else 'none'}"
            scope.fault(path / name, "required" if threshold else "forbidden", detail)
    if not threshold or "op" not in objective or "value" not in objective:
        return None
    if objective["op"] not in OPERATORS:
        return scope.fault(path / "op", "one_of", f"must be one of {', '.join(OPERATORS)}")
    return Limit(objective["op"], _exact(objective["value"]))


def _component(
    objective: Fields, path: Path, method: Method, slices: Slices | None, missing: _Missing, scope: _Scope
) -> Component | None:
    """The objective's own indicator or, where no SLI is called like that, the SLO it names."""
    name = objective.get("indicatorRef")
    if name is not None and _names_slo(name, scope.known):
        measured = scope.refer("SLO", name, path / "indicatorRef", _measured)
        if measured is None:
            return None
        rule, delay_min = missing.rule(name)
        return replace(measured, of=name, weight=_weight(objective), missing=rule, delay_min=delay_min)
    indicator = _held_indicator(objective, path, scope)
    if indicator is None:
        return None
    rule, delay_min = missing.rule(indicator.name)
    return Component(indicator, _weight(objective), rule, delay_min, method, slices)


def _measured(slo: Fields, path: Path, scope: _Scope) -> Component:
    """How the SLI of an SLO comes about, in a composite that holds it."""
    spec, path = slo["spec"], path / "spec"
    method: Method = spec["budgetingMethod"]
    if not _is_composite(spec):
        first = next(iter(spec.get("objectives", ())), None)
        slices = _slices_of(first, path / "objectives" / 0, method, scope) if first else None
        return Component("", Fraction(1), method=method, slices=slices)
    parts = (each.component for each in _objectives(slo, path, None, scope))
    return Component("", Fraction(1), method=method, parts=tuple(filter(None, parts)))


def _is_composite(spec: Fields) -> bool:
    return "indicator" not in spec and "indicatorRef" not in spec


def _weight(objective: Fields) -> Fraction:
    return _exact(objective.get("compositeWeight", 1))


def _names_slo(name: str, known: Catalogue) -> bool:
    return ("SLI", name) not in known and ("SLO", name) in known


def _cycle(name: str, known: Catalogue) -> list[str]:
    """The shortest way from the SLO called *name* through its components back to it; empty if there is none."""
    came_from, queue = {name: ""}, [name]
    for at in queue:
        slo = known.get(("SLO", at))
        for component in _components(slo, known) if slo else ():
            if component == name:
                way = [at]
                while way[-1] != name:
                    way.append(came_from[way[-1]])
                return [*reversed(way), name]
            if component not in came_from:
                came_from[component] = at
                queue.append(component)
    return []


def _components(slo: Decoded, known: Catalogue) -> Iterator[str]:
    for objective in slo.fields.get("spec", {}).get("objectives", ()):
        name = objective.get("indicatorRef")
        if name is not None and _names_slo(name, known):
            yield name


def _policy(policy: Fields, path: Path, scope: _Scope) -> Policy:
    metadata, spec, path = policy["metadata"], policy["spec"], path / "spec"
    conditions = _listed(spec, "conditions", ("conditionRef", "AlertCondition"), path, scope, _condition)
    targets = ("targetRef", "AlertNotificationTarget")
    notifications = _listed(spec, "notificationTargets", targets, path, scope, _notification)
    return Policy(
        name=metadata["name"],
        display_name=metadata.get("displayName", ""),
        description=spec.get("description", ""),
        when_no_data=spec.get("alertWhenNoData", False),
        when_breaching=spec.get("alertWhenBreaching", False),
        when_resolved=spec.get("alertWhenResolved", False),
        conditions=tuple(filter(None, conditions)),
        notifications=tuple(filter(None, notifications)),
    )


def _condition(alert: Fields, path: Path, scope: _Scope) -> Condition:
    metadata, spec, path = alert["metadata"], alert["spec"], path / "spec" / "condition"
    condition = spec["condition"]
    lookback: int = condition["lookbackWindow"].minutes
    if not 1 <= lookback <= LONGEST_MIN:
        scope.fault(path / "lookbackWindow", "out_of_range", "must be between 1m and 366d")
    return Condition(
        name=metadata["name"],
        severity=spec["severity"],
        op=condition["op"],
        factor=_exact(condition["threshold"]),
        lookback_min=lookback,
        after_min=condition["alertAfter"].minutes if "alertAfter" in condition else 0,
        description=spec.get("description", ""),
    )


def _possible(condition: Condition, targets: Iterable[Target], path: Path, scope: _Scope) -> None:
    """The largest burn rate there can be is 1/b: every event bad; the least is 0."""
    if (condition.op == "lt" and condition.factor <= 0) or (condition.op == "lte" and condition.factor < 0):
        detail = f"its threshold is {float(condition.factor):g}, and a burn rate is at least 0"
        scope.fault(path, "impossible_threshold", f"{condition.name} can never fire: {detail}")
    for target in targets:
        most = Fraction(target.q, target.budget)
        if (condition.op == "gt" and condition.factor >= most) or (condition.op == "gte" and condition.factor > most):
            detail = (
                f"{condition.name} can never fire: its threshold is {float(condition.factor):g}, and under a target of"
                f" {float(target):g} a burn rate is at most 1 / (1 - {float(target):g}) = {float(most):g}"
            )
            scope.fault(path, "impossible_threshold", detail)


def _notification(target: Fields, _: Path, __: _Scope) -> Notification:
    spec = target["spec"]
    return Notification(target["metadata"]["name"], spec["target"], spec.get("description", ""))


def _listed(
    holder: Fields, name: str, reference: tuple[str, str], path: Path, scope: _Scope, build: Build[Built]
) -> list[Built | None]:
    """The objects that a list holds or names; None where there is no such object."""
    ref, kind = reference
    return [
        build(item, path / name / index, scope)
        if item[INLINE]
        else scope.refer(kind, item[ref], path / name / index / ref, build)
        for index, item in enumerate(holder.get(name, ()))
    ]


def _nothing(_: Fields, __: Path, ___: _Scope) -> None:
    """A service defines nothing more."""


def _exact(number: float) -> Fraction:
    """The ratio that a number's decimal notation means."""
    return Fraction(str(number))


_BUILD: Mapping[str, Build[object]] = {
    "SLO": _definition,
    "SLI": _indicator,
    "Service": _nothing,
    "DataSource": _data_source,
    "AlertPolicy": _policy,
    "AlertCondition": _condition,
    "AlertNotificationTarget": _notification,
}
