from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import IN_MEMORY, register
from tests.fixtures.services import Running, eventually

SERVICE = "/v1/services/checkout-api"
LOOKED_UP: dict[str, Any] = {
    "description": "Takes orders",
    "product": "shop",
    "technologies": ["go", "postgres"],
    "labels": {"region": "eu", "example.org/plan": "b"},
    "links": [{"title": "Runbook", "url": "https://wiki.example/runbook", "kind": "runbook"}],
    "code": [{"repository": "https://git.example/shop", "path": "checkout/", "owner": "checkout"}],
}


async def test_what_people_look_up_is_kept_at_the_registration_and_listed(lifecycle: Running) -> None:
    await lifecycle.call("POST", "/v1/teams", {"name": "checkout", "kind": "dev"}, expect=201)
    created = await lifecycle.client.post("/v1/services", json={"name": "checkout-api", **LOOKED_UP})

    assert created.json().items() >= LOOKED_UP.items()
    listed = await lifecycle.call("GET", "/v1/services", Consistency_Token=created.headers["Consistency-Token"])
    assert listed["items"] == [created.json()]


async def test_a_change_replaces_what_it_names_and_leaves_the_rest(lifecycle: Running) -> None:
    await register(lifecycle, **LOOKED_UP)

    after = await lifecycle.call(
        "PATCH",
        SERVICE,
        {"labels": {"region": None, "zone": "a"}, "product": None, "technologies": ["rust"]},
        If_Match='"1"',
    )

    changed = {"product": None, "technologies": ["rust"], "labels": {"example.org/plan": "b", "zone": "a"}}
    assert after.items() >= (LOOKED_UP | changed).items()


@IN_MEMORY
async def test_an_owner_may_change_without_a_word_about_the_catalogue(lifecycle: Running) -> None:
    await register(lifecycle, **LOOKED_UP)

    after = await lifecycle.call("PATCH", SERVICE, {"tier": 3}, If_Match='"1"')

    assert after.items() >= (LOOKED_UP | {"tier": 3}).items()


async def test_a_change_to_what_is_so_leaves_the_version(lifecycle: Running) -> None:
    await register(lifecycle, **LOOKED_UP)

    answer = await lifecycle.client.patch(SERVICE, json=LOOKED_UP, headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("product=shop", ["checkout-api"]),
        ("technology=go", ["b", "checkout-api"]),
        ("technology=g", []),
        ("technology=postgres&technology=rust", ["b", "checkout-api"]),
        ("label=region=eu", ["checkout-api"]),
        ("label=region=e", []),
        ("label=region=eu&technology=rust", []),
    ],
)
async def test_services_are_looked_up_now_and_as_of_a_time(
    lifecycle: Running, clock: FrozenClock, query: str, names: list[str]
) -> None:
    await register(lifecycle, **LOOKED_UP)
    await lifecycle.call("POST", "/v1/services", {"name": "b", "technologies": ["go", "rust"]}, expect=201)
    then = clock.now()
    clock.advance(timedelta(hours=1))
    last = await lifecycle.client.post("/v1/services", json={"name": "a"})
    token = {"Consistency-Token": last.headers["Consistency-Token"]}

    now = await lifecycle.call("GET", f"/v1/services?{query}", **token)
    past = await lifecycle.call("GET", f"/v1/services?{query}&as_of={then:%Y-%m-%dT%H:%M:%SZ}", **token)

    assert [service["name"] for service in now["items"]] == names
    assert [service["name"] for service in past["items"]] == names


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"technologies": ["go", "go"]}, "invalid", "/technologies"),
        ({"technologies": ["Go Lang"]}, "invalid", "/technologies/0"),
        ({"labels": {"region": "e u"}}, "invalid", "/labels/region"),
        ({"links": [{"title": "x", "url": "javascript:alert(1)"}]}, "invalid", "/links/0/url"),
        ({"code": [{"repository": "https://git.example/a", "owner": "nobody"}]}, "unknown-reference", "/code/0/owner"),
    ],
)
async def test_what_cannot_be_looked_up_is_refused_with_its_place(
    lifecycle: Running, fields: dict[str, Any], code: str, pointer: str
) -> None:
    await register(lifecycle)

    problem = await lifecycle.call("PATCH", SERVICE, fields, expect=422, If_Match='"1"')

    assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


async def test_a_team_that_answers_for_code_ends_only_when_another_answers_for_it(lifecycle: Running) -> None:
    await register(lifecycle, **LOOKED_UP)
    for team in ("payments", "platform"):
        await lifecycle.call("POST", "/v1/teams", {"name": team, "kind": "dev"}, expect=201)
    code = [{**LOOKED_UP["code"][0], "owner": "platform"}]
    await lifecycle.call("PATCH", SERVICE, {"code": code}, If_Match='"1"')

    problem = await lifecycle.call("DELETE", "/v1/teams/platform", expect=409)
    assert problem["needed_by"] == ["code of service checkout-api"]

    await lifecycle.call("POST", "/v1/teams/platform:merge", {"into": "payments", "reason": "one"})
    service = await lifecycle.call("GET", SERVICE)

    assert (service["owner_team"], service["code"][0]["owner"]) == ("checkout", "payments")


async def test_who_answers_for_a_path_is_looked_up_across_services(lifecycle: Running, clock: FrozenClock) -> None:
    await register(lifecycle, **LOOKED_UP)
    then = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    clock.advance(timedelta(hours=1))
    await lifecycle.call("POST", "/v1/teams", {"name": "web", "kind": "dev"}, expect=201)
    whole = [{"repository": "https://git.example/shop", "owner": "web"}]
    await lifecycle.call("POST", "/v1/services", {"name": "shop-web", "owner_team": "web", "code": whole}, expect=201)
    asked = "/v1/code-owners?repository=https://git.example/shop.git"

    async def owners(query: str) -> list[str]:
        return (await lifecycle.call("GET", f"{asked}{query}"))["owners"]

    async def known() -> bool:
        return await owners("&path=README.md") == ["web"]

    await eventually(known)
    found = await lifecycle.call("GET", f"{asked}&path=checkout/pay.go")
    assert (found["owners"], [part["service"] for part in found["named_by"]]) == (["checkout"], ["checkout-api"])
    assert [part["path"] for part in found["parts"]] == ["", "checkout"]
    assert await owners(f"&path=README.md&as_of={then}") == []
    assert await owners(f"&path=checkout/pay.go&as_of={then}") == ["checkout"]
    await lifecycle.call("GET", "/v1/code-owners?repository=shop", expect=422)
