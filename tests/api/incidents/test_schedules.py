"""Rotations and schedules over HTTP: who is on call, why, and what people decide beside it."""

from typing import Any

import pytest

from libs.events.testing import FrozenClock
from services.incidents.projections.schedules import on_call as on_call_of
from services.incidents.projections.schedules import schedules_of_service, stands_in
from tests.fixtures.on_call import HOUR, on_call, scheduled, staffed
from tests.fixtures.services import ANA, Running, Signed, eventually, memory_is_enough


async def test_who_is_on_call_is_answered_from_the_streams_and_read_from_the_read_models(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)

    answer = await incidents.call("GET", "/v1/schedules/checkout/on-call")

    (now,), (following,) = answer["on_call"], answer["next"]
    assert (now["person"], following["person"]) == ("ana", "bo")
    assert now["source"] == {
        "type": "rotation",
        "layer": "primary",
        "rotation": "sre",
        "shift": "sre@20261121T000000Z",
        "override": "",
    }
    views, at = incidents.resources.views, clock.now()
    assert await eventually(lambda: views.read(on_call_of, "checkout", at))
    (read,) = await views.read(on_call_of, "checkout", at)
    assert (read.person, read.shift) == ("ana", now["shift"])
    assert await views.read(schedules_of_service, "checkout-api") == ["checkout"]
    listed = await incidents.call("GET", "/v1/schedules?service=checkout-api")
    assert [each["name"] for each in listed["items"]] == ["checkout"]


async def test_a_change_of_a_rotation_counts_from_its_moment_on_and_leaves_the_past(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    change = {"participants": ["cleo"], "effective_from": "2026-11-24T12:00:00Z"}

    changed = await incidents.call("PATCH", "/v1/rotations/sre", change, if_match='"1"')

    assert [each["participants"] for each in changed["revisions"]] == [["ana", "bo"], ["cleo"]]
    assert await on_call(incidents, "2026-11-24T11:59:59Z") == ["bo"]
    assert await on_call(incidents, "2026-11-24T12:00:00Z") == ["cleo"]
    await incidents.call("PATCH", "/v1/rotations/sre", {"length": 2}, expect=412, if_match='"1"')
    renamed = await incidents.call("PATCH", "/v1/rotations/sre", {"display_name": "SRE"}, if_match='"2"')
    assert (renamed["effective_from"], len(renamed["revisions"])) == ("2026-11-24T12:00:00Z", 2)
    past = {"length": 2, "effective_from": "2026-11-20T12:00:00Z"}
    refused = await incidents.call("PATCH", "/v1/rotations/sre", past, expect=422, if_match='"3"')
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("in-the-past", "/effective_from")
    at_once = {"participants": ["dora"], "effective_from": None}
    await incidents.call("PATCH", "/v1/rotations/sre", at_once, if_match='"3"')
    assert await on_call(incidents) == ["dora"]


@memory_is_enough
async def test_somebody_takes_the_shift_now_and_gives_it_back(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)

    taken = await incidents.call("POST", "/v1/schedules/checkout:take", {"person": "dora"}, expect=201)

    assert (taken["kind"], taken["replaces"], taken["end"]) == ("take", "ana", "2026-11-22T00:00:00Z")
    assert await on_call(incidents) == ["dora"]
    clock.advance(HOUR)
    for again in ({}, {"replaces": "ana"}):
        assert (
            await incidents.call("POST", "/v1/schedules/checkout:take", {"person": "dora"} | again, expect=201) == taken
        )
    await incidents.call("POST", f"/v1/schedules/checkout/overrides/{taken['id']}:cancel")
    assert await on_call(incidents) == ["ana"]
    assert await on_call(incidents, "2026-11-21T10:30:00Z") == ["dora"]  # what was, was


@memory_is_enough
async def test_a_swap_counts_once_a_third_person_has_approved_it(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    offer = {"person": "bo", "start": "2026-11-24T00:00:00Z", "end": "2026-11-25T00:00:00Z"}
    swap = await incidents.call("POST", "/v1/schedules/checkout/swaps", offer, expect=201)
    path = f"/v1/schedules/checkout/swaps/{swap['id']}"
    exchange = {"person": "ana", "start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z"}
    await incidents.call("POST", f"{path}:take", exchange)

    refused = await incidents.call("POST", f"{path}:approve", expect=409)  # by Ana, who took it

    assert refused["code"] == "not-theirs"
    assert await on_call(incidents, offer["start"]) == ["bo"]
    cleo = Signed(ANA.__class__("cleo", "person", ANA.scopes, "api-key"), "incidents", clock)
    for _ in range(2):  # sent twice it changes nothing
        approved = await incidents.client.post(f"{path}:approve", auth=cleo)
        assert approved.json()["state"] == "approved"
    assert await on_call(incidents, offer["start"]) == ["ana"]
    assert await on_call(incidents, exchange["start"]) == ["bo"]
    (source,) = [
        each["source"]
        for each in (await incidents.call("GET", "/v1/schedules/checkout/shifts?from=2026-11-24T00:00:00Z"))["shifts"]
        if each["start"] == offer["start"]
    ]
    assert (source["type"], source["rotation"], source["override"]) == ("swap", "sre", f"{swap['id']}-1")
    await incidents.call("POST", f"/v1/schedules/checkout/overrides/{source['override']}:cancel")  # one half ends both
    assert await on_call(incidents, offer["start"]) == ["bo"]
    assert await on_call(incidents, exchange["start"]) == ["ana"]


@memory_is_enough
async def test_gaps_are_told_unless_they_are_declared_off_duty(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    office = {"days": days, "start": "08:00", "end": "20:00"}
    await scheduled(incidents, layers=[{"name": "primary", "rotation": "sre", "restrictions": [office]}])
    query = "/v1/schedules/checkout/shifts?from=2026-11-23T00:00:00Z&until=2026-11-24T00:00:00Z"
    assert (await incidents.call("GET", query))["gaps"] == [
        {"start": "2026-11-23T00:00:00Z", "end": "2026-11-23T08:00:00Z"},
        {"start": "2026-11-23T20:00:00Z", "end": "2026-11-24T00:00:00Z"},
    ]

    nights = {"days": days, "start": "20:00", "end": "08:00"}
    await incidents.call("PATCH", "/v1/schedules/checkout", {"off_duty": [nights]}, if_match='"1"')

    assert (await incidents.call("GET", query))["gaps"] == []


ROTATION: dict[str, Any] = {"name": "other", "start": "2026-11-23T09:00", "participants": ["ana", "cleo"]}
FAR = "2999-01-02T00:00:00Z"
OVERRIDE = {"person": "dora", "start": "2026-11-23T06:00:00Z", "end": "2026-11-23T09:00:00Z"}


@memory_is_enough
async def test_what_means_nothing_is_refused_with_code_place_and_remedy(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    layer = {"name": "x", "rotation": "sre"}
    never = {"days": [], "start": "08:00", "end": "20:00"}
    cases: list[tuple[str, dict[str, Any], int, str, str]] = [
        ("rotations", ROTATION | {"participants": []}, 422, "no-participants", "/participants"),
        ("rotations", ROTATION | {"participants": ["ana", "zed"]}, 422, "unknown-reference", "/participants/1"),
        ("rotations", ROTATION | {"zone": "Mars/Olympus"}, 422, "unknown-zone", "/zone"),
        ("rotations", ROTATION | {"restrictions": [never]}, 422, "never-open", "/restrictions/0/days"),
        ("rotations", ROTATION | {"sides": "both", "participants": ["ana"]}, 422, "sides-missing", "/participants"),
        (
            "rotations",
            ROTATION | {"sides": "alternating", "participants": ["ana", "bo", "cleo"]},
            422,
            "sides-missing",
            "/participants/1",
        ),
        ("rotations", ROTATION | {"name": "sre"}, 409, "name-taken", "/name"),
        ("schedules", {"name": "x", "layers": []}, 422, "no-participants", "/layers"),
        (
            "schedules",
            {"name": "x", "layers": [{"name": "x", "rotation": "none"}]},
            422,
            "unknown-reference",
            "/layers/0/rotation",
        ),
        ("schedules", {"name": "x", "layers": [layer, layer]}, 422, "bad-definition", "/layers/1/name"),
        ("schedules/checkout/overrides", OVERRIDE | {"end": OVERRIDE["start"]}, 422, "time-range", "/end"),
        ("schedules/checkout/overrides", OVERRIDE | {"start": "2026-11-21T09:00:00Z"}, 422, "in-the-past", "/start"),
        ("schedules/checkout/overrides", {"start": "2999-01-01T00:00:00Z", "end": FAR}, 422, "time-range", "/end"),
        ("rotations", ROTATION | {"effective_from": FAR}, 422, "time-range", "/effective_from"),
        ("schedules", {"name": "x", "layers": [layer], "effective_from": FAR}, 422, "time-range", "/effective_from"),
        ("schedules/checkout/overrides", OVERRIDE | {"person": "zed"}, 422, "unknown-reference", "/person"),
        ("schedules/checkout/overrides", OVERRIDE | {"replaces": "bo"}, 409, "not-on-call", "/replaces"),
        ("schedules/checkout/overrides", OVERRIDE | {"replaces": "dora"}, 422, "bad-definition", "/person"),
    ]
    for path, body, status, code, place in cases:
        refused = await incidents.call("POST", f"/v1/{path}", body, expect=status)
        assert (refused["code"], refused["errors"][0]["pointer"]) == (code, place)
        assert ";" in refused["detail"]  # what, and how to mend it


@memory_is_enough
async def test_two_decisions_about_the_same_time_are_refused_and_the_same_one_is_not_made_twice(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    path = "/v1/schedules/checkout/overrides"
    first = await incidents.call("POST", path, OVERRIDE, expect=201)
    assert (await incidents.call("POST", path, OVERRIDE, expect=201))["id"] == first["id"]

    refused = await incidents.call("POST", path, OVERRIDE | {"person": "cleo"}, expect=409)

    assert refused["code"] == "overlap"
    assert first["id"] in refused["detail"]
    assert len((await incidents.call("GET", path))["items"]) == 1


@memory_is_enough
async def test_what_others_need_is_not_ended(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)

    views, at = incidents.resources.views, clock.now()
    assert await eventually(lambda: views.read(on_call_of, "checkout", at))  # what is refused is read there

    for path in ("/v1/people/ana", "/v1/rotations/sre"):
        assert (await incidents.call("DELETE", path, expect=409))["code"] == "still-needed"
    later = {"participants": ["bo"], "effective_from": "2026-11-24T12:00:00Z"}
    await incidents.call("PATCH", "/v1/rotations/sre", later, if_match='"1"')
    cover = {"person": "cleo", "start": "2026-11-24T00:00:00Z", "end": "2026-11-26T00:00:00Z"}
    decided = await incidents.call("POST", "/v1/schedules/checkout/overrides", cover, expect=201)

    assert await eventually(lambda: views.read(stands_in, "cleo", at))
    for path in ("/v1/people/ana", "/v1/people/cleo"):
        assert (await incidents.call("DELETE", path, expect=409))["code"] == "still-needed"
    await incidents.call("POST", f"/v1/schedules/checkout/overrides/{decided['id']}:cancel")

    ended = await incidents.call("DELETE", "/v1/schedules/checkout")
    assert ended["ended"]
    assert await on_call(incidents) == []

    async def ended_too() -> bool:
        return (await incidents.client.delete("/v1/rotations/sre")).status_code == 200

    assert await eventually(ended_too)
    await incidents.call("DELETE", "/v1/people/cleo")


@memory_is_enough
@pytest.mark.parametrize(
    "query", ["from=2026-11-23T00:00:00Z&until=2026-11-22T00:00:00Z", "until=2999-01-01T00:00:00Z"]
)
async def test_times_that_mean_nothing_are_refused(incidents: Running, clock: FrozenClock, query: str) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    refused = await incidents.call("GET", f"/v1/schedules/checkout/shifts?{query}", expect=422)
    assert refused["code"] == "time-range"


@memory_is_enough
async def test_more_than_can_be_laid_out_at_once_is_refused(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    hourly = {"name": "hourly", "type": "hourly", "start": "2026-11-23T00:00", "participants": ["ana", "bo"]}
    await incidents.call("POST", "/v1/rotations", hourly, expect=201)
    await scheduled(incidents, layers=[{"name": f"l{number}", "rotation": "hourly"} for number in range(50)])

    for report in ("shifts", "handoffs", "fairness", "warnings"):
        path = f"/v1/schedules/checkout/{report}?from=2026-11-23T00:00:00Z&until=2029-11-01T00:00:00Z"
        refused = await incidents.call("GET", path, expect=422)
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("time-range", "/until")
        assert "ask for at most 16 days at once" in refused["detail"]
