import asyncio
from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.services import Running, eventually, memory_is_enough

OUTAGE = {"title": "Checkout fails", "service": "checkout-api", "severity": "sev2"}
TASK: dict[str, Any] = {
    "title": "Limit the queue",
    "owner": "bo",
    "type": "prevent",
    "priority": "P1",
    "due": "2026-12-24",
}


@pytest.fixture
async def draft(incidents: Running, clock: FrozenClock) -> dict[str, Any]:
    """The postmortem of an outage of 42 minutes."""
    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    await incidents.call("POST", "/v1/incidents/INC-1:acknowledge")
    clock.advance(timedelta(minutes=42))
    await incidents.call("POST", "/v1/incidents/INC-1:resolve")
    return await incidents.call("POST", "/v1/postmortems", {"incident": "INC-1"}, expect=201)


async def listed(incidents: Running, path: str, answer: Any) -> list[dict[str, Any]]:
    page = await incidents.call("GET", path, Consistency_Token=answer.headers["Consistency-Token"])
    return page["items"]


@memory_is_enough
async def test_a_draft_holds_what_the_incident_knows(incidents: Running, draft: dict[str, Any]) -> None:
    incident = await incidents.call("GET", "/v1/incidents/INC-1")

    assert (draft["state"], draft["incident"], draft["number"], draft["authors"]) == (
        "draft",
        incident["id"],
        "INC-1",
        ["ana"],
    )
    assert draft["figures"] == {
        "to_detect_s": 0,
        "to_acknowledge_s": 0,
        "to_mitigate_s": 42 * 60,
        "to_resolve_s": 42 * 60,
    }
    assert "was resolved at 2026-11-21 10:42 UTC" in draft["summary"]
    assert "resolved 42 min after the impact started" in draft["impact"]
    assert (await incidents.call("GET", draft["incident_timeline"]))["items"]
    assert [moment["text"] for moment in draft["timeline"]] == [
        "the impact started",
        "declared sev2: Checkout fails",
        "acknowledged",
        "resolved",
    ]
    assert draft["participants"] == [{"person": "ana", "role": "declared it, took it on, resolved it"}]
    assert (draft["template"], draft["severity"], draft["allowed"]) == (
        "default@1",
        "sev2",
        ["amend", "submit", "publish"],
    )


@memory_is_enough
async def test_a_drafted_timeline_calls_an_alert_by_what_it_said(incidents: Running) -> None:
    pager = {"name": "pd", "kind": "pagerduty", "service": "checkout-api"}
    sender = await incidents.call("POST", "/v1/integrations", pager, expect=201)
    said: dict[str, Any] = {"routing_key": sender["routing_key"], "dedup_key": "queue"}
    payload = {"summary": "The queue is full", "source": "db-1", "severity": "critical"}
    await incidents.call("POST", "/v2/enqueue", said | {"event_action": "trigger", "payload": payload}, expect=202)

    async def declared() -> Any:
        return (await incidents.client.get("/v1/incidents/INC-1")).status_code == 200

    async def resolved() -> Any:
        return (await incidents.call("GET", "/v1/incidents/INC-1"))["state"] == "resolved"

    await eventually(declared)
    await incidents.call("POST", "/v2/enqueue", said | {"event_action": "resolve"}, expect=202)
    await eventually(resolved)
    draft = await incidents.call("POST", "/v1/postmortems", {"incident": "INC-1"}, expect=201)

    assert "resolved: The queue is full" in [moment["text"] for moment in draft["timeline"]]


async def test_from_draft_to_published_with_an_action_item(incidents: Running, draft: dict[str, Any]) -> None:
    path = f"/v1/postmortems/{draft['id']}"
    problem = await incidents.call("POST", f"{path}:publish", expect=409)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("postmortem-incomplete", "/no_action_reason")

    action = await incidents.call("POST", "/v1/actions", TASK | {"postmortem": draft["id"]}, expect=201)
    assert (action["state"], action["incident"], action["service"]) == ("open", draft["incident"], "checkout-api")
    answer = await incidents.client.post(f"{path}:publish", json={"reason": "reviewed by both sides"})
    published = answer.json()

    assert answer.status_code == 200
    assert (published["state"], published["actions"]) == ("published", [action["id"]])
    [item] = await listed(incidents, "/v1/postmortems?incident=INC-1&state=published", answer)
    assert item == {name: published[name] for name in item}
    assert published == await incidents.call("GET", path)


@memory_is_enough
async def test_without_an_action_item_it_says_why_none_follows(incidents: Running, draft: dict[str, Any]) -> None:
    path = f"/v1/postmortems/{draft['id']}"
    amended = await incidents.call(
        "PATCH",
        path,
        {"no_action_reason": "The component is gone.", "root_causes": "A full queue.", "impact": None},
        If_Match='"2"',
    )
    assert (amended["root_causes"], amended["impact"], amended["summary"]) == ("A full queue.", "", draft["summary"])

    problem = await incidents.call("POST", f"{path}:publish", expect=409)
    assert [place["pointer"] for place in problem["errors"]] == ["/impact"]
    await incidents.call("PATCH", path, {"impact": "4 % of checkouts failed."}, If_Match='"3"')
    await incidents.call("POST", f"{path}:submit")
    assert (await incidents.call("POST", f"{path}:publish", expect=409))["code"] == "review-missing"
    published = await incidents.call("POST", f"{path}:publish", {"reason": "the vendor waits for it"})

    assert (published["state"], published["reviewed"]) == ("published", False)
    problem = await incidents.call("PATCH", path, {"impact": "None."}, If_Match='"6"', expect=409)
    assert (problem["code"], problem["state"]) == ("illegal-transition", "published")


@memory_is_enough
async def test_amending_needs_the_version_that_was_seen(incidents: Running, draft: dict[str, Any]) -> None:
    path = f"/v1/postmortems/{draft['id']}"

    assert (await incidents.call("PATCH", path, {"impact": "x"}, expect=428))["code"] == "if-match-required"
    assert (await incidents.call("PATCH", path, {"impact": "x"}, If_Match='"1"', expect=412))["code"]


async def test_an_incident_has_one_postmortem(incidents: Running, draft: dict[str, Any]) -> None:
    problem = await incidents.call("POST", "/v1/postmortems", {"incident": draft["incident"]}, expect=409)

    assert (problem["code"], problem["postmortem"]) == ("postmortem-exists", draft["id"])


async def test_of_two_that_draft_at_once_one_does(incidents: Running) -> None:
    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)

    answers = await asyncio.gather(
        *(incidents.client.post("/v1/postmortems", json={"incident": "INC-1"}) for _ in range(2))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]


@memory_is_enough
async def test_an_unknown_incident_or_postmortem_is_refused_with_its_place(incidents: Running) -> None:
    problem = await incidents.call("POST", "/v1/postmortems", {"incident": "INC-9"}, expect=422)
    assert problem["errors"][0]["pointer"] == "/incident"
    problem = await incidents.call("POST", "/v1/actions", TASK | {"postmortem": "nothing"}, expect=422)
    assert problem["errors"][0]["pointer"] == "/postmortem"


async def test_an_action_item_is_owed_until_it_ends(
    incidents: Running, draft: dict[str, Any], clock: FrozenClock
) -> None:
    action = await incidents.call("POST", "/v1/actions", TASK | {"postmortem": draft["id"]}, expect=201)
    path = f"/v1/actions/{action['id']}"
    assert (await incidents.call("POST", f"{path}:start"))["state"] == "in_progress"
    clock.advance(timedelta(days=60))
    late = await incidents.client.get(path, headers={"If-None-Match": '"2"'})
    assert (late.status_code, late.headers["ETag"], late.json()["overdue"]) == (200, '"2"', True)
    last = await incidents.client.post("/v1/actions", json=TASK | {"postmortem": draft["id"], "due": "2027-06-01"})

    assert [item["id"] for item in await listed(incidents, "/v1/actions?overdue=true", last)] == [action["id"]]
    assert [item["id"] for item in await listed(incidents, "/v1/actions?overdue=false", last)] == [last.json()["id"]]
    by_day = await listed(incidents, "/v1/actions?order_by=due&owner=bo&priority=P1", last)
    assert [item["due"] for item in by_day] == ["2026-12-24", "2027-06-01"]

    answer = await incidents.client.post(f"{path}:complete", json={"reason": "released"})
    assert (answer.json()["state"], answer.json()["overdue"]) == ("completed", False)
    assert await listed(incidents, "/v1/actions?overdue=true", answer) == []
    problem = await incidents.call("POST", f"{path}:drop", expect=409)
    assert (problem["code"], problem["allowed"]) == ("illegal-transition", [])


@memory_is_enough
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"type": "blame"}, "/type"),
        ({"priority": "P9"}, "/priority"),
        ({"due": "soon"}, "/due"),
        ({"owner": "Bo Smith"}, "/owner"),
        ({"title": ""}, "/title"),
    ],
)
async def test_a_wrong_action_item_is_refused_with_its_place(
    incidents: Running, change: dict[str, Any], pointer: str
) -> None:
    problem = await incidents.call("POST", "/v1/actions", TASK | {"postmortem": "x"} | change, expect=422)

    assert [place["pointer"] for place in problem["errors"]] == [pointer]
