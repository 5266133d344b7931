from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import IN_MEMORY
from tests.fixtures.services import Elsewhere, Running, eventually

WORK = "/v1/operational-work"
WEEK = {"since": "2026-11-09", "until": "2026-11-15"}
TICKETS: dict[str, Any] = {"id": "w-1", "team": "checkout", "kind": "tickets", "hours": 30.0, **WEEK}


async def _checkout(lifecycle: Running) -> None:
    await lifecycle.call("POST", "/v1/teams", {"name": "checkout", "kind": "dev", "leads": []}, expect=201)
    for name, more in (("shop", {"product": "shop", "technologies": ["go", "postgres"]}), ("till", {})):
        body = {"name": name, "owner_team": "checkout", **more}
        await lifecycle.call("POST", "/v1/services", body, expect=201)


async def test_the_load_of_a_team_shows_each_figure_with_its_limit_and_what_is_missing(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await _checkout(lifecycle)
    await lifecycle.call("POST", WORK, TICKETS, expect=201)
    last = await lifecycle.client.post(WORK, json={**TICKETS, "id": "w-2", "kind": "project", "hours": 10.0})
    token = {"Consistency-Token": last.headers["Consistency-Token"]}
    empty = await lifecycle.call("GET", "/v1/teams/checkout/load", **token)
    for number, pages in enumerate((1, 6)):
        await incidents.says(
            "shift.closed",
            f"schedule/{number}",
            shift=f"s-{number}",
            schedule="shop",
            services=["shop", "till"],
            person="ana",
            side="dev",
            site="",
            start=clock.now(),
            end=clock.now(),
            pages=pages,
            interrupt_minutes=30,
            at=clock.now(),
        )

    async def heard() -> dict[str, Any] | None:
        load = await lifecycle.call("GET", "/v1/teams/checkout/load", **token)
        return load if load["pages_per_shift"]["n"] == 2 else None

    load = await eventually(heard)

    assert (empty["pages_per_shift"]["value"], empty["pages_per_shift"]["over_limit"]) == (None, None)
    assert empty["pages_per_shift"]["missing"] == "no shift of its side was closed"
    assert (load["services"]["value"], load["service_names"]) == (2, ["shop", "till"])
    assert (load["stacks"]["value"], load["stacks"]["missing"]) == (2, "no technologies named by till")
    assert (load["pages_per_shift"]["value"], load["pages_per_shift"]["over_limit"]) == (3.5, True)
    assert (load["operational_share"]["value"], load["operational_share"]["n"]) == (0.75, 2)
    assert load["operational_share"]["limit_source"].startswith("B1")


async def test_work_that_is_withdrawn_counts_no_more(lifecycle: Running) -> None:
    await _checkout(lifecycle)
    await lifecycle.call("POST", WORK, TICKETS, expect=201)
    gone = await lifecycle.client.delete(f"{WORK}/w-1?reason=counted%20twice")
    token = {"Consistency-Token": gone.headers["Consistency-Token"]}

    load = await lifecycle.call("GET", "/v1/teams/checkout/load", **token)
    listed = await lifecycle.call("GET", f"{WORK}?team=checkout", **token)

    assert load["operational_share"]["value"] is None
    assert listed["items"] == [gone.json()]
    assert gone.json()["withdrawn"] is True


@IN_MEMORY
@pytest.mark.parametrize(
    ("changes", "status", "code", "pointer"),
    [
        ({"team": "nobody"}, 422, "unknown-reference", "/team"),
        ({"service": "nowhere"}, 422, "unknown-reference", "/service"),
        ({"hours": None}, 422, "nothing-counted", "/hours"),
        ({"hours": -1}, 422, "invalid", "/hours"),
        ({"until": "2026-11-08"}, 422, "dates-out-of-order", "/until"),
        ({"until": "2026-12-24"}, 422, "dates-out-of-order", "/until"),
        ({"person": "ana"}, 422, "invalid", "/person"),
    ],
)
async def test_work_that_cannot_be_is_refused_with_its_place(
    lifecycle: Running, changes: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    await _checkout(lifecycle)

    problem = await lifecycle.call("POST", WORK, {**TICKETS, **changes}, expect=status)

    assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


async def test_the_fit_of_a_service_shows_its_terms_and_where_their_weights_come_from(lifecycle: Running) -> None:
    await _checkout(lifecycle)
    body = {"name": "cart", "product": "shop", "technologies": ["go", "redis"]}
    last = await lifecycle.client.post("/v1/services", json=body)
    token = {"Consistency-Token": last.headers["Consistency-Token"]}

    fit = await lifecycle.call("GET", "/v1/teams/checkout/fit?service=cart", **token)

    assert [(term["name"], term["value"]) for term in fit["terms"]] == [
        ("same_product", 1.0),
        ("similar_stack", 0.5),
        ("same_dev_teams", None),
    ]
    assert fit["score"] == pytest.approx((0.4 + 0.35 * 0.5) / 0.75)
    assert all(term["source"] for term in fit["terms"])


@IN_MEMORY
async def test_a_fit_is_asked_of_a_living_team_and_a_known_service(lifecycle: Running) -> None:
    await _checkout(lifecycle)

    problem = await lifecycle.call("GET", "/v1/teams/checkout/fit?service=nowhere", expect=422)
    assert problem["code"] == "unknown-reference"
    await lifecycle.call("GET", "/v1/teams/nobody/fit?service=shop", expect=404)
    await lifecycle.call("GET", "/v1/teams/nobody/load", expect=404)
