"""Senders with their own keys: what they are answered, and what becomes of what they send."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from libs.events.bus import Bus
from libs.events.testing import FrozenClock
from tests.api.incidents.test_alerts import listed
from tests.fixtures.services import Database, Elsewhere, Running, eventually, memory_is_enough, running

PAYLOAD = {"summary": "disk of db-1 is full", "source": "db-1", "severity": "critical"}


async def add(incidents: Running, name: str = "pd", kind: str = "pagerduty", **more: Any) -> str:
    """The key of a new integration."""
    body = {"name": name, "kind": kind, "service": "checkout-api"} | more
    made = await incidents.call("POST", "/v1/integrations", body, expect=201)
    return made["routing_key"] or made["key"]


async def enqueue(incidents: Running, key: str, action: str = "trigger", *, expect: int = 202, **more: Any) -> Any:
    event = {"routing_key": key, "event_action": action, "dedup_key": "disk/db-1", "payload": PAYLOAD} | more
    return await incidents.call("POST", "/v2/enqueue", event, expect=expect)


def bearer(key: str) -> dict[str, str]:
    return {"X_Client_Authorization": f"Bearer {key}"}


async def test_a_sender_of_pagerduty_events_opens_and_ends_an_alert_and_its_incident(incidents: Running) -> None:
    key = await add(incidents)

    taken = await enqueue(incidents, key, links=[{"href": "https://x"}])
    assert taken == {"status": "success", "message": "Event processed", "dedup_key": "disk/db-1"}
    [incident] = await listed(incidents, "/v1/incidents?state=triage")
    assert (incident["title"], incident["severity"], incident["service"]) == (
        "disk of db-1 is full",
        "sev2",
        "checkout-api",
    )
    alert = await incidents.call("GET", f"/v1/alerts/{incident['alerts'][0]}")
    assert (alert["integration"], alert["urgency"], alert["incident"]) == ("pd", "high", incident["id"])
    assert (alert["labels"]["source"], alert["details"]) == ("db-1", {"links": [{"href": "https://x"}]})

    await enqueue(incidents, key)
    await enqueue(incidents, key, "acknowledge")
    [incident] = await listed(incidents, "/v1/incidents?state=active")
    assert incident["acknowledged_by"] == "pd"
    await enqueue(incidents, key, "resolve")
    await enqueue(incidents, key, "resolve")
    await enqueue(incidents, key, "acknowledge", dedup_key="never-seen")

    async def monitored() -> Any:
        found = await incidents.call("GET", "/v1/incidents/INC-1")
        return found["stage"] == "monitoring" and found

    assert (await eventually(monitored))["alerts_firing"] == []
    [alert] = await listed(incidents, "/v1/alerts?state=resolved")
    assert alert["count"] == 2

    await enqueue(incidents, key)
    alerts = await listed(incidents, "/v1/alerts", 2)
    assert [each["state"] for each in alerts] == ["triggered", "resolved"]


async def test_alerts_of_one_group_share_an_incident_and_the_mild_ones_wait(incidents: Running) -> None:
    key = await add(incidents, group_by=["component"], urgencies=[{"matchers": ["source=test"], "urgency": "low"}])
    for number, component in enumerate(["pg", "pg", "web", "pg"]):
        await enqueue(incidents, key, dedup_key=f"d{number}", payload=PAYLOAD | {"component": component})
    await enqueue(incidents, key, dedup_key="mild", payload=PAYLOAD | {"severity": "warning"})
    await enqueue(incidents, key, dedup_key="tried", payload=PAYLOAD | {"source": "test"})

    async def grouped() -> Any:
        found = (await incidents.call("GET", "/v1/incidents"))["items"]
        return sorted(len(each["alerts"]) for each in found) == [1, 3]

    assert await eventually(grouped)
    queued = await listed(incidents, "/v1/alerts?urgency=low", 2)
    assert {alert["incident"] for alert in queued} == {""}


@memory_is_enough
async def test_an_incident_whose_window_is_over_takes_no_further_alert(incidents: Running, clock: FrozenClock) -> None:
    key = await add(incidents, group_window="PT10M")
    await enqueue(incidents, key, dedup_key="d1")
    await listed(incidents, "/v1/incidents", 1)
    clock.advance(timedelta(minutes=9))
    await enqueue(incidents, key, dedup_key="d2")
    await listed(incidents, "/v1/alerts?incident=INC-1", 2)
    clock.advance(timedelta(minutes=2))
    await enqueue(incidents, key, dedup_key="d3")

    assert [each["number"] for each in await listed(incidents, "/v1/incidents", 2)] == ["INC-2", "INC-1"]


@memory_is_enough
async def test_who_works_on_an_incident_is_told_of_further_alerts_once_in_an_interval(
    incidents: Running, clock: FrozenClock
) -> None:
    key = await add(incidents)
    await enqueue(incidents, key, dedup_key="d0")
    await listed(incidents, "/v1/incidents")
    await incidents.call("POST", "/v1/incidents/INC-1:acknowledge")
    for number in range(1, 4):
        await enqueue(incidents, key, dedup_key=f"d{number}")
        await listed(incidents, "/v1/alerts?incident=INC-1", number + 1)

    clock.advance(timedelta(minutes=5))

    async def told() -> bool:
        entries = (await incidents.call("GET", "/v1/incidents/INC-1/timeline"))["items"]
        return "told of 2 further alerts" in [entry["text"] for entry in entries]

    assert await eventually(told)


@memory_is_enough
async def test_what_cannot_be_taken_is_refused_in_pagerdutys_words(incidents: Running) -> None:
    key = await add(incidents)
    other = await add(incidents, "am", "alertmanager")

    for unknown in ("x" * 32, other):
        refused = await enqueue(incidents, unknown, expect=400)
        assert (refused["status"], refused["message"]) == ("invalid event", "Event object is invalid")
        assert "POST /v1/integrations" in refused["errors"][0]
    refused = await enqueue(incidents, key, dedup_key="nul\x00", expect=400)
    assert refused["status"] == "invalid event"
    answer = await incidents.client.post("/v2/enqueue", content=b"{")
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "status": "Unrecognized object",
            "message": "Event object format is unrecognized",
            "errors": ["JSON parse error"],
        },
    )
    large = PAYLOAD | {"custom_details": "x" * 512 * 1024}
    assert (await enqueue(incidents, key, payload=large, expect=413))["status"] == "invalid event"
    answer = await incidents.client.post("/v2/enqueue", content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")
    assert answer.json()["errors"] == ["the body is encoded as gzip; send it as it is, without Content-Encoding"]
    answer = await incidents.client.post("/v2/enqueue", json={}, headers={"Authorization": "Bearer forged"})
    assert answer.status_code == 401


@memory_is_enough
async def test_a_change_event_is_listed_once_however_often_it_is_sent_and_calls_nobody(incidents: Running) -> None:
    key = await add(incidents)
    said = {"summary": "1.42.0 deployed", "source": "ci", "timestamp": "2026-11-21T09:00:00Z"}
    body = {"routing_key": key, "payload": said}

    for path in ("/v2/change/enqueue", "/v2/change/enqueue/"):
        taken = await incidents.call("POST", path, body, expect=202)
        assert taken == {"status": "success", "message": "Change event processed"}

    [change] = await listed(incidents, "/v1/changes?service=checkout-api")
    assert (change["summary"], change["integration"], change["details"]) == ("1.42.0 deployed", "pd", {"source": "ci"})
    await enqueue(incidents, key)  # heard after it
    [incident] = await listed(incidents, "/v1/incidents")
    assert len(incident["alerts"]) == 1


@memory_is_enough
async def test_a_key_is_shown_once_rotated_and_ended(incidents: Running) -> None:
    old = await add(incidents)
    read = await incidents.call("GET", "/v1/integrations/pd")
    assert "routing_key" not in read
    assert read["path"] == "/v2/enqueue"
    assert old not in str([each.data for each in await incidents.resources.store.read(0, 100)])
    problem = await incidents.call(
        "POST", "/v1/integrations", {"name": "pd", "kind": "pagerduty", "service": "checkout-api"}, expect=409
    )
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("name-taken", "/name")

    both = (await incidents.call("POST", "/v1/integrations/pd:rotate", {"overlap": "PT1H"}))["routing_key"]
    await enqueue(incidents, old)
    await enqueue(incidents, both)
    new = (await incidents.call("POST", "/v1/integrations/pd:rotate"))["routing_key"]
    await enqueue(incidents, both, expect=400)
    await enqueue(incidents, new)

    ended = await incidents.call("DELETE", "/v1/integrations/pd")
    assert ended["state"] == "ended"
    await enqueue(incidents, new, expect=400)
    assert [each["state"] for each in await listed(incidents, "/v1/integrations?state=ended")] == ["ended"]
    assert (await incidents.call("POST", "/v1/integrations/pd:rotate", expect=409))["code"] == "illegal-transition"


@memory_is_enough
async def test_a_repeated_request_for_a_key_does_not_show_it_again(incidents: Running) -> None:
    body = {"name": "pd", "kind": "pagerduty", "service": "checkout-api"}
    first = await incidents.call("POST", "/v1/integrations", body, expect=201, Idempotency_Key="once")
    again = await incidents.call("POST", "/v1/integrations", body, expect=201, Idempotency_Key="once")
    assert first["routing_key"]
    assert again == first | {"routing_key": None}


@memory_is_enough
async def test_an_integration_is_changed_by_a_merge_patch(incidents: Running) -> None:
    await add(incidents, group_by=["host"], urgencies=[{"matchers": ["a=b"], "urgency": "low"}])
    path = "/v1/integrations/pd"

    changed = await incidents.call("PATCH", path, {"group_window": "PT1H"}, If_Match='"1"')

    assert (changed["group_by"], changed["group_window"], changed["service"]) == (["host"], "PT3600S", "checkout-api")
    assert (await incidents.call("PATCH", path, {"group_by": None}, If_Match='"1"', expect=412))["code"]
    assert (await incidents.call("PATCH", path, {"group_by": None}, expect=428))["code"] == "if-match-required"


@memory_is_enough
@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"service": "nobody"}, "unknown-reference", "/service"),
        (
            {"urgencies": [{"matchers": ["a=b", "a=~("], "urgency": "low"}]},
            "invalid-matcher",
            "/urgencies/0/matchers/1",
        ),
        ({"kind": "generic", "mapping": {"summary": "]"}}, "invalid-mapping", "/mapping/summary"),
        ({"mapping": {"summary": "text"}}, "invalid-mapping", "/mapping"),
        ({"kind": "pigeon"}, "invalid", "/kind"),
        ({"group_by": ["no label"]}, "invalid", "/group_by/0"),
    ],
)
async def test_an_integration_that_cannot_be_is_refused_with_its_place(
    incidents: Running, body: dict[str, Any], code: str, pointer: str
) -> None:
    asked = {"name": "x", "kind": "pagerduty", "service": "checkout-api"} | body
    problem = await incidents.call("POST", "/v1/integrations", asked, expect=422)
    assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


FIRING: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "severity": "critical", "service": "search-api"},
    "annotations": {"summary": "disk of db-1 is full"},
    "startsAt": "2026-11-21T09:59:00Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "c0ffee",
}


def notification(*alerts: Any, group: str = "{}:{}") -> dict[str, Any]:
    return {"version": "4", "groupKey": group, "status": "firing", "receiver": "x", "alerts": list(alerts)}


async def test_alertmanagers_groups_become_incidents(incidents: Running) -> None:
    key = await add(incidents, "am", "alertmanager", service_label="service")
    path, other = "/v1/integrations/am/alertmanager", FIRING | {"fingerprint": "beef"}

    for _ in range(2):
        taken = await incidents.call("POST", path, notification(FIRING, other), expect=202, **bearer(key))
    assert taken["alerts"] == 2
    [incident] = await listed(incidents, "/v1/incidents?state=triage&service=search-api")
    await listed(incidents, "/v1/alerts?incident=INC-1", 2)

    gone = FIRING | {"status": "resolved", "startsAt": "2026-11-21T09:58:00Z", "endsAt": "2026-11-21T10:00:00Z"}
    never = gone | {"fingerprint": "never-seen"}
    await incidents.call("POST", path, notification(gone, never, other), expect=202, **bearer(key))
    [alert] = await listed(incidents, "/v1/alerts?state=resolved")
    assert (alert["dedup_key"], alert["incident"]) == ("c0ffee", incident["id"])

    last = other | {"status": "resolved"}
    await incidents.call("POST", path, notification(last), expect=202, **bearer(key))
    await listed(incidents, "/v1/incidents?state=resolved")
    await incidents.call("POST", path, notification(FIRING, group="{}:{other}"), expect=202, **bearer(key))
    await listed(incidents, "/v1/incidents?state=triage")


async def test_a_group_with_a_long_name_is_one_incident(incidents: Running) -> None:
    """PostgreSQL's index takes no name of more than 2,704 bytes, and Alertmanager may group by all labels."""
    path, own = "/v1/integrations/am/alertmanager", bearer(await add(incidents, "am", "alertmanager"))
    long = "".join(sha256(f"{number}".encode()).hexdigest() for number in range(100))
    for alert in (FIRING, FIRING | {"fingerprint": "second"}):
        await incidents.call("POST", path, notification(alert, group=long), expect=202, **own)
    await incidents.call(
        "POST", path, notification(FIRING | {"fingerprint": "third"}, group=f"{long}b"), expect=202, **own
    )

    async def grouped() -> Any:
        found = (await incidents.call("GET", "/v1/incidents"))["items"]
        return sorted(len(each["alerts"]) for each in found) == [1, 2]

    assert await eventually(grouped)
    assert len(await listed(incidents, "/v1/alerts", 3)) == 3


@memory_is_enough
async def test_a_webhook_wants_the_key_of_its_own_integration(incidents: Running) -> None:
    key = await add(incidents, "am", "alertmanager")
    other = await add(incidents, "am2", "alertmanager")
    path = "/v1/integrations/am/alertmanager"

    for headers in ({}, bearer("x" * 32), bearer(other), {"X_Client_Authorization": f"Basic {key}"}):
        problem = await incidents.call("POST", path, notification(FIRING), expect=401, **headers)
        assert problem["code"] == "unauthenticated"
    problem = await incidents.call("POST", path, {"version": "3"}, expect=422, **bearer(key))
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("invalid-notification", "/version")


@memory_is_enough
async def test_who_sends_too_fast_is_told_so_as_it_understands(
    database: Database, bus: Bus, clock: FrozenClock, lifecycle: Elsewhere
) -> None:
    await lifecycle.says("service.registered", "service/checkout-api", service="checkout-api", phase="abandoned")
    async with running("incidents", database, bus=bus, clock=clock, enqueue_per_minute=2) as incidents:
        key = await add(incidents)
        for _ in range(2):
            await enqueue(incidents, key)
        refused = await enqueue(incidents, key, expect=429)
        assert (refused["status"], refused["errors"][0][:21]) == ("throttle exceeded", "Enqueue rate exceeded")

        key = await add(incidents, "am", "alertmanager")
        alerts = [FIRING | {"fingerprint": str(number)} for number in range(3)]
        path = "/v1/integrations/am/alertmanager"
        await incidents.call("POST", path, notification(*alerts), expect=202, **bearer(key))  # or it never would be
        problem = await incidents.call("POST", path, notification(*alerts), expect=503, **bearer(key))
        assert problem["code"] == "too-fast"


MAPPING = {
    "action": "state",
    "dedup_key": "join('/', [host, check])",
    "summary": "output",
    "labels": {"host": "host"},
    "actions": {"UP": "resolve"},
}
DOWN = {"host": "db-1", "check": "disk", "output": "disk full", "state": "trigger"}


@memory_is_enough
async def test_a_mapping_is_tried_before_it_is_saved_and_takes_any_json(incidents: Running) -> None:
    key = await add(incidents, "nagios", "generic")
    path = "/v1/integrations/nagios"
    problem = await incidents.call("POST", f"{path}:preview", {"sample": DOWN}, expect=422)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("invalid-mapping", "/mapping/summary")
    seen = await incidents.call("POST", f"{path}:preview", {"sample": DOWN, "mapping": MAPPING})
    assert (seen["action"], seen["dedup_key"], seen["summary"]) == ("trigger", "db-1/disk", "disk full")
    assert (seen["urgency"], seen["group"]) == ("high", "nagios/checkout-api")
    assert (await incidents.call("GET", "/v1/alerts"))["items"] == []

    await incidents.call("PATCH", path, {"mapping": MAPPING}, If_Match='"1"')
    taken = await incidents.call("POST", f"{path}/events", DOWN, expect=202, **bearer(key))
    assert taken["dedup_key"] == "db-1/disk"
    await listed(incidents, "/v1/incidents")
    await incidents.call("POST", f"{path}/events", DOWN | {"state": "UP"}, expect=202, **bearer(key))
    await listed(incidents, "/v1/incidents?state=resolved")

    own = {"X-Client-Authorization": f"Bearer {key}"}
    clumsy = b'{"host": "db-2", "check": "disk", "output": "half \\ud83d", "load": 1e400}'
    assert (await incidents.client.post(f"{path}/events", content=clumsy, headers=own)).status_code == 202
    [alert] = await listed(incidents, "/v1/alerts?state=triggered")
    assert alert["summary"] == "half \ufffd"
    none = await incidents.client.post(f"{path}/events", content=b'{"host": NaN}', headers=own)
    assert (none.status_code, none.json()["code"]) == (400, "malformed-json")


@memory_is_enough
async def test_cloudevents_are_read_in_both_modes(incidents: Running) -> None:
    mapping = {"dedup_key": "data.check", "summary": "data.text", "labels": {"source": "source"}}
    key = await add(incidents, "ce", "cloudevents", mapping=mapping)
    path, data = "/v1/integrations/ce/events", {"check": "disk", "text": "full"}

    structured = {"specversion": "1.0", "id": "1", "source": "/m", "type": "down", "data": data}
    headers = {"X-Client-Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"}
    assert (await incidents.client.post(path, json=structured, headers=headers)).status_code == 202
    binary = {f"ce-{name}": str(value) for name, value in structured.items() if name != "data"}
    headers = {"X-Client-Authorization": f"Bearer {key}", **binary}
    assert (await incidents.client.post(path, json=data, headers=headers)).status_code == 202

    async def counted() -> bool:
        [alert] = await listed(incidents, "/v1/alerts")
        return alert["count"] == 2 and alert["labels"]["source"] == "/m"

    assert await eventually(counted)
