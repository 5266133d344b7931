"""Hand-offs, fairness and warnings of a schedule."""

from typing import Any

from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from tests.fixtures.on_call import SECOND, scheduled, staffed
from tests.fixtures.services import Elsewhere, Running, Signed, eventually, memory_is_enough

TWO_WEEKS = "from=2026-11-23T00:00:00Z&until=2026-12-07T00:00:00Z"


def signed(name: str, clock: FrozenClock) -> Signed:
    return Signed(Principal(name, "person", frozenset({"*"}), "api-key"), "incidents", clock)


@memory_is_enough
async def test_who_goes_leaves_a_note_with_what_is_open_and_who_comes_acknowledges_it(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    incident = {"title": "Checkout fails", "service": "checkout-api", "severity": "sev2"}
    number = (await incidents.call("POST", "/v1/incidents", incident, expect=201))["number"]
    path = "/v1/schedules/checkout/handoffs"

    async def listed() -> Any:
        answer = await incidents.call("GET", path)
        return answer if answer["open_incidents"] else None

    assert [each["number"] for each in (await eventually(listed))["open_incidents"]] == [number]

    noted = await incidents.call("POST", path, {"note": "watch the queue"}, expect=201)  # as Ana, who is on call

    assert (noted["outgoing"], noted["incoming"], noted["incidents"]) == ("ana", ["bo"], [number])
    assert noted["next"] == "bo acknowledges it"
    refused = await incidents.call("POST", f"{path}/{noted['shift']}:acknowledge", expect=409)
    assert refused["code"] == "not-theirs"
    read = await incidents.client.post(f"{path}/{noted['shift']}:acknowledge", auth=signed("bo", clock))
    assert (read.json()["acknowledged_by"], read.json()["next"]) == ("bo", "")
    (first, *_) = (await incidents.call("GET", path))["items"]
    assert first == read.json()
    other = await incidents.client.post(path, json={"note": "x"}, auth=signed("cleo", clock))
    assert other.json()["code"] == "not-on-call"


@memory_is_enough
async def test_fairness_tells_hours_nights_weekends_and_limits_with_their_sources(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)

    async def shared() -> Any:
        answer = await incidents.call("GET", f"/v1/schedules/checkout/fairness?{TWO_WEEKS}")
        return answer if all(each["side"] for each in answer["people"]) else None

    told = await eventually(shared)
    ana, bo = told["people"]
    assert (ana["hours"], ana["share"], ana["shifts"], ana["side"]) == (168.0, 0.5, 7, "sre")
    assert (ana["weekends"], bo["weekends"]) == (2, 2)
    assert told["balance"] == {"hours": 1.0, "nights": 1.0, "weekends": 1.0, "pages": None}
    assert {each["limit"] for each in told["breaches"]} == {"people", "share"}
    assert all(each["source"] for each in told["breaches"])


@memory_is_enough
async def test_what_somebody_has_by_two_schedules_is_seen_in_both(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    night = {"days": ["monday"], "start": "20:00", "end": "08:00"}
    layers = [{"name": "primary", "rotation": "sre", "restrictions": [night]}]
    await incidents.call("POST", "/v1/schedules", {"name": "search", "layers": layers}, expect=201)

    async def shared() -> Any:
        answer = await incidents.call("GET", f"/v1/schedules/search/fairness?{TWO_WEEKS}")
        return answer if any(each["hours_elsewhere"] for each in answer["people"]) else None

    told = await eventually(shared)
    ana = told["people"][0]
    assert (ana["hours"], ana["hours_elsewhere"], ana["hours_at_once"], ana["share"]) == (12.0, 156.0, 12.0, 0.5)
    assert {"share", "schedules_at_once"} <= {each["limit"] for each in told["breaches"]}

    warned = (await incidents.call("GET", f"/v1/schedules/checkout/warnings?{TWO_WEEKS}"))["items"]
    twice = [(each["person"], each["start"], each["end"]) for each in warned if each["code"] == "on-call-twice"]
    assert twice == [
        ("ana", "2026-11-23T20:00:00Z", "2026-11-24T00:00:00Z"),
        ("ana", "2026-12-01T00:00:00Z", "2026-12-01T08:00:00Z"),
        ("bo", "2026-11-24T00:00:00Z", "2026-11-24T08:00:00Z"),
        ("bo", "2026-11-30T20:00:00Z", "2026-12-01T00:00:00Z"),
    ]
    (much, _) = [each for each in warned if each["code"] == "on-call-too-much"]
    assert much["detail"] == "ana is on call 50% of the time, by checkout and search; add people to one of them"


@memory_is_enough
async def test_warnings_name_gaps_people_who_are_away_or_cannot_be_reached_and_a_missing_side(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    office = {"days": ["monday"], "start": "08:00", "end": "20:00"}
    await scheduled(incidents, sides="both", layers=[{"name": "primary", "rotation": "sre", "restrictions": [office]}])
    away = {"unavailability": [{"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T12:00:00Z"}]}
    await incidents.call("PATCH", "/v1/people/ana", away | {"contact": {"email": None}}, if_match='"1"')
    query = "/v1/schedules/checkout/warnings?from=2026-11-23T00:00:00Z&until=2026-11-24T00:00:00Z"

    async def warned() -> Any:
        items = (await incidents.call("GET", query))["items"]
        return items if any(each["code"] == "unavailable" for each in items) else None

    items = await eventually(warned)

    assert [(each["code"], each["person"], each["start"], each["end"]) for each in items] == [
        ("gap", "", "2026-11-23T00:00:00Z", "2026-11-23T08:00:00Z"),
        ("gap", "", "2026-11-23T20:00:00Z", "2026-11-24T00:00:00Z"),
        ("unreachable", "ana", "2026-11-23T08:00:00Z", None),
        ("unavailable", "ana", "2026-11-23T10:00:00Z", "2026-11-23T12:00:00Z"),
        ("service-side-missing", "", "2026-11-23T00:00:00Z", None),
        ("side-missing", "", "2026-11-23T08:00:00Z", "2026-11-23T20:00:00Z"),
    ]


@memory_is_enough
async def test_sides_follow_the_phase_and_a_person_who_changes_sides(
    incidents: Running, clock: FrozenClock, lifecycle: Elsewhere
) -> None:
    await staffed(incidents, clock)
    change = {"participants": ["ana", "cleo"], "sides": "by_phase", "start": "2026-11-22T00:00"}
    await incidents.call("PATCH", "/v1/rotations/sre", change, if_match='"1"')
    clock.advance(SECOND)
    await scheduled(incidents, sides="by_phase")

    async def warned(codes: set[str]) -> Any:
        answer = await incidents.call("GET", "/v1/schedules/checkout/warnings")
        return answer if {each["code"] for each in answer["items"]} == codes else None

    first, *_ = (await eventually(lambda: warned({"side-missing"})))["items"]
    assert (first["place"], first["start"]) == ("/sides", "2026-11-22T00:00:00Z")  # a day of Ana's: no developer

    await incidents.call("PATCH", "/v1/people/cleo", {"side": "sre"}, if_match='"1"')

    everywhere = {"side-missing", "service-side-missing", "rotation-side-missing"}
    items = {each["code"]: each for each in (await eventually(lambda: warned(everywhere)))["items"]}
    assert items["service-side-missing"]["place"] == "/services/0"
    assert "a developer is missing; add one" in items["service-side-missing"]["detail"]
    assert items["rotation-side-missing"]["place"] == "/layers/0/rotation"

    over = {"service": "checkout-api", "to_phase": "unsupported"}
    await lifecycle.says("service.phase-changed", "service/checkout-api", **over)
    await eventually(lambda: warned(set()))
