"""The health of an engagement, fact by fact."""

from libs.events.testing import FrozenClock
from tests.fixtures.engagements import DAY, active, once, shift_closes
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
