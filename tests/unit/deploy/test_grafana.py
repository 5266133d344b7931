"""Every query of the Grafana dashboards names something that Concordat answers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.slo import collector
from services.slo.exchange.promql import complainer
from services.slo.metrics import Fleet, Published

ROOT = Path(__file__).parents[3]
DASHBOARDS = sorted((ROOT / "deploy" / "grafana").glob("*.json"))
API: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))


def _targets(dashboard: Path) -> Iterator[dict[str, Any]]:
    held = json.loads(dashboard.read_text(encoding="utf-8"))
    for variable in held["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["infinityQuery"]
    for panel in held["panels"]:
        yield from panel["targets"]


HTTP = [pytest.param(t, id=f"{d.stem}-{i}") for d in DASHBOARDS for i, t in enumerate(_targets(d)) if "url" in t]
METRICS = [pytest.param(t, id=f"{d.stem}-{i}") for d in DASHBOARDS for i, t in enumerate(_targets(d)) if "expr" in t]


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """*schema* with references followed, and without null as another possibility."""
    if "anyOf" in schema:
        return _schema(next(each for each in schema["anyOf"] if each.get("type") != "null"))
    if "$ref" in schema:
        return API["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def test_there_are_dashboards_of_both_kinds() -> None:
    assert HTTP
    assert METRICS


@pytest.mark.parametrize("target", HTTP)
def test_every_request_is_one_that_the_api_documents(target: dict[str, Any]) -> None:
    operation = API["paths"][target["url"].replace("${slo}", "{slo}")]["get"]
    declared = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
    assert {parameter["key"] for parameter in target["url_options"]["params"]} <= declared
    assert target["url_options"]["method"] == "GET"


@pytest.mark.parametrize("target", HTTP)
def test_every_column_is_a_field_of_the_answer(target: dict[str, Any]) -> None:
    operation = API["paths"][target["url"].replace("${slo}", "{slo}")]["get"]
    found = _schema(operation["responses"]["200"]["content"]["application/json"]["schema"])
    for part in filter(None, target["root_selector"].split(".")):
        found = _schema(found["properties"][part])
        found = _schema(found["items"]) if found.get("type") == "array" else found
    assert {column["selector"] for column in target["columns"]} <= found["properties"].keys()


@pytest.mark.parametrize("target", METRICS)
def test_every_expression_is_promql_over_metrics_that_are_exported(target: dict[str, Any]) -> None:
    fleet = Fleet()
    fleet.published = Published({}, {}, ())
    exported = {family.name for family in fleet.collect()} | {
        family.name for family in collector.EVALUATION_SECONDS.describe()
    }
    assert complainer()(target["expr"]) is None
    assert set(re.findall(r"concordat_\w+", target["expr"])) <= exported
