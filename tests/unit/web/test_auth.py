from datetime import timedelta

import httpx
import jwt
import pytest

from libs.events.testing import FrozenClock
from libs.web.internal_auth import LIVES_S, InvalidTokenError, Principal, sign, verify

KEY = "k" * 64
ANA = Principal("ana", "person", frozenset({"counters.read"}), "api-key", "key-1")


def bearer(principal: Principal, clock: FrozenClock, *, audience: str = "demo", key: str = KEY) -> dict[str, str]:
    return {"Authorization": "Bearer " + sign(principal, audience, key, now_s=clock.now().timestamp())}


def test_a_signed_principal_comes_back() -> None:
    assert verify(sign(ANA, "slo", KEY, now_s=1000), "slo", KEY, now_s=1001).principal == ANA


@pytest.mark.parametrize(
    ("token", "now_s"),
    [
        (sign(ANA, "slo", "x" * 32, now_s=1000), 1001),
        (sign(ANA, "incidents", KEY, now_s=1000), 1001),
        (sign(ANA, "slo", KEY, now_s=1000), 1000 + LIVES_S),
        (
            jwt.encode({"sub": "ana", "aud": "slo", "iss": "concordat-gateway", "exp": 9e9, "iat": 0}, KEY, "HS384"),
            1001,
        ),
        (jwt.encode({"sub": "ana", "aud": "slo", "iss": "concordat-gateway", "exp": 9e9, "iat": 0}, KEY), 1001),
        ("rubbish", 1001),
    ],
    ids=["another key", "another service", "expired", "another algorithm", "no scopes", "rubbish"],
)
def test_any_other_token_is_refused(token: str, now_s: float) -> None:
    with pytest.raises(InvalidTokenError):
        verify(token, "slo", KEY, now_s=now_s)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic YTpi", "bearer  "])
async def test_a_request_without_the_gateways_token_is_401(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/v1/counters/me/name", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_stranger_is_refused_before_the_body_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/counters", content=b"{", headers={"Authorization": ""})
    assert answer.status_code == 401


async def test_a_principal_without_the_scope_is_403(client: httpx.AsyncClient, clock: FrozenClock) -> None:
    answer = await client.post("/v1/counters", json={"name": "errors"}, headers=bearer(ANA, clock))
    assert answer.status_code == 403
    assert answer.json()["scope"] == "counters.write"


async def test_a_principal_with_the_scope_is_served(client: httpx.AsyncClient, clock: FrozenClock) -> None:
    answer = await client.get("/v1/counters/me/name", headers=bearer(ANA, clock))
    assert answer.json() == {"name": "ana"}


async def test_a_remembered_token_is_forgotten_when_it_expires(client: httpx.AsyncClient, clock: FrozenClock) -> None:
    headers = bearer(ANA, clock)
    first = await client.get("/v1/counters/me/name", headers=headers)
    clock.advance(timedelta(seconds=LIVES_S))
    second = await client.get("/v1/counters/me/name", headers=headers)
    assert (first.status_code, second.status_code) == (200, 401)


async def test_a_public_route_needs_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/counters/open/door", headers={"Authorization": ""})
    assert answer.json() == {"open": True}
