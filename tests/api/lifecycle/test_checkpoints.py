"""Checkpoints over HTTP: planned, run, concluded; what a service has shown, and what it has to show again."""

from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from services.lifecycle.contract import ARCHITECTURE
from services.lifecycle.projections.sdlc_checkpoints import checkpoints_by_service, checkpoints_of
from tests.fixtures.lifecycle_api import BO, ROBOT, register, signed_in
from tests.fixtures.services import Running, eventually, memory_is_enough

CHECKPOINTS = "/v1/checkpoints"
OVERVIEW = "/v1/services/checkout-api/checkpoints"
REPORTS = "/v1/services/checkout-api/observability-reports"
EXPERIMENT = {
    "kind": "chaos_experiment",
    "hypothesis": "orders are taken, and charged later",
    "environment": "production",
    "blast_radius": "1 % of the users",
    "abort_when": "2 % of their orders fail",
    "depends_on": "payments",
    "steady_state": [{"metric": "orders_taken", "target": 0.99, "better": "higher"}],
}
HELD = {"kind": "chaos_experiment", "held": True, "observed": "as said", "figures": {"orders_taken": 0.995}}
LOAD = {
    "kind": "load_test",
    "environment": "staging",
    "load": 1500,
    "expected_peak": 1000,
    "measures": [{"metric": "p99_ms", "target": 250, "unit": "ms"}],
}
BORNE = {"kind": "load_test", "load": 1500, "units": 6, "unit_name": "instance", "figures": {"p99_ms": 214}}
RESTORE = {"kind": "restore_test", "scenario": "backup_restore", "environment": "staging"}
RESTORED = {"kind": "restore_test", "recovery_point": "PT5M", "recovery_time": "PT1H", "verified": True}
DRILL = {"kind": "rollback_drill", "environment": "production", "from_version": "1.41", "to_version": "1.42"}
DRILLED = {"kind": "rollback_drill", "upgraded": True, "rolled_back": True, "upgraded_again": True}
SEEN = {name: {"present": True} for name in ("metrics", "logs", "traces", "dashboards")}


def plan(content: dict[str, Any], result: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A body that plans *content*, and concludes it with *result*."""
    body: dict[str, Any] = {"service": "checkout-api", "title": "a test", "plan": content}
    if result:
        body["conclusion"] = {"result": result, "evidence": ["https://ci.example/9"], **fields}
    return body


async def shop(service: Running) -> None:
    """checkout-api, which fails without payments."""
    await register(service)
    await service.call("POST", "/v1/services", {"name": "payments", "owner_team": "checkout", "tier": 1}, expect=201)
    await service.call(
        "PUT",
        "/v1/services/checkout-api/dependencies/payments",
        {"criticality": "hard", "failure_behaviour": "cards are charged later"},
    )


async def reported(service: Running, content: dict[str, Any], result: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A checkpoint that was carried out already."""
    return await service.call("POST", CHECKPOINTS, plan(content, result, **fields), expect=201)


async def overview(service: Running, shows: str) -> dict[str, Any]:
    """What checkout-api has shown, once it shows the checkpoint *shows*."""

    async def looked() -> dict[str, Any] | None:
        answer = await service.call("GET", OVERVIEW)
        newest = [kind["newest"]["checkpoint"] for kind in answer["kinds"] if kind["newest"]]
        return answer if shows in newest else None

    seen = await eventually(looked)
    assert seen is not None
    return seen


async def test_an_experiment_runs_and_its_weak_point_becomes_a_finding(lifecycle: Running) -> None:
    await shop(lifecycle)
    planned = await lifecycle.call("POST", CHECKPOINTS, plan(EXPERIMENT), expect=201)
    here = f"{CHECKPOINTS}/{planned['id']}"
    early = await lifecycle.call(
        "POST", f"{here}:conclude", {"result": HELD, "evidence": ["https://ci.example/9"]}, expect=409
    )
    started = await lifecycle.call("POST", f"{here}:start")
    ended = await lifecycle.call(
        "POST",
        f"{here}:conclude",
        {
            "result": {**HELD, "held": False},
            "evidence": ["https://ci.example/9"],
            "weak_points": [{"title": "no timeout", "text": "orders wait"}],
        },
    )

    assert (planned["state"], planned["allowed"], planned["plan"]["kind"]) == (
        "planned",
        ["change", "start", "cancel"],
        "chaos_experiment",
    )
    assert (early["code"], early["allowed"]) == ("illegal-step", ["change", "start", "cancel"])
    assert (started["state"], started["next"][0]["who"]) == ("running", "ana")
    assert (ended["state"], [one["met"] for one in ended["criteria"]]) == ("failed", [False, True])
    (weak,) = ended["weak_points"]
    known = (await lifecycle.resources.handler.load(ARCHITECTURE, "checkout-api")).state
    assert (weak["finding"], weak["state"]) == (next(iter(known)), "open")
    assert known[weak["finding"]].opened.source == here
    assert ended["next"][-1]["how"] == f"POST /v1/services/checkout-api/architecture-findings/{weak['finding']}:triage"

    there = f"/v1/services/checkout-api/architecture-findings/{weak['finding']}"
    await lifecycle.call("POST", f"{there}:triage", {"owner": "ana", "due": "2026-12-15", "reason": "soon"})
    await lifecycle.call("POST", f"{there}:start", {})
    await lifecycle.call("POST", f"{there}:fix", {"url": "https://git.example/1", "reason": "a timeout"})
    mended = await lifecycle.call("GET", here)
    await signed_in(lifecycle, BO).call("POST", f"{there}:verify", {"reason": "tried again"})
    verified = await lifecycle.call("GET", here)

    assert (mended["weak_points"][0]["state"], mended["next"][-1]["who"]) == ("fixed", "anybody but ana")
    assert verified["weak_points"][0]["state"] == "verified"


async def test_what_is_known_to_be_wrong_is_not_found_twice(lifecycle: Running) -> None:
    await register(lifecycle)
    failed = {**DRILLED, "rolled_back": False}

    first = await reported(lifecycle, DRILL, failed)
    second = await reported(lifecycle, DRILL, failed)
    again = {**plan(DRILL, failed, performed_at="2026-11-21T09:00:00Z"), "id": "run-1"}
    sent = [await lifecycle.call("POST", CHECKPOINTS, again, expect=201) for _ in range(2)]

    known = (await lifecycle.resources.handler.load(ARCHITECTURE, "checkout-api")).state
    assert [one["weak_points"][0]["finding"] for one in (first, second, *sent)] == list(known) * 4
    assert sent[0] == sent[1]


async def test_gates_and_plans_read_the_newest_of_each_kind(lifecycle: Running, clock: FrozenClock) -> None:
    await shop(lifecycle)
    day_before = (clock.now() - timedelta(days=1)).isoformat()
    await reported(lifecycle, LOAD, {**BORNE, "load": 900}, performed_at=day_before)
    load = await reported(lifecycle, LOAD, BORNE)
    chaos = await reported(lifecycle, EXPERIMENT, HELD)
    older = await reported(lifecycle, LOAD, {**BORNE, "load": 100}, performed_at="2026-10-01T10:00:00Z")
    weak = await reported(lifecycle, DRILL, {**DRILLED, "rolled_back": False})
    await overview(lifecycle, weak["id"])

    facts = await lifecycle.resources.views.read(checkpoints_of, "checkout-api")
    none = await lifecycle.resources.views.read(checkpoints_of, "payments")
    everybody = await lifecycle.resources.views.read(checkpoints_by_service)

    assert facts is not None
    assert (none, everybody) == (None, {"checkout-api": facts})
    newest = facts.newest["load_test"]
    assert (newest.checkpoint, newest.passed, older["state"]) == (load["id"], True, "failed")
    assert (newest.figures["peak_ratio"], newest.figures["unit_capacity"]) == (1.5, 250)
    assert facts.without["payments"].checkpoint == chaos["id"]
    assert not facts.newest["rollback_drill"].passed


async def test_a_service_sees_what_it_has_to_show_again_now_and_in_the_past(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await shop(lifecycle)
    before = clock.now().isoformat()
    clock.advance(timedelta(hours=1))
    load = await reported(lifecycle, LOAD, BORNE)
    fresh = await overview(lifecycle, load["id"])
    clock.advance(timedelta(days=91))
    stale = await overview(lifecycle, load["id"])
    past = await lifecycle.call("GET", f"{OVERVIEW}?as_of={before.replace('+00:00', 'Z')}")

    def of(answer: dict[str, Any], kind: str) -> dict[str, Any]:
        return next(one for one in answer["kinds"] if one["kind"] == kind)

    assert (of(fresh, "load_test")["is_stale"], of(fresh, "load_test")["next"]) == (False, None)
    assert of(stale, "load_test")["is_stale"]
    assert "supply unit" in of(stale, "load_test")["next"]["why"]  # the source of the number
    assert of(past, "load_test")["newest"] is None
    assert of(fresh, "benchmark")["next"]["why"] == "there is none"
    (without,) = fresh["hard_dependencies"]
    assert (without["dependency"], without["newest"], without["next"]["who"]) == ("payments", None, "team checkout")


async def test_ci_reports_what_can_be_seen_of_each_commit_and_may_repeat_itself(lifecycle: Running) -> None:
    await register(lifecycle)
    ci = signed_in(lifecycle, ROBOT)
    first = {"id": "run-1", "commit": "9fceb02", "url": "https://ci.example/1", "signals": SEEN}
    at = {"at": "2026-11-21T09:00:00Z"}
    lacking = {"commit": "0b31a7c", "url": "https://ci.example/2", "signals": {**SEEN, "traces": {"present": False}}}

    report = await ci.call("POST", REPORTS, {**first, **at}, expect=201)
    again = await ci.call("POST", REPORTS, {**first, **at}, expect=201)
    other = await ci.call("POST", REPORTS, {**first, **at, "commit": "another"}, expect=409)
    newer = await ci.call("POST", REPORTS, lacking, expect=201)
    seen = await overview(lifecycle, newer["id"])

    assert (report["state"], again, other["code"]) == ("passed", report, "recorded-otherwise")
    assert (newer["state"], newer["next"][0]["why"]) == ("failed", "traces are missing")
    newest = next(one for one in seen["kinds"] if one["kind"] == "observability_report")
    assert newest["newest"]["showed"] == "traces are missing"


async def test_a_restore_is_measured_against_what_the_service_declares(lifecycle: Running) -> None:
    await register(lifecycle)
    undeclared = await lifecycle.call("POST", CHECKPOINTS, plan(RESTORE, RESTORED), expect=422)
    declared = {
        "kind": "recovery_objectives",
        "at": "2026-11-01T10:00:00Z",
        "url": "https://wiki.example/7",
        "figures": {"recovery_point_minutes": 5, "recovery_time_minutes": 30},
    }
    evidence = await lifecycle.call("POST", "/v1/services/checkout-api/evidence", declared, expect=201)
    laxer = {**RESTORE, "recovery_time": "PT1H"}
    refused = await lifecycle.call("POST", CHECKPOINTS, plan(laxer, RESTORED), expect=422)
    late = await reported(lifecycle, RESTORE, RESTORED)
    in_time = await reported(lifecycle, RESTORE, {**RESTORED, "recovery_time": "PT30M"})

    assert [undeclared["errors"][0]["pointer"], refused["errors"][0]["pointer"]] == [
        "/plan/recovery_point",
        "/plan/recovery_time",
    ]
    assert (late["state"], late["plan"]["declared_in"]) == ("failed", evidence["id"])
    assert [one["name"] for one in late["criteria"] if not one["met"]] == ["recovery_time"]
    assert in_time["state"] == "passed"


@memory_is_enough
async def test_a_load_test_tells_capacity_what_one_unit_bears(lifecycle: Running) -> None:
    await register(lifecycle)
    supply = "/v1/services/checkout-api/capacity/supply"
    passed = await reported(lifecycle, LOAD, BORNE, performed_at="2026-11-20T14:00:00Z")
    others = [
        await reported(lifecycle, LOAD, {**BORNE, "load": 900}),
        await reported(lifecycle, LOAD, {**BORNE, "units": None}),
        await reported(lifecycle, DRILL, DRILLED),
        {"id": "nothing"},
    ]
    pods = {"unit": "pod", "domains": [{"name": "zone-a", "units": 6}]}

    refused = [await lifecycle.call("PUT", supply, {**pods, "load_test": one["id"]}, expect=422) for one in others]
    twice = {**pods, "load_test": passed["id"], "unit_capacity": 100}
    unclear = [await lifecycle.call("PUT", supply, body, expect=422) for body in (pods, twice)]
    told = await lifecycle.call("PUT", supply, {**pods, "load_test": passed["id"]})

    assert [one["errors"][0]["pointer"] for one in refused] == ["/load_test"] * 4
    assert [one["code"] for one in unclear] == ["invalid"] * 2
    assert {name: told["supply"][name] for name in ("unit_capacity", "tested_on", "url")} == {
        "unit_capacity": 250,
        "tested_on": "2026-11-20",
        "url": "https://ci.example/9",
    }


@memory_is_enough
async def test_a_benchmark_is_compared_with_an_earlier_one(lifecycle: Running) -> None:
    await register(lifecycle)
    measures = [{"metric": "p99_ms", "target": 250, "allowed_regression": 0.1}]
    benchmark = {"kind": "benchmark", "environment": "test"}
    first = await reported(
        lifecycle,
        {**benchmark, "measures": [{"metric": "p99_ms", "target": 250}]},
        {"kind": "benchmark", "figures": {"p99_ms": 200}},
    )
    against = {**benchmark, "measures": measures, "baseline_of": first["id"]}

    worse = await reported(lifecycle, against, {"kind": "benchmark", "figures": {"p99_ms": 221}})
    as_good = await reported(lifecycle, against, {"kind": "benchmark", "figures": {"p99_ms": 220}})
    nothing = await lifecycle.call("POST", CHECKPOINTS, plan({**against, "baseline_of": "nothing"}), expect=422)

    assert (worse["state"], as_good["state"]) == ("failed", "passed")
    assert worse["criteria"][1]["limit"] == 220
    assert (nothing["code"], nothing["errors"][0]["pointer"]) == ("no-baseline", "/plan/baseline_of")


@memory_is_enough
async def test_lists_are_filtered_and_the_past_stays_as_it_was(lifecycle: Running, clock: FrozenClock) -> None:
    await shop(lifecycle)
    planned = await lifecycle.call("POST", CHECKPOINTS, plan(EXPERIMENT), expect=201)
    then = clock.now()
    clock.advance(timedelta(hours=1))
    await lifecycle.call("POST", f"{CHECKPOINTS}/{planned['id']}:start")
    stopped = await lifecycle.client.post(
        f"{CHECKPOINTS}/{planned['id']}:abort", json={"reason": "orders fail", "weak_points": [{"title": "no timeout"}]}
    )
    token = stopped.headers["Consistency-Token"]
    past = f"as_of={then.isoformat().replace('+00:00', 'Z')}"

    async def listed(query: str) -> list[str]:
        page = await lifecycle.call("GET", f"{CHECKPOINTS}?{query}", Consistency_Token=token)
        return [one["state"] for one in page["items"]]

    assert stopped.json()["state"] == "aborted"
    assert await listed("service=checkout-api&kind=chaos_experiment&depends_on=payments") == ["aborted"]
    assert await listed("state=planned") == await listed("kind=load_test") == await listed("service=payments") == []
    assert await listed(f"state=planned&{past}") == ["planned"]
    assert await lifecycle.call("GET", f"{CHECKPOINTS}/{planned['id']}?{past}") == planned


@memory_is_enough
async def test_whoever_has_read_an_older_version_changes_nothing(lifecycle: Running) -> None:
    await shop(lifecycle)
    planned = await lifecycle.client.post(CHECKPOINTS, json=plan(EXPERIMENT))
    here = planned.headers["Location"]
    await lifecycle.call("POST", f"{here}:start", If_Match=planned.headers["ETag"])

    late = await lifecycle.call(
        "POST", f"{here}:abort", {"reason": "late"}, expect=412, If_Match=planned.headers["ETag"]
    )

    assert late["code"] == "precondition-failed"


REFUSED = [
    (plan(EXPERIMENT) | {"service": "nowhere"}, "unknown-reference", "/service"),
    (plan({**EXPERIMENT, "depends_on": "nowhere"}), "unknown-reference", "/plan/depends_on"),
    (plan({**EXPERIMENT, "abort_when": ""}), "invalid", "/plan/chaos_experiment/abort_when"),
    (plan({"kind": "hope"}), "invalid", "/plan"),
    (plan({**LOAD, "load": 0}), "invalid", "/plan/load_test/load"),
    (plan({**LOAD, "measures": LOAD["measures"] * 2}), "faulty-plan", "/plan/measures/1/metric"),
    (plan(LOAD, HELD), "result-of-another-kind", "/conclusion/result/kind"),
    (plan(LOAD, {**BORNE, "figures": {}}), "figures-missing", "/conclusion/result/figures/p99_ms"),
    (plan(LOAD, BORNE, performed_at="2027-01-01T00:00:00Z"), "not-performed-then", "/conclusion/performed_at"),
    (plan(LOAD, BORNE, evidence=[]), "invalid", "/conclusion/evidence"),
    (plan({**DRILL, "to_version": "1.41"}), "faulty-plan", "/plan/to_version"),
]


@memory_is_enough
async def test_what_cannot_be_is_refused_with_its_place(lifecycle: Running) -> None:
    await register(lifecycle)

    problems = [await lifecycle.call("POST", CHECKPOINTS, body, expect=422) for body, _, _ in REFUSED]

    found = [(problem["code"], problem["errors"][0]["pointer"]) for problem in problems]
    assert found == [(code, pointer) for _, code, pointer in REFUSED]


@memory_is_enough
async def test_what_is_not_there_is_not_found(lifecycle: Running) -> None:
    await register(lifecycle)

    for path in (f"{CHECKPOINTS}/nothing", "/v1/services/nothing/checkpoints"):
        assert (await lifecycle.call("GET", path, expect=404))["code"] == "not-found"
    await lifecycle.call("POST", f"{CHECKPOINTS}/nothing:start", expect=404)
    await lifecycle.call("POST", f"{CHECKPOINTS}/nothing:abort", {"reason": "none"}, expect=404)


async def test_a_plan_is_changed_while_nothing_came_out_and_an_outdated_change_is_refused(lifecycle: Running) -> None:
    await shop(lifecycle)
    here = f"{CHECKPOINTS}/{(await lifecycle.call('POST', CHECKPOINTS, plan(EXPERIMENT), expect=201))['id']}"
    narrower = {"plan": EXPERIMENT | {"blast_radius": "0.5 % of the users", "environment": "staging"}}

    changed = await lifecycle.call("PATCH", here, narrower, If_Match='"1"')
    stale = await lifecycle.call("PATCH", here, {"title": "another"}, If_Match='"1"', expect=412)
    other = await lifecycle.call("PATCH", here, {"plan": DRILL}, expect=422)
    unknown = await lifecycle.call("PATCH", here, {"plan": EXPERIMENT | {"depends_on": "mail"}}, expect=422)

    assert (changed["title"], changed["plan"]["blast_radius"]) == ("a test", "0.5 % of the users")
    assert (stale["code"], other["code"], other["errors"][0]["pointer"]) == (
        "precondition-failed",
        "plan-of-another-kind",
        "/plan/kind",
    )
    assert unknown["errors"][0]["pointer"] == "/plan/depends_on"

    async def listed() -> bool:
        return (await lifecycle.call("GET", CHECKPOINTS))["items"] == [changed]

    await eventually(listed)
    await lifecycle.call("POST", f"{here}:cancel", {"reason": "not today"})
    late = await lifecycle.call("PATCH", here, {"title": "another"}, expect=409)
    assert late["code"] == "illegal-step"
