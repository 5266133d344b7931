from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from services.lifecycle.projections.dependencies import confirmed_of, dependencies_of, live_dependents_of
from tests.fixtures.lifecycle_api import IN_MEMORY
from tests.fixtures.services import Elsewhere, Running

SHOP = "/v1/services/shop"
SOFT = {"criticality": "soft", "failure_behaviour": "shows the most popular products"}
HARD = {"criticality": "hard", "failure_behaviour": "fails"}


async def _services(lifecycle: Running, *names: str, **fields: Any) -> None:
    for name in names:
        await lifecycle.call("POST", "/v1/services", {"name": name, **fields}, expect=201)


async def _declared(lifecycle: Running, service: str, on: str, body: object = HARD) -> str:
    answer = await lifecycle.client.put(f"/v1/services/{service}/dependencies/{on}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.headers["Consistency-Token"]


async def test_dependencies_are_declared_read_changed_and_removed(lifecycle: Running, clock: FrozenClock) -> None:
    await _services(lifecycle, "shop", "search")
    then = clock.now()
    clock.advance(timedelta(hours=1))

    declared = await lifecycle.call("PUT", f"{SHOP}/dependencies/search", SOFT)

    (item,) = declared["items"]
    assert item.items() >= {"on": "search", **SOFT, "slo": None, "missing": ["slo"], "by": "ana"}.items()
    assert await lifecycle.call("GET", f"{SHOP}/dependencies") == declared
    past = await lifecycle.call("GET", f"{SHOP}/dependencies?as_of={then:%Y-%m-%dT%H:%M:%SZ}")
    assert past["items"] == []

    removed = await lifecycle.call("DELETE", f"{SHOP}/dependencies/search?reason=local%20now")

    assert removed["items"] == []
    await lifecycle.call("DELETE", f"{SHOP}/dependencies/search", expect=404)


async def test_the_slo_that_is_relied_on_is_one_of_the_other_service(lifecycle: Running, slo: Elsewhere) -> None:
    await _services(lifecycle, "shop", "search")
    await slo.says("slo.defined", "slo/search-latency", slo="search-latency", service="search", revision=1)

    declared = await lifecycle.call("PUT", f"{SHOP}/dependencies/search", {**SOFT, "slo": "search-latency"})

    assert (declared["items"][0]["slo"], declared["items"][0]["missing"]) == ("search-latency", [])


async def test_a_circle_of_hard_dependencies_is_refused_with_the_way_around(lifecycle: Running) -> None:
    await _services(lifecycle, "shop", "search", "index")
    await _declared(lifecycle, "search", "index")
    await _declared(lifecycle, "index", "shop")

    problem = await lifecycle.call("PUT", f"{SHOP}/dependencies/search", HARD, expect=409)

    assert (problem["code"], problem["path"]) == ("dependency-cycle", ["shop", "search", "index", "shop"])
    await _declared(lifecycle, "shop", "search", SOFT)


async def test_the_graph_says_who_fails_too_and_what_to_do(lifecycle: Running) -> None:
    await lifecycle.call("POST", "/v1/teams", {"name": "platform", "kind": "dev"}, expect=201)
    await _services(lifecycle, "web", "shop", tier=1)
    await _services(lifecycle, "db", tier=3, owner_team="platform")
    await _services(lifecycle, "old-search", phase="deprecation")
    await _declared(lifecycle, "web", "shop")
    await _declared(lifecycle, "shop", "old-search", SOFT)
    token = await _declared(lifecycle, "shop", "db")

    shop = await lifecycle.call("GET", f"{SHOP}/dependency-graph", Consistency_Token=token)
    db = await lifecycle.call("GET", "/v1/services/db/dependency-graph", Consistency_Token=token)

    assert [(one["service"], one["hard"]) for one in shop["relies_on"]] == [("db", True), ("old-search", False)]
    assert [(one["service"], one["path"]) for one in shop["relied_on_by"]] == [("web", ["shop", "web"])]
    assert [(one["code"], one["who"]) for one in shop["warnings"]] == [
        ("less-critical", "platform"),
        ("dependency-fading", None),
    ]
    assert (db["fails_too"], db["relied_on_by"][1]["path"]) == (2, ["db", "shop", "web"])


async def test_a_list_is_confirmed_until_it_changes(lifecycle: Running) -> None:
    await _services(lifecycle, "shop", "search")

    confirmed = await lifecycle.call("POST", f"{SHOP}/dependencies:confirm")
    changed = await lifecycle.call("PUT", f"{SHOP}/dependencies/search", SOFT)

    assert (confirmed["items"], confirmed["confirmed"]["by"], changed["confirmed"]) == ([], "ana", None)


@IN_MEMORY
@pytest.mark.parametrize(
    ("on", "body", "status", "code"),
    [
        ("nowhere", SOFT, 422, "unknown-reference"),
        ("gone", SOFT, 409, "reference-ended"),
        ("shop", SOFT, 409, "dependency-cycle"),
        ("search", {**SOFT, "slo": "no-such-slo"}, 422, "unknown-reference"),
        ("search", {"criticality": "medium"}, 422, "invalid"),
    ],
)
async def test_a_dependency_that_cannot_be_is_refused(
    lifecycle: Running, on: str, body: dict[str, Any], status: int, code: str
) -> None:
    await _services(lifecycle, "shop", "search")
    await _services(lifecycle, "gone", phase="unsupported")

    problem = await lifecycle.call("PUT", f"{SHOP}/dependencies/{on}", body, expect=status)

    assert problem["code"] == code


@IN_MEMORY
async def test_a_service_at_its_end_declares_nothing_more(lifecycle: Running) -> None:
    await _services(lifecycle, "search")
    await _services(lifecycle, "gone", phase="unsupported")

    problem = await lifecycle.call("PUT", "/v1/services/gone/dependencies/search", SOFT, expect=409)

    assert problem["code"] == "service-unsupported"


async def test_gates_ask_for_dependencies_and_for_those_that_still_rely_on_a_service(lifecycle: Running) -> None:
    await _services(lifecycle, "shop", "web", "search")
    await _declared(lifecycle, "web", "search")
    await _declared(lifecycle, "shop", "search")
    answer = await lifecycle.client.post(f"{SHOP}/dependencies:confirm")
    token = answer.headers["Consistency-Token"]
    await lifecycle.call("GET", f"{SHOP}/dependency-graph", Consistency_Token=token)
    views = lifecycle.resources.views

    (found,) = await views.read(dependencies_of, "shop")
    dependents = await views.read(live_dependents_of, "search")

    assert (found.on, found.criticality, found.failure_behaviour) == ("search", "hard", "fails")
    assert [one.service for one in dependents] == ["shop", "web"]
    assert await views.read(confirmed_of, "web") is None
