import logging

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response

from libs.events.errors import BusUnavailableError, ReservedError, StorageFullError, StoreUnavailableError
from libs.events.resources import Resources
from libs.events.settings import Settings
from libs.web.app import create_service_app
from libs.web.auth import PUBLIC
from libs.web.routing import Router


async def opened(client: httpx.AsyncClient, name: str = "errors") -> httpx.Response:
    answer = await client.post("/v1/counters", json={"name": name})
    assert answer.status_code == 201, answer.text
    return answer


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    document = answer.json()
    assert (document["status"], document["code"], document["type"]) == (status, code, f"/problems/{code}")
    assert document["title"]
    assert document["detail"]
    assert len(document["trace_id"]) == 32
    assert document["instance"] == answer.request.url.path
    return document


async def test_a_command_answers_its_location_version_and_token(client: httpx.AsyncClient) -> None:
    answer = await opened(client)
    assert answer.json() == {"name": "errors", "value": 0}
    assert answer.headers["Location"] == "/v1/counters/errors"
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Consistency-Token"]


async def test_what_is_kept_with_an_answer_does_not_leave_the_service(client: httpx.AsyncClient) -> None:
    answer = await opened(client)
    assert not [name for name in answer.headers if name.startswith(":")]


async def test_a_domain_error_is_the_problem_its_table_says(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/counters/none:raise", json={"by": 1})
    document = assert_problem(answer, 404, "not-found")
    assert document["detail"] == "there is no such counter; open it first"


async def test_a_domain_error_may_add_members(client: httpx.AsyncClient) -> None:
    await opened(client)
    answer = await client.post("/v1/counters/errors:raise", json={"by": 11})
    assert assert_problem(answer, 409, "full")["left"] == 10


async def test_an_unknown_path_is_a_problem(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/v1/nothing"), 404, "not-found")


async def test_a_path_with_a_slash_too_many_is_not_redirected(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/v1/counters/"), 404, "not-found")


async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/counters")
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"]


async def test_a_wrong_shape_names_every_place(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/counters", json={"name": "A!", "note": 3, "colour": "red"})
    document = assert_problem(answer, 422, "invalid")
    assert [place["pointer"] for place in document["errors"]] == ["/name", "/note", "/colour"]
    assert document["errors"][2]["detail"] == "is not a field here; remove it"


async def test_a_body_that_is_missing_is_a_problem(client: httpx.AsyncClient) -> None:
    assert_problem(await client.post("/v1/counters"), 422, "invalid")


async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/counters", params={"page_size": "many"})
    assert assert_problem(answer, 422, "invalid")["errors"][0]["pointer"] == "page_size"


@pytest.mark.parametrize("path", ["/v1/counters?colour=red", "/v1/counters/errors?colour=red", "/v1/open/door?colour="])
async def test_an_unknown_parameter_is_refused_by_name(client: httpx.AsyncClient, path: str) -> None:
    await opened(client)
    document = assert_problem(await client.get(path.replace("/v1/open", "/v1/counters/open")), 400, "unknown-parameter")
    assert document["errors"][0]["pointer"] == "colour"


async def test_a_body_of_another_type_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/counters", content="name: errors", headers={"Content-Type": "application/yaml"})
    assert_problem(answer, 415, "unsupported-media-type")


async def test_json_of_a_finer_type_is_read(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    answer = await client.post("/v1/counters", content=b'{"name": "errors"}', headers=headers)
    assert answer.status_code == 201


async def test_a_bug_is_a_problem_with_a_trace_id_and_a_log_line(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="concordat.web"):
        answer = await client.get("/v1/counters/broken/defect")
    document = assert_problem(answer, 500, "internal-error")
    assert str(document["trace_id"]) in str(document["detail"])
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ReservedError("counter", "errors", "counter/other"), 409, "name-taken"),
        (StorageFullError(), 503, "storage-full"),
        (BusUnavailableError("no broker"), 503, "bus-unavailable"),
        (StoreUnavailableError("no database"), 503, "store-unavailable"),
    ],
)
async def test_what_a_store_or_the_bus_refuses_is_a_problem(
    resources: Resources, app: FastAPI, client: httpx.AsyncClient, error: Exception, status: int, code: str
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    resources.store.append = fail  # type: ignore[method-assign]  a store that is in trouble
    answer = await client.post("/v1/counters", json={"name": "errors"})
    assert_problem(answer, status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)


async def test_a_request_id_is_kept_if_it_is_decent(client: httpx.AsyncClient) -> None:
    kept = await client.get("/livez", headers={"X-Request-Id": "abc-1"})
    replaced = await client.get("/livez", headers={"X-Request-Id": "a\tb"})
    assert kept.headers["X-Request-Id"] == "abc-1"
    assert replaced.headers["X-Request-Id"] != "a\tb"


def test_a_route_must_name_its_scope() -> None:
    router = Router(prefix="/v1/things")

    async def things() -> None:
        """List."""

    with pytest.raises(TypeError, match="names no scope"):
        router.add_api_route("", things)


def test_a_router_of_another_make_is_refused(resources: Resources) -> None:
    plain = APIRouter(prefix="/v1/things")

    @plain.get("")
    async def things() -> None:
        """List."""

    with pytest.raises(TypeError, match=r"libs\.web\.routing\.Router"):
        create_service_app(resources=resources, title="Demo", routers=[plain], errors={}, settings=Settings())


def test_the_shape_of_an_answer_is_built_for_the_document_alone() -> None:
    router = Router(prefix="/v1/things")

    @router.get("", response_model=list[int], openapi_extra=PUBLIC)
    async def written() -> Response:
        """The bytes are the endpoint's own."""
        return Response(b"[1]")

    @router.get("/all", openapi_extra=PUBLIC)
    async def returned() -> list[int]:
        """FastAPI writes the bytes."""
        return [1]

    by_itself, by_fastapi = (route for route in router.routes if isinstance(route, APIRoute))
    assert "response_field" not in vars(by_itself)
    assert vars(by_fastapi)["response_field"] is not None
    assert by_itself.response_field is not None
    assert by_itself.response_model == list[int]


async def test_the_document_is_openapi_31_with_problems_and_headers(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/counters"]["post"]
    assert document["openapi"].startswith("3.1")
    assert operation["operationId"] == "open_counter"
    assert operation["x-concordat-scope"] == "counters.write"
    assert {"201", "400", "401", "403", "409", "412", "413", "415", "422", "503"} <= operation["responses"].keys()
    assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in operation["parameters"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert document["paths"]["/v1/counters/open/door"]["get"]["x-concordat-scope"] is None
    assert "/metrics" not in document["paths"]
