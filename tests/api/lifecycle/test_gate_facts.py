"""What gates read from the rooms of lifecycle itself, where people once attested it."""

from datetime import timedelta
from typing import Any

from tests.fixtures.lifecycle_api import BO, GATES, attest, define, register, signed_in
from tests.fixtures.services import Elsewhere, Running, eventually

SERVICE = "/v1/services/checkout-api"


async def check(lifecycle: Running, gate: str, name: str) -> dict[str, Any]:
    """What the gate says of one check now."""
    checks = (await lifecycle.call("GET", f"{GATES}/{gate}"))["checks"]
    (found,) = (each for each in checks if each["id"] == name)
    return found


async def result(lifecycle: Running, gate: str, name: str) -> tuple[str, bool]:
    found = await check(lifecycle, gate, name)
    return found["result"], found["measured"]


async def test_roll_outs_and_recorded_work_are_read(lifecycle: Running) -> None:
    await register(lifecycle)
    assert await result(lifecycle, "limited_availability", "progressive_rollout") == ("unknown", False)
    plan = {
        "service": "checkout-api",
        "version": "1",
        "strategy": "canary",
        "steps": [{"percent": 5}, {"percent": 100}],
    }
    rollout = (await lifecycle.call("POST", "/v1/rollouts", plan, expect=201))["id"]
    bo = signed_in(lifecycle, BO)
    await bo.call("POST", f"/v1/rollouts/{rollout}:review", {"notes": "fine"})
    assert await result(lifecycle, "limited_availability", "progressive_rollout") == ("pass", True)
    await lifecycle.call("POST", f"/v1/rollouts/{rollout}:start", {})
    await lifecycle.call("POST", f"/v1/rollouts/{rollout}:rollback", {"reason": "errors"})
    assert await result(lifecycle, "general_availability", "production_rollback") == ("pass", True)
    assert await result(lifecycle, "limited_availability", "rollback_drill") == ("pass", True)

    today = lifecycle.resources.clock.now().date()
    week = {"team": "checkout", "since": (today - timedelta(days=6)).isoformat(), "until": today.isoformat()}
    for kind, hours in (("toil", 30), ("project", 10)):
        await lifecycle.call("POST", "/v1/operational-work", week | {"kind": kind, "hours": hours}, expect=201)
    load = await check(lifecycle, "general_availability", "operational_load")
    assert (load["result"], load["measured"]) == ("fail", True)
    assert "30 of 40 recorded hours" in load["detail"]


async def test_risks_are_counted_against_the_strictest_slo(lifecycle: Running, slo: Elsewhere) -> None:
    await register(lifecycle)
    risk = {"service": "checkout-api", "title": "The only database fails", "cause": "database"}
    await lifecycle.call("POST", "/v1/risks", risk, expect=201)

    assert await result(lifecycle, "general_availability", "risks_accepted") == ("unknown", True)
    await define(slo)

    async def told() -> bool:
        return "how bad" in (await check(lifecycle, "general_availability", "risks_accepted"))["detail"]

    await eventually(told)


async def test_a_replacement_is_looked_up_and_what_keeps_nothing_needs_no_restore(lifecycle: Running) -> None:
    await register(lifecycle, phase="active_development", stateful=False)
    assert await result(lifecycle, "limited_availability", "restore_test") == ("not_applicable", True)
    assert (await lifecycle.call("GET", SERVICE))["stateful"] is False
    body = {
        "kind": "replacement_named",
        "at": lifecycle.resources.clock.now().isoformat(),
        "url": "https://wiki.example/7",
        "figures": {"replacement": "till-api"},
    }
    await lifecycle.call("POST", f"{SERVICE}/evidence", body, expect=201)
    named = await check(lifecycle, "deprecation", "replacement_named")
    assert (named["result"], "no service here" in named["detail"]) == ("fail", True)

    successor = {"name": "till-api", "owner_team": "checkout", "tier": 1, "phase": "limited_availability"}
    await lifecycle.call("POST", "/v1/services", successor, expect=201)

    assert (await check(lifecycle, "deprecation", "replacement_named"))["result"] == "pass"
    await lifecycle.call("PATCH", SERVICE, {"stateful": True}, If_Match='"1"')
    await attest(lifecycle, "stateless")
    assert (await check(lifecycle, "limited_availability", "restore_test"))["result"] == "unknown"


async def test_a_drill_that_failed_outranks_what_people_attest(lifecycle: Running) -> None:
    await register(lifecycle)
    await attest(lifecycle, "rollback_drill")
    assert await result(lifecycle, "limited_availability", "rollback_drill") == ("pass", False)
    drill = {
        "service": "checkout-api",
        "title": "The release before the last",
        "plan": {"kind": "rollback_drill", "environment": "production", "from_version": "1.41", "to_version": "1.42"},
        "conclusion": {
            "result": {"kind": "rollback_drill", "upgraded": True, "rolled_back": False, "upgraded_again": True},
            "evidence": ["https://ci.example/9"],
        },
    }

    await lifecycle.call("POST", "/v1/checkpoints", drill, expect=201)

    assert await result(lifecycle, "limited_availability", "rollback_drill") == ("fail", True)


async def test_what_ci_reports_of_a_build_is_evidence_of_the_gate(lifecycle: Running) -> None:
    await register(lifecycle)
    report = {
        "commit": "9f3c1a7",
        "signals": {signal: {"present": signal != "traces"} for signal in ("metrics", "logs", "traces", "dashboards")},
        "url": "https://ci.example/builds/42",
    }

    await lifecycle.call("POST", f"{SERVICE}/observability-reports", report, expect=201)

    assert await result(lifecycle, "limited_availability", "build_observability") == ("fail", True)
    assert await result(lifecycle, "limited_availability", "initial_monitoring") == ("unknown", True)
    await attest(lifecycle, "initial_monitoring")
    assert await result(lifecycle, "limited_availability", "initial_monitoring") == ("pass", True)
