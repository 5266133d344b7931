"""Sloth's documents give Sloth's rules; what is wrong in them is said with its place."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.web.documents import read_documents
from services.slo.exchange import Catalogue, Options, RefusedError, generate, read_catalogue, to_yaml

SHARED = Path(__file__).parents[4] / "shared" / "conformance" / "sloth"
DAY = 24 * 60

SPEC = """
version: prometheus/v1
service: shop
labels: {team: checkout}
slos:
  - name: availability
    objective: 99.9
    description: Most requests are served.
    labels: {tier: "1"}
    sli:
      events:
        error_query: sum(rate(requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
    alerting:
      name: ShopAvailability
      labels: {routing: shop}
      annotations: {runbook: "https://runbooks.example/shop"}
      page_alert:
        labels: {severity: critical}
      ticket_alert:
        disable: true
"""
KUBERNETES = """
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: shop, namespace: web, labels: {release: monitoring}}
spec:
  service: shop
  slos:
    - name: availability
      objective: 99.5
      sli: {raw: {errorRatioQuery: 'errors:ratio{{ .window }}'}}
      alerting: {pageAlert: {disable: true}, ticketAlert: {disable: true}}
"""


def rules(text: str, **options: Any) -> list[Any]:
    """The rule files of *text*, as a reader of YAML gets them."""
    made, _ = generate(read_documents(text.encode()), Options(**options))
    return list(yaml.safe_load_all(to_yaml((each.body, each.comment) for each in made)))


def refused(text: str, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(RefusedError) as refusal:
        generate(read_documents(text.encode()), Options(**options))
    return [(str(each.fault.path), each.fault.code) for each in refusal.value.refusals]


def by_name(file: Any) -> dict[str, list[Any]]:
    """The rules of a file, by their group's name without the SLO's."""
    return {group["name"]: group["rules"] for group in file["groups"]}


def same(ours: Any, theirs: Any) -> bool:
    """Whether two documents say the same: white space folded, floats to 1e-9, versions aside."""
    match ours, theirs:
        case dict(), dict():
            left, right = (
                {k: v for k, v in each.items() if k not in {"sloth_version", "interval"}} for each in (ours, theirs)
            )
            return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
        case list(), list():
            return len(ours) == len(theirs) and all(map(same, ours, theirs))
        case str(), str():
            left, right = (
                re.split(r"((?<![\w.])\d+\.?\d*(?:e-\d+)?(?![\w.]))", " ".join(each.split())) for each in (ours, theirs)
            )
            return len(left) == len(right) and all(map(_near, left, right))
        case _:
            return ours == theirs


def _near(ours: str, theirs: str) -> bool:
    try:
        return math.isclose(float(ours), float(theirs), abs_tol=1e-9)
    except ValueError:
        return ours == theirs


@pytest.mark.parametrize(("expected", "days"), [("out-base", 30), ("out-base-28d", 28)])
def test_sloths_own_example_gives_sloths_own_rules(expected: str, days: int) -> None:
    if not SHARED.exists():
        pytest.skip("the conformance files lie beside the repository, and are not there")
    theirs = [each for each in yaml.safe_load_all((SHARED / f"{expected}.yaml").read_text()) if each is not None]
    assert same(rules((SHARED / "in-base.yaml").read_text(), period_min=days * DAY), theirs)


def test_an_slo_has_its_ratios_then_its_figures_then_its_alerts() -> None:
    (file,) = rules(SPEC)
    assert [group["name"] for group in file["groups"]] == [
        "sloth-slo-sli-recordings-shop-availability",
        "sloth-slo-meta-recordings-shop-availability",
        "sloth-slo-alerts-shop-availability",
    ]


def test_every_window_has_a_ratio() -> None:
    (file,) = rules(SPEC)
    recordings = by_name(file)["sloth-slo-sli-recordings-shop-availability"]
    assert [rule["labels"]["sloth_window"] for rule in recordings] == [
        *("5m", "30m", "1h", "2h", "6h", "1d", "3d"),
        "30d",
    ]
    assert recordings[1] == {
        "record": "slo:sli_error:ratio_rate30m",
        "expr": '(sum(rate(requests_total{code=~"5.."}[30m])))\n/\n(sum(rate(requests_total[30m])))\n',
        "labels": {
            "sloth_id": "shop-availability",
            "sloth_service": "shop",
            "sloth_slo": "availability",
            "sloth_window": "30m",
            "team": "checkout",
            "tier": "1",
        },
    }


def test_numbers_are_the_decimals_they_were_written_as() -> None:
    """Sloth writes 0.9990000000000001 for 99.9 %, and 0.0009999999999999432 for its budget."""
    (file,) = rules(SPEC)
    figures = {rule["record"]: rule["expr"] for rule in by_name(file)["sloth-slo-meta-recordings-shop-availability"]}
    assert figures["slo:objective:ratio"] == "vector(0.999)"
    assert figures["slo:error_budget:ratio"] == "vector(1-0.999)"
    assert figures["slo:time_period:days"] == "vector(30)"
    (alert,) = by_name(file)["sloth-slo-alerts-shop-availability"]
    assert "> (14.4 * 0.001)" in alert["expr"]


def test_an_alert_carries_what_its_severity_adds() -> None:
    (file,) = rules(SPEC)
    (alert,) = by_name(file)["sloth-slo-alerts-shop-availability"]
    assert alert["labels"] == {"routing": "shop", "severity": "critical", "sloth_severity": "page"}
    assert alert["annotations"]["runbook"] == "https://runbooks.example/shop"


def test_a_kubernetes_object_gives_a_prometheus_rule_object() -> None:
    (made,) = rules(KUBERNETES)
    assert (made["apiVersion"], made["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert made["metadata"] == {
        "name": "shop",
        "namespace": "web",
        "labels": {
            "release": "monitoring",
            "app.kubernetes.io/component": "SLO",
            "app.kubernetes.io/managed-by": "sloth",
        },
    }
    assert made["spec"]["groups"][0]["rules"][0]["expr"] == "(errors:ratio5m)"


def test_each_document_gives_a_document() -> None:
    other = SPEC.replace("service: shop", "service: search")
    assert [file["groups"][0]["name"] for file in rules(f"{SPEC}---\n{other}")] == [
        "sloth-slo-sli-recordings-shop-availability",
        "sloth-slo-sli-recordings-search-availability",
    ]


def test_a_file_says_which_version_wrote_it_and_is_always_the_same() -> None:
    made, _ = generate(read_documents(SPEC.encode()))
    text = to_yaml((each.body, each.comment) for each in made)
    assert re.match(r"---\n# Written by Concordat \S+ from prometheus/v1; do not edit.\n\ngroups:\n- name: ", text)
    assert text == to_yaml((each.body, each.comment) for each in generate(read_documents(SPEC.encode()))[0])


def test_labels_may_be_added_to_all_that_is_recorded() -> None:
    (file,) = rules(SPEC, labels={"region": "eu"})
    recorded = [rule for group in file["groups"][:2] for rule in group["rules"]]
    assert {rule["labels"]["region"] for rule in recorded} == {"eu"}


@pytest.mark.parametrize(("left_out", "groups"), [("alerts", ["sli", "meta"]), ("recordings", ["alerts"])])
def test_recordings_or_alerts_may_be_left_out(left_out: str, groups: list[str]) -> None:
    (file,) = rules(SPEC, **{left_out: False})
    assert [group["name"].split("-")[2] for group in file["groups"]] == groups


def test_a_week_is_written_as_prometheus_writes_it_with_factors_of_at_least_one() -> None:
    """Sloth's table for 7 days: 13.44, 3.5, 1.4 and 0.98, which would page within the budget."""
    text = SPEC.replace("disable: true", "disable: false")
    (file,) = rules(text, period_min=7 * DAY)
    assert by_name(file)["sloth-slo-sli-recordings-shop-availability"][-1]["record"] == "slo:sli_error:ratio_rate1w"
    alerts = " ".join(rule["expr"] for rule in by_name(file)["sloth-slo-alerts-shop-availability"])
    assert re.findall(r"\((\S+) \* 0.001\)", alerts) == ["13.44", "13.44", "3.5", "3.5", "1.4", "1.4", "1", "1"]


def test_any_other_period_keeps_the_shares_and_leaves_out_windows_that_do_not_fit() -> None:
    made, said = generate(read_documents(SPEC.replace("disable: true", "disable: false").encode()), Options(5 * DAY))
    page, ticket = (rule["expr"] for rule in by_name(made[0].body)["sloth-slo-alerts-shop-availability"])
    assert re.findall(r"\((\S+) \* 0.001\)", page) == ["2.4", "2.4", "1", "1"]
    assert re.findall(r"\((\S+) \* 0.001\)", ticket) == ["1", "1"]
    assert [each.fault.code for each in said] == ["window_too_long"]


WEEK = """
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 7d
  page:
    quick: {errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h}
    slow: {errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 20, shortWindow: 2h, longWindow: 24h}
    slow: {errorBudgetPercent: 42, shortWindow: 6h, longWindow: 36h}
"""


def test_windows_of_ones_own_are_taken_as_they_stand() -> None:
    week = read_catalogue(read_documents(WEEK.encode())[0])
    assert isinstance(week, Catalogue)
    (file,) = rules(SPEC.replace("disable: true", "disable: false"), period_min=7 * DAY, catalogues=(week,))
    ticket = by_name(file)["sloth-slo-alerts-shop-availability"][1]["expr"]
    assert "ratio_rate1d12h" in ticket
    assert re.findall(r"\((\S+) \* 0.001\)", ticket) == ["1.4", "1.4", "1.96", "1.96"]


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        ("sloPeriod: 7d", "sloPeriod: soon", "spec.sloPeriod", "duration_invalid"),
        ("longWindow: 36h", "longWindow: 30s", "spec.ticket.slow.longWindow", "duration_invalid"),
        ("errorBudgetPercent: 42", "errorBudgetPercent: 0", "spec.ticket.slow.errorBudgetPercent", "out_of_range"),
        ("kind: AlertWindows", "kind: Windows", "kind", "kind_unknown"),
    ],
)
def test_windows_that_mean_nothing_are_refused(old: str, new: str, path: str, code: str) -> None:
    faults = read_catalogue(read_documents(WEEK.replace(old, new).encode())[0])
    assert isinstance(faults, list)
    assert [(str(fault.path), fault.code) for fault in faults] == [(path, code)]


SLI = "slos[0].sli"


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        ("prometheus/v1", "prometheus/v999", "version", "version_unknown"),
        ("service: shop", "service: ''", "service", "required"),
        ("service: shop", "service: shop-", "service", "name_invalid"),
        ("service: shop", "service: 12", "service", "wrong_type"),
        ("name: availability", "name: up time", "slos[0].name", "name_invalid"),
        ("objective: 99.9", "objective: 101", "slos[0].objective", "target_invalid"),
        ("objective: 99.9", "objective: 100", "slos[0].objective", "target_invalid"),
        ("objective: 99.9", "objective: 0", "slos[0].objective", "target_invalid"),
        ("objective: 99.9", "objective: high", "slos[0].objective", "wrong_type"),
        ("    objective: 99.9\n", "", "slos[0].objective", "required"),
        ('tier: "1"', "tier: 1", "slos[0].labels.tier", "wrong_type"),
        ('tier: "1"', 'tier: ""', "slos[0].labels.tier", "required"),
        ('tier: "1"', '__name__: "1"', "slos[0].labels.__name__", "label_invalid"),
        ("name: ShopAvailability", "name: ''", "slos[0].alerting.name", "required"),
        ("disable: true", "disable: 'yes'", "slos[0].alerting.ticket_alert.disable", "wrong_type"),
        ("requests_total[{{.window}}]", "requests_total[5m]", f"{SLI}.events.total_query", "window_missing"),
        ("requests_total[{{.window}}]", "requests_total[{{.range}}]", f"{SLI}.events.total_query", "variable_unknown"),
        ("rate(requests_total[", "rat(requests_total[", f"{SLI}.events.total_query", "promql"),
        ("      events:", "      raw: {error_ratio_query: 'x{{.window}}'}\n      events:", SLI, "required"),
        ("      events:", "      plugin: {id: a}\n      events:", f"{SLI}.plugin", "plugin_unsupported"),
        ("slos:", "slo_plugins: {chain: []}\nslos:", "slo_plugins", "plugin_unsupported"),
        ('{code=~"5.."}', "", f"{SLI}.events.error_query", "queries_equal"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(old: str, new: str, path: str, code: str) -> None:
    assert old in SPEC
    assert (path, code) in refused(SPEC.replace(old, new, 1))


def test_a_query_that_is_no_promql_is_refused_with_the_place_in_it() -> None:
    with pytest.raises(RefusedError) as refusal:
        generate(
            read_documents(SPEC.replace("[{{.window}}]))\n    alerting", "[{{.window}}]) by\n    alerting").encode())
        )
    (only,) = refusal.value.refusals
    assert only.fault.detail.startswith("line 1, column ")


def test_every_fault_is_found_at_once() -> None:
    text = SPEC.replace("99.9", "100").replace("service: shop", "service: a-").replace("ShopAvailability", "''")
    assert refused(text) == [
        ("service", "name_invalid"),
        ("slos[0].objective", "target_invalid"),
        ("slos[0].alerting.name", "required"),
    ]


@pytest.mark.parametrize("text", ["[]", "5", "{}", "version: prometheus/v1\nservice: shop\nslos: []"])
def test_what_holds_no_slo_is_refused(text: str) -> None:
    documents: list[object] = [yaml.safe_load(text)]
    with pytest.raises(RefusedError):
        generate(documents)


def test_fields_that_sloth_does_not_know_are_said_or_in_strict_mode_refused() -> None:
    """Sloth takes them without a word, and the alert goes nowhere."""
    text = SPEC.replace("page_alert:", "pageAlert:")
    _, said = generate(read_documents(text.encode()))
    assert [(str(each.fault.path), each.fault.code) for each in said] == [
        ("slos[0].alerting.pageAlert", "unknown_field")
    ]
    assert refused(text, strict=True) == [("slos[0].alerting.pageAlert", "unknown_field")]


def test_the_same_slo_twice_is_refused() -> None:
    assert refused(f"{SPEC}---\n{SPEC}") == [("", "duplicate")]


def test_an_alert_that_can_never_fire_is_said_with_the_arithmetic() -> None:
    _, said = generate(read_documents(SPEC.replace("99.9", "90").encode()))
    (warning,) = said
    assert "the page over 5m and 1h never fires: it needs a burn rate above 14.4, and 10 is the most" in str(warning)


def test_no_rules_at_all_are_refused() -> None:
    assert refused(SPEC, alerts=False, recordings=False) == [("", "no_rules")]


def test_a_raw_ratio_cannot_be_weighted_by_events() -> None:
    assert refused(KUBERNETES, event_weighted=True) == [("", "events_missing")]


def test_labels_that_old_prometheus_refuses_are_said() -> None:
    _, said = generate(read_documents(SPEC.replace("team: checkout", "a.b: checkout").encode()))
    assert [(str(each.fault.path), each.fault.code) for each in said] == [("labels['a.b']", "label_needs_prometheus_3")]
