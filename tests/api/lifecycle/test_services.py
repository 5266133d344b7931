import asyncio
from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import BO, IN_MEMORY, register, signed_in
from tests.fixtures.services import Running

SERVICES = "/v1/services"


async def test_a_service_starts_in_the_first_phase_and_says_where_it_may_go(lifecycle: Running) -> None:
    created = await register(lifecycle)

    assert created == {
        "name": "checkout-api",
        "display_name": "checkout-api",
        "owner_team": "checkout",
        "tier": 1,
        "phase": "architecture_and_design",
        "phase_since": "2026-11-21T10:00:00Z",
        "grandfathered_until": None,
        "revives": None,
        "description": "",
        "product": None,
        "technologies": [],
        "labels": {},
        "links": [],
        "code": [],
        "stateful": None,
        "decommissioned_at": None,
        "pending_transition": None,
        "sre_team": None,
        "engagement": None,
        "allowed_transitions": [
            {"to": "active_development", "kind": "forward"},
            {"to": "unsupported", "kind": "skip"},
        ],
        "registered_at": "2026-11-21T10:00:00Z",
    }
    assert await lifecycle.call("GET", f"{SERVICES}/checkout-api") == created


@IN_MEMORY
async def test_an_import_at_a_later_phase_is_grandfathered(lifecycle: Running) -> None:
    created = await register(lifecycle, phase="general_availability")

    assert (created["phase"], created["grandfathered_until"]) == ("general_availability", "2027-05-20T10:00:00Z")


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"name": "Checkout_API"}, 422, "invalid", "/name"),
        ({"tier": 5}, 422, "invalid", "/tier"),
        ({"tier": "1"}, 422, "invalid", "/tier"),
        ({"phase": "retired"}, 422, "invalid", "/phase"),
        ({"owner": "checkout"}, 422, "invalid", "/owner"),
        ({"owner_team": "nobody"}, 422, "unknown-reference", "/owner_team"),
        ({"revives": "till-api"}, 422, "unknown-reference", "/revives"),
        ({"revives": "living-api"}, 409, "not-unsupported", "/revives"),
        ({"grandfathered_until": "2026-12-01T00:00:00Z"}, 422, "grace-too-long", "/grandfathered_until"),
        ({"grandfathered_until": "2026-12-01"}, 422, "invalid", "/grandfathered_until"),
        ({"name": "living-api"}, 409, "name-taken", "/name"),
    ],
)
async def test_a_registration_that_cannot_be_is_refused_with_its_place(
    lifecycle: Running, fields: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    await lifecycle.call("POST", SERVICES, {"name": "living-api"}, expect=201)

    problem = await lifecycle.call("POST", SERVICES, {"name": "checkout-api", **fields}, expect=status)

    assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


@IN_MEMORY
async def test_an_unsupported_service_can_be_revived_by_a_new_one(lifecycle: Running) -> None:
    await lifecycle.call("POST", SERVICES, {"name": "till-api", "phase": "unsupported"}, expect=201)

    created = await register(lifecycle, revives="till-api")

    assert created["revives"] == "till-api"


async def test_of_two_who_take_a_name_at_once_one_gets_it(lifecycle: Running) -> None:
    answers = await asyncio.gather(*(lifecycle.client.post(SERVICES, json={"name": "till-api"}) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]


async def test_the_same_idempotency_key_gives_the_same_answer(lifecycle: Running) -> None:
    body, key = {"name": "till-api"}, {"Idempotency-Key": "k-1"}

    first = await lifecycle.client.post(SERVICES, json=body, headers=key)
    again = await lifecycle.client.post(SERVICES, json=body, headers=key)

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"


@IN_MEMORY
async def test_owner_and_tier_may_come_later_change_and_be_unset(lifecycle: Running) -> None:
    created = await register(lifecycle, owner_team=None, tier=None)
    assert (created["owner_team"], created["tier"]) == (None, None)

    changed = await lifecycle.call(
        "PATCH", f"{SERVICES}/checkout-api", {"owner_team": "checkout", "tier": 2}, If_Match='"1"'
    )
    assert (changed["owner_team"], changed["tier"]) == ("checkout", 2)

    unset = await lifecycle.call("PATCH", f"{SERVICES}/checkout-api", {"tier": None}, If_Match='"2"')
    assert (unset["owner_team"], unset["tier"]) == ("checkout", None)


async def test_a_change_that_changes_nothing_leaves_the_version(lifecycle: Running) -> None:
    await register(lifecycle)

    answer = await lifecycle.client.patch(f"{SERVICES}/checkout-api", json={"tier": 1}, headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')


@IN_MEMORY
async def test_a_change_to_an_unknown_owner_or_of_an_unknown_service_is_refused(lifecycle: Running) -> None:
    await register(lifecycle)

    problem = await lifecycle.call(
        "PATCH", f"{SERVICES}/checkout-api", {"owner_team": "nobody"}, expect=422, If_Match='"1"'
    )
    assert problem["errors"][0]["pointer"] == "/owner_team"
    await lifecycle.call("PATCH", f"{SERVICES}/till-api", {"tier": 1}, expect=404, If_Match='"1"')


@IN_MEMORY
async def test_a_service_at_its_end_does_not_change(lifecycle: Running) -> None:
    await register(lifecycle, phase="unsupported")

    problem = await lifecycle.call("PATCH", f"{SERVICES}/checkout-api", {"tier": 2}, expect=409, If_Match='"1"')

    assert problem["code"] == "service-unsupported"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a", "b", "checkout-api"]),
        ("?tier=1&tier=2", ["b", "checkout-api"]),
        ("?owner_team=checkout", ["checkout-api"]),
        ("?phase=limited_availability&tier=2", ["b"]),
        ("?order_by=tier desc", ["a", "b", "checkout-api"]),
    ],
)
async def test_services_are_listed_by_what_they_are(lifecycle: Running, query: str, names: list[str]) -> None:
    await register(lifecycle)
    await lifecycle.call("POST", SERVICES, {"name": "b", "tier": 2, "phase": "limited_availability"}, expect=201)
    last = await lifecycle.client.post(SERVICES, json={"name": "a", "tier": 3})
    token = last.headers["Consistency-Token"]

    page = await lifecycle.call("GET", f"{SERVICES}{query}", Consistency_Token=token)

    assert [service["name"] for service in page["items"]] == names
    for service in page["items"]:
        assert service == await lifecycle.call("GET", f"{SERVICES}/{service['name']}")


@IN_MEMORY
async def test_an_unknown_filter_is_refused(lifecycle: Running) -> None:
    await lifecycle.call("GET", f"{SERVICES}?owner=checkout", expect=400)


async def test_a_list_as_of_a_time_shows_each_service_as_it_was_known_then(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await register(lifecycle, tier=3)
    then = clock.now()
    clock.advance(timedelta(hours=1))
    await lifecycle.call("PATCH", f"{SERVICES}/checkout-api", {"tier": 1}, If_Match='"1"')
    last = await lifecycle.client.post(SERVICES, json={"name": "till-api", "tier": 3})
    token = {"Consistency-Token": last.headers["Consistency-Token"]}

    async def names(query: str) -> list[str]:
        page = await lifecycle.call("GET", f"{SERVICES}?tier=3{query}", **token)
        return [service["name"] for service in page["items"]]

    assert await names("") == ["till-api"]
    assert await names(f"&as_of={then:%Y-%m-%dT%H:%M:%SZ}") == ["checkout-api"]


async def test_the_way_through_the_phases_starts_with_the_registration(lifecycle: Running) -> None:
    await register(signed_in(lifecycle, BO), phase="deprecation")

    page = await lifecycle.call("GET", f"{SERVICES}/checkout-api/phases")

    assert page["items"] == [
        {
            "phase": "deprecation",
            "from": "2026-11-21T10:00:00Z",
            "until": None,
            "by": "bo",
            "reason": "registered",
            "evaluation": None,
        }
    ]
