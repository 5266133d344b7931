"""The health of an engagement, fact by fact; and two engagements told from their beginning to their end."""

from typing import Any

from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from tests.fixtures.engagements import DAY, active, once, shift_closes
from tests.fixtures.lifecycle_api import IN_MEMORY, signed_in
from tests.fixtures.services import Elsewhere, Running


async def test_health_names_what_is_late_broken_and_unevenly_shared_with_its_evidence(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    await engaged.rule()
    await engaged.do(
        "/trainings",
        {"title": "read the runbooks", "topic": "joint_workshop", "owner": "di", "due": "2026-11-22"},
        expect=201,
    )
    before = clock.now()
    quiet = await engaged.get("/health")
    assert [load["shifts"] for load in quiet["workload"]] == [None, None]
    clock.advance(90 * DAY)
    await shift_closes(incidents, 6, interrupt_minutes=180)
    await shift_closes(incidents, 0, side="dev", interrupt_minutes=60)
    clock.advance(4 * DAY)

    health = await once(
        engaged, "/health", lambda health: len(health["open_breaches"]) == 2 and health["workload"][0]["shifts"]
    )

    assert {each["series"]["series"]: each["overdue"] for each in health["cadence"]} == {
        "quarterly-update": True,
        "service-review": False,
    }
    assert [(rule["rule"], rule["value"], rule["state"]) for rule in health["ground_rules"]] == [
        ("pages", 3.0, "breached")
    ]
    assert [(item["title"], item["owner"]) for item in health["overdue"]] == [("read the runbooks", "di")]
    assert {load["side"]: (load["pages"], load["share_of_interrupts"]) for load in health["workload"]} == {
        "dev": (0, 0.25),
        "sre": (6, 0.75),
    }
    assert all(load["evidence"] for load in health["workload"])
    assert health["next"][0]["overdue"]
    past = (await lifecycle.client.get(f"{engaged.path}/health", params={"as_of": before.isoformat()})).json()
    assert (past["open_breaches"], past["overdue"], past["workload"][0]["shifts"]) == ([], [], None)


async def incident(incidents: Elsewhere, number: int, service: str) -> None:
    """One that is over at once."""
    told: dict[str, Any] = {"incident": f"i{number}", "number": f"INC-{number}", "service": service, "severity": "sev2"}
    for verb in ("declared", "resolved"):
        await incidents.says(f"incident.{verb}", f"incident/i{number}", **told, at=incidents.clock.now())


@IN_MEMORY
async def test_ares_developers_are_empowered_and_then_run_it_by_themselves(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    ares = await active(lifecycle, "ares", model="embedded")
    goals = [
        {
            "id": "fast",
            "kind": "velocity",
            "title": "faster to production",
            "metric": "lead_time",
            "target": 24,
            "unit": "h",
        },
        {"id": "safe", "kind": "reliability", "title": "not worse", "slo": "ares-availability"},
    ]
    await ares.put("goals", {"entries": goals, "reason": "success is that they need us less"})
    await ares.agree("goals")
    skills = {"title": "operating ares", "topic": "reliability_for_developers", "owner": "di", "due": "2026-12-15"}
    training = (await ares.do("/trainings", skills, expect=201))["id"]
    pipeline = {"title": "self-service pipeline", "side": "sre", "owner": "di", "due": "2026-12-20", "serves": "fast"}
    milestone = (await ares.do("/plan", pipeline, expect=201))["id"]
    for number in range(3):
        clock.advance(DAY)
        await incident(incidents, number, "ares")
        await shift_closes(incidents, 4, services=["ares"])
    await ares.do(f"/trainings/{training}:hold", {"people": ["ana", "cy"], "outcome": "they run the drills alone"})
    await ares.do(f"/plan/{milestone}:complete", {"outcome": "a day from commit to production"})

    await ares.hand_back()
    clock.advance(DAY)
    await incident(incidents, 9, "ares")
    await shift_closes(incidents, 1, side="dev", services=["ares"])
    await once(ares, "/handback", lambda shown: [each["after"] for each in shown["figures"]][4] == 1)
    clock.advance(90 * DAY)
    after = await once(ares, "/handback", lambda shown: shown["final"])
    figures = {each["metric"]: (each["before"], each["after"]) for each in after["figures"]}
    assert (figures["incidents"], figures["pages_per_shift"]) == ((3, 1), (4, 1))

    ended = await ares.do(
        ":disengage", {"ending": "dev_self_sufficient", "reason": "fewer requests, not less reliable"}
    )
    assert (ended["ending"], ended["receiver"]) == ("dev_self_sufficient", "checkout")
    assert (await lifecycle.call("GET", "/v1/services/ares"))["sre_team"] is None


@IN_MEMORY
async def test_the_data_analysis_pipeline_ends_with_one_owner_of_the_old_system(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    old = await active(lifecycle, "pipeline", "pipeline-next")
    await lifecycle.call("POST", "/v1/teams", {"name": "legacy", "kind": "dev", "members": ["eve"]}, expect=201)
    series = {"title": "Weekly sync", "every_days": 7, "reason": "so agreed"}
    await lifecycle.call("PUT", f"{old.path}/meeting-series/sync", series)
    signs = [
        {"title": "investment moves to the replacement", "side": "dev", "topic": "architectural_change"},
        {"title": "small changes take longer each month", "side": "sre", "topic": "bottleneck"},
        {"title": "usage still grows", "side": "sre", "topic": "user_impact"},
    ]
    for sign in signs:
        await old.do("/insights", sign | {"services": ["pipeline"]}, expect=201)
    clock.advance(22 * DAY)
    health = await once(old, "/health", lambda health: any(each["series"]["missed"] for each in health["cadence"]))
    assert [each["series"]["series"] for each in health["cadence"] if each["overdue"]] == ["sync"]
    for each in (await once(old, "/insights", lambda page: len(page["items"]) == 3))["items"]:
        await old.do(f"/insights/{each['id']}:conclude", {"outcome": "one team owns the old system"})

    # the old system gets one owner, and SRE works on for the new one
    await old.do("/services/pipeline-next:remove")
    await old.do(":start-handback", {"receiver": "legacy", "reason": "one team owns it"})
    clock.advance(15 * DAY)
    done = {"evidence": "https://wiki.example/done"}
    await old.do("/handback/receiver-accepts:settle", done, expect=403)
    eve = signed_in(lifecycle, Principal("eve", "person", frozenset({"*"}), "api-key", "key-9"))
    for item in (await old.get("/handback"))["items"]:
        await old.do(f"/handback/{item['id']}:settle", done, by=eve)
    ended = await old.do(":disengage", {"ending": "reorganised", "reason": "SRE works on the new one"})

    assert (ended["state"], ended["receiver"]) == ("disengaged", "legacy")
    assert (await lifecycle.call("GET", "/v1/services/pipeline"))["engagement"] is None
