"""Adjustments over HTTP: agreed by both sides, listed, ended; and what excuses time of an SLO."""

from datetime import timedelta
from typing import Any

import pytest

from services.slo.domain.adjustments import Adjustment
from services.slo.projections.adjustments import adjustments_of
from tests.fixtures.services import memory_is_enough
from tests.fixtures.slo import NAME, NOW, Slo

SUNDAYS: dict[str, Any] = {
    "service": "checkout-api",
    "effect": "remove",
    "start": "2026-11-22T02:00:00Z",
    "duration": "PT2H",
    "zone": "Europe/Berlin",
    "rrule": "FREQ=WEEKLY;BYDAY=SU",
    "reason": "the database is maintained",
    "agreed_by": {"development": "ana", "sre": "bo"},
}
ONCE = {name: value for name, value in SUNDAYS.items() if name not in {"service", "rrule"}} | {"slos": [NAME]}


async def _listed(slo: Slo, query: str, token: str = "") -> list[Any]:
    headers = {"Consistency_Token": token} if token else {}
    return [item["id"] for item in (await slo.call("GET", f"/v1/adjustments{query}", **headers))["items"]]


async def test_both_sides_agree_and_who_and_why_is_kept(slo: Slo) -> None:
    made = await slo.call("POST", "/v1/adjustments", SUNDAYS, expect=201)
    assert (made["agreed_by"], made["reason"]) == (SUNDAYS["agreed_by"], SUNDAYS["reason"])
    assert (made["duration"], made["until"]) == ("PT7200S", None)
    assert await slo.call("GET", f"/v1/adjustments/{made['id']}") == made


async def test_the_ones_of_an_slo_are_its_own_and_those_of_its_service(slo: Slo) -> None:
    await slo.define()
    await slo.define("other")
    whole = await slo.call("POST", "/v1/adjustments", SUNDAYS, expect=201)
    answer = await slo.running.client.post("/v1/adjustments", json=ONCE)
    once, token = answer.json(), answer.headers["Consistency-Token"]
    assert await _listed(slo, f"?slo={NAME}", token) == [once["id"], whole["id"]]
    assert await _listed(slo, "?slo=other") == [whole["id"]]
    assert await _listed(slo, "?service=checkout-api") == [whole["id"]]
    found = await slo.running.resources.views.read(adjustments_of, [NAME, "other", "third"])
    start, length = NOW.replace(day=22, hour=2), timedelta(hours=2)
    weekly = Adjustment("remove", start, length, "Europe/Berlin", "FREQ=WEEKLY;BYDAY=SU")
    assert found == {NAME: [weekly, Adjustment("remove", start, length, "Europe/Berlin")], "other": [weekly]}


async def test_an_ended_one_excuses_nothing_from_then_on(slo: Slo) -> None:
    await slo.define()
    made = await slo.call("POST", "/v1/adjustments", SUNDAYS, expect=201)
    path, until = f"/v1/adjustments/{made['id']}", "2026-11-29T02:00:00Z"
    ended = await slo.call("POST", f"{path}:end", {"until": until, "reason": "moved"})
    assert (ended["until"], ended["ended_reason"]) == (until, "moved")
    assert (await slo.call("POST", f"{path}:end", {"until": "2026-12-24T00:00:00Z"}))["until"] == until
    answer = await slo.running.client.delete(path)
    assert answer.json()["until"] == "2026-11-21T10:00:00Z"
    token = answer.headers["Consistency-Token"]
    assert await _listed(slo, "?state=ended", token) == [made["id"]]
    assert await _listed(slo, "?state=agreed") == []
    (found,) = (await slo.running.resources.views.read(adjustments_of, [NAME]))[NAME]
    assert found.until == NOW


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"rrule": "FREQ=NEVER"}, "invalid-adjustment", "/rrule"),
        ({"duration": "PT0S"}, "invalid-adjustment", "/duration"),
        ({"zone": "Mars/Olympus"}, "invalid-adjustment", "/zone"),
        ({"slos": ["a"]}, "invalid-adjustment", "/slos"),
        ({"service": None}, "invalid-adjustment", "/slos"),
        ({"service": "nobody"}, "unknown-service", "/service"),
    ],
)
async def test_what_makes_no_adjustment_is_refused_with_its_place(
    slo: Slo, change: dict[str, Any], code: str, pointer: str
) -> None:
    refused = await slo.call("POST", "/v1/adjustments", SUNDAYS | change, expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == (code, pointer)


async def test_one_person_does_not_stand_for_both_sides(slo: Slo) -> None:
    alone = SUNDAYS | {"agreed_by": {"development": "ana", "sre": "ana"}}
    assert (await slo.call("POST", "/v1/adjustments", alone, expect=422))["code"] == "one-side"


@memory_is_enough
@pytest.mark.parametrize("adjustment", [SUNDAYS, ONCE], ids=["of the service", "of an SLO"])
async def test_who_may_agree_is_named_in_the_error_budget_policy_where_there_is_one(
    slo: Slo, adjustment: dict[str, Any]
) -> None:
    await slo.define()
    policy = {"service": "checkout-api", "executive": "cleo", "revisit_by": "2027-11-21"}
    policy |= {"signers": {"development": ["ana"], "sre": ["bo"]}}
    await slo.call("POST", "/v1/error-budget-policies", policy, expect=201)
    for side, other in (("development", {"development": "kim"}), ("sre", {"sre": "kim"})):
        unnamed = adjustment | {"agreed_by": SUNDAYS["agreed_by"] | other}
        refused = await slo.call("POST", "/v1/adjustments", unnamed, expect=422)
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("not-a-signer", f"/agreed_by/{side}")
        assert refused["who_can"] == policy["signers"][side]
    await slo.call("POST", "/v1/adjustments", adjustment, expect=201)


async def test_of_nothing_nothing_is_excused(slo: Slo) -> None:
    assert (await slo.call("POST", "/v1/adjustments", ONCE, expect=404))["code"] == "not-found"
    assert (await slo.call("GET", "/v1/adjustments/nothing", expect=404))["code"] == "not-found"
    assert (await slo.call("DELETE", "/v1/adjustments/nothing", expect=404))["code"] == "not-found"
