"""What passes through the gateway, and what does not."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI


async def test_a_write_goes_to_its_owner_and_its_answer_comes_back(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/services", content=b'{ "name":"checkout-api" }', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 201, answer.text
    assert answer.content == b'{ "name":"checkout-api" }'
    assert answer.headers["Location"] == "/v1/services/checkout-api"
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Consistency-Token"] == "token"


async def test_the_owner_sees_who_asks_but_never_the_key(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/services", json={"name": "x"})
    assert answer.headers["X-Seen-By"] == "admin"
    assert answer.headers["X-Seen-Key"] == "none"


async def test_the_trace_goes_on(client: httpx.AsyncClient) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await client.post("/v1/services", json={"name": "x"}, headers={"traceparent": trace})
    assert answer.headers["X-Seen-Trace"].startswith("00-0af7651916cd43dd8448eb211c80319c-")


async def test_a_request_has_one_id_from_end_to_end(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/services", json={"name": "x"}, headers={"X-Request-Id": "r-1"})
    assert answer.headers.get_list("X-Request-Id") == ["r-1"]


async def test_headers_of_one_hop_stay_on_it(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/services", json={"name": "x"})
    assert "connection" not in answer.headers
    assert "x-hop" not in answer.headers


async def test_the_callers_idempotency_key_goes_on_as_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/services", json={"name": "x"}, headers={"Idempotency-Key": '"mine"'})
    assert answer.headers["X-Seen-Idempotency-Key"] == '"mine"'


async def test_a_query_goes_on_as_it_was_written(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/services?tier=1&tier=%32")
    assert answer.content == b"tier=1&tier=%32"
    assert answer.headers["Link"] == '</v1/services?x>; rel="next"'


async def test_a_query_that_was_not_encoded_is(app: FastAPI, admin_key: str) -> None:
    sent: list[Any] = []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/v1/services",
        "raw_path": b"/v1/services",
        "query_string": "tier=1&q=\u00e4".encode(),
        "headers": [(b"x-api-key", admin_key.encode())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] == 400  # the owner's word: it has no parameter `q`
    assert b"parameter 'q'" in sent[1]["body"]


async def test_a_verb_finds_its_operation(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/services/checkout-api:transition")).json() == {"moved": "checkout-api"}


async def test_a_patch_of_a_service_goes_to_lifecycle_though_get_is_the_gateways(client: httpx.AsyncClient) -> None:
    assert (await client.patch("/v1/services/x", headers={"If-Match": '"3"'})).text == '"3"'
    assert "next_gate" in (await client.get("/v1/services/x")).json()


async def test_the_owners_refusal_comes_back_as_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.patch("/v1/services/x")
    assert answer.status_code == 428
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "if-match-required"


async def test_a_defect_of_the_owner_comes_back_as_its_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/services/x/broken")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal-error"


async def test_a_public_route_needs_no_key(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.post("/v2/enqueue", content=b"{}")
    assert (answer.status_code, answer.content) == (202, b"{}")


async def test_a_public_route_gets_the_clients_own_authorization_and_no_forged_one(
    anonymous: httpx.AsyncClient,
) -> None:
    forged = {"X-Client-Authorization": "Bearer forged"}
    for sent, seen in (
        ({"Authorization": "Bearer key"}, "Bearer key"),
        ({"Authorization": "Bearer key", **forged}, "Bearer key"),
        (forged, ""),
    ):
        answer = await anonymous.post("/v2/enqueue", content=b"{}", headers=sent)
        assert answer.headers["X-Seen-Authorization"] == seen


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz", "/metrics", "/openapi.json"])
async def test_probes_metrics_and_the_document_need_no_key(anonymous: httpx.AsyncClient, path: str) -> None:
    assert (await anonymous.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v1/services/", "/v1/services/x:dance", "/docs"])
async def test_an_unknown_path_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not-found"


async def test_a_wrong_method_is_a_problem_that_lists_the_right_ones(client: httpx.AsyncClient) -> None:
    answer = await client.put("/v1/services/x")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, PATCH"
    assert answer.json()["code"] == "method-not-allowed"


@pytest.mark.parametrize("path", ["/v1/services?tier=1", "/v1/services/x", "/v1/services/x/broken", "/livez"])
async def test_what_can_be_read_can_be_asked_for_with_head(client: httpx.AsyncClient, path: str) -> None:
    read, asked = await client.get(path), await client.head(path)
    assert (asked.status_code, asked.content) == (read.status_code, b"")
    assert asked.headers["Content-Length"] == str(len(read.content))
    assert asked.headers.get("Content-Type") == read.headers.get("Content-Type")


async def test_a_stream_cannot_be_asked_for_with_head_for_it_has_no_end(client: httpx.AsyncClient) -> None:
    answer = await client.head("/v1/events/stream")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


async def test_head_needs_the_same_key(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.head("/v1/services")).status_code == 401


async def test_a_body_that_is_too_large_does_not_reach_the_owner(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/services", content=b"x" * 10_001)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body-too-large"


async def test_a_body_that_grows_too_large_is_refused_too(client: httpx.AsyncClient) -> None:
    async def endless():  # noqa: ANN202  bytes, bit by bit
        for _ in range(11):
            yield b"x" * 1000

    assert (await client.post("/v1/services", content=endless())).status_code == 413
