"""OpenSLO v1 documents: the rules of the go-sdk, with its paths and codes."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from services.slo.domain.openslo import Decoded, Fault, catalogue, check, decode, resolve, validate
from services.slo.domain.openslo.faults import TOP
from services.slo.domain.openslo.promise import minutes, promise_of, without_effect
from services.slo.domain.slo.commands import Promise

REAL = Path(__file__).parents[4] / "shared" / "conformance" / "openslo_v1_sample.jsonl"
PUSH = {"metricSource": {"type": "concordat", "spec": {"query": "push"}}}
SLO: dict[str, Any] = {
    "apiVersion": "openslo/v1",
    "kind": "SLO",
    "metadata": {"name": "checkout-availability", "displayName": "Checkout", "labels": {"env": "prod"}},
    "spec": {
        "service": "checkout-api",
        "indicator": {
            "metadata": {"name": "good-requests"},
            "spec": {"ratioMetric": {"counter": True, "good": PUSH, "total": PUSH}},
        },
        "budgetingMethod": "Occurrences",
        "timeWindow": [{"duration": "28d", "isRolling": True}],
        "objectives": [{"displayName": "Good", "target": 0.999}],
    },
}
POLICY = {
    "kind": "AlertPolicy",
    "metadata": {"name": "fast-burn"},
    "spec": {
        "conditions": [
            {
                "kind": "AlertCondition",
                "metadata": {"name": "page"},
                "spec": {
                    "severity": "page",
                    "condition": {"kind": "burnrate", "op": "gt", "threshold": 14.4, "lookbackWindow": "1h"},
                },
            }
        ],
        "notificationTargets": [{"targetRef": "on-call"}],
    },
}


def _with(path: str, value: object) -> dict[str, Any]:
    """The SLO with one value changed; ... removes it."""
    document = copy.deepcopy(SLO)
    *ways, last = (int(part) if part.isdigit() else part for part in path.split("/"))
    at: Any = document
    for way in ways:
        at = at[way]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return document


def _faults(document: object) -> list[tuple[str, str]]:
    decoded = decode(document)
    if isinstance(decoded, Fault):
        return [(str(decoded.path), decoded.code)]
    return [(str(fault.path), fault.code) for fault in (*decoded.unknown, *validate(decoded))]


def test_a_valid_slo_breaks_no_rule() -> None:
    assert _faults(SLO) == []
    assert _faults(_with("spec/alertPolicies", [POLICY, {"alertPolicyRef": "slow-burn"}])) == []


@pytest.mark.parametrize(
    ("path", "value", "faults"),
    [
        ("apiVersion", "v0.1", [("apiVersion", "unsupported_version")]),
        ("kind", "Slo", [("kind", "unsupported_kind")]),
        ("metadata", ..., [("metadata", "required")]),
        ("metadata", {}, [("metadata", "required")]),
        ("metadata/name", "", [("metadata.name", "required")]),
        ("metadata/name", "My SLO", [("metadata.name", "string_dns_label:string_match_regexp")]),
        ("metadata/name", "x" * 64, [("metadata.name", "string_dns_label:string_length")]),
        ("metadata/displayName", "x" * 64, [("metadata.displayName", "string_max_length")]),
        ("metadata/labels", {"-a": "b"}, [("metadata.labels['-a']", "string_match_regexp")]),
        ("metadata/labels", {"_a": ["b"]}, [("metadata.labels._a", "string_match_regexp")]),
        ("metadata/labels", {"a'\n": "b"}, [("metadata.labels['a\\'\\n']", "string_match_regexp")]),
        ("metadata/annotations", {"a_/b": "c"}, [("metadata.annotations['a_/b']", "string_match_regexp")]),
        ("metadata/annotations", {"a": 1}, [("metadata.annotations.a", "wrong_type")]),
        ("metadata/team", "a", [("metadata.team", "unknown_field")]),
        ("spec", ..., [("spec", "required")]),
        ("spec", [], [("spec", "wrong_type")]),
        ("spec/description", "x" * 1051, [("spec.description", "string_max_length")]),
        ("spec/service", ..., [("spec.service", "required")]),
        ("spec/indicator", ..., [("spec", "mutually_exclusive")]),
        ("spec/indicatorRef", "other", [("spec", "mutually_exclusive")]),
        ("spec/indicator/spec", {}, [("spec.indicator.spec", "mutually_exclusive")]),
        ("spec/indicator/spec/ratioMetric/raw", PUSH, [("spec.indicator.spec.ratioMetric", "mutually_exclusive")]),
        ("spec/indicator/spec/ratioMetric/good", ..., [("spec.indicator.spec.ratioMetric", "one_of_properties")]),
        (
            "spec/indicator/spec/ratioMetric/good",
            {"metricSource": {"spec": {}}},
            [("spec.indicator.spec.ratioMetric.good.metricSource.spec", "map_min_length")],
        ),
        (
            "spec/indicator/spec/ratioMetric",
            {"raw": PUSH, "rawType": "half"},
            [("spec.indicator.spec.ratioMetric.rawType", "one_of")],
        ),
        (
            "spec/indicator/spec",
            {"thresholdMetric": PUSH},
            [("spec.objectives[0].value", "required"), ("spec.objectives[0].op", "required")],
        ),
        ("spec/budgetingMethod", "Guess", [("spec.budgetingMethod", "one_of")]),
        (
            "spec/budgetingMethod",
            "Timeslices",
            [("spec.objectives[0].timeSliceTarget", "required"), ("spec.objectives[0].timeSliceWindow", "required")],
        ),
        ("spec/budgetingMethod", "RatioTimeslices", [("spec.objectives[0].timeSliceWindow", "required")]),
        ("spec/timeWindow", ..., [("spec.timeWindow", "slice_length")]),
        ("spec/timeWindow/0/duration", "28x", [("spec.timeWindow[0].duration.unit", "one_of")]),
        ("spec/timeWindow/0/duration", "-1d", [("spec.timeWindow[0].duration.value", "greater_than_or_equal_to")]),
        ("spec/timeWindow/0/duration", "28", [("spec.timeWindow[0].duration", "duration")]),
        ("spec/timeWindow/0/duration", "28\nd", [("spec.timeWindow[0].duration", "duration")]),
        ("spec/timeWindow/0/duration", "9223372036854775808d", [("spec.timeWindow[0].duration", "duration")]),
        ("spec/timeWindow/0/duration", "\u00a0+028 d and more", []),
        ("spec/timeWindow/0/duration", "", [("spec.timeWindow[0].duration", "required")]),
        ("spec/timeWindow/0/isRolling", False, [("spec.timeWindow[0]", "")]),
        (
            "spec/timeWindow/0",
            {"duration": "1w", "calendar": {"startTime": "2026-02-30 00:00:00", "timeZone": "Mars/Base"}},
            [
                ("spec.timeWindow[0].calendar.startTime", "string_date_time"),
                ("spec.timeWindow[0].calendar.timeZone", "string_time_zone"),
            ],
        ),
        (
            "spec/timeWindow/0",
            {"duration": "1w", "calendar": {"startTime": "2026-01-05  7:00:00.5", "timeZone": "UTC"}},
            [],
        ),
        (
            "spec/timeWindow/0",
            {"duration": "1w", "calendar": {"startTime": "\uff12026-01-05 07:00:00", "timeZone": "UTC"}},
            [("spec.timeWindow[0].calendar.startTime", "string_date_time")],
        ),
        ("spec/objectives/0/target", 1, [("spec.objectives[0].target", "less_than")]),
        ("spec/objectives/0/target", -0.1, [("spec.objectives[0].target", "greater_than_or_equal_to")]),
        ("spec/objectives/0/target", float("nan"), [("spec.objectives[0].target", "wrong_type")]),
        ("spec/objectives/0/target", True, [("spec.objectives[0].target", "wrong_type")]),
        ("spec/objectives/0/targetPercent", 99.9, [("spec.objectives[0]", "mutually_exclusive")]),
        ("spec/objectives/0/op", "lt", [("spec.objectives[0].op", "forbidden")]),
        ("spec/objectives/0/target", 10**400, [("spec.objectives[0].target", "wrong_type")]),
        ("metadata/labels", {"a": [None, "b"], "c": None}, []),
        ("spec/alertPolicies", [{"alertPolicyRef": None}], [("spec.alertPolicies[0].alertPolicyRef", "required")]),
        (
            "spec/alertPolicies",
            [{"kind": None, "alertPolicyRef": "a"}],
            [("spec.alertPolicies[0]", "mutually_exclusive")],
        ),
        (
            "spec/alertPolicies",
            [{"metadata": None}],
            [
                ("spec.alertPolicies[0].kind", "required"),
                ("spec.alertPolicies[0].metadata", "required"),
                ("spec.alertPolicies[0].spec", "required"),
            ],
        ),
        ("spec/alertPolicies", [{}], [("spec.alertPolicies[0]", "mutually_exclusive")]),
        ("spec/alertPolicies", [{"alertPolicyRef": ""}], [("spec.alertPolicies[0].alertPolicyRef", "required")]),
        (
            "spec/alertPolicies",
            [{**POLICY, "spec": {}}],
            [("spec.alertPolicies[0].spec", "required")],
        ),
        (
            "spec/alertPolicies",
            [{**POLICY, "spec": {"alertWhenNoData": True}}],
            [
                ("spec.alertPolicies[0].spec.conditions", "slice_length"),
                ("spec.alertPolicies[0].spec.notificationTargets", "slice_min_length"),
            ],
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_path_and_code(path: str, value: object, faults: list[tuple[str, str]]) -> None:
    assert _faults(_with(path, value)) == faults


@pytest.mark.parametrize("value", [None, [], "SLO", 3])
def test_what_is_no_object_is_no_document(value: object) -> None:
    assert _faults(value) == [("", "wrong_type")]


def test_null_is_the_same_as_absent() -> None:
    assert _faults(_with("spec/description", None)) == []
    assert _faults(_with("spec/service", None)) == [("spec.service", "required")]


def test_connection_details_may_be_null_but_must_be_given() -> None:
    source = {"apiVersion": "openslo/v1", "kind": "DataSource", "metadata": {"name": "a"}, "spec": {"type": "x"}}
    assert _faults(source) == [("spec.connectionDetails", "required")]
    source["spec"] = {"type": "x", "connectionDetails": None}
    assert _faults(source) == []


def test_everything_of_the_wrong_type_is_named_at_once() -> None:
    document = _with("spec/objectives", [{"target": "a", "colour": 1}, 3])
    verdict = check(document)
    assert (verdict.stage, verdict.document, verdict.warnings) == ("decode", None, ())
    assert [(str(fault.path), fault.code) for fault in verdict.errors] == [
        ("spec.objectives[0].target", "wrong_type"),
        ("spec.objectives[1]", "wrong_type"),
        ("spec.objectives[0].colour", "unknown_field"),
    ]


def test_unknown_fields_are_errors_when_strict_and_warnings_when_lenient() -> None:
    document = _with("metadata/team", "a")
    strict, lenient = check(document), check(document, "lenient")
    assert (strict.stage, strict.valid, strict.warnings) == ("decode", False, ())
    assert (lenient.stage, lenient.valid, lenient.errors, lenient.warnings) == ("valid", True, (), strict.errors)


def test_queries_for_prometheus_are_complained_about_and_others_are_not() -> None:
    metric = {"metricSource": {"type": "prometheus", "spec": {"query": "up{"}}}
    document = _with("spec/indicator/spec/ratioMetric", {"good": metric, "total": PUSH})
    verdict = check(document, complain=lambda query: f"{query} is none")
    assert (verdict.stage, check(document).stage) == ("validate", "valid")
    assert [(str(fault.path), fault.code, fault.detail) for fault in verdict.errors] == [
        ("spec.indicator.spec.ratioMetric.good.metricSource.spec.query", "promql", "up{ is none")
    ]


def test_a_path_is_also_a_json_pointer() -> None:
    assert (TOP / "spec" / "a/b~c" / 0).pointer == "/spec/a~1b~0c/0"


OWN_CASE = {"object": SLO, "stage": "valid", "errors": []}
CASES = [OWN_CASE, *map(json.loads, REAL.read_text(encoding="utf-8").splitlines() if REAL.exists() else ())]


@pytest.mark.parametrize("case", CASES)
def test_a_case_of_the_go_sdk_comes_out_as_there(case: dict[str, Any]) -> None:
    """The table above stands for them where they do not lie beside the repository."""
    decoded = decode(case["object"])

    faults = [] if isinstance(decoded, Fault) or decoded.unknown else validate(decoded)

    stage = "decode" if isinstance(decoded, Fault) or decoded.unknown else "validate" if faults else "valid"
    expected = sorted((error["path"], error["code"] or "") for error in case["errors"])
    assert (stage, sorted((str(f.path), f.code) for f in faults)) == (case["stage"], expected)


def _decoded(document: object) -> Decoded:
    decoded = decode(document)
    assert isinstance(decoded, Decoded)
    assert validate(decoded) == []
    return decoded


def _promise(document: dict[str, Any]) -> tuple[Promise, tuple[str, ...]]:
    decoded = _decoded(document)
    definition = resolve([decoded], catalogue((), {"checkout-api"})).definitions[0]
    return promise_of(definition, decoded, document), without_effect(definition)


def test_a_valid_slo_becomes_a_promise() -> None:
    promise, warnings = _promise(SLO)
    assert (promise.slo, promise.service, promise.display_name) == ("checkout-availability", "checkout-api", "Checkout")
    assert (promise.target, promise.window, promise.method) == (0.999, "28d", "Occurrences")
    assert (promise.document, warnings) == (SLO, ())


def test_a_target_in_percent_is_the_same_promise() -> None:
    assert _promise(_with("spec/objectives/0", {"targetPercent": 99.9}))[0].target == 0.999


def test_a_calendar_window_keeps_its_unit() -> None:
    calendar = {"duration": "1M", "calendar": {"startTime": "2026-01-05 00:00:00", "timeZone": "Europe/Warsaw"}}
    promise, _ = _promise(_with("spec/timeWindow/0", calendar))
    assert promise.window == "1M"
    assert promise.definition["window"] == {
        "count": 1,
        "unit": "M",
        "anchor": "2026-01-05T00:00:00",
        "zone": "Europe/Warsaw",
    }


def test_what_has_no_effect_is_said() -> None:
    document = _with("spec/objectives", [{"target": 0.9}, {"target": 0.99}])
    document["spec"]["indicator"]["spec"]["ratioMetric"]["good"] = {
        "metricSource": {"type": "Datadog", "spec": {"query": "q"}}
    }
    _, warnings = _promise(document)
    assert [warning.partition(";")[0] for warning in warnings] == [
        "nothing polls Datadog",
        "only the first objective has an error budget",
    ]


@pytest.mark.parametrize(
    ("text", "expected"), [("90m", 90), ("1h", 60), ("28d", 40_320), ("2w", 20_160), ("1M", 43_200)]
)
def test_a_duration_is_minutes(text: str, expected: int) -> None:
    assert minutes(text) == expected
