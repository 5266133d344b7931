"""OpenSLO of every kind over HTTP: references, revisions that follow, and what is refused while it is needed."""

import asyncio
import copy
from typing import Any

import pytest
import yaml

from services.slo.contract import SLO
from services.slo.domain.slo.decider import Defined, definition_of
from services.slo.domain.windows import Calendar
from tests.fixtures.services import memory_is_enough
from tests.fixtures.slo import MINUTE, NAME, Slo, document

Document = dict[str, Any]
QUERY = 'sum(http_requests_total{code!~"5.."})'


def _object(kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": "openslo/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _sli(query: str = QUERY) -> Document:
    good, total = ({"metricSource": {"metricSourceRef": "prom", "spec": {"query": q}}} for q in (query, "up"))
    return _object("SLI", "answers", {"ratioMetric": {"counter": True, "good": good, "total": total}})


def _condition(threshold: float = 14.4) -> Document:
    condition = {"kind": "burnrate", "op": "gte", "threshold": threshold, "lookbackWindow": "1h", "alertAfter": "5m"}
    return _object("AlertCondition", "burns", {"severity": "page", "condition": condition})


def _slo(name: str = NAME) -> Document:
    made = document(name)
    del made["spec"]["indicator"]
    made["spec"] |= {"indicatorRef": "answers", "alertPolicies": [{"alertPolicyRef": "fast"}]}
    return made


PROM = _object("DataSource", "prom", {"type": "Prometheus", "connectionDetails": {"url": "http://prom:9090"}})
TARGET = _object("AlertNotificationTarget", "on-call", {"target": "pager"})
POLICY = _object(
    "AlertPolicy",
    "fast",
    {
        "alertWhenBreaching": True,
        "conditions": [{"conditionRef": "burns"}],
        "notificationTargets": [{"targetRef": "on-call"}],
    },
)
ALL = [_slo(), POLICY, _condition(), TARGET, _sli(), PROM]


async def _send(slo: Slo, documents: list[Document], query: str = "") -> list[Document]:
    answer = await slo.call("POST", f"/v1/slos{query}", documents, expect=207)
    return answer["items"]


async def _definition(slo: Slo, name: str = NAME) -> Any:
    state = (await slo.running.resources.handler.load(SLO, name)).state
    assert isinstance(state, Defined)
    return definition_of(state)


@memory_is_enough
async def test_an_slo_and_what_it_uses_may_be_changed_at_once(slo: Slo) -> None:
    await _send(slo, ALL)
    changed = _slo()
    changed["spec"]["objectives"][0]["target"] = 0.95

    await asyncio.gather(
        slo.call("PUT", f"/v1/slos/{NAME}", changed),
        slo.call("PUT", "/v1/openslo/SLI/answers", _sli("sum(answered)")),
    )

    definition = await _definition(slo)
    assert (await slo.call("GET", f"/v1/slos/{NAME}"))["target"] == pytest.approx(0.95)
    assert definition.indicator.metrics["good"].query == "sum(answered)"


async def test_documents_of_one_request_refer_to_each_other_in_any_order(slo: Slo) -> None:
    results = await _send(slo, ALL)
    assert [(r["kind"], r["status"], r["revision"]) for r in results] == [(d["kind"], 201, 1) for d in ALL]
    definition = await _definition(slo)
    assert definition.indicator.metrics["good"].query == QUERY
    assert [c.factor for c in definition.policies[0].conditions] == [pytest.approx(14.4)]


async def test_what_was_stored_before_can_be_referred_to(slo: Slo) -> None:
    for each in reversed(ALL[1:]):
        made = await slo.call("POST", "/v1/slos", each, expect=201)
        assert (made["kind"], made["name"], made["document"]) == (each["kind"], each["metadata"]["name"], each)
    made = await slo.call("POST", "/v1/slos", _slo(), expect=201)
    assert (made["name"], made["revision"]) == (NAME, 1)
    assert made["warnings"] == ["nothing polls 'prom': PUT /v1/sources/prom says how it is asked"]


async def test_a_reference_to_nothing_is_refused_with_its_place_and_the_rest_is_kept(slo: Slo) -> None:
    results = await _send(slo, ALL[:4])
    assert [r["status"] for r in results] == [422, 201, 201, 201]
    error = results[0]["problem"]["errors"][0]
    assert (error["code"], error["path"], error["pointer"]) == (
        "unknown_reference",
        "spec.indicatorRef",
        "/spec/indicatorRef",
    )


async def test_an_edited_sli_gives_its_slos_a_new_revision_and_history_stays(slo: Slo) -> None:
    await _send(slo, [*ALL, _slo("other"), document("alone")])
    before = slo.clock.now()
    slo.clock.advance(MINUTE)
    edited = await slo.call("PUT", "/v1/openslo/SLI/answers", _sli("up"))
    assert edited["revision"] == 2
    for name in (NAME, "other"):
        assert (await slo.call("GET", f"/v1/slos/{name}"))["revision"] == 2
        assert (await _definition(slo, name)).indicator.metrics["good"].query == "up"
    assert (await slo.call("GET", "/v1/slos/alone"))["revision"] == 1
    past = await slo.call("GET", f"/v1/slos/{NAME}?as_of={before.isoformat().replace('+00:00', 'Z')}")
    assert past["revision"] == 1


async def test_an_edited_condition_is_followed_through_its_policy(slo: Slo) -> None:
    await _send(slo, ALL)
    await slo.call("PUT", "/v1/openslo/AlertCondition/burns", _condition(10))
    assert (await _definition(slo)).policies[0].conditions[0].factor == 10


async def test_an_edit_that_would_break_an_slo_is_refused_and_changes_nothing(slo: Slo) -> None:
    await _send(slo, ALL)
    refused = await slo.call("PUT", "/v1/openslo/AlertCondition/burns", _condition(1000), expect=409)
    assert (refused["code"], refused["used_by"]) == ("in-use", [f"SLO/{NAME}"])
    assert "can never fire" in refused["detail"]
    assert (await slo.call("GET", "/v1/openslo/AlertCondition/burns"))["document"] == _condition()
    assert (await slo.call("GET", f"/v1/slos/{NAME}"))["revision"] == 1


async def test_what_is_needed_is_not_removed_and_what_is_not_stays_readable(slo: Slo) -> None:
    await _send(slo, ALL)
    refused = await slo.call("DELETE", "/v1/openslo/DataSource/prom", expect=409)
    assert (refused["code"], refused["used_by"]) == ("in-use", ["SLI/answers", f"SLO/{NAME}"])
    ended = await slo.call("DELETE", f"/v1/slos/{NAME}?reason=replaced")
    assert ended["ended_at"]
    assert (await slo.call("GET", f"/v1/slos/{NAME}"))["ended_at"] == ended["ended_at"]
    assert (await slo.call("DELETE", "/v1/openslo/SLI/answers"))["removed_at"]
    assert (await slo.call("GET", "/v1/openslo/SLI/answers"))["removed_at"]
    refused = await slo.call("POST", "/v1/slos", _slo("late"), expect=422)
    assert refused["errors"][0]["code"] == "unknown_reference"
    assert (await slo.call("DELETE", "/v1/openslo/SLI/nothing", expect=404))["code"] == "not-found"


async def test_an_slo_that_ended_can_be_promised_again(slo: Slo) -> None:
    await slo.define()
    await slo.call("DELETE", f"/v1/slos/{NAME}")
    again = await slo.define()
    assert (again["revision"], again["ended_at"]) == (2, None)


async def test_a_bundle_is_sent_again_with_changes(slo: Slo) -> None:
    await _send(slo, ALL)
    changed = [_slo(), POLICY, _condition(10), TARGET, _sli("up"), PROM]
    assert [r["status"] for r in await _send(slo, changed)] == [201, 201, 409, 201, 409, 201]
    results = await _send(slo, changed, "?revise=true")
    assert [(r["kind"], r["revision"]) for r in results] == [
        ("SLO", 2),
        ("AlertPolicy", 1),
        ("AlertCondition", 2),
        ("AlertNotificationTarget", 1),
        ("SLI", 2),
        ("DataSource", 1),
    ]


async def test_a_composite_that_contains_itself_is_refused(slo: Slo) -> None:
    def composite(name: str, *parts: str) -> Document:
        made = document(name)
        del made["spec"]["indicator"]
        made["spec"]["objectives"] = [{"target": 0.9, "indicatorRef": part} for part in parts]
        return made

    await slo.define("a")
    await slo.call("POST", "/v1/slos", composite("b", "a"), expect=201)
    await slo.call("POST", "/v1/slos", composite("c", "b"), expect=201)
    refused = await slo.call("PUT", "/v1/slos/b", composite("b", "a", "c"), expect=422)
    assert [e["code"] for e in refused["errors"]] == ["cycle"]
    assert (await slo.call("DELETE", "/v1/slos/a", expect=409))["used_by"] == ["SLO/b", "SLO/c"]


async def test_calendar_windows_keep_zone_and_anchor(slo: Slo) -> None:
    wanted = document()
    wanted["spec"]["timeWindow"] = [
        {"duration": "1M", "calendar": {"startTime": "2026-01-31 00:00:00", "timeZone": "Europe/Warsaw"}}
    ]
    assert (await slo.call("POST", "/v1/slos", wanted, expect=201))["window"] == "1M"
    window = (await _definition(slo)).window
    assert isinstance(window, Calendar)
    assert (window.zone, window.anchor.day) == ("Europe/Warsaw", 31)


async def test_export_gives_back_what_came_in(slo: Slo) -> None:
    await _send(slo, ALL)
    client = slo.running.client
    answer = await client.get(f"/v1/slos/{NAME}/document")
    assert answer.headers["Content-Type"].startswith("application/yaml")
    assert yaml.safe_load(answer.text) == _slo()
    answer = await client.get(f"/v1/slos/{NAME}/document", headers={"Accept": "application/json"})
    assert answer.json() == _slo()
    answer = await client.get(f"/v1/slos/{NAME}/document?references=true")
    whole = {(d["kind"], d["metadata"]["name"]): d for d in yaml.safe_load_all(answer.text)}
    assert whole == {(d["kind"], d["metadata"]["name"]): d for d in ALL}
    answer = await client.get("/v1/openslo/SLI/answers/document")
    assert yaml.safe_load(answer.text) == _sli()


async def test_fields_openslo_does_not_know_are_warnings_in_lenient_mode(slo: Slo) -> None:
    odd = document()
    odd["spec"]["team"] = "checkout"
    await slo.call("POST", "/v1/slos", odd, expect=422)
    made = await slo.call("POST", "/v1/slos?mode=lenient", odd, expect=201)
    assert made["warnings"][0].startswith("spec.team: ")
    assert made["document"] == odd


async def test_a_service_document_makes_a_service_known_with_a_warning(slo: Slo) -> None:
    service = _object("Service", "search", {})
    results = await _send(slo, [service, document("a") | {"spec": document("a", service="search")["spec"]}])
    assert [r["status"] for r in results] == [201, 201]
    assert "is not registered" in results[1]["warnings"][0]


async def test_promql_is_checked_where_the_source_is_a_prometheus(slo: Slo) -> None:
    results = await _send(slo, [PROM, _sli("sum(")])
    assert [r["status"] for r in results] == [201, 422]
    assert results[1]["problem"]["errors"][0]["code"] == "promql"


async def test_objects_are_listed_by_kind(slo: Slo) -> None:
    second = copy.deepcopy(PROM)
    second["metadata"]["name"] = "other"
    answer = await slo.running.client.post("/v1/slos", json=[PROM, second, TARGET])
    token = answer.headers["Consistency-Token"]
    page = await slo.call("GET", "/v1/openslo/DataSource?page_size=1", Consistency_Token=token)
    assert [item["name"] for item in page["items"]] == ["other"]
    page = await slo.call("GET", f"/v1/openslo/DataSource?page_size=1&page_token={page['next_page_token']}")
    assert [(item["name"], item["document"]) for item in page["items"]] == [("prom", PROM)]


async def test_what_would_be_refused_here_is_said_by_validation_and_valid_all_the_same(slo: Slo) -> None:
    answer = await slo.call("POST", "/v1/openslo:validate", _slo())
    assert (answer["valid"], answer["errors"]) == (True, [])
    assert [(u["document"], u["path"], u["code"]) for u in answer["unresolved"]] == [
        (0, "spec.indicatorRef", "unknown_reference"),
        (0, "spec.alertPolicies[0].alertPolicyRef", "unknown_reference"),
    ]
    assert (await slo.call("POST", "/v1/openslo:validate", ALL))["unresolved"] == []
