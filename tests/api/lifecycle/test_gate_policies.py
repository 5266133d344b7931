"""Gate policies over HTTP: tried on all services, published, read version by version."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events.envelope import Context, Metadata
from libs.events.testing import FrozenClock
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import GATE_POLICY, INSTALLATION
from services.lifecycle.domain.gate_policy.commands import Publish
from tests.fixtures.lifecycle_api import GATES, IN_MEMORY, TRANSITION, asked, attest, register
from tests.fixtures.services import Running

POLICIES = "/v1/gate-policies"
TEXT = LifecycleSettings().gate_policy.read_text(encoding="utf-8").replace('version: "2026-11"', 'version: "next"', 1)
SHORTER = TEXT.replace('{value: 30, source: "[D] what was not', '{value: 7, source: "[D] what was not', 1)
LAXER = TEXT.replace("    - runbooks\n", "", 1)


async def send(service: Running, path: str, text: str, *, expect: int, accept: str = "*/*") -> Any:
    headers = {"Content-Type": "application/yaml", "Accept": accept}
    answer = await service.client.post(path, content=text.encode(), headers=headers)
    assert answer.status_code == expect, answer.text
    return answer


async def ready(lifecycle: Running) -> None:
    """A service whose gate is open, by a drill of ten days ago."""
    await register(lifecycle, phase="active_development")
    await attest(lifecycle, *(kind for kind in asked("limited_availability") if kind != "rollback_drill"))
    await attest(lifecycle, "rollback_drill", days_ago=10)


async def test_a_policy_is_tried_published_and_in_force_at_once(lifecycle: Running, clock: FrozenClock) -> None:
    await ready(lifecycle)
    kept = await lifecycle.call("POST", f"{GATES}/limited_availability:evaluate", expect=201)
    head = await lifecycle.resources.store.head()

    tried = (await send(lifecycle, f"{POLICIES}:simulate", SHORTER, expect=200)).json()

    assert (tried["version"], tried["against"], tried["services"], tried["would_fail"]) == ("next", "2026-11", 1, 1)
    (change,) = tried["changed"]
    assert (change["service"], change["passes_now"], change["would_pass"]) == ("checkout-api", True, False)
    assert [(check["id"], check["now"], check["then"]) for check in change["checks"]] == [
        ("rollback_drill", "pass", "unknown")
    ]
    assert await lifecycle.resources.store.head() == head

    answer = await send(lifecycle, f"{POLICIES}?reason=drills+rot", SHORTER, expect=201)

    assert (answer.json()["version"], answer.json()["in_force"], answer.json()["reason"]) == (
        "next",
        True,
        "drills rot",
    )
    assert await lifecycle.call("GET", answer.headers["Location"]) == answer.json()
    gate = await lifecycle.call("GET", f"{GATES}/limited_availability")
    assert (gate["passed"], gate["policy_version"]) == (False, "next")
    go = {"to": "limited_availability", "reason": "pilot", "evaluation": kept["id"]}
    refused = await lifecycle.call("POST", TRANSITION, go, expect=409)
    assert {"detail": "changed since: policy next", "pointer": "/evaluation"} in refused["errors"]
    listed = (await lifecycle.call("GET", POLICIES))["items"]
    assert [(each["version"], each["in_force"]) for each in listed] == [("next", True), ("2026-11", False)]


@IN_MEMORY
async def test_a_simulation_tells_how_far_it_is(lifecycle: Running) -> None:
    await ready(lifecycle)

    answer = await send(lifecycle, f"{POLICIES}:simulate", LAXER, expect=200, accept="application/x-ndjson")

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0] == {"done": 1, "total": 1}
    assert [check["then"] for check in lines[-1]["changed"][0]["checks"]] == [None]


@IN_MEMORY
async def test_the_same_policy_is_published_once_and_a_version_stands_for_one_policy(lifecycle: Running) -> None:
    await send(lifecycle, f"{POLICIES}?reason=first", SHORTER, expect=201)
    head = await lifecycle.resources.store.head()

    await send(lifecycle, f"{POLICIES}?reason=again", SHORTER, expect=201)
    problem = (await send(lifecycle, f"{POLICIES}?reason=other", LAXER, expect=409)).json()

    assert (problem["code"], problem["errors"][0]["pointer"]) == ("version-taken", "/version")
    assert await lifecycle.resources.store.head() == head


@IN_MEMORY
@pytest.mark.parametrize("path", [f"{POLICIES}?reason=x", f"{POLICIES}:simulate"])
@pytest.mark.parametrize(
    ("was", "now", "pointer"),
    [
        ("value: 14,", "value: soon,", "/evaluation_valid_days/value"),
        ("value: 14,", "valeu: 14,", "/evaluation_valid_days/valeu"),
        ("[no_traffic, no_dep", "[no_traffic, no_traffic, no_dep", "/gates/unsupported/1"),
        ("met_by: [production_rollback]", "met_by: [rollback_drill]", "/checks/rollback_drill/met_by"),
        ("  design_review:\n", "  owner_and_tier_set:\n", ""),
        ("checks:", "checks: [", ""),
    ],
)
async def test_a_wrong_policy_is_refused_with_every_place(
    lifecycle: Running, path: str, was: str, now: str, pointer: str
) -> None:
    assert was in TEXT

    problem = (await send(lifecycle, path, TEXT.replace(was, now, 1), expect=422)).json()

    assert problem["code"] == "invalid-policy"
    assert pointer in [place["pointer"] for place in problem["errors"]]


@IN_MEMORY
async def test_a_policy_is_read_as_of_a_time(lifecycle: Running, clock: FrozenClock) -> None:
    then = f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    clock.advance(timedelta(hours=1))
    await send(lifecycle, f"{POLICIES}?reason=first", SHORTER, expect=201)

    (before,) = (await lifecycle.call("GET", f"{POLICIES}?as_of={then}"))["items"]

    assert (before["version"], before["in_force"]) == ("2026-11", True)
    await lifecycle.call("GET", f"{POLICIES}/next?as_of={then}", expect=404)
    await lifecycle.call("GET", f"{POLICIES}/none", expect=404)


@IN_MEMORY
async def test_a_policy_from_before_a_check_was_measured_shows_the_numbers_that_it_takes_over(
    lifecycle: Running, clock: FrozenClock
) -> None:
    shipped = load_policies(LifecycleSettings()).gates
    name, new = "rota_is_large_enough", "build_observability"
    checks = {each: check for each, check in shipped.checks.items() if each != new}
    gates = {gate: tuple(each for each in names if each != new) for gate, names in shipped.gates.items()}
    older = replace(shipped, version="ours", checks=checks | {name: replace(checks[name], numbers={})}, gates=gates)
    command = Publish(older, shipped, "before the program knew", "ana", clock.now())
    await lifecycle.resources.handler.handle(
        GATE_POLICY, INSTALLATION, command, Context.of_request(clock.now(), Metadata("ana"))
    )

    policy = await lifecycle.call("GET", f"{POLICIES}/ours")

    assert {(each["check"], each["value"], each["from_version"]) for each in policy["inherited"]} == {
        (name, 8, "2026-11"),
        (name, 6, "2026-11"),
    }
    assert (policy["attested_only"], policy["not_asked"]) == ([], [new])
    assert policy["checks"][name]["numbers"] == {}
