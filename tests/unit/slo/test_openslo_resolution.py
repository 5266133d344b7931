"""What OpenSLO documents define, references followed."""

import copy
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.error_budget import Target
from services.slo.domain.openslo import Catalogue, Decoded, Resolved, catalogue, check, resolve
from services.slo.domain.openslo.definition import (
    Component,
    Condition,
    Definition,
    Limit,
    Notification,
    Ratio,
    RawRatio,
    Slices,
    Source,
    Threshold,
)
from services.slo.domain.windows import Calendar, Rolling

Document = dict[str, Any]


def _object(kind: str, name: str, spec: Mapping[str, object]) -> Document:
    return {"apiVersion": "openslo/v1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def _metric(query: str = "up", **source: str) -> Document:
    return {"metricSource": {**source, "spec": {"query": query}}}


WEB = _object("Service", "web", {})
PROMETHEUS = _object("DataSource", "prom", {"type": "prometheus", "connectionDetails": {"url": "http://prom:9090"}})
GOOD = _object("SLI", "good", {"ratioMetric": {"counter": True, "good": _metric(), "total": _metric()}})
LATENCY = _object("SLI", "latency", {"thresholdMetric": _metric()})
SLO = _object(
    "SLO",
    "availability",
    {
        "service": "web",
        "indicatorRef": "good",
        "budgetingMethod": "Occurrences",
        "timeWindow": [{"duration": "28d", "isRolling": True}],
        "objectives": [{"target": 0.999}],
    },
)
BURNS = _object(
    "AlertCondition",
    "burns",
    {
        "severity": "critical",
        "condition": {"kind": "burnrate", "op": "gte", "threshold": 14.4, "lookbackWindow": "1h", "alertAfter": "5m"},
    },
)
MAIL = _object("AlertNotificationTarget", "mail", {"target": "mail", "description": "to the team"})
PAGE = _object(
    "AlertPolicy",
    "page",
    {
        "alertWhenNoData": True,
        "conditions": [{"conditionRef": "burns"}],
        "notificationTargets": [{"targetRef": "mail"}],
    },
)


def _with(document: Document, **spec: object) -> Document:
    """*document* with fields of its spec changed; ... removes one."""
    changed = copy.deepcopy(document)
    changed["spec"] |= spec
    changed["spec"] = {name: value for name, value in changed["spec"].items() if value is not ...}
    return changed


def _decoded(*documents: Document) -> list[Decoded]:
    verdicts = [check(document) for document in documents]
    assert [verdict.errors for verdict in verdicts] == [()] * len(documents)
    return [verdict.document for verdict in verdicts if verdict.document]


def _resolve(*documents: Document, stored: Catalogue | None = None) -> Resolved:
    return resolve(_decoded(*documents), {} if stored is None else stored)


def _faults(resolved: Resolved) -> list[tuple[int, str, str]]:
    return [(index, str(fault.path), fault.code) for index, faults in resolved.faults.items() for fault in faults]


def _definition(*documents: Document) -> Definition:
    """Of the first one."""
    resolved = _resolve(*documents)
    assert _faults(resolved) == []
    return resolved.definitions[0]


def test_references_are_followed_among_the_documents_in_any_order() -> None:
    definition = _definition(SLO, GOOD, WEB)
    assert (definition.name, definition.service, definition.composite) == ("availability", "web", False)
    assert (definition.target, definition.window) == (Target(999, 1000), Rolling(28 * 24 * 60))
    assert definition.indicator is not None
    assert definition.indicator.name == "good"
    assert isinstance(definition.indicator.measure, Ratio)
    assert {name: metric.query for name, metric in definition.indicator.metrics.items()} == {
        "total": "up",
        "good": "up",
    }


def test_references_are_followed_into_what_is_stored() -> None:
    resolved = _resolve(SLO, stored=catalogue([GOOD], services=["web"]))
    assert list(resolved.definitions) == [0]
    assert not resolved.faults


def test_a_document_takes_the_place_of_what_is_stored_under_its_name() -> None:
    resolved = _resolve(SLO, _with(GOOD, description="new"), stored=catalogue([GOOD, WEB]))
    assert resolved.definitions[0].indicator is not None
    assert resolved.definitions[0].indicator.description == "new"


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (SLO, "spec.service"),
        (_with(SLO, service="web"), "spec.indicatorRef"),
        (_with(SLO, alertPolicies=[{"alertPolicyRef": "page"}]), "spec.alertPolicies[0].alertPolicyRef"),
        (PAGE, "spec.conditions[0].conditionRef"),
        (PAGE, "spec.notificationTargets[0].targetRef"),
        (
            _with(LATENCY, thresholdMetric=_metric(metricSourceRef="prom")),
            "spec.thresholdMetric.metricSource.metricSourceRef",
        ),
        (
            _with(SLO, indicatorRef=..., objectives=[{"target": 0.9, "indicatorRef": "nothing"}]),
            "spec.objectives[0].indicatorRef",
        ),
    ],
)
def test_a_reference_to_nothing_is_named_with_its_path(document: Document, path: str) -> None:
    assert (0, path, "unknown_reference") in _faults(_resolve(document))


def test_what_refers_to_something_broken_says_so() -> None:
    document = _with(SLO, alertPolicies=[{"alertPolicyRef": "page"}])
    resolved = _resolve(document, GOOD, WEB, stored=catalogue([PAGE, MAIL]))
    assert _faults(resolved) == [(0, "spec.alertPolicies[0].alertPolicyRef", "invalid_reference")]
    assert "spec.conditions[0].conditionRef: there is no AlertCondition 'burns'" in resolved.faults[0][0].detail


def test_two_documents_of_one_name_are_refused() -> None:
    assert _faults(_resolve(WEB, WEB)) == [(1, "metadata.name", "duplicate")]


def test_one_broken_document_keeps_no_other_out() -> None:
    resolved = _resolve(SLO, _with(SLO, service="nothing") | {"metadata": {"name": "other"}}, GOOD, WEB)
    assert list(resolved.definitions) == [0]
    assert list(resolved.faults) == [1]


def test_a_data_source_is_part_of_the_metric() -> None:
    latency = _with(LATENCY, thresholdMetric=_metric(metricSourceRef="prom", type="Prometheus"))
    slo = _with(SLO, indicatorRef="latency", objectives=[{"target": 0.9, "op": "lte", "value": 0.2}])
    definition = _definition(slo, latency, PROMETHEUS, WEB)
    assert definition.indicator is not None
    assert isinstance(definition.indicator.measure, Threshold)
    source = definition.indicator.measure.metric.source
    assert source == Source("prom", "prometheus", {"url": "http://prom:9090"})
    assert definition.objectives[0].limit == Limit("lte", Fraction(1, 5))


def test_a_metric_source_of_another_type_than_its_data_source_is_refused() -> None:
    latency = _with(LATENCY, thresholdMetric=_metric(metricSourceRef="prom", type="Datadog"))
    assert _faults(_resolve(latency, PROMETHEUS)) == [(0, "spec.thresholdMetric.metricSource.type", "type_differs")]


def test_a_type_that_concordat_cannot_poll_is_no_error() -> None:
    datadog = _with(LATENCY, thresholdMetric=_metric("sum:a.b{*}.as_count()", type="Datadog"))
    assert not resolve(_decoded(datadog), {}, lambda query: f"{query} is none").faults


def test_queries_for_prometheus_must_be_there_and_parse() -> None:
    raw = {"rawType": "failure", "raw": _metric("up{", metricSourceRef="prom")}
    documents = _decoded(_with(GOOD, ratioMetric=raw), PROMETHEUS)
    resolved = resolve(documents, {}, lambda query: f"{query} is none")
    assert _faults(resolved) == [(0, "spec.ratioMetric.raw.metricSource.spec.query", "promql")]
    assert resolved.faults[0][0].detail == "up{ is none"

    raw = {"rawType": "failure", "raw": {"metricSource": {"type": "Prometheus", "spec": {"expr": "up"}}}}
    assert _faults(_resolve(_with(GOOD, ratioMetric=raw))) == [
        (0, "spec.ratioMetric.raw.metricSource.spec.query", "required")
    ]


def test_a_raw_ratio_says_what_it_is_a_ratio_of() -> None:
    definition = _definition(SLO, _with(GOOD, ratioMetric={"rawType": "failure", "raw": _metric()}), WEB)
    assert definition.indicator is not None
    measure = definition.indicator.measure
    assert isinstance(measure, RawRatio)
    assert (measure.means, measure.counter, list(definition.indicator.metrics)) == ("failure", False, ["raw"])


@pytest.mark.parametrize(
    ("sli", "objective", "faults"),
    [
        (LATENCY, {}, [("op", "required"), ("value", "required")]),
        (LATENCY, {"op": "eq", "value": 1}, [("op", "one_of")]),
        (GOOD, {"op": "lt", "value": 1}, [("op", "forbidden"), ("value", "forbidden")]),
    ],
)
def test_what_an_indicator_asks_of_objectives_holds_for_a_named_one_too(
    sli: Document, objective: Document, faults: list[tuple[str, str]]
) -> None:
    slo = _with(SLO, indicatorRef=sli["metadata"]["name"], objectives=[{"target": 0.9} | objective])
    assert _faults(_resolve(slo, sli, WEB)) == [(0, f"spec.objectives[0].{name}", code) for name, code in faults]


def test_calendar_windows_keep_unit_anchor_and_zone() -> None:
    calendar = {"startTime": "2026-01-31 7:30:00", "timeZone": "Europe/Warsaw"}
    definition = _definition(_with(SLO, timeWindow=[{"duration": "1M", "calendar": calendar}]), GOOD, WEB)
    assert definition.window == Calendar(1, "M", datetime(2026, 1, 31, 7, 30), "Europe/Warsaw")  # noqa: DTZ001


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"timeWindow": [{"duration": "59m", "isRolling": True}]}, "spec.timeWindow[0].duration"),
        ({"timeWindow": [{"duration": "2Y", "isRolling": True}]}, "spec.timeWindow[0].duration"),
        (
            {"timeWindow": [{"duration": "1d", "calendar": {"startTime": "0000-01-01 00:00:00", "timeZone": "UTC"}}]},
            "spec.timeWindow[0].calendar.startTime",
        ),
        (
            {"budgetingMethod": "RatioTimeslices", "objectives": [{"target": 0.9, "timeSliceWindow": "0m"}]},
            "spec.objectives[0].timeSliceWindow",
        ),
    ],
)
def test_a_length_that_means_nothing_is_refused(spec: Document, path: str) -> None:
    assert _faults(_resolve(_with(SLO, **spec), GOOD, WEB)) == [(0, path, "out_of_range")]


def test_an_slo_has_an_objective() -> None:
    assert _faults(_resolve(_with(SLO, objectives=...), GOOD, WEB)) == [(0, "spec.objectives", "required")]


def test_slices_belong_to_the_methods_that_have_them() -> None:
    objective = {"targetPercent": 99.5, "timeSliceTarget": 0.95, "timeSliceWindow": "1m"}
    slices = {
        method: _definition(_with(SLO, budgetingMethod=method, objectives=[objective]), GOOD, WEB).objectives[0].slices
        for method in ("Occurrences", "Timeslices", "RatioTimeslices")
    }
    assert slices == {
        "Occurrences": None,
        "Timeslices": Slices(1, Fraction(19, 20)),
        "RatioTimeslices": Slices(1, None),
    }


@given(digits=st.integers(0, 10**12 - 1))
def test_a_target_is_the_ratio_that_was_written(digits: int) -> None:
    written = float(f"0.{digits:012}")
    definition = _definition(_with(SLO, objectives=[{"target": written}]), GOOD, WEB)
    assert Fraction(definition.target.p, definition.target.q) == Fraction(digits, 10**12)


def test_several_objectives_keep_their_order() -> None:
    definition = _definition(_with(SLO, objectives=[{"target": 0.9}, {"target": 0.5, "displayName": "b"}]), GOOD, WEB)
    assert [float(objective.target) for objective in definition.objectives] == [0.9, 0.5]
    assert definition.objectives[1].display_name == "b"


def test_policies_come_with_their_tiers_and_targets() -> None:
    slo = _with(SLO, alertPolicies=[{"alertPolicyRef": "page"}])
    (policy,) = _definition(slo, PAGE, BURNS, MAIL, GOOD, WEB).policies
    assert (policy.name, policy.when_no_data, policy.when_breaching) == ("page", True, False)
    assert policy.conditions == (Condition("burns", "critical", "gte", Fraction(72, 5), 60, 5, ""),)
    assert (policy.conditions[0].short_min, policy.conditions[0].urgency) == (5, "page")
    assert policy.notifications == (Notification("mail", "mail", "to the team"),)


def test_policies_may_hold_all_of_it() -> None:
    spec = {
        "conditions": [{"kind": "AlertCondition", "metadata": {"name": "slow"}, "spec": BURNS["spec"]}],
        "notificationTargets": [{"kind": "AlertNotificationTarget", "metadata": {"name": "n"}, "spec": MAIL["spec"]}],
    }
    inline = {"kind": "AlertPolicy", "metadata": {"name": "inline"}, "spec": spec}
    (policy,) = _definition(_with(SLO, alertPolicies=[inline]), GOOD, WEB).policies
    assert (policy.name, policy.conditions[0].name, policy.notifications[0].name) == ("inline", "slow", "n")


@pytest.mark.parametrize(
    ("op", "target", "possible"),
    [("gt", 0.94, True), ("gt", 0.93, False), ("gte", 0.93, False), ("lt", 0.5, True)],
)
def test_a_threshold_above_the_largest_burn_rate_is_refused_with_the_arithmetic(
    op: str, target: float, *, possible: bool
) -> None:
    """1 / (1 - 0.93) = 14.29: nothing burns at 14.4."""
    burns = _with(BURNS, condition=BURNS["spec"]["condition"] | {"op": op})
    slo = _with(SLO, objectives=[{"target": target}], alertPolicies=[{"alertPolicyRef": "page"}])
    resolved = _resolve(slo, PAGE, burns, MAIL, GOOD, WEB)
    assert _faults(resolved) == ([] if possible else [(0, "spec.alertPolicies[0]", "impossible_threshold")])
    if not possible:
        assert "at most 1 / (1 - 0.93) = 14.2857" in resolved.faults[0][0].detail


@pytest.mark.parametrize(("op", "possible"), [("gt", False), ("gte", True)])
def test_a_threshold_at_the_largest_burn_rate_can_be_reached_but_not_passed(op: str, *, possible: bool) -> None:
    burns = _with(BURNS, condition=BURNS["spec"]["condition"] | {"op": op, "threshold": 10})
    slo = _with(SLO, objectives=[{"target": 0.9}], alertPolicies=[{"alertPolicyRef": "page"}])
    assert (not _resolve(slo, PAGE, burns, MAIL, GOOD, WEB).faults) == possible


def _composite(name: str, **components: float) -> Document:
    objectives = [
        {"target": 0.9, "indicatorRef": component, "compositeWeight": weight}
        for component, weight in components.items()
    ]
    return _with(SLO, indicatorRef=..., objectives=objectives) | {"metadata": {"name": name}}


def test_a_composite_weighs_indicators_and_other_slos() -> None:
    """A name is an SLI's first."""
    definition = _definition(_composite("all", good=2.5, availability=1), SLO, GOOD, WEB)
    indicator, slo = (objective.component for objective in definition.objectives)
    assert definition.composite
    assert isinstance(indicator, Component)
    assert (indicator.weight, not isinstance(indicator.of, str) and indicator.of.name) == (Fraction(5, 2), "good")
    assert slo == Component("availability", Fraction(1), method="Occurrences")


def test_a_composite_may_hold_composites_but_not_itself() -> None:
    a, b, c = _composite("a", b=1), _composite("b", c=1, availability=1), _composite("c", a=1)
    resolved = _resolve(a, b, SLO, GOOD, stored=catalogue([c], services=["web"]))
    assert _faults(resolved) == [(0, "spec.objectives", "cycle"), (1, "spec.objectives", "cycle")]
    assert resolved.faults[0][0].detail.endswith("a contains b contains c contains a")
    assert not _resolve(a, b, _composite("c", availability=1), SLO, GOOD, WEB).faults


def test_a_composite_knows_how_the_slis_of_its_components_come_about_on_all_levels() -> None:
    sliced = _with(
        SLO, budgetingMethod="Timeslices", objectives=[{"target": 0.9, "timeSliceTarget": 0.8, "timeSliceWindow": "5m"}]
    )
    definition = _definition(
        _composite("outer", inner=1), _composite("inner", good=1, availability=2), sliced, GOOD, WEB
    )
    (inner,) = (objective.component for objective in definition.objectives)
    assert inner is not None
    own, other = inner.parts
    assert (inner.name, own.name, own.method, inner.leaves) == ("inner", "good", "Occurrences", 2)
    assert (other.of, other.method, other.slices) == ("availability", "Timeslices", Slices(5, Fraction(4, 5)))


def test_a_composites_target_is_the_mean_of_its_objectives_by_their_weights() -> None:
    composite = _composite("all", good=1, availability=3)
    composite["spec"]["objectives"][0]["target"] = 0.5
    assert _definition(composite, SLO, GOOD, WEB).target == Target(4, 5)


def test_a_threshold_is_impossible_under_the_target_of_the_whole_composite() -> None:
    burns = _with(BURNS, condition=BURNS["spec"]["condition"] | {"threshold": 3})
    composite = _with(_composite("all", good=1, availability=3), alertPolicies=[{"alertPolicyRef": "page"}])
    composite["spec"]["objectives"][0]["target"] = 0.5
    assert not _resolve(composite, SLO, PAGE, burns, MAIL, GOOD, WEB).faults  # at most 5, though of one part only 2


def test_two_ways_of_measuring_one_name_are_refused() -> None:
    composite = _composite("all", good=1)
    other = {"metadata": {"name": "good"}, "spec": _with(GOOD)["spec"] | {"description": "another"}}
    composite["spec"]["objectives"].append({"target": 0.9, "indicator": other})
    assert _faults(_resolve(composite, GOOD, WEB)) == [(0, "spec.objectives[1]", "ambiguous")]


def test_composites_of_composites_are_bounded() -> None:
    levels = [_composite(f"l{n + 1}", **{f"l{n}": 1}) for n in range(30)]
    for level in levels:
        level["spec"]["objectives"] *= 2
    resolved = _resolve(SLO | {"metadata": {"name": "l0"}}, *levels, GOOD, WEB)
    assert (8, "spec.objectives", "out_of_range") in _faults(resolved)  # 256 components
    assert not [fault for fault in _faults(resolved) if fault[0] <= 7]


def test_a_cycle_below_is_no_components_fault_alone() -> None:
    a, b, c = _composite("a", b=1), _composite("b", c=1), _composite("c", b=1)
    assert _faults(_resolve(a, b, c, WEB)) == [(n, "spec.objectives", "cycle") for n in range(3)]


def test_labels_and_annotations_are_kept() -> None:
    metadata = {"name": "availability", "labels": {"a": "b", "c": ["d", "e"]}, "annotations": {"f": None}}
    definition = _definition(SLO | {"metadata": metadata}, GOOD, WEB)
    assert definition.labels == {"a": ("b",), "c": ("d", "e")}
    assert definition.annotations == {"f": ""}
