import asyncio
from datetime import timedelta
from typing import Any

import pytest

from libs.events.bus import Bus
from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from tests.fixtures.paging import timeline
from tests.fixtures.services import Database, Elsewhere, Running, eventually, memory_is_enough, running

OUTAGE = {"title": "Checkout fails", "service": "checkout-api", "severity": "sev2"}


async def declared(incidents: Running, **more: Any) -> dict[str, Any]:
    return await incidents.call("POST", "/v1/incidents", OUTAGE | more, expect=201)


async def test_an_outage_from_its_declaration_to_its_end(incidents: Running, clock: FrozenClock) -> None:
    answer = await incidents.client.post("/v1/incidents", json=OUTAGE)
    assert answer.status_code == 201, answer.text
    incident = answer.json()
    assert answer.headers["Location"] == f"/v1/incidents/{incident['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert (incident["number"], incident["state"], incident["stage"]) == ("INC-1", "triage", None)

    for verb, state, stage in (
        ("acknowledge", "active", "investigating"),
        ("identify", "active", "identified"),
        ("monitor", "active", "monitoring"),
        ("mitigate", "mitigated", None),
        ("reopen", "active", "investigating"),
        ("mitigate", "mitigated", None),
        ("resolve", "resolved", None),
        ("close", "closed", None),
    ):
        clock.advance(timedelta(minutes=1))
        incident = await incidents.call("POST", f"/v1/incidents/INC-1:{verb}", {"reason": f"to {verb}"})
        assert (incident["state"], incident["stage"]) == (state, stage)

    by_id = await incidents.call("GET", f"/v1/incidents/{incident['id']}")
    assert by_id == await incidents.call("GET", "/v1/incidents/inc-1") == incident
    assert (incident["impact_started"], incident["acknowledged"]) == ("2026-11-21T10:00:00Z", "2026-11-21T10:01:00Z")
    assert (incident["mitigated"], incident["resolved"], incident["closed"]) == (
        "2026-11-21T10:06:00Z",
        "2026-11-21T10:07:00Z",
        "2026-11-21T10:08:00Z",
    )


@memory_is_enough
async def test_a_verb_needs_no_body_and_is_silent_the_second_time(incidents: Running) -> None:
    await declared(incidents)

    first = await incidents.client.post("/v1/incidents/INC-1:acknowledge")
    second = await incidents.client.post("/v1/incidents/INC-1:acknowledge")

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.headers["ETag"] == second.headers["ETag"] == '"2"'
    assert first.json() == second.json()


@memory_is_enough
async def test_a_refused_verb_lists_what_is_allowed(incidents: Running) -> None:
    await declared(incidents)

    problem = await incidents.call("POST", "/v1/incidents/INC-1:close", expect=409)

    assert (problem["code"], problem["state"]) == ("illegal-transition", "triage")
    assert problem["allowed"] == [
        "acknowledge",
        "investigate",
        "identify",
        "monitor",
        "resolve",
        "cancel",
        "merge",
        "split",
    ]


@memory_is_enough
async def test_an_unknown_service_is_refused_with_its_place(database: Database, bus: Bus, clock: FrozenClock) -> None:
    async with running("incidents", database, bus=bus, clock=clock, service_wait_s=0) as incidents:
        problem = await incidents.call("POST", "/v1/incidents", OUTAGE, expect=422)

    assert (problem["code"], problem["errors"][0]["pointer"]) == ("unknown-reference", "/service")


async def test_a_service_that_is_registered_just_now_is_waited_for(incidents: Running, lifecycle: Elsewhere) -> None:
    declaring = asyncio.create_task(declared(incidents, service="new-api"))
    await lifecycle.says("service.registered", "service/new-api", service="new-api", phase="active_development")

    assert (await declaring)["service"] == "new-api"


async def test_many_declared_at_once_get_a_number_each(incidents: Running) -> None:
    made = await asyncio.gather(*(declared(incidents) for _ in range(20)))

    assert len({incident["number"] for incident in made}) == 20


@pytest.mark.parametrize("database", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_two_processes_never_give_the_same_number(
    incidents: Running, database: Database, bus: Bus, clock: FrozenClock
) -> None:
    async with running("incidents", database, bus=bus, clock=clock) as other:
        made = await asyncio.gather(*(declared(process) for _ in range(10) for process in (incidents, other)))

    assert len({incident["number"] for incident in made}) == 20


async def test_of_two_that_resolve_at_once_one_does_and_the_other_changes_nothing(incidents: Running) -> None:
    await declared(incidents)

    answers = await asyncio.gather(*(incidents.client.post("/v1/incidents/INC-1:resolve") for _ in range(2)))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.headers["ETag"] for answer in answers] == ['"2"', '"2"']
    assert len(await timeline(incidents)) == 2


async def test_what_many_add_at_once_is_all_there(incidents: Running) -> None:
    await declared(incidents)
    path = "/v1/incidents/INC-1"
    tags = [incidents.call("PUT", f"{path}/tags/t{number}") for number in range(12)]
    notes = [incidents.call("POST", f"{path}/timeline", {"text": str(number)}, expect=201) for number in range(12)]

    await asyncio.gather(*tags, *notes)

    assert len((await incidents.call("GET", path))["tags"]) == 12
    assert len(await timeline(incidents)) == 1 + 24


async def test_of_two_that_saw_the_same_version_one_is_late(incidents: Running) -> None:
    await declared(incidents)

    answers = await asyncio.gather(
        *(
            incidents.client.post(f"/v1/incidents/INC-1:{verb}", headers={"If-Match": '"1"'})
            for verb in ("acknowledge", "cancel")
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412]


async def test_a_declaration_that_is_repeated_with_its_key_opens_one_incident(incidents: Running) -> None:
    send = {"json": OUTAGE, "headers": {"Idempotency-Key": "k-1"}}
    first = await incidents.client.post("/v1/incidents", **send)
    second = await incidents.client.post("/v1/incidents", **send)

    assert (second.status_code, second.headers["Idempotency-Replayed"]) == (201, "true")
    assert first.json() == second.json()


async def test_the_list_shows_a_writer_their_own_write_and_filters(incidents: Running) -> None:
    await declared(incidents)
    await declared(incidents, service="search-api", severity="sev1")
    last = await incidents.client.post("/v1/incidents/INC-2:acknowledge")
    own = {"Consistency_Token": last.headers["Consistency-Token"]}

    async def listed(query: str = "") -> list[str]:
        page = await incidents.call("GET", f"/v1/incidents{query}", **own)
        return [item["number"] for item in page["items"]]

    assert await listed() == ["INC-2", "INC-1"]
    assert await listed("?service=checkout-api") == ["INC-1"]
    assert await listed("?state=active&state=mitigated") == ["INC-2"]
    assert await listed("?severity=sev1&severity=sev2") == ["INC-2", "INC-1"]
    assert await listed("?service=checkout-api&severity=sev1") == []
    page = await incidents.call("GET", "/v1/incidents?state=active", **own)
    assert page["items"] == [last.json()]


async def test_the_list_comes_in_pages(incidents: Running) -> None:
    for _ in range(5):
        last = await declared(incidents)
    answer = await incidents.client.post(f"/v1/incidents/{last['id']}:acknowledge")
    token = answer.headers["Consistency-Token"]

    numbers: list[str] = []
    path = "/v1/incidents?page_size=2"
    while path:
        page = await incidents.call("GET", path, Consistency_Token=token)
        numbers += [item["number"] for item in page["items"]]
        following = page["next_page_token"]
        path = f"/v1/incidents?page_size=2&page_token={following}" if following else ""

    assert numbers == ["INC-5", "INC-4", "INC-3", "INC-2", "INC-1"]


async def test_the_timeline_tells_what_happened_and_what_people_wrote(incidents: Running, clock: FrozenClock) -> None:
    await declared(incidents)
    clock.advance(timedelta(minutes=2))
    await incidents.call("POST", "/v1/incidents/INC-1:acknowledge", {"reason": "mine"})
    entry = {"kind": "decision", "text": "Roll back", "occurred_at": "2026-11-21T10:01:00+00:00", "starred": True}
    written = await incidents.call("POST", "/v1/incidents/INC-1/timeline", entry, expect=201)

    items = await timeline(incidents)

    assert [(item["kind"], item["text"], item["source"]) for item in items] == [
        ("declared", "declared sev2: Checkout fails", "system"),
        ("decision", "Roll back", "person"),
        ("acknowledged", "acknowledged: mine", "system"),
    ]
    assert items[1] == written
    assert (written["occurred_at"], written["written_at"]) == ("2026-11-21T10:01:00Z", "2026-11-21T10:02:00Z")
    assert (written["author"], written["starred"]) == ("ana", True)


@memory_is_enough
async def test_times_are_corrected_by_who_has_seen_them(incidents: Running, clock: FrozenClock) -> None:
    await declared(incidents)
    path, earlier = "/v1/incidents/INC-1/milestones", "2026-11-21T09:40:00Z"

    assert (await incidents.call("PATCH", path, {"impact_started": earlier}, expect=428))["code"]
    corrected = await incidents.call(
        "PATCH", path, {"impact_started": earlier, "reason": "the graph says so"}, If_Match='"1"'
    )
    assert (corrected["impact_started"], corrected["detected"]) == (earlier, "2026-11-21T10:00:00Z")
    problem = await incidents.call("PATCH", path, {"detected": "2026-11-21T09:00:00Z"}, If_Match='"2"', expect=422)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("milestone-order", "/detected")
    problem = await incidents.call("PATCH", path, {"closed": earlier}, If_Match='"2"', expect=409)
    assert problem["code"] == "milestone-not-reached"


@memory_is_enough
async def test_an_incident_is_declared_afterwards_with_its_times_and_what_is_missing_is_entered_later(
    incidents: Running,
) -> None:
    times = {"impact_started": "2026-11-20T09:00:00Z", "mitigated": "2026-11-20T09:30:00Z"}
    whole = await declared(incidents, **times, resolved="2026-11-20T10:00:00Z")
    assert (whole["state"], whole["mitigated"], whole["acknowledged"]) == ("resolved", times["mitigated"], None)

    entered = {"acknowledged": "2026-11-20T09:10:00Z", "reason": "as the chat shows"}
    again = await incidents.call("PATCH", "/v1/incidents/INC-1/milestones", entered, If_Match="*")
    assert again["acknowledged"] == entered["acknowledged"]
    items = (await incidents.call("GET", "/v1/incidents/INC-1/milestones"))["items"]
    assert [(each["source"], each["reason"]) for each in items if each["milestone"] == "acknowledged"] == [
        ("correction", "as the chat shows")
    ]

    async def listed() -> bool:
        return (await incidents.call("GET", "/v1/incidents"))["items"] == [again]

    assert await eventually(listed)


@memory_is_enough
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"severity": "sev5"}, "/severity"),
        ({"title": ""}, "/title"),
        ({"title": "a\nb"}, "/title"),
        ({"service": "No Label"}, "/service"),
        ({"impact_started": "yesterday"}, "/impact_started"),
        ({"impact_started": "2026-11-21T10:00:00"}, "/impact_started"),
        ({"impact_started": "0001-01-01T00:00:00+14:00"}, "/impact_started"),
        ({"detected": "2026-11-21T10:00:01Z"}, "/detected"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_a_wrong_declaration_is_refused_with_its_place(
    incidents: Running, change: dict[str, Any], pointer: str
) -> None:
    problem = await incidents.call("POST", "/v1/incidents", OUTAGE | change, expect=422)

    assert [place["pointer"] for place in problem["errors"]] == [pointer]


@memory_is_enough
@pytest.mark.parametrize("path", ["/v1/incidents/INC-9", "/v1/incidents/nothing", "/v1/incidents/INC-9/timeline"])
async def test_what_does_not_exist_is_not_found(incidents: Running, path: str) -> None:
    assert (await incidents.call("GET", path, expect=404))["code"] == "not-found"
    assert (await incidents.call("POST", "/v1/incidents/INC-9:resolve", expect=404))["code"] == "not-found"


@memory_is_enough
async def test_only_the_gateway_is_believed(incidents: Running) -> None:
    answer = await incidents.client.get("/v1/incidents", headers={"Authorization": "Bearer forged"})

    assert answer.status_code == 401


@memory_is_enough
async def test_who_may_only_read_declares_nothing(database: Database, bus: Bus, clock: FrozenClock) -> None:
    reader = Principal("bo", "person", frozenset({"incidents.read"}), "api-key")
    async with running("incidents", database, bus=bus, clock=clock, principal=reader) as incidents:
        assert (await incidents.call("GET", "/v1/incidents"))["items"] == []
        assert (await incidents.call("POST", "/v1/incidents", OUTAGE, expect=403))["scope"] == "incidents.write"


@memory_is_enough
async def test_a_page_that_was_seen_is_not_sent_again(incidents: Running) -> None:
    await declared(incidents)
    seen = await incidents.client.get("/v1/incidents/INC-1")

    answer = await incidents.client.get("/v1/incidents/INC-1", headers={"If-None-Match": seen.headers["ETag"]})

    assert (answer.status_code, answer.content) == (304, b"")


async def test_an_incident_is_counted_with_those_of_its_class_also_after_it_is_closed(incidents: Running) -> None:
    await declared(incidents)
    for verb in ("resolve", "close"):
        await incidents.call("POST", f"/v1/incidents/INC-1:{verb}")
    why = {"outage_class": "retry-storm", "reason": "no limit"}
    classified = await incidents.call("POST", "/v1/incidents/INC-1:classify", why)
    assert (classified["state"], classified["outage_class"]) == ("closed", "retry-storm")
    assert await incidents.call("POST", "/v1/incidents/INC-1:classify", why) == classified
    entry = (await timeline(incidents))[-1]
    assert (entry["kind"], entry["text"]) == ("classified", "an outage of the class retry-storm: no limit")

    async def listed() -> Any:
        return (await incidents.call("GET", "/v1/incidents?outage_class=retry-storm&outage_class=other"))["items"]

    assert await eventually(listed) == [classified]


@memory_is_enough
async def test_a_false_alarm_is_of_no_class(incidents: Running) -> None:
    await declared(incidents)
    await incidents.call("POST", "/v1/incidents/INC-1:cancel")
    refused = await incidents.call("POST", "/v1/incidents/INC-1:classify", {"outage_class": "retry-storm"}, expect=409)
    assert refused["code"] == "illegal-transition"
