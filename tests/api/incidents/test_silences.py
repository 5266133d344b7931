"""What pages nobody for a while, and what comes and goes too often."""

from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from services.incidents.contract import ALERT
from services.incidents.projections.silences import SILENCES
from services.incidents.quiet import Quiet
from tests.api.incidents.test_alerts import listed
from tests.api.incidents.test_integrations import add, enqueue
from tests.fixtures.services import Running, eventually, memory_is_enough


async def silence(incidents: Running, clock: FrozenClock, *matchers: str, hours: float = 1) -> str:
    until = (clock.now() + timedelta(hours=hours)).isoformat()
    body = {"matchers": matchers, "until": until, "reason": "a move"}
    return (await incidents.call("POST", "/v1/silences", body, expect=201))["id"]


async def held(incidents: Running, by: str) -> Any:
    """The alert that a silence holds."""

    async def found() -> Any:
        items = (await incidents.call("GET", "/v1/alerts"))["items"]
        return next((each for each in items if each["silence"] == by), None)

    return await eventually(found)


async def test_a_silenced_alert_pages_when_the_silence_is_over(incidents: Running, clock: FrozenClock) -> None:
    key = await add(incidents)
    made = await silence(incidents, clock, "service=checkout-api", 'source=~"db-.*"')
    await enqueue(incidents, key)

    alert = await held(incidents, made)
    assert (alert["state"], alert["incident"]) == ("triggered", "")
    await enqueue(incidents, key, dedup_key="another", payload={"summary": "x", "source": "web", "severity": "error"})
    [other] = await listed(incidents, "/v1/incidents")
    assert len(other["alerts"]) == 1

    clock.advance(timedelta(hours=1))
    await listed(incidents, "/v1/alerts?incident=INC-1", 2)


@memory_is_enough
async def test_a_silence_that_is_heard_of_while_another_is_waited_for_is_waited_for_too(
    incidents: Running, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enqueue(incidents, await add(incidents))
    [item] = await listed(incidents, "/v1/alerts")
    alert: Any = (await incidents.resources.handler.load(ALERT, item["id"])).state
    quiet, waited, wait = Quiet(incidents.resources), list[int](), incidents.resources.views.wait_applied

    async def shown(
        projection: str, service: str, epoch: str, partition: int, position: int, patience_s: float
    ) -> bool:
        if projection != SILENCES.name:  # the worker waits for others meanwhile
            return await wait(projection, service, epoch, partition, position, patience_s)
        waited.append(position)
        quiet.hear(2)
        return True

    monkeypatch.setattr(incidents.resources.views, "wait_applied", shown)
    quiet.hear(1)
    for _ in range(2):
        await quiet.covered([alert], clock.now())

    assert waited == [1, 2]


@memory_is_enough
async def test_ending_a_silence_lets_page_what_still_fires(incidents: Running, clock: FrozenClock) -> None:
    key = await add(incidents)
    made = await silence(incidents, clock, "integration=pd")
    await enqueue(incidents, key, dedup_key="gone")
    await held(incidents, made)
    await enqueue(incidents, key, "resolve", dedup_key="gone")
    await enqueue(incidents, key)

    async def both() -> bool:
        items = (await incidents.call("GET", "/v1/alerts"))["items"]
        return [each["silence"] for each in items] == [made, made]

    assert await eventually(both)
    ended = await incidents.call("DELETE", f"/v1/silences/{made}")
    assert (ended["state"], ended["ended_by"]) == ("ended", "ana")
    [incident] = await listed(incidents, "/v1/incidents")
    alert = await incidents.call("GET", f"/v1/alerts/{incident['alerts'][0]}")
    assert (len(incident["alerts"]), alert["dedup_key"]) == (1, "disk/db-1")
    assert (await incidents.call("GET", "/v1/silences?active=true"))["items"] == []


@memory_is_enough
async def test_an_alert_is_snoozed_by_a_silence_of_its_own(incidents: Running, clock: FrozenClock) -> None:
    key = await add(incidents)
    await enqueue(incidents, key)
    [incident] = await listed(incidents, "/v1/incidents")
    until = (clock.now() + timedelta(hours=1)).isoformat()
    path = f"/v1/alerts/{incident['alerts'][0]}:snooze"
    made = await incidents.call("POST", path, {"until": until, "reason": "known"}, expect=201)
    assert made["matchers"] == ['integration="pd"', 'dedup_key="disk/db-1"']

    await enqueue(incidents, key, "resolve")
    await enqueue(incidents, key)
    assert (await held(incidents, made["id"]))["incident"] == ""


@memory_is_enough
async def test_nobody_is_called_for_a_snoozed_incident(incidents: Running, clock: FrozenClock) -> None:
    key = await add(incidents)
    await enqueue(incidents, key)
    await listed(incidents, "/v1/incidents")

    async def begun() -> bool:
        return (await incidents.client.get("/v1/incidents/INC-1/escalation")).status_code == 200

    assert await eventually(begun)
    until = clock.now() + timedelta(hours=1)
    path, body = "/v1/incidents/INC-1:snooze", {"until": until.isoformat(), "reason": "the disk comes at noon"}
    snoozed = await incidents.call("POST", path, body)
    assert (snoozed["state"], snoozed["due"]) == ("paused", "2026-11-21T11:00:00Z")
    entries = (await incidents.call("GET", "/v1/incidents/INC-1/timeline"))["items"]
    assert "snoozed until 2026-11-21 11:00 UTC: the disk comes at noon" in [entry["text"] for entry in entries]
    problem = await incidents.call("POST", path, body | {"until": clock.now().isoformat()}, expect=422)
    assert problem["errors"][0]["pointer"] == "/until"


@memory_is_enough
async def test_a_silence_that_covers_everything_is_refused(incidents: Running, clock: FrozenClock) -> None:
    body = {"matchers": ["a!=b"], "until": (clock.now() + timedelta(hours=1)).isoformat(), "reason": "x"}
    problem = await incidents.call("POST", "/v1/silences", body, expect=422)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("invalid-silence", "/matchers")


async def flaps(incidents: Running, clock: FrozenClock, key: str) -> None:
    """An alert that ended for the third time, of which its incident takes no notice yet."""
    for number in range(1, 4):  # twice its end resolves the incident, then it flaps
        await enqueue(incidents, key)
        await listed(incidents, "/v1/incidents", number)
        await enqueue(incidents, key, "resolve")
        await listed(incidents, "/v1/alerts?state=resolved", number)
        if number < 3:
            await listed(incidents, "/v1/incidents?state=resolved", number)
        clock.advance(timedelta(minutes=1))


@memory_is_enough
async def test_a_flapping_alert_that_is_quiet_does_not_keep_its_incident_from_being_resolved(
    incidents: Running, clock: FrozenClock
) -> None:
    key = await add(incidents)
    await flaps(incidents, clock, key)
    await enqueue(incidents, key, dedup_key="another")
    [other, _] = await listed(incidents, "/v1/alerts?incident=INC-3", 2)

    refused = await incidents.call("POST", "/v1/incidents/INC-3:resolve", expect=409)
    assert (refused["code"], refused["alerts"]) == ("alerts-firing", [other["id"]])
    await enqueue(incidents, key, "resolve", dedup_key="another")
    await listed(incidents, "/v1/alerts?state=resolved", 4)
    resolved = await incidents.call("POST", "/v1/incidents/INC-3:resolve")
    assert (resolved["state"], resolved["alerts_firing"]) == ("resolved", [])
    await enqueue(incidents, key)
    await listed(incidents, "/v1/incidents", 4)


@memory_is_enough
async def test_a_flapping_alert_is_linked_and_stays_one_incident(incidents: Running, clock: FrozenClock) -> None:
    key = await add(incidents)
    await flaps(incidents, clock, key)
    await enqueue(incidents, key)
    alerts = await listed(incidents, "/v1/alerts?incident=INC-3", 2)
    assert (alerts[0]["state"], alerts[0]["follows"]) == ("triggered", alerts[1]["id"])

    await enqueue(incidents, key, "resolve")
    await listed(incidents, "/v1/alerts?state=resolved", 4)
    assert len((await incidents.call("GET", "/v1/incidents?state=triage"))["items"]) == 1

    async def over() -> bool:
        clock.advance(timedelta(minutes=10))
        return len((await incidents.call("GET", "/v1/incidents?state=resolved"))["items"]) == 3

    assert await eventually(over)
