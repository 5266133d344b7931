from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.services import Running, eventually, memory_is_enough

OUTAGE = {"title": "Checkout fails", "service": "checkout-api", "severity": "sev2"}
FINDING = {"kind": "finding", "id": "019aa5f0-1c00-7b20-8a3b-5d6e7f809abc"}
TASK: dict[str, Any] = {
    "source": FINDING,
    "service": "checkout-api",
    "title": "Limit the queue",
    "owner": "ana",
    "type": "prevent",
    "priority": "P1",
}


async def open_one(incidents: Running, **more: object) -> dict[str, Any]:
    return await incidents.call("POST", "/v1/actions", TASK | more, expect=201)


def person(name: str, side: str, team: str) -> dict[str, Any]:
    contact = {"email": f"{name}@example.com"}
    return {"name": name, "display_name": name, "team": team, "side": side, "zone": "UTC", "contact": contact}


async def told(incidents: Running, kind: str) -> int:
    events = await incidents.resources.store.read(0, 1000)
    return sum(each.type == f"io.concordat.incidents.action.{kind}.v1" for each in events)


async def test_its_owner_is_reminded_once_and_told_once_that_it_is_overdue(
    incidents: Running, clock: FrozenClock
) -> None:
    action = await open_one(incidents, priority="P0")
    path = f"/v1/actions/{action['id']}"
    assert (action["due"], action["source_kind"], action["source"]) == ("2026-11-28", "finding", FINDING["id"])

    async def said(kind: str, times: int) -> None:
        async def so_often() -> bool:
            return await told(incidents, kind) == times

        await eventually(so_often)

    clock.advance(timedelta(days=4))  # Wednesday, three days before
    await said("reminded", 1)
    clock.advance(timedelta(days=4))
    await said("overdue", 1)
    assert (await incidents.call("GET", path))["overdue"]

    moved = await incidents.call("POST", f"{path}:reschedule", {"due": "2026-12-05", "reason": "the vendor is late"})
    assert (moved["due"], moved["moved"], moved["overdue"]) == ("2026-12-05", 1, False)
    clock.advance(timedelta(days=10))
    await said("overdue", 2)
    assert await told(incidents, "reminded") == 1  # it was too late to remind, so only the end was said


@memory_is_enough
async def test_it_is_changed_by_a_merge_patch_and_another_owner_needs_a_reason(incidents: Running) -> None:
    action = await open_one(incidents, collaborators=["bo"], tracking_url="https://tracker.example.com/7")
    path = f"/v1/actions/{action['id']}"
    assert (action["collaborators"], action["tracking_url"]) == (["bo"], "https://tracker.example.com/7")

    urgent = await incidents.call("PATCH", path, {"priority": "P0"}, If_Match='"1"')
    assert (action["due"], urgent["due"]) == ("2026-12-21", "2026-11-28")
    body = {"collaborators": None, "priority": "P2", "reason": "less urgent"}
    changed = await incidents.call("PATCH", path, body, If_Match='"2"')
    assert (changed["collaborators"], changed["priority"], changed["title"]) == ([], "P2", "Limit the queue")
    assert (await incidents.call("PATCH", path, body, If_Match='"1"', expect=412))["code"]
    problem = await incidents.call("POST", f"{path}:reassign", {"owner": "bo"}, expect=422)
    assert [place["pointer"] for place in problem["errors"]] == ["/reason"]
    moved = await incidents.call("POST", f"{path}:reassign", {"owner": "bo", "reason": "ana is away"})
    assert moved["owner"] == "bo"
    before = await incidents.client.get(f"{path}?as_of=2026-11-21T09:00:00Z")
    assert before.status_code == 404


@memory_is_enough
async def test_it_may_follow_from_an_incident(incidents: Running) -> None:
    incident = await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    body = {name: value for name, value in TASK.items() if name != "service"}

    action = await incidents.call(
        "POST", "/v1/actions", body | {"source": {"kind": "incident", "id": "INC-1"}}, expect=201
    )

    assert (action["incident"], action["service"], action["source_kind"]) == (
        incident["id"],
        "checkout-api",
        "incident",
    )


@memory_is_enough
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"source": {"kind": "incident", "id": "INC-9"}, "service": None}, "/source/id"),
        ({"source": {"kind": "incident", "id": "INC-9"}, "service": "nothing"}, "/service"),
        ({"source": None}, ""),
        ({"postmortem": "p1"}, ""),
        ({"service": None}, ""),
        ({"service": "nothing"}, "/service"),
        ({"tracking_url": "javascript:alert(1)"}, "/tracking_url"),
        ({"tracking_url": "https://x.example.com/<script>"}, "/tracking_url"),
        ({"title": "a\u0000b"}, "/title"),
        ({"due": "0001-01-01"}, "/due"),
        ({"due": "9999-12-31"}, "/due"),
        ({"collaborators": ["Bo Smith"]}, "/collaborators/0"),
    ],
)
async def test_a_wrong_action_is_refused_with_its_place(
    incidents: Running, change: dict[str, Any], pointer: str
) -> None:
    body = {name: value for name, value in (TASK | change).items() if value is not None}

    problem = await incidents.call("POST", "/v1/actions", body, expect=422)

    assert [place["pointer"] for place in problem["errors"]] == [pointer]


@memory_is_enough
async def test_an_owner_is_somebody_who_is_here(incidents: Running) -> None:
    for name in ("bo", "cy"):
        await incidents.call("POST", "/v1/people", person(name, "dev", "checkout"), expect=201)
    await incidents.call("DELETE", "/v1/people/cy")

    async def registered() -> bool:
        return bool((await incidents.call("GET", "/v1/people?team=checkout"))["items"])

    await eventually(registered)
    left = await incidents.call("POST", "/v1/actions", TASK | {"owner": "cy"}, expect=422)
    assert (left["code"], left["errors"][0]["pointer"]) == ("owner-left", "/owner")
    unknown = await incidents.call("POST", "/v1/actions", TASK | {"owner": "dee"}, expect=422)
    assert (unknown["code"], unknown["errors"][0]["pointer"]) == ("unknown-reference", "/owner")
    helped = TASK | {"owner": "bo", "collaborators": ["bo", "cy"]}
    gone = await incidents.call("POST", "/v1/actions", helped, expect=422)
    assert (gone["code"], gone["errors"][0]["pointer"]) == ("owner-left", "/collaborators/1")
    action = await open_one(incidents, owner="bo")
    path = f"/v1/actions/{action['id']}"
    unheard = await incidents.call("PATCH", path, {"collaborators": ["dee"]}, If_Match='"1"', expect=422)
    assert unheard["errors"][0]["pointer"] == "/collaborators/0"
    reassign = {"owner": "cy", "reason": "x"}
    assert (await incidents.call("POST", f"{path}:reassign", reassign, expect=422))["code"]
    await open_one(incidents, owner="ana")  # oneself


async def test_the_report_says_what_became_of_them_and_whose_owner_left(incidents: Running, clock: FrozenClock) -> None:
    await incidents.call("POST", "/v1/people", person("bo", "sre", "platform"), expect=201)
    first = await open_one(incidents, owner="bo", priority="P0")
    second = await open_one(incidents, owner="bo", priority="P0", type="detect")
    third = await open_one(incidents, priority="P2")
    clock.advance(timedelta(days=4))
    await incidents.call("POST", f"/v1/actions/{first['id']}:complete")
    clock.advance(timedelta(days=6))
    await incidents.call("POST", f"/v1/actions/{third['id']}:drop", {"reason": "the component is gone"})
    await incidents.call("DELETE", "/v1/people/bo")

    async def counted() -> Any:
        report = await incidents.call("GET", "/v1/actions/follow-through?service=checkout-api")
        done = report["total"]["done"] == report["total"]["dropped"] == 1 and report["owners_left"]
        return report if done else None

    async def said_at_once() -> bool:
        return await told(incidents, "owner-left") == 1  # of what is done, and of what others own, nothing

    await eventually(said_at_once)
    report = await eventually(counted)
    total = report["total"]
    assert (total["opened"], total["on_time"], total["still_open"], total["overdue"]) == (3, 1, 1, 1)
    assert total["median_days"] == 4.0
    assert [(each["name"], each["opened"], each["done"]) for each in report["by_priority"]] == [
        ("P0", 2, 1),
        ("P2", 1, 0),
    ]
    assert [(each["name"], each["median_days"]) for each in report["by_type"]] == [("detect", None), ("prevent", 4.0)]
    assert {each["name"]: each["opened"] for each in report["by_team"]}["platform"] == 2
    assert report["owners_left"] == [{"owner": "bo", "actions": [second["id"]]}]
    assert report["complete"]

    nothing = await incidents.call("GET", "/v1/actions/follow-through?until=2026-01-01T00:00:00Z")
    assert (nothing["total"]["opened"], nothing["total"]["median_days"]) == (0, None)
    wrong = "/v1/actions/follow-through?since=2026-12-01T00:00:00Z&until=2026-11-01T00:00:00Z"
    assert (await incidents.call("GET", wrong, expect=422))["code"] == "invalid-period"
