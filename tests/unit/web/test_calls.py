import httpx
import pytest

from libs.events.resources import Resources
from libs.events.store import IdempotencyKey
from libs.web.consistency import ConsistencyToken


async def raised(client: httpx.AsyncClient, by: int = 1, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/v1/counters/errors:raise", json={"by": by}, headers=named)


@pytest.fixture(autouse=True)
async def _open(client: httpx.AsyncClient) -> None:
    await client.post("/v1/counters", json={"name": "errors"})


async def test_an_event_says_who_when_and_through_which_request(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await raised(client, X_Request_Id="r-1", traceparent=trace)
    [_, recorded] = await resources.store.load("counter/errors")
    meta = recorded.meta
    assert (meta.actor, meta.auth_method, meta.client) == ("ana", "api-key", "key-1")
    assert (meta.request_id, meta.correlation_id) == ("r-1", "r-1")
    assert meta.traceparent.startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert recorded.occurred_at == resources.clock.now()


async def test_the_version_that_was_seen_is_changed(client: httpx.AsyncClient) -> None:
    answer = await raised(client, If_Match='"1"')
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')


async def test_a_stale_version_is_412_and_names_the_present_one(client: httpx.AsyncClient) -> None:
    await raised(client)
    answer = await raised(client, If_Match='"1"')
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition-failed")
    assert "version 2" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("if_match", "status"),
    [("*", 200), ('W/"1"', 412), ('"abc"', 412), ("1", 400), ('"1", "2"', 400), ('"' + "9" * 30 + '"', 412)],
)
async def test_if_match_is_read_strictly(client: httpx.AsyncClient, if_match: str, status: int) -> None:
    assert (await raised(client, If_Match=if_match)).status_code == status


async def test_a_route_may_require_if_match(client: httpx.AsyncClient) -> None:
    without = await client.patch("/v1/counters/errors", json={"by": 1})
    given = await client.patch("/v1/counters/errors", json={"by": 1}, headers={"If-Match": '"1"'})
    assert (without.status_code, without.json()["code"]) == (428, "if-match-required")
    assert given.status_code == 200


async def test_the_same_key_replays_the_answer_and_its_token(client: httpx.AsyncClient) -> None:
    first = await raised(client, Idempotency_Key="k-1")
    again = await raised(client, Idempotency_Key='"k-1"')
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    for name in ("ETag", "Consistency-Token", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.json()["value"] == 1


async def test_the_token_names_the_published_event_behind_which_internal_ones_may_stand(
    client: httpx.AsyncClient,
) -> None:
    opened = await client.post("/v1/counters", json={"name": "more"})
    answer = await raised(client)
    internal = ConsistencyToken.decode(opened.headers["Consistency-Token"])
    public = ConsistencyToken.decode(answer.headers["Consistency-Token"])
    assert (internal.position, internal.published) == (2, 0)
    assert (public.position, public.published) == (3, 3)


async def test_the_same_key_with_another_payload_is_refused(client: httpx.AsyncClient) -> None:
    await raised(client, Idempotency_Key="k-1")
    answer = await raised(client, by=2, Idempotency_Key="k-1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")


async def test_the_same_key_on_another_resource_is_another_key(client: httpx.AsyncClient) -> None:
    await client.post("/v1/counters", json={"name": "more"})
    await raised(client, Idempotency_Key="k-1")
    other = await client.post("/v1/counters/more:raise", json={"by": 1}, headers={"Idempotency-Key": "k-1"})
    assert "Idempotency-Replayed" not in other.headers


async def test_a_key_in_flight_is_409(client: httpx.AsyncClient, resources: Resources) -> None:
    payload = "f9b5e3c3ba7e5f4d6fc5ec5f6c8b0a"
    key = IdempotencyKey("ana", "POST /v1/counters/errors:raise", "k-1", payload)
    await resources.store.begin(key, resources.clock.now())
    answer = await raised(client, Idempotency_Key="k-1")
    assert answer.status_code in {409, 422}


async def test_a_refused_command_frees_its_key(client: httpx.AsyncClient) -> None:
    refused = await raised(client, by=11, Idempotency_Key="k-1")
    answer = await raised(client, by=1, Idempotency_Key="k-1")
    assert (refused.status_code, answer.status_code) == (409, 200)


async def test_a_command_that_was_carried_out_keeps_its_answer_too(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first = await client.post("/v1/counters", json={"name": "errors"}, headers=headers)
    again = await client.post("/v1/counters", json={"name": "errors"}, headers=headers)
    assert first.headers["Consistency-Token"] == again.headers["Consistency-Token"]
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", ["", '""', "a b", "k" * 256, 'a"b', "\x7f"])
async def test_a_key_that_cannot_be_read_is_400(client: httpx.AsyncClient, key: str) -> None:
    answer = await raised(client, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-idempotency-key")


async def test_work_outside_an_aggregate_runs_once_per_key(client: httpx.AsyncClient) -> None:
    first = await client.post("/v1/counters/batch/run", json={"a": 1}, headers={"Idempotency-Key": "k"})
    again = await client.post("/v1/counters/batch/run", json={"a": 1}, headers={"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["Idempotency-Replayed"] == "true"
