"""SLO definitions over HTTP."""

import asyncio
import json
from typing import Any

import pytest
import yaml

from services.slo.domain.slo.commands import Document
from tests.fixtures.services import Database, eventually
from tests.fixtures.slo import DOCUMENT, NAME, Slo, document, polled, running_slo


async def _send(slo: Slo, content: str, kind: str = "application/yaml", **headers: str) -> tuple[int, Document]:
    sent = {"Content-Type": kind} | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await slo.running.client.post("/v1/slos", content=content, headers=sent)
    return answer.status_code, answer.json()


async def test_an_openslo_document_becomes_an_slo(slo: Slo) -> None:
    answer = await slo.running.client.post(
        "/v1/slos", content=yaml.safe_dump(DOCUMENT), headers={"Content-Type": "application/yaml"}
    )
    assert (answer.status_code, answer.headers["Location"], answer.headers["ETag"]) == (201, f"/v1/slos/{NAME}", '"1"')
    assert "Consistency-Token" in answer.headers
    made = answer.json()
    assert (made["name"], made["service"], made["revision"], made["target"]) == (NAME, "checkout-api", 1, 0.99)
    assert (made["window"], made["method"], made["warnings"]) == ("28d", "Occurrences", [])

    got = await slo.call("GET", f"/v1/slos/{NAME}")
    assert got["document"] == DOCUMENT
    assert got["status"]["state"] == "undefined"
    assert (got["status"]["sli"], got["status"]["burn_rates"]["1h"], got["status"]["data_until"]) == (None, None, None)


async def test_the_same_definition_again_changes_nothing(slo: Slo) -> None:
    await slo.define()
    assert (await slo.define())["revision"] == 1


async def test_another_definition_under_the_name_is_refused_and_put_revises(slo: Slo) -> None:
    await slo.define()
    refused = await slo.call("POST", "/v1/slos", document(target=0.999), expect=409)
    assert (refused["code"], refused["revision"]) == ("slo-exists", 1)
    revised = await slo.call("PUT", f"/v1/slos/{NAME}", document(target=0.999), If_Match='"1"')
    assert (revised["revision"], revised["target"]) == (2, 0.999)
    stale = await slo.call("PUT", f"/v1/slos/{NAME}", document(target=0.9), expect=412, If_Match='"1"')
    assert stale["code"] == "precondition-failed"


async def test_a_repeated_request_gets_its_first_answer_though_the_slo_has_changed_since(slo: Slo) -> None:
    first = await slo.call("POST", "/v1/slos", DOCUMENT, expect=201, Idempotency_Key="k-1")
    await slo.call("PUT", f"/v1/slos/{NAME}", document(target=0.999))
    assert await slo.call("POST", "/v1/slos", DOCUMENT, expect=201, Idempotency_Key="k-1") == first
    refused = {"code": "slo-exists", "revision": 2}
    assert (await slo.call("POST", "/v1/slos", DOCUMENT, expect=409, Idempotency_Key="k-2")).items() >= refused.items()
    await slo.call("PUT", f"/v1/slos/{NAME}", DOCUMENT)
    assert (await slo.call("POST", "/v1/slos", DOCUMENT, expect=201, Idempotency_Key="k-2"))["revision"] == 3


async def test_put_keeps_the_name_of_its_path(slo: Slo) -> None:
    refused = await slo.call("PUT", "/v1/slos/other", DOCUMENT, expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("name-differs", "/metadata/name")


async def test_a_service_nobody_told_of_is_refused_with_its_place(slo: Slo) -> None:
    refused = await slo.call("POST", "/v1/slos", document(service="chekout"), expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("unknown-service", "/spec/service")


async def test_a_service_that_is_being_registered_is_waited_for(database: Database) -> None:
    async with running_slo(database, service_wait_s=10) as slo:
        sent = asyncio.create_task(slo.call("POST", "/v1/slos", document(service="search"), expect=201))
        await asyncio.sleep(0)  # the request is on its way
        await slo.lifecycle.says("service.registered", "service/search", service="search")
        assert (await sent)["service"] == "search"


async def test_every_broken_rule_is_named(slo: Slo) -> None:
    wrong = document("Not A Label", target=1.0)
    wrong["spec"]["team"] = "checkout"
    refused = await slo.call("POST", "/v1/slos", wrong, expect=422)
    assert refused["code"] == "invalid-openslo"
    assert [(e["path"], e["code"], e["pointer"]) for e in refused["errors"]] == [
        ("spec.team", "unknown_field", "/spec/team"),
        ("metadata.name", "string_dns_label:string_match_regexp", "/metadata/name"),
        ("spec.objectives[0].target", "less_than", "/spec/objectives/0/target"),
    ]


async def test_what_is_without_effect_is_said(slo: Slo) -> None:
    wanted = document()
    wanted["spec"]["objectives"].append({"displayName": "Better", "target": 0.999})
    made = await slo.call("POST", "/v1/slos", wanted, expect=201)
    assert "first objective" in made["warnings"][0]
    assert (await slo.call("GET", f"/v1/slos/{NAME}"))["warnings"] == made["warnings"]


@pytest.mark.parametrize(
    ("content", "line", "detail"),
    [("a: 1\na: 2\n", 2, "twice"), ('{"a": 1,\n', 2, "did not find"), ("", 1, "there is no document")],
)
async def test_a_text_that_cannot_be_read_is_refused_with_its_line(
    slo: Slo, content: str, line: int, detail: str
) -> None:
    status, problem = await _send(slo, content)
    assert (status, problem["code"], problem["line"]) == (422, "unreadable-document", line)
    assert detail in str(problem["detail"])


async def test_of_many_documents_each_has_a_result_of_its_own(slo: Slo) -> None:
    texts = [document("a"), document("b", service="nobody"), document("c", target=1.0), document("a", target=0.5)]
    status, answer = await _send(slo, "---\n".join(yaml.safe_dump(text) for text in texts), Idempotency_Key="k-1")
    results = answer["items"]
    assert isinstance(results, list)
    assert status == 207
    assert [(r["document"], r["status"]) for r in results] == [(0, 201), (1, 422), (2, 422), (3, 422)]
    assert [r["problem"]["code"] for r in results[1:]] == ["unknown-service", "invalid-openslo", "invalid-openslo"]
    assert results[3]["problem"]["errors"][0]["code"] == "duplicate"
    assert await _send(slo, "---\n".join(yaml.safe_dump(text) for text in texts), Idempotency_Key="k-1") == (
        207,
        answer,
    )


async def test_events_of_many_documents_have_ids_of_their_own(slo: Slo) -> None:
    status, _ = await _send(slo, json.dumps([document("a"), document("b")]), "application/json")
    assert status == 207
    assert (await slo.call("GET", "/v1/slos/b"))["revision"] == 1


async def test_a_list_is_filtered_and_shows_the_last_figures(slo: Slo) -> None:
    await slo.define("a")
    await slo.lifecycle.says("service.registered", "service/search", service="search")
    await slo.knows("search")
    token = (await slo.running.client.post("/v1/slos", json=document("b", service="search"))).headers[
        "Consistency-Token"
    ]
    page = await slo.call("GET", "/v1/slos", Consistency_Token=token)
    assert [item["name"] for item in page["items"]] == ["a", "b"]
    page = await slo.call("GET", "/v1/slos?service=search&service=nobody")
    assert [item["name"] for item in page["items"]] == ["b"]

    async def assessed() -> bool:
        listed = await slo.call("GET", "/v1/slos?state=undefined")
        return len(listed["items"]) == 2 and all(item["assessed_at"] for item in listed["items"])

    assert await eventually(assessed)
    assert (await slo.call("GET", "/v1/slos?state=met"))["items"] == []


async def test_what_is_not_defined_is_not_found(slo: Slo) -> None:
    for path in ("", "/status", "/alerts"):
        assert (await slo.call("GET", f"/v1/slos/nothing{path}", expect=404))["code"] == "not-found"


async def test_documents_are_checked_without_being_kept(slo: Slo) -> None:
    wrong = document()
    wrong["spec"]["team"] = "checkout"
    strict = await slo.call("POST", "/v1/openslo:validate", [DOCUMENT, wrong])
    error = {"path": "spec.team", "code": "unknown_field", "document": 1}
    assert not strict["valid"]
    assert strict["errors"][0].items() >= error.items()
    lenient = await slo.call("POST", "/v1/openslo:validate?mode=lenient", wrong)
    assert (lenient["valid"], lenient["errors"], lenient["warnings"][0]["path"]) == (True, [], "spec.team")
    await slo.call("GET", f"/v1/slos/{NAME}", expect=404)


async def test_a_text_that_cannot_be_read_is_not_valid(slo: Slo) -> None:
    answer = await slo.running.client.post("/v1/openslo:validate", content=b"a: [")
    assert answer.status_code == 200
    assert (answer.json()["valid"], answer.json()["errors"][0]["code"]) == (False, "unreadable")


async def test_a_window_longer_than_minutes_are_kept_is_warned_of_in_every_answer(slo: Slo) -> None:
    sent = document()
    sent["spec"]["timeWindow"][0]["duration"] = "90d"
    made = await slo.call("POST", "/v1/slos", sent, expect=201)
    (warning,) = made["warnings"]
    assert "longer than minutes are kept (35 days): it will begin at a full hour" in warning
    for answer in (
        await slo.call("PUT", f"/v1/slos/{NAME}", sent),
        await slo.call("GET", f"/v1/slos/{NAME}"),
        (await slo.call("POST", "/v1/slos", [sent, document("other")], expect=207))["items"][0],
    ):
        assert answer["warnings"] == [warning]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "nothing polls 'prometheus': PUT /v1/sources/prometheus"),
        ({"spec": {"query": "avg(requests_total)"}}, "query-not-a-counter"),
        ({"metricSourceRef": ""}, "nothing polls it: have all its metrics name the same source"),
    ],
)
async def test_why_a_metric_cannot_be_polled_is_said_at_once(slo: Slo, change: dict[str, Any], said: str) -> None:
    sent = polled()
    sent["spec"]["indicator"]["spec"]["ratioMetric"]["total"]["metricSource"] |= change
    source = {
        "apiVersion": "openslo/v1",
        "kind": "DataSource",
        "metadata": {"name": "prometheus"},
        "spec": {"type": "Prometheus", "connectionDetails": {}},
    }
    warnings = (await slo.call("POST", "/v1/slos", [sent, source], expect=207))["items"][0]["warnings"]
    assert said in warnings[0]
