"""Keys over HTTP: made, shown once, used, looked at, revoked."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from libs.events.resources import Resources
from libs.events.testing import FrozenClock

CI = {"owner": "ci", "owner_kind": "machine", "scopes": ["services.read"]}


async def make(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/v1/api-keys", json=CI | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_key_is_made_and_used(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    made = await make(client, scopes=["slos.write", "services.read"])
    whoami = await anonymous.get("/v1/whoami", headers={"X-API-Key": made["key"]})
    assert whoami.json() == {
        "name": "ci",
        "kind": "machine",
        "scopes": ["services.read", "slos.write"],
        "auth_method": "api-key",
        "api_key": made["id"],
    }


async def test_a_new_key_has_a_place_a_version_and_a_token(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/api-keys", json=CI)
    assert answer.headers["Location"] == f"/v1/api-keys/{answer.json()['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Consistency-Token"]


async def test_the_secret_is_shown_once_and_kept_nowhere(client: httpx.AsyncClient, resources: Resources) -> None:
    made = await make(client)
    assert "key" not in (await client.get(f"/v1/api-keys/{made['id']}")).json()
    secret = made["key"].split("_", 2)[2]
    for event in await resources.store.read(0, 10):
        assert secret.encode() not in event.data + event.metadata


async def test_a_repeated_request_does_not_show_the_secret_again(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    headers = {"Idempotency-Key": "once"}
    first = await client.post("/v1/api-keys", json=CI, headers=headers)
    again = await client.post("/v1/api-keys", json=CI, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json() | {"key": None}
    assert await resources.store.head() == 2  # the admin's key and this one


@pytest.mark.parametrize("key", [None, "", "cc_x", "cc_unknown_secret", "nonsense"])
async def test_without_a_good_key_the_answer_is_401_and_says_how(anonymous: httpx.AsyncClient, key: str | None) -> None:
    answer = await anonymous.get("/v1/whoami", headers={} if key is None else {"X-API-Key": key})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("ApiKey")
    assert answer.json()["code"] == "unauthenticated"


async def test_the_internal_token_is_no_way_in(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/v1/whoami", headers={"Authorization": "Bearer forged"})
    assert answer.status_code == 401


async def test_a_key_without_the_scope_is_refused_at_the_gateway(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    headers = {"X-API-Key": (await make(client))["key"]}
    assert (await anonymous.get("/v1/services", headers=headers)).status_code == 200
    for method, path in [("POST", "/v1/services"), ("POST", "/v1/api-keys"), ("GET", "/v1/audit")]:
        answer = await anonymous.request(method, path, headers=headers, json={})
        assert answer.status_code == 403
        assert answer.json()["scope"]


async def test_nobody_hands_out_more_than_they_hold(client: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    made = await make(client, scopes=["api-keys.write"])
    answer = await anonymous.post("/v1/api-keys", json=CI, headers={"X-API-Key": made["key"]})
    assert answer.status_code == 403
    assert answer.json()["code"] == "grant-exceeded"


async def test_a_revoked_key_is_refused_at_once_and_stays_readable(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    made = await make(client)
    path, headers = f"/v1/api-keys/{made['id']}", {"X-API-Key": made["key"]}
    assert (await anonymous.get("/v1/whoami", headers=headers)).status_code == 200
    revoked = await client.delete(path, params={"reason": "laptop lost"})
    assert revoked.status_code == 200
    assert revoked.headers["ETag"] == '"2"'
    assert (await anonymous.get("/v1/whoami", headers=headers)).status_code == 401
    seen = (await client.get(path)).json()
    assert (seen["state"], seen["revoked_by"], seen["revoked_reason"]) == ("revoked", "admin", "laptop lost")


async def test_revoking_twice_is_one_revocation(client: httpx.AsyncClient) -> None:
    made = await make(client)
    first = await client.delete(f"/v1/api-keys/{made['id']}")
    again = await client.delete(f"/v1/api-keys/{made['id']}")
    assert again.status_code == 200
    assert again.json() == first.json()


async def test_an_expired_key_is_refused_and_says_so(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, clock: FrozenClock
) -> None:
    until = clock.now() + timedelta(minutes=1)
    made = await make(client, expires_at=until.isoformat())
    clock.advance(timedelta(minutes=1))
    answer = await anonymous.get("/v1/whoami", headers={"X-API-Key": made["key"]})
    assert answer.status_code == 401
    assert "expired" in answer.json()["detail"]
    assert (await client.get(f"/v1/api-keys/{made['id']}")).json()["state"] == "expired"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_key_is_404(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/v1/api-keys/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"owner": "Ana Maria"}, "/owner"),
        ({"owner": "a\u0000"}, "/owner"),
        ({"owner_kind": "robot"}, "/owner_kind"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"scopes": "services.read"}, "/scopes"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"expires_at": "2027-01-01T00:00:00"}, "/expires_at"),
        ({"admin": True}, "/admin"),
    ],
)
async def test_a_bad_field_is_named(client: httpx.AsyncClient, body: dict[str, Any], pointer: str) -> None:
    answer = await client.post("/v1/api-keys", json=CI | body)
    assert answer.status_code == 422
    assert pointer in [place["pointer"] for place in answer.json()["errors"]]


async def test_an_expiry_in_the_past_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/api-keys", json=CI | {"expires_at": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-api-key")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"owner":"a","owner":"b"}', b"\xff", b"NaN", b"[" * 100 + b"]" * 100, b'{"scopes":[1e999]}']
)
async def test_a_body_that_is_no_sound_json_is_refused_and_nothing_is_stored(
    client: httpx.AsyncClient, resources: Resources, body: bytes
) -> None:
    before = await resources.store.head()
    answer = await client.post("/v1/api-keys", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert await resources.store.head() == before


@pytest.mark.parametrize("path", ["whoami", "api-keys", "api-keys/x", "overview", "events", "audit", "services/x"])
async def test_an_unknown_parameter_is_named(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/v1/{path}?colour=red")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown-parameter")
    assert answer.json()["errors"][0]["pointer"] == "colour"
