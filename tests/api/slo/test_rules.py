"""Prometheus rules over HTTP."""

from typing import Any

import yaml

from tests.fixtures.services import memory_is_enough
from tests.fixtures.slo import NAME, Slo, document

SLOTH = """
version: prometheus/v1
service: myservice
slos:
  - name: requests-availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting:
      name: HighErrorRate
"""
SLI = {
    "apiVersion": "openslo/v1",
    "kind": "SLI",
    "metadata": {"name": "answers"},
    "spec": {
        "ratioMetric": {
            "counter": True,
            "good": {"metricSource": {"type": "Prometheus", "spec": {"query": 'http_requests_total{code!~"5.."}'}}},
            "total": {"metricSource": {"type": "Prometheus", "spec": {"query": "http_requests_total"}}},
        }
    },
}


def _records(text: str) -> set[str]:
    groups = [group for each in yaml.safe_load_all(text) for group in each["groups"]]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


async def _generate(slo: Slo, text: str, query: str = "") -> Any:
    return await slo.running.client.post(f"/v1/prometheus-rules:generate{query}", content=text)


@memory_is_enough
async def test_a_sloth_document_becomes_rules(slo: Slo) -> None:
    answer = await _generate(slo, SLOTH)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/yaml")
    assert {"slo:sli_error:ratio_rate5m", "slo:sli_error:ratio_rate30d"} <= _records(answer.text)
    weekly = await _generate(slo, SLOTH, "?period=28d&event_weighted=true")
    assert "slo:sli_error:ratio_rate4w" in _records(weekly.text)


@memory_is_enough
async def test_what_no_rules_can_be_made_of_is_refused_with_document_and_place(slo: Slo) -> None:
    answer = await _generate(slo, SLOTH.replace("99.9", "100"))
    assert answer.status_code == 422
    problem = answer.json()
    error = problem["errors"][0]
    assert (problem["code"], error["document"], error["pointer"]) == ("no-rules", 0, "/slos/0/objective")


@memory_is_enough
async def test_an_slo_that_is_stored_has_rules_with_what_it_refers_to(slo: Slo) -> None:
    wanted = document()
    del wanted["spec"]["indicator"]
    wanted["spec"]["indicatorRef"] = "answers"
    await slo.call("POST", "/v1/slos", [SLI, wanted], expect=207)
    answer = await slo.running.client.get(f"/v1/slos/{NAME}/prometheus-rules")
    assert answer.status_code == 200
    assert "slo:sli_error:ratio_rate4w" in _records(answer.text)
    assert (await slo.running.client.get("/v1/slos/nothing/prometheus-rules")).status_code == 404
