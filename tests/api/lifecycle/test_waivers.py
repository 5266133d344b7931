"""Waivers over HTTP: asked for, approved by tier, renewed, revoked, and ended by themselves."""

from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import BO, GATES, IN_MEMORY, ROBOT, TRANSITION, asked, attest, register, signed_in
from tests.fixtures.services import Running, eventually

WAIVERS = "/v1/waivers"
CONTROL = {
    "what": "a cap on requests at the edge",
    "url": "https://wiki.example/caps",
    "implemented_at": "2026-11-20T10:00:00Z",
}
BODY = {
    "service": "checkout-api",
    "check": "load_test",
    "risk_owner": "cleo",
    "reason": "the load generator is being replaced",
    "compensating_control": CONTROL,
    "expires_at": "2026-12-20T10:00:00Z",
}
YES = {"reason": "agreed"}


async def requested(lifecycle: Running, **fields: Any) -> dict[str, Any]:
    await register(lifecycle, phase="active_development")
    return await lifecycle.call("POST", WAIVERS, {**BODY, **fields}, expect=201)


async def load_test(lifecycle: Running) -> dict[str, Any]:
    checks = (await lifecycle.call("GET", f"{GATES}/limited_availability"))["checks"]
    (check,) = (check for check in checks if check["id"] == "load_test")
    return check


async def test_a_check_is_let_through_from_approval_to_its_end_and_counts_again_by_itself(
    lifecycle: Running, clock: FrozenClock
) -> None:
    waiver = await requested(lifecycle)
    assert (waiver["state"], waiver["requested_by"]) == ("requested", "ana")
    assert "another person than ana approves" in waiver["next"]
    assert (await load_test(lifecycle))["result"] == "unknown"
    bo, path = signed_in(lifecycle, BO), f"{WAIVERS}/{waiver['id']}"

    approved = await bo.call("POST", f"{path}:approve", YES)

    assert (approved["state"], approved["approval"]["by"]) == ("approved", "bo")
    check = await load_test(lifecycle)
    assert (check["result"], check["waiver"]) == ("waived", waiver["id"])
    assert await lifecycle.call("GET", path) == approved
    assert (await lifecycle.call("GET", WAIVERS + "?state=approved"))["items"] == [approved]

    clock.advance(timedelta(days=29))

    async def over() -> bool:
        return (await lifecycle.call("GET", path))["state"] == "expired"

    assert (await load_test(lifecycle))["result"] == "unknown"  # whether or not anyone has said so yet
    await eventually(over)
    await lifecycle.call("POST", WAIVERS, {**BODY, "expires_at": "2027-01-20T10:00:00Z"}, expect=201)


async def test_a_move_goes_through_on_a_waiver_and_says_so(lifecycle: Running) -> None:
    waiver = await requested(lifecycle)
    await attest(lifecycle, *(kind for kind in asked("limited_availability") if kind != "load_test"))
    go = {"to": "limited_availability", "reason": "pilot"}
    refused = await lifecycle.call("POST", TRANSITION, go, expect=422)
    assert [check["id"] for check in refused["checks"]] == ["load_test"]

    await signed_in(lifecycle, BO).call("POST", f"{WAIVERS}/{waiver['id']}:approve", YES)
    await lifecycle.call("POST", TRANSITION, go)

    why = (await lifecycle.call("GET", "/v1/services/checkout-api/phases"))["items"][-1]["evaluation"]
    checks = (await lifecycle.call("GET", f"/v1/evaluations/{why}"))["checks"]
    assert {check["id"]: check["waiver"] for check in checks if check["result"] == "waived"} == {
        "load_test": waiver["id"]
    }


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"service": "till-api"}, 422, "unknown-reference", "/service"),
        ({"check": "load_tset"}, 422, "unknown-reference", "/check"),
        ({"check": "owner_and_tier_set"}, 422, "not-waivable", "/check"),
        ({"expires_at": "2026-11-21T10:00:00Z"}, 422, "waiver-too-long", "/expires_at"),
        ({"expires_at": "2027-02-20T10:00:00Z"}, 422, "waiver-too-long", "/expires_at"),
        (
            {"compensating_control": {**CONTROL, "implemented_at": "2026-11-22T10:00:00Z"}},
            422,
            "control-not-implemented",
            "/compensating_control/implemented_at",
        ),
        ({"compensating_control": None}, 422, "invalid", "/compensating_control"),
        ({"expires_at": None}, 422, "invalid", "/expires_at"),
        ({"reason": ""}, 422, "invalid", "/reason"),
        ({"risk_owner": ""}, 422, "invalid", "/risk_owner"),
    ],
)
async def test_a_waiver_that_cannot_be_is_refused_with_its_place(
    lifecycle: Running, fields: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    await register(lifecycle)

    problem = await lifecycle.call("POST", WAIVERS, {**BODY, **fields}, expect=status)

    assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


@IN_MEMORY
async def test_one_check_of_a_service_has_one_waiver_at_a_time(lifecycle: Running) -> None:
    waiver = await requested(lifecycle)

    problem = await lifecycle.call("POST", WAIVERS, BODY, expect=409)
    assert (problem["code"], problem["waiver"]) == ("waiver-exists", waiver["id"])

    await lifecycle.call("POST", f"{WAIVERS}/{waiver['id']}:revoke", {"reason": "not needed"})
    await lifecycle.call("POST", WAIVERS, BODY, expect=201)


@IN_MEMORY
@pytest.mark.parametrize("by", ["ana", "ci"])
async def test_neither_whoever_asked_nor_a_machine_approves(lifecycle: Running, by: str) -> None:
    waiver = await requested(lifecycle)
    asks = {"ana": lifecycle, "ci": signed_in(lifecycle, ROBOT)}[by]

    problem = await asks.call("POST", f"{WAIVERS}/{waiver['id']}:approve", YES, expect=403)

    assert problem["code"] == "second-person-required"


async def test_a_team_that_names_its_leads_has_them_approve(lifecycle: Running) -> None:
    waiver = await requested(lifecycle)
    people = {"members": ["ana", "bo", "cleo"], "leads": ["cleo"]}
    team = await lifecycle.client.get("/v1/teams/checkout")
    await lifecycle.call("PATCH", "/v1/teams/checkout", people, If_Match=team.headers["ETag"])

    bo = signed_in(lifecycle, BO)
    problem = await bo.call("POST", f"{WAIVERS}/{waiver['id']}:approve", YES, expect=403)

    assert (problem["code"], problem["approvers"]) == ("not-an-approver", ["cleo"])


@IN_MEMORY
async def test_a_waiver_is_renewed_once(lifecycle: Running, clock: FrozenClock) -> None:
    waiver = await requested(lifecycle)
    bo, path = signed_in(lifecycle, BO), f"{WAIVERS}/{waiver['id']}"
    await bo.call("POST", f"{path}:approve", YES)
    then = f"as_of={clock.now():%Y-%m-%dT%H:%M:%SZ}"
    clock.advance(timedelta(days=20))
    longer = {"reason": "the vendor is late", "expires_at": "2027-02-20T10:00:00Z"}

    renewed = await bo.call("POST", f"{path}:renew", longer)

    assert (renewed["expires_at"], renewed["renewals"][0]["by"]) == ("2027-02-20T10:00:00Z", "bo")
    assert (await bo.call("POST", f"{path}:renew", longer, expect=409))["code"] == "renewed-too-often"
    assert (await lifecycle.call("GET", f"{path}?{then}"))["renewals"] == []
    clock.advance(timedelta(days=30))  # past its first end
    assert (await load_test(lifecycle))["result"] == "waived"


@IN_MEMORY
async def test_an_unknown_waiver_is_not_found(lifecycle: Running) -> None:
    await lifecycle.call("GET", f"{WAIVERS}/none", expect=404)
    await lifecycle.call("POST", f"{WAIVERS}/none:approve", YES, expect=404)
    await lifecycle.call("POST", f"{WAIVERS}/none:revoke", YES, expect=404)
