"""OpenSLO v1 and v1alpha documents as Prometheus rules, v1alpha as v1, and latency targets as v1."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.openslo import check
from services.slo.exchange import Options, RefusedError, Upgrade, generate, latency_slo, upgrade
from services.slo.exchange.promql import complainer
from services.slo.exchange.queries import InvalidQueryError, windowed

V1 = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: served}
spec:
  service: shop
  indicator:
    metadata: {name: served}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'sum(requests_total{code!~"5.."})'}}}
        total: {metricSource: {type: Prometheus, spec: {query: sum(requests_total)}}}
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: served, target: 0.99}]
"""
SLI = """
apiVersion: openslo/v1
kind: SLI
metadata: {name: requests}
spec:
  ratioMetric:
    bad: {metricSource: {metricSourceRef: central, spec: {query: 'sum(rate(errors_total[{{.window}}]))'}}}
    total: {metricSource: {metricSourceRef: central, spec: {query: 'sum(rate(requests_total[{{.window}}]))'}}}
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: central}
spec: {type: Prometheus, connectionDetails: {url: 'https://prometheus.example'}}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: shop}
spec: {}
"""
ALPHA = """
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: served, displayName: Served}
spec:
  service: shop
  description: Requests are served.
  budgetingMethod: Occurrences
  timeWindows: [{count: 28, unit: Day}]
  objectives:
    - displayName: Good
      target: 0.99
      value: 1
      ratioMetrics:
        counter: true
        good: {source: prometheus, queryType: promql, query: 'sum(rate(ok_total[{{.window}}]))'}
        total: {source: prometheus, queryType: promql, query: 'sum(rate(all_total[{{.window}}]))'}
"""
INDICATOR, FIRST = "spec.indicator.spec", "spec.objectives[0]"


def loaded(text: str) -> list[Any]:
    return list(yaml.safe_load_all(text))


def groups(*documents: Any, **options: Any) -> list[Any]:
    (made,) = generate(documents, Options(**options))[0]
    return list(yaml.safe_load(yaml.safe_dump(made.body, default_flow_style=False))["groups"])


def refused(*documents: Any) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refusal:
        generate(documents)
    return [(str(each.fault.path), each.fault.code) for each in refusal.value.refusals]


def changed(text: str, path: str, to: Any) -> Any:
    """The document *text* with the value at *path* replaced."""
    (document,) = loaded(text)
    at = document
    *before, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in before:
        at = at[part]
    at[last] = to
    return document


def test_queries_without_a_range_count_a_counters_increase() -> None:
    sli, _, _ = groups(*loaded(V1))
    assert " ".join(sli["rules"][0]["expr"].split()) == (
        "((sum(increase(requests_total[5m]))) -"
        ' ((sum(increase(requests_total{code!~"5.."}[5m]))) or (sum(increase(requests_total[5m]))) * 0))'
        " / ((sum(increase(requests_total[5m]))) > 0)"
    )


def test_the_window_of_the_document_is_the_period_whatever_else_is_asked() -> None:
    sli, _, _ = groups(*loaded(V1), period_min=30 * 24 * 60)
    assert sli["rules"][-1]["record"] == "slo:sli_error:ratio_rate4w"


def test_each_condition_is_an_alert_of_its_own() -> None:
    *_, alerts = groups(*loaded(V1))
    assert [
        (rule["alert"], rule["labels"]["sloth_severity"], rule["labels"]["short"], rule["labels"]["long"])
        for rule in alerts["rules"]
    ] == [
        ("ErrorBudgetBurn", "page", "5m", "1h"),
        ("ErrorBudgetBurn", "page", "30m", "6h"),
        ("ErrorBudgetBurn", "ticket", "2h", "1d"),
        ("ErrorBudgetBurn", "ticket", "6h", "3d"),
    ]


def test_an_indicator_and_its_source_may_be_documents_beside_it() -> None:
    slo = changed(V1, "spec.indicatorRef", to="requests")
    del slo["spec"]["indicator"]
    sli, *_ = groups(*loaded(SLI), slo)
    assert "sum(rate(errors_total[5m]))" in sli["rules"][0]["expr"]


@pytest.mark.parametrize(("raw_type", "expression"), [("failure", "(f5m)"), ("success", "(1 - (f5m))")])
def test_a_raw_ratio_is_of_failures_or_of_successes(raw_type: str, expression: str) -> None:
    raw = {"rawType": raw_type, "raw": {"metricSource": {"type": "prometheus", "spec": {"query": "f{{.window}}"}}}}
    sli, *_ = groups(changed(V1, "spec.indicator.spec.ratioMetric", to=raw))
    assert sli["rules"][0]["expr"] == expression


def test_several_objectives_are_slos_that_are_numbered() -> None:
    document = changed(
        V1, "spec.objectives", to=[{"displayName": "a", "target": 0.9}, {"displayName": "b", "targetPercent": 99.5}]
    )
    made = groups(document)
    assert [group["name"] for group in made if "alerts" in group["name"]] == [
        "sloth-slo-alerts-shop-served-0",
        "sloth-slo-alerts-shop-served-1",
    ]


CALENDAR = {"duration": "1M", "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "UTC"}}
SOURCE = f"{INDICATOR}.ratioMetric.total.metricSource"


@pytest.mark.parametrize(
    ("path", "to", "at", "code"),
    [
        ("spec.timeWindow.0", CALENDAR, "spec.timeWindow[0]", "unsupported"),
        ("spec.objectives.0.timeSliceTarget", "x", "spec.objectives[0].timeSliceTarget", "wrong_type"),
        ("spec.objectives.0.target", 1, "spec.objectives[0].target", "less_than"),
        (f"{SOURCE}.type", "Datadog", f"{SOURCE}.type", "unsupported"),
        (f"{SOURCE}.spec", {"metric": "x"}, f"{SOURCE}.spec.query", "required"),
        (f"{SOURCE}.spec.query", "sum(", f"{SOURCE}.spec.query", "promql"),
        (f"{SOURCE}.spec.query", "sum(rate(x[5m]))", f"{SOURCE}.spec.query", "window_missing"),
        (f"{SOURCE}.spec.query", "rate(x[{{.w}}])", f"{SOURCE}.spec.query", "variable_unknown"),
    ],
)
def test_what_no_rules_can_be_made_of_is_refused_with_its_place(path: str, to: Any, at: str, code: str) -> None:
    assert refused(changed(V1, path, to)) == [(at, code)]


def threshold(query: str = "p99", **objective: Any) -> dict[str, Any]:
    slo = changed(V1, "spec.indicator.spec", {"thresholdMetric": {"metricSource": {"spec": {"query": query}}}})
    slo["spec"]["objectives"][0] |= {"op": "lte", "value": 0.2} | objective
    return slo


def test_slices_have_no_rules() -> None:
    slo = threshold(timeSliceTarget=0.9, timeSliceWindow="1m")
    slo["spec"] |= {"budgetingMethod": "Timeslices"}
    assert refused(slo) == [("spec.budgetingMethod", "unsupported")]


@pytest.mark.parametrize(("op", "beyond"), [("lte", ">"), ("lt", ">="), ("gte", "<"), ("gt", "<=")])
def test_minutes_beyond_a_threshold_are_bad_and_those_without_a_number_are_none(op: str, beyond: str) -> None:
    made = groups(threshold("max_over_time(p99[{{.window}}])", op=op))[0]["rules"][2]
    assert made["record"] == "slo:sli_error:ratio_rate1h"
    assert made["expr"].split("\n") == [
        f"(sum_over_time((((max_over_time(p99[1m])) >= -Inf) {beyond} bool 0.2)[1h:1m] offset 1ms))",
        "/",
        "(count_over_time(((max_over_time(p99[1m])) >= -Inf)[1h:1m] offset 1ms))",
        "",
    ]


def test_a_threshold_whose_query_is_no_promql_is_refused_with_its_place() -> None:
    assert refused(threshold("max(")) == [
        ("spec.indicator.spec.thresholdMetric.metricSource.spec.query", "promql"),
    ]


def test_an_indicator_that_is_not_there_is_refused() -> None:
    slo = changed(V1, "spec.indicatorRef", to="elsewhere")
    del slo["spec"]["indicator"]
    assert refused(slo) == [("spec.indicatorRef", "no_such_sli")]


@pytest.mark.parametrize(
    ("query", "counter", "expected"),
    [
        ("sum(a)", True, "sum(increase(a[{{.window}}]))"),
        ("sum(a)", False, "sum(sum_over_time(a[{{.window}}]))"),
        ("a - b", True, "increase(a[{{.window}}]) - increase(b[{{.window}}])"),
        ('sum by (x) (a{b="[5m]"})', True, 'sum by (x) (increase(a{b="[5m]"}[{{.window}}]))'),
        ("rate(a[{{ .window }}])", True, "rate(a[{{ .window }}])"),
    ],
)
def test_a_window_is_added_where_only_metrics_are_named(query: str, counter: bool, expected: str) -> None:  # noqa: FBT001
    assert windowed(query, complainer(), counter=counter) == expected


@pytest.mark.parametrize("query", ["sum(rate(a[5m]))", "a offset 5m", "a @ 5", "max_over_time(a[1h:1m])", "vector(1)"])
def test_a_query_with_a_range_of_its_own_is_left_to_its_author(query: str) -> None:
    with pytest.raises(InvalidQueryError) as refusal:
        windowed(query, complainer(), counter=True)
    assert refusal.value.code == "window_missing"


def test_v1alpha_gives_numbered_slos_without_alerts_as_sloth_does() -> None:
    made = groups(*loaded(ALPHA))
    assert [group["name"] for group in made] == [
        "sloth-slo-sli-recordings-shop-served-0",
        "sloth-slo-meta-recordings-shop-served-0",
    ]
    assert made[1]["rules"][-1]["labels"]["sloth_mode"] == "cli-gen-openslo"


@pytest.mark.parametrize(
    ("path", "to", "at", "code"),
    [
        ("spec.budgetingMethod", "Timeslices", "spec.budgetingMethod", "unsupported"),
        ("spec.timeWindows.0.unit", "Fortnight", "spec.timeWindows[0].unit", "unit_unknown"),
        ("spec.timeWindows.0.count", 0.5, "spec.timeWindows[0].count", "out_of_range"),
        ("spec.timeWindows.0.calendar", {}, "spec.timeWindows[0].calendar", "unsupported"),
        ("spec.objectives", [], "spec.objectives", "required"),
        ("spec.objectives.0.target", 1, f"{FIRST}.target", "target_invalid"),
        ("spec.objectives.0.ratioMetrics", None, f"{FIRST}.ratioMetrics", "required"),
        ("spec.objectives.0.ratioMetrics.good.source", "datadog", f"{FIRST}.ratioMetrics.good.source", "unsupported"),
        ("spec.objectives.0.ratioMetrics.good.queryType", "sql", f"{FIRST}.ratioMetrics.good.queryType", "unsupported"),
        ("spec.objectives.0.ratioMetrics.good.query", "x[", f"{FIRST}.ratioMetrics.good.query", "promql"),
    ],
)
def test_v1alpha_that_no_rules_can_be_made_of_is_refused_with_its_place(path: str, to: Any, at: str, code: str) -> None:
    assert refused(changed(ALPHA, path, to)) == [(at, code)]


def test_v1alpha_becomes_valid_v1_and_says_what_changed() -> None:
    upgraded = upgrade(*loaded(ALPHA))
    assert isinstance(upgraded, Upgrade)
    (document,) = upgraded.documents
    assert check(document).errors == ()
    assert document["spec"]["timeWindow"] == [{"duration": "28d", "isRolling": True}]  # type: ignore[index]
    assert [str(change.path) for change in upgraded.changes] == [
        "apiVersion",
        "spec.timeWindows[0].isRolling",
        "spec.timeWindows",
        "spec.objectives[0].ratioMetrics",
        "spec.objectives[0].ratioMetrics.good.source",
        "spec.objectives[0].ratioMetrics.total.source",
        "spec.objectives[0].value",
    ]


def test_v1alphas_objectives_with_indicators_of_their_own_become_slos() -> None:
    (document,) = loaded(ALPHA)
    document["spec"]["objectives"] *= 2
    upgraded = upgrade(document)
    assert isinstance(upgraded, Upgrade)
    assert [each["metadata"] for each in upgraded.documents] == [
        {"name": "served-0", "displayName": "Served"},
        {"name": "served-1", "displayName": "Served"},
    ]
    assert [check(each).errors for each in upgraded.documents] == [(), ()]


def test_v1alphas_threshold_and_calendar_are_kept() -> None:
    document = changed(ALPHA, "spec.objectives", to=[{"displayName": "Fast", "op": "lte", "value": 0.5, "target": 0.9}])
    document["spec"]["indicator"] = {
        "thresholdMetric": {"source": "datadog", "queryType": "query", "query": "p95:latency{*}"}
    }
    calendar = {"startTime": "2026-01-01 00:00:00", "timeZone": "Europe/Madrid"}
    document["spec"]["timeWindows"] = [{"count": 1, "unit": "Month", "isRolling": False, "calendar": calendar}]
    upgraded = upgrade(document)
    assert isinstance(upgraded, Upgrade)
    assert check(upgraded.documents[0]).errors == ()
    spec: Any = upgraded.documents[0]["spec"]
    assert spec["timeWindow"] == [{"duration": "1M", "calendar": calendar}]
    assert spec["objectives"] == [{"displayName": "Fast", "op": "lte", "value": 0.5, "target": 0.9}]


def test_a_v1alpha_service_becomes_a_v1_service() -> None:
    upgraded = upgrade({"apiVersion": "openslo/v1alpha", "kind": "Service", "metadata": {"name": "shop"}, "spec": {}})
    assert isinstance(upgraded, Upgrade)
    assert check(*upgraded.documents).errors == ()


def test_what_v1alpha_does_not_know_is_dropped_and_said() -> None:
    upgraded = upgrade(changed(ALPHA, "spec.owner", to="me"))
    assert isinstance(upgraded, Upgrade)
    assert "spec.owner" in [str(change.path) for change in upgraded.changes]


@pytest.mark.parametrize("document", [5, {}, {"apiVersion": "openslo/v1", "kind": "SLO"}, loaded(V1)[0]])
def test_only_v1alpha_is_upgraded(document: object) -> None:
    faults = upgrade(document)
    assert isinstance(faults, list)
    assert faults


def test_a_latency_target_is_the_share_of_requests_in_a_bucket() -> None:
    document: Any = latency_slo(
        "fast", service="shop", histogram="duration_seconds", threshold="0.5", target="0.99", matchers='job="api"'
    )
    assert check(document).errors == ()
    ratio = document["spec"]["indicator"]["spec"]["ratioMetric"]
    assert ratio["good"]["metricSource"]["spec"]["query"] == (
        'sum (rate(duration_seconds_bucket{job="api", le="0.5"}[{{.window}}]))'
    )


@given(
    bound=st.decimals("0.001", "100", places=3),
    native=st.booleans(),
    grouping=st.lists(st.sampled_from(["route", "method"]), unique=True),
    matchers=st.sampled_from(["", 'job="api"', 'job="api", code!~"5.."']),
)
def test_any_latency_target_has_rules(bound: Any, native: bool, grouping: list[str], matchers: str) -> None:  # noqa: FBT001
    document = latency_slo(
        "fast",
        service="shop",
        histogram="duration_seconds",
        threshold=str(bound),
        target="0.99",
        matchers=matchers,
        native=native,
        grouping=grouping,
    )
    assert check(document, "strict", complainer()).errors == ()
    assert len(groups(document)) == 3


POLICY = """
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: pages}
spec:
  alertWhenNoData: true
  alertWhenBreaching: true
  conditions:
    - kind: AlertCondition
      metadata: {name: burning}
      spec:
        severity: critical
        condition: {kind: burnrate, op: gte, threshold: 9.5, lookbackWindow: 3h, alertAfter: 10m}
  notificationTargets:
    - kind: AlertNotificationTarget
      metadata: {name: on-call}
      spec: {target: webhook}
"""
WITH_POLICY = V1.replace("  objectives:", "  alertPolicies: [{alertPolicyRef: pages}]\n  objectives:")


def test_alert_policies_take_the_place_of_the_default_alerts() -> None:
    files, warnings = generate([yaml.safe_load(WITH_POLICY), yaml.safe_load(POLICY)])
    recorded, _, alerts = files[0].body["groups"]  # pyright: ignore[reportGeneralTypeIssues]  a list of groups
    assert warnings == []
    burning, unknown = alerts["rules"]
    assert (burning["alert"], burning["for"]) == ("ErrorBudgetBurn", "10m")
    assert burning["labels"] == {
        "condition": "burning",
        "long": "3h",
        "policy": "pages",
        "short": "15m",
        "sloth_severity": "page",
        "sloth_slo": "served",
    }
    assert (
        'ratio_rate3h{sloth_id="shop-served", sloth_service="shop", sloth_slo="served"} >= (9.5 * 0.01)'
        in burning["expr"]
    )
    assert unknown["alert"] == "ErrorBudgetUnknown"
    assert unknown["expr"].startswith("absent_over_time(slo:sli_error:ratio_rate15m{")
    assert [rule["labels"]["sloth_window"] for rule in recorded["rules"]] == ["15m", "3h", "4w"]


@pytest.mark.parametrize(
    ("policy", "code"),
    [("", "unknown_reference"), (POLICY.replace("threshold: 9.5", "threshold: 101"), "impossible_threshold")],
)
def test_policies_that_are_missing_or_can_never_fire_are_refused(policy: str, code: str) -> None:
    documents = [yaml.safe_load(text) for text in (WITH_POLICY, policy) if text]
    with pytest.raises(RefusedError) as refused:
        generate(documents)
    assert [each.fault.code for each in refused.value.refusals] == [code]
