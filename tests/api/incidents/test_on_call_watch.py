"""What others are told of a schedule, once: who takes turns, whose turn it is, what is over, what is too much."""

from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from services.incidents.contract import CONTRACT, SHIFT
from services.incidents.domain.duty.events import LimitBreached, ScheduleChanged, Scheduled, ShiftsMoved
from services.incidents.domain.shift.events import ShiftClosed
from services.incidents.domain.turning.events import ScheduleTurned
from tests.fixtures.on_call import DAY, HOUR, SECOND, scheduled, staffed
from tests.fixtures.services import Running, eventually, memory_is_enough

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
async def test_too_much_is_told_once_until_it_is_kept_again(incidents: Running, clock: FrozenClock) -> None:
    await staffed(incidents, clock)
    await scheduled(incidents)
    first = await told(incidents, LimitBreached, 3)
    assert {(each.limit, each.subject) for each in first} == {("people", ""), ("share", "ana"), ("share", "bo")}
    assert all(each.source for each in first)

    await incidents.call("POST", "/v1/schedules/checkout:take", {"person": "dora"}, expect=201)

    await told(incidents, ScheduleTurned, 2)
    assert len(await told(incidents, LimitBreached, 3)) == 3
