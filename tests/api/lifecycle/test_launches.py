"""Launches through their routes: planned, shown, ready, launched, and what keeps them from it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import BO, IN_MEMORY, assess, declare, signed_in
from tests.fixtures.reviews import teams
from tests.fixtures.services import Elsewhere, Running, eventually

DAY = timedelta(days=1)
LAUNCHES = "/v1/launches"
MEASURED = {"budget-left", "no-severe-incident"}


async def live(service: Running) -> None:
    """A second service of team checkout, which has users."""
    await teams(service)
    body = {"name": "till-api", "owner_team": "checkout", "tier": 2, "phase": "general_availability"}
    await service.call("POST", "/v1/services", body, expect=201)


async def planned(service: Running, **fields: Any) -> dict[str, Any]:
    day = (service.resources.clock.now() + 10 * DAY).date().isoformat()
    body = {"service": "till-api", "title": "Pay by invoice", "planned_for": day, **fields}
    return await service.call("POST", LAUNCHES, body, expect=201)


async def shown(service: Running, launch: dict[str, Any], *but: str) -> None:
    """Evidence for each checkpoint that nobody measures, and is not among *but*."""
    for each in launch["checkpoints"]:
        if each["check"] is None and each["id"] not in but:
            body = {"outcome": "passed", "url": "https://ci.example/7"}
            await service.call("PUT", f"{LAUNCHES}/{launch['id']}/checkpoints/{each['id']}", body)


def still_open(launch: dict[str, Any]) -> set[str]:
    return {each["id"] for each in launch["checkpoints"] if each["open"] and each["blocking"]}


async def healthy(service: Running, slo: Elsewhere, incidents: Elsewhere, launch: str, clock: FrozenClock) -> None:
    """Return once the platform has measured that the budget is left and that nothing severe is open."""
    await slo.says("slo.defined", "slo/till-slo", slo="till-slo", service="till-api", revision=1, target=0.99)
    await assess(slo, clock.now(), "till-slo", service="till-api")
    await declare(incidents)
    await declare(incidents, "resolved")

    async def measured() -> bool:
        return not still_open(await service.call("GET", f"{LAUNCHES}/{launch}")) & MEASURED

    await eventually(measured)


async def test_a_launch_is_planned_shown_said_to_be_ready_and_launched(
    lifecycle: Running, slo: Elsewhere, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await live(lifecycle)
    bo = signed_in(lifecycle, BO)
    launch = await planned(lifecycle)
    path, then = f"{LAUNCHES}/{launch['id']}", clock.now().isoformat().replace("+00:00", "Z")
    assert still_open(launch) >= {"design-reviewed", "load-tested", "budget-left"}
    assert launch["next"][0]["verb"] == "/checkpoints/design-reviewed"
    blocked = await bo.call("POST", f"{path}:ready", {}, expect=422)
    assert blocked["code"] == "not-ready"
    assert {each["pointer"] for each in blocked["errors"]} >= {"/checkpoints/load-tested", "/checkpoints/budget-left"}

    clock.advance(DAY)
    await healthy(lifecycle, slo, incidents, launch["id"], clock)
    await shown(lifecycle, launch, "load-tested")
    failed = {"outcome": "failed", "note": "the provider answered in 3 s"}
    await lifecycle.call("PUT", f"{path}/checkpoints/load-tested", failed)
    why = (await bo.call("POST", f"{path}:ready", {}, expect=422))["open"]
    await shown(lifecycle, launch)
    own = await lifecycle.call("POST", f"{path}:ready", {}, expect=403)
    ready = await bo.call("POST", f"{path}:ready", {"reason": "all is shown"})
    answer = await lifecycle.client.post(f"{path}:launch", json={})

    assert [(each["checkpoint"], each["why"]) for each in why] == [
        ("load-tested", "it failed: the provider answered in 3 s")
    ]
    assert (own["code"], own["who_can"]) == ("second-person-required", ["anybody but ana"])
    assert (ready["state"], ready["next"][0]["verb"], ready["ready"]["by"]) == ("ready", ":launch", "bo")
    launched = answer.json()
    assert (launched["state"], launched["launched"]["by"], launched["allowed"]) == ("launched", "ana", [])
    assert {
        each["id"]: each["measured"]["result"] for each in launched["checkpoints"] if each["check"]
    } == dict.fromkeys(MEASURED, "pass")
    token = {"Consistency_Token": answer.headers["Consistency-Token"]}
    listed = await lifecycle.call("GET", f"{LAUNCHES}?service=till-api&state=launched", **token)
    assert [each["id"] for each in listed["items"]] == [launch["id"]]
    assert (await lifecycle.call("GET", f"{path}?as_of={then}"))["state"] == "planned"


@IN_MEMORY
async def test_what_was_shown_too_long_ago_or_is_worse_by_now_keeps_a_ready_launch_back(
    lifecycle: Running, slo: Elsewhere, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await live(lifecycle)
    bo = signed_in(lifecycle, BO)
    launch = await planned(lifecycle)
    path = f"{LAUNCHES}/{launch['id']}"
    await healthy(lifecycle, slo, incidents, launch["id"], clock)
    await shown(lifecycle, launch)
    await bo.call("POST", f"{path}:ready", {})
    clock.advance(31 * DAY)

    late = await lifecycle.call("POST", f"{path}:launch", {}, expect=422)

    whys = {each["checkpoint"]: each["why"] for each in late["open"]}
    assert "more than 30 days ago" in whys["way-back-tried"]
    assert "load-tested" not in whys
    assert "budget-left" in whys  # nothing was heard for a month


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "status", "code", "pointer"),
    [
        ({"service": "nobody"}, 422, "unknown-reference", "/service"),
        ({"service": "checkout-api"}, 409, "not-live", "/service"),
        ({"planned_for": "2026-11-20"}, 422, "invalid-due", "/planned_for"),
        ({"title": ""}, 422, "invalid-body", "/title"),
    ],
)
async def test_what_cannot_be_launched_is_refused_with_its_place(
    lifecycle: Running, fields: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    await live(lifecycle)
    body = {"service": "till-api", "title": "t", "planned_for": "2026-12-01", **fields}

    problem = await lifecycle.call("POST", LAUNCHES, body, expect=status)

    assert (problem["errors"][0]["pointer"], status) == (pointer, status)
    assert code in {problem["code"], "invalid-body"}


@IN_MEMORY
async def test_evidence_that_shows_nothing_is_refused_and_a_launch_can_be_changed_and_cancelled(
    lifecycle: Running,
) -> None:
    await live(lifecycle)
    launch = await planned(lifecycle)
    path = f"{LAUNCHES}/{launch['id']}"

    async def refused(checkpoint: str, expect: int = 422, **body: Any) -> dict[str, Any]:
        return await lifecycle.call("PUT", f"{path}/checkpoints/{checkpoint}", body, expect=expect)

    assert (await refused("load-tested", outcome="passed"))["errors"][0]["pointer"] == "/url"
    assert (await refused("load-tested", outcome="not_applicable"))["errors"][0]["pointer"] == "/note"
    assert "measured" in (await refused("budget-left", outcome="failed", note="x"))["detail"]
    assert (await refused("no-such", outcome="failed", note="x", expect=404))["code"] == "not-found"
    later = {"outcome": "failed", "note": "x", "done_at": "2027-01-01T00:00:00Z"}
    assert (await refused("load-tested", **later))["code"] == "in-the-future"
    early = await lifecycle.call("POST", f"{path}:launch", {}, expect=409)
    assert early["allowed"] == ["change", "record", "ready", "cancel"]

    changed = await lifecycle.call("PATCH", path, {"planned_for": "2027-01-08", "reason": "a week more"})
    past = await lifecycle.call("PATCH", path, {"planned_for": "2026-01-08"}, expect=422)
    gone = await lifecycle.call("POST", f"{path}:cancel", {"reason": "not offered"})

    assert (changed["planned_for"], changed["title"]) == ("2027-01-08", "Pay by invoice")
    assert (past["errors"][0]["pointer"], gone["state"], gone["next"]) == ("/planned_for", "cancelled", [])
    assert (await refused("load-tested", outcome="failed", note="x", expect=409))["code"] == "illegal-step"
    await lifecycle.call("GET", f"{LAUNCHES}/no-such", expect=404)


@IN_MEMORY
async def test_a_record_of_the_service_is_evidence_by_its_id(lifecycle: Running, clock: FrozenClock) -> None:
    await live(lifecycle)
    launch = await planned(lifecycle)
    rollout = {
        "id": "till-api-1.42",
        "service": "till-api",
        "version": "1.42",
        "strategy": "canary",
        "steps": [{"percent": 5, "watch": "PT1H"}, {"percent": 100}],
    }
    await lifecycle.call("POST", "/v1/rollouts", rollout, expect=201)
    path = f"{LAUNCHES}/{launch['id']}/checkpoints/rolled-out-in-steps"
    record = {"record": {"kind": "rollout", "id": "till-api-1.42"}}

    early = await lifecycle.call("PUT", path, record, expect=422)
    await signed_in(lifecycle, BO).call("POST", "/v1/rollouts/till-api-1.42:review", {})
    shown = await lifecycle.call("PUT", path, record)
    absent = await lifecycle.call("PUT", path, {"record": {"kind": "deployment", "id": "none"}}, expect=422)
    both = await lifecycle.call("PUT", path, record | {"outcome": "passed"}, expect=422)
    neither = await lifecycle.call("PUT", path, {"note": "?"}, expect=422)

    places = [answer["errors"][0]["pointer"] for answer in (early, absent, both, neither)]
    assert places == ["/record/id", "/record/id", "/outcome", "/outcome"]
    (seen,) = (each for each in shown["checkpoints"] if each["id"] == "rolled-out-in-steps")
    assert (seen["open"], seen["records"], seen["shown"]["outcome"]) == (None, ["rollout"], "passed")
    assert seen["shown"]["record"] == record["record"]


@IN_MEMORY
async def test_of_changes_at_once_each_is_made(lifecycle: Running) -> None:
    await live(lifecycle)
    path = f"{LAUNCHES}/{(await planned(lifecycle))['id']}"
    changes = {"title": "Pay later", "text": "In thirty days.", "url": "https://wiki.example/later"}

    await asyncio.gather(*(lifecycle.call("PATCH", path, {name: value}) for name, value in changes.items()))

    changed = await lifecycle.call("GET", path)
    assert {name: changed[name] for name in changes} == changes
