"""What others are told of a schedule, once: who takes turns, whose turn it is, what is over, what is too much."""

from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from services.incidents.contract import CONTRACT, SHIFT
from services.incidents.domain.duty.events import LimitBreached, LimitKept, ScheduleChanged, Scheduled, ShiftsMoved
from services.incidents.domain.escalation.events import PageSent
from services.incidents.domain.shift.events import ShiftClosed
from services.incidents.domain.turning.events import ScheduleTurned
from tests.fixtures.on_call import DAY, HOUR, SECOND, scheduled, staffed
from tests.fixtures.paging import declared, escalation, owned, people, written
from tests.fixtures.services import Elsewhere, Running, eventually, memory_is_enough

MINUTE = timedelta(minutes=1)


async def told(incidents: Running, kind: type[Any], least: int = 1) -> list[Any]:
    """All events of a kind, once there are as many."""

    async def found() -> list[Any]:
        recorded = await incidents.resources.store.read(0, 10_000)
        name = CONTRACT.name_of(kind)
        return [CONTRACT.decode(each) for each in recorded if each.type == name]

    async def enough() -> list[Any]:
        events = await found()
        return events if len(events) >= least else []

    return await eventually(enough)


async def test_a_schedule_says_who_takes_turns_and_who_is_on_call(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)

    (changed,) = await told(incidents, ScheduleChanged)
    (turned,) = await told(incidents, ScheduleTurned)

    assert changed.services == ("checkout-api",)
    assert changed.members == (Scheduled("ana", "sre", ""), Scheduled("bo", "sre", ""))
    assert [(turn.person, turn.until.day) for turn in turned.on_call] == [("ana", 22)]

    clock.advance(MINUTE)
    await incidents.call("PATCH", "/v1/rotations/sre", {"participants": ["ana", "cleo"]}, if_match='"1"')

    _, again = await told(incidents, ScheduleChanged, 2)
    assert [each.person for each in again.members] == ["ana", "cleo"]
    moved = await told(incidents, ShiftsMoved, 4)
    assert {(each.person, bool(each.gained), bool(each.lost)) for each in moved[2:]} == {
        ("bo", False, True),
        ("cleo", True, False),
    }


@memory_is_enough
async def test_what_is_planned_is_told_when_it_comes_into_force(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    await told(incidents, ScheduleTurned)
    clock.advance(SECOND)
    none = {"services": [], "effective_from": "2026-11-21T11:00:00Z", "sides": "any"}
    await incidents.call("PATCH", "/v1/schedules/checkout", none, if_match='"1"')

    async def looked_at() -> bool:
        return not await incidents.resources.store.due(clock.now(), 1)

    assert await eventually(looked_at)
    clock.advance(HOUR)

    first, then = await told(incidents, ScheduleChanged, 2)
    assert (first.services, then.services, then.at) == (("checkout-api",), (), clock.now())


async def test_a_shift_is_closed_once_a_minute_after_its_end(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    await told(incidents, ScheduleTurned)

    clock.advance(14 * HOUR + 2 * MINUTE)  # two minutes past midnight

    (closed,) = await told(incidents, ShiftClosed)
    assert (closed.person, closed.side, closed.pages, closed.interrupt_minutes) == ("ana", "sre", 0, 0)
    assert closed.end - closed.start == 14 * HOUR - SECOND  # from when on the schedule was there
    clock.advance(DAY)
    _, second = await told(incidents, ShiftClosed, 2)
    assert (second.person, second.end - second.start) == ("bo", DAY)
    for each in (closed, second):
        assert len(await incidents.resources.store.load(SHIFT.stream(each.shift))) == 1


@memory_is_enough
async def test_a_worker_that_was_away_for_months_closes_every_shift_that_ended_meanwhile(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    await told(incidents, ScheduleTurned)

    clock.advance(150 * DAY)
    first = await told(incidents, ShiftClosed, 100)
    clock.advance(2 * SECOND)

    closed = await told(incidents, ShiftClosed, 150)
    assert len(first) == 100  # not all of them hold up what else is due
    assert [each.start for each in closed[1:]] == [each.end for each in closed[:-1]]
    assert len({each.shift for each in closed}) == 150


@memory_is_enough
async def test_too_much_is_told_once_until_it_is_kept_again(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    first = await told(incidents, LimitBreached, 4)
    assert {(each.limit, each.subject) for each in first} == {
        ("people", ""),
        ("share", "ana"),
        ("share", "bo"),
        ("dev_side", "checkout-api"),
    }
    assert all(each.source for each in first)

    await incidents.call("POST", "/v1/schedules/checkout:take", {"person": "dora"}, expect=201)

    await told(incidents, ScheduleTurned, 2)
    assert len(await told(incidents, LimitBreached, 4)) == 4


@memory_is_enough
async def test_who_is_on_call_by_two_schedules_is_told_by_both_as_soon_as_one_of_them_says_so(
    incidents: Running, clock: FrozenClock
) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    await told(incidents, ScheduleTurned)
    developers = {"name": "dev", "start": "2026-11-23T00:00", "participants": ["cleo", "dora"]}
    await incidents.call("POST", "/v1/rotations", developers, expect=201)
    clock.advance(SECOND)
    await incidents.call(
        "POST", "/v1/schedules", {"name": "x", "layers": [{"name": "l", "rotation": "dev"}]}, expect=201
    )
    await told(incidents, ScheduleTurned, 2)
    clock.advance(SECOND)
    cover = {"person": "ana", "start": "2026-11-24T00:00:00Z", "end": "2026-11-26T00:00:00Z"}

    await incidents.call("POST", "/v1/schedules/x/overrides", cover, expect=201)

    async def both() -> Any:
        found = [each for each in await told(incidents, LimitBreached) if each.limit == "schedules_at_once"]
        return found if len(found) > 1 else None

    found = await eventually(both)
    assert {(each.schedule, each.subject, each.value) for each in found} == {("checkout", "ana", 2), ("x", "ana", 2)}


@memory_is_enough
async def test_a_side_that_the_phase_of_a_service_asks_for_is_missed_once_until_it_takes_turns(
    incidents: Running, clock: FrozenClock, lifecycle: Elsewhere
) -> None:
    async def of_sides(kind: type[Any], least: int) -> list[str]:
        async def enough() -> list[str]:
            found = [each for each in await told(incidents, kind, 0) if each.limit.endswith("_side")]
            return [getattr(each, "detail", each.subject) for each in found] if len(found) >= least else []

        return await eventually(enough)

    await staffed(incidents, clock)
    await scheduled(incidents)
    (dev,) = await of_sides(LimitBreached, 1)
    assert "checkout-api is in limited availability, and no SRE team works for it: a developer is missing" in dev

    developers = {"name": "dev", "type": "daily", "start": "2026-11-23T00:00", "participants": ["cleo", "dora"]}
    await incidents.call("POST", "/v1/rotations", developers, expect=201)
    clock.advance(SECOND)
    layers = [{"name": "backup", "rotation": "dev"}]
    other = {"name": "checkout-dev", "services": ["checkout-api"], "layers": layers}
    await incidents.call("POST", "/v1/schedules", other, expect=201)
    assert await of_sides(LimitKept, 1) == ["checkout-api"]  # by another schedule, which changed

    clock.advance(SECOND)
    await incidents.call("DELETE", "/v1/schedules/checkout", expect=200)
    await lifecycle.says("service.engaged", "service/checkout-api", service="checkout-api", sre_team="platform-sre")

    _, sre = await of_sides(LimitBreached, 2)
    assert "platform-sre works for it: an SRE is missing" in sre

    twin = {"name": "twin", "services": ["checkout-api"], "layers": layers}
    await incidents.call("POST", "/v1/schedules", twin, expect=201)

    async def seen() -> bool:
        return "twin" in {each.schedule for each in await told(incidents, ScheduleChanged)}

    assert await eventually(seen)
    assert len(await of_sides(LimitBreached, 2)) == 2  # told by the other schedule already
    clock.advance(SECOND)

    for person in ("cleo", "dora"):
        await incidents.call("PATCH", f"/v1/people/{person}", {"side": "sre"}, if_match='"1"')

    *_, again = await of_sides(LimitBreached, 3)
    assert "a developer is missing" in again

    async def told_sides() -> bool:
        *_, changed = await told(incidents, ScheduleChanged)
        return {each.side for each in changed.members} == {"sre"}

    assert await eventually(told_sides)  # which gates and the health of engagements read


@memory_is_enough
async def test_a_shift_says_what_its_pages_cost_and_that_they_were_too_many(
    incidents: Running, clock: FrozenClock, lifecycle: Elsewhere
) -> None:
    await people(incidents, lifecycle, "ana", "bo")
    rotation = {"name": "sre", "type": "daily", "start": "2026-11-23T00:00", "participants": ["ana", "bo"]}
    await incidents.call("POST", "/v1/rotations", rotation, expect=201)
    clock.advance(SECOND)
    await scheduled(incidents)
    await owned(incidents, lifecycle, "cart-api")
    await written(incidents, steps=[{"targets": [{"kind": "schedule", "name": "checkout"}], "delay": "PT30M"}])

    for number, minutes in enumerate((30, 10, 0), start=1):
        incident = (await declared(incidents))["id"]
        await told(incidents, PageSent, number)
        await incidents.call("POST", f"/v1/incidents/{incident}:acknowledge")
        await escalation(incidents, f"INC-{number}", state="held")
        if minutes:
            clock.advance(minutes * MINUTE)
            await incidents.call("POST", f"/v1/incidents/{incident}:mitigate")
            clock.advance(HOUR - minutes * MINUTE)
    pages = await told(incidents, PageSent, 3)
    assert {(each.person, each.schedule) for each in pages} == {("ana", "checkout")}

    clock.advance(12 * HOUR + 2 * MINUTE)  # two minutes past midnight

    (closed,) = await told(incidents, ShiftClosed)
    assert (closed.person, closed.pages, closed.incidents) == ("ana", 3, 3)
    assert closed.interrupt_minutes == 40 + 12 * 60  # the third went on until the shift was over
    (breach,) = [each for each in await told(incidents, LimitBreached) if each.limit == "incidents_per_shift"]
    assert (breach.subject, breach.value, breach.allowed) == (closed.shift, 3, 2.33)
    assert "SRE book" in breach.source
