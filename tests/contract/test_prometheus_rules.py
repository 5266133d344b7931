"""A real promtool takes the rules we write, and a real Prometheus decides by them as the arithmetic says."""

import random
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.local.prometheus import PrometheusServer, promtool
from libs.web.documents import read_documents
from services.slo.domain.burn_rate import burns
from services.slo.domain.error_budget import Counts, Target
from services.slo.exchange import Options, catalogue, generate, latency_slo, to_yaml
from services.slo.exchange.windows import duration
from tests.fixtures.promtool import GOOD, TOTAL, Firing, firing, openslo, values
from tests.fixtures.slo import threshold

pytestmark = pytest.mark.prometheus

SLOTH = r"""
version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
    alerting:
      name: Shop
      annotations: {runbook: "a \"quoted\" {{ $labels.sloth_slo }}: text"}
  - name: freshness
    objective: 95
    sli: {raw: {error_ratio_query: 'avg(stale:ratio{{.window}})'}}
    alerting: {name: Freshness, page_alert: {disable: true}}
"""
EVENTS_ONLY = SLOTH.partition("  - name: freshness")[0]
ALPHA = """
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: served}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindows: [{count: 4, unit: Week, isRolling: true}]
  objectives:
    - target: 0.99
      ratioMetrics:
        good: {source: prometheus, queryType: promql, query: 'sum(rate(ok_total[{{.window}}]))'}
        total: {source: prometheus, queryType: promql, query: 'sum(rate(all_total[{{.window}}]))'}
"""
PERIOD = "slo:sli_error:ratio_rate30d"
LATENCY: dict[str, Any] = {"service": "shop", "histogram": "http_request_duration_seconds", "target": "0.99"}


def rules(*documents: object, **options: Any) -> str:
    made, _ = generate(documents, Options(**options))
    return to_yaml((each.body, each.comment) for each in made)


@pytest.mark.parametrize("event_weighted", [False, True])
@pytest.mark.parametrize(
    "documents",
    [
        read_documents(EVENTS_ONLY.encode()),
        read_documents(ALPHA.encode()),
        [openslo(0.999)],
        [latency_slo("fast", threshold="0.5", matchers='job="api", code!~"5.."', **LATENCY)],
        [latency_slo("fast", threshold="1", grouping=("route",), **LATENCY)],
        [latency_slo("fast", threshold="0.2", native=True, **LATENCY)],
        [threshold()],
    ],
    ids=["sloth", "v1alpha", "openslo", "latency", "grouped", "native", "threshold"],
)  # fmt: skip
def test_promtool_takes_the_rules(documents: list[object], *, event_weighted: bool, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(rules(*documents, event_weighted=event_weighted), encoding="utf-8")
    done = promtool("check", "rules", "--lint-fatal", str(file))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_promtool_takes_the_rules_of_a_raw_ratio_and_of_a_prometheus_rule_object(tmp_path: Path) -> None:
    (raw,) = read_documents(SLOTH.encode())
    (kubernetes,) = read_documents(
        b"{apiVersion: sloth.slok.dev/v1, kind: PrometheusServiceLevel, metadata: {name: shop}, spec: {service: shop,"
        b" slos: [{name: up, objective: 99, sli: {raw: {errorRatioQuery: '1 - avg_over_time(up[{{.window}}])'}},"
        b" alerting: {name: Shop}}]}}"
    )
    spec = yaml.safe_load(rules(kubernetes))["spec"]
    for number, text in enumerate((rules(raw), yaml.safe_dump(spec))):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, encoding="utf-8")
        assert promtool("check", "rules", "--lint-fatal", str(file)).returncode == 0


def test_a_server_evaluates_every_rule(start_prometheus: Callable[..., PrometheusServer]) -> None:
    server = start_prometheus(rules=rules(*read_documents(SLOTH.encode())))
    deadline = time.monotonic() + 30
    while True:
        groups = httpx.get(f"{server.url}/api/v1/rules").json()["data"]["groups"]
        health = {rule["health"] for group in groups for rule in group["rules"]}
        if health == {"ok"}:
            break
        assert time.monotonic() < deadline, groups
        time.sleep(0.1)
    assert sum(len(group["rules"]) for group in groups) == 33


def expected(
    target: Target, good: list[int | None], total: list[int | None], period_min: int
) -> dict[Firing, list[int]]:
    """When each condition burns, by integers over the counts themselves."""

    def counts(end: int, length: int) -> Counts:
        seen = [(g, n) for g, n in zip(good, total, strict=True)][max(0, end - length) : end]
        return Counts(sum(g or 0 for g, _ in seen), sum(n or 0 for _, n in seen), sum(n is not None for _, n in seen))

    found: dict[Firing, list[int]] = {}
    for window in catalogue(period_min).windows:
        burning = [
            end
            for end in range(1, len(total) + 1)
            if all(burns(target, counts(end, length), window.factor) for length in (window.short_min, window.long_min))
        ]
        if burning:
            found[Firing(window.severity, duration(window.long_min), "served")] = burning
    return found


@pytest.mark.parametrize(("target", "period", "period_min"), [(0.999, "30d", 43_200), (0.99, "28d", 40_320)])
def test_alerts_fire_in_the_minutes_in_which_the_counts_burn(target: float, period: str, period_min: int) -> None:
    """Traffic that comes and goes, outages of every size, minutes without events and minutes nobody observed."""
    chance = random.Random(7)  # noqa: S311  no secret
    total: list[int | None] = []
    good: list[int | None] = []
    for minute in range(600):
        traffic = None if 300 <= minute < 307 else 0 if 420 <= minute < 440 else chance.randrange(1, 200)
        share = 0.9 if 40 <= minute < 55 else 0.05 if 200 <= minute < 360 else 0.0 if minute % 3 else 0.01
        total.append(traffic)
        good.append(None if traffic is None else traffic - round(traffic * share * chance.uniform(0.5, 1)))

    decided = firing(rules(openslo(target, period=period)), good, total)

    assert decided == expected(Target.of(target), good, total, period_min)
    assert len(decided) == 4


def test_an_outage_is_paged_within_a_minute_and_resets_with_its_short_window() -> None:
    """At 99.9 % and total outage: detection 60 * 14.4 * b = 0.9 min, reset 5 * (1 - 14.4 * b) = 4.9 min."""
    good: list[int | None] = [100] * 120 + [0] * 10 + [100] * 50
    decided = firing(rules(openslo(0.999)), good, [100] * 180)
    assert decided[Firing("page", "1h", "served")] == list(range(121, 135))


def test_sloths_joined_alert_pages_while_either_condition_holds() -> None:
    text = EVENTS_ONLY.replace('requests_total{code=~"5.."}', "errors_total")
    errors = list(accumulate([0] * 30 + [50] * 3 + [0] * 60))
    requests = list(accumulate([100] * 93))
    found = values(
        rules(*read_documents(text.encode())),
        {"errors_total": errors, "requests_total": requests},
        'ALERTS{alertstate="firing", sloth_severity="page"}',
        range(1, 94),
    )
    assert {labels["alertname"] for _, labels, _ in found} == {"Shop"}
    minutes = [minute for minute, _, _ in found]
    assert minutes == list(range(minutes[0], minutes[-1] + 1))
    assert (minutes[0], minutes[-1] > 33 + 5) == (31, True)


def test_when_nothing_succeeds_the_series_of_successes_may_be_missing() -> None:
    decided = firing(rules(openslo(0.999)), [None] * 10, [100] * 10)
    assert decided[Firing("page", "1h", "served")] == list(range(1, 11))


def test_minutes_without_events_are_no_ratio_and_spoil_none() -> None:
    total: list[int | None] = [0] * 20 + [100] * 40
    good: list[int | None] = [0] * 20 + [99] * 40
    found = values(rules(openslo(0.9)), {GOOD: good, TOTAL: total}, PERIOD, (20, 60))
    assert [(minute, round(value, 12)) for minute, _, value in found] == [(60, 0.01)]


def test_the_period_weighs_events_where_sloth_weighs_moments() -> None:
    """Busy hours without a failure, quiet ones in which half of all fails: a twentieth of that in events."""
    total: list[int | None] = ([1000] * 60 + [10] * 60) * 2 + [1000] * 10
    good: list[int | None] = ([1000] * 60 + [5] * 60) * 2 + [1000] * 10
    exact = Fraction(sum(n - g for n, g in zip(total, good, strict=True) if n and g), sum(filter(None, total)))

    by_moment, by_event = (
        values(rules(openslo(0.99), event_weighted=weighted), {GOOD: good, TOTAL: total}, PERIOD, [250])[0][2]
        for weighted in (False, True)
    )  # fmt: skip

    assert by_event == pytest.approx(float(exact), rel=1e-12)
    assert by_moment > 40 * by_event


def test_nothing_but_events_counts_in_the_period() -> None:
    """Where the series of failures never was, no event failed: the ratio is 0, not missing."""
    text = EVENTS_ONLY.replace('requests_total{code=~"5.."}', "errors_total")
    found = values(
        rules(*read_documents(text.encode()), event_weighted=True),
        {"requests_total": list(accumulate([100] * 30))},
        "slo:period_error_budget_remaining:ratio",
        [30],
    )
    assert [value for _, _, value in found] == [1.0]


@pytest.mark.parametrize("event_weighted", [False, True])
def test_minutes_beyond_a_threshold_are_bad_and_those_without_a_number_are_none(*, event_weighted: bool) -> None:
    """Of the five minutes before the 20th, two are slow, one is not known; the minute that just ends comes next."""
    slow, idle, minutes = (15, 17, 20), 16, range(1, 31)
    seconds = [0 if minute == idle else 5 if minute in slow else 2 for minute in minutes]
    series = {"seconds": seconds, "requests": [0 if minute == idle else 10 for minute in minutes]}
    made = rules(threshold(query="sum(seconds) / sum(requests)"), event_weighted=event_weighted)
    for window, expected in (("5m", 2 / 4), ("1h", 2 / 18)):
        ((_, _, ratio),) = values(made, series, f"slo:sli_error:ratio_rate{window}", [20])
        assert ratio == pytest.approx(expected)


def test_requests_at_the_threshold_of_a_histogram_are_fast() -> None:
    """Of 100 requests a minute 98 take at most a second; the bound is written as 1.0 by some, as 1 by others."""
    rate = {"le": (98, "1.0"), "more": (100, "+Inf")}
    series = {
        f'http_request_duration_seconds_bucket{{le="{le}"}}': list(accumulate([each] * 30))
        for each, le in rate.values()
    } | {"http_request_duration_seconds_count": list(accumulate([100] * 30))}
    found = values(rules(latency_slo("fast", threshold="1", **LATENCY)), series, "slo:sli_error:ratio_rate5m", [20])
    assert [round(value, 9) for _, _, value in found] == [0.02]
