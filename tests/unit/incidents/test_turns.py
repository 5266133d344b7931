"""The rotation maths: at every moment it is exactly one person's turn, in order, whatever the clocks do."""

# ruff: noqa: DTZ001  wall times

import json
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.incidents.domain.on_call.errors import (
    NeverOpenError,
    NoParticipantsError,
    TimeRangeError,
    UnknownZoneError,
)
from services.incidents.domain.on_call.turns import Rota, check_rota, shifts
from services.incidents.domain.on_call.wall_clock import first_instant, wall_of, zone_named
from services.incidents.domain.on_call.windows import WEEKDAYS, Window, openings

CONFORMANCE = Path(__file__).parents[4] / "shared" / "conformance"
SAMPLE, RULES = CONFORMANCE / "rotation_sample.json", CONFORMANCE / "weekly_rules_sample.json"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHICAGO, BERLIN = zone_named("America/Chicago"), zone_named("Europe/Berlin")
ZONES = (
    "UTC",
    "America/Chicago",
    "America/St_Johns",
    "Europe/Berlin",
    "Europe/Dublin",
    "Africa/Casablanca",  # moves its clocks four times a year in some
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Apia",  # had no 30 December 2011
    "Pacific/Chatham",
    "America/Sao_Paulo",  # at midnight
    "Antarctica/Troll",  # by two hours
)
WORKING_DAYS = Window(WEEKDAYS[:5], time(9), time(17))
NIGHT = Window(("monday",), time(20), time(8))

zones = st.sampled_from(ZONES)
walls = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(second=0, microsecond=0))
kinds = st.sampled_from(
    [*(("hourly", hours) for hours in (1, 5, 12, 24)), ("daily", 1), ("daily", 3), ("weekly", 1), ("monthly", 5)]
)
windows = st.lists(
    st.builds(
        Window,
        st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=3).map(tuple),
        st.times().map(lambda at: at.replace(second=0, microsecond=0)),
        st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    ),
    max_size=3,
).map(tuple)
people = st.integers(1, 5).map(lambda many: tuple("abcde"[:many]))


def rota(zone: str = "UTC", kind: Any = "daily", length: int = 1, start: str = "2026-11-23T09:00", **more: Any) -> Rota:
    return Rota(zone, kind, length, datetime.fromisoformat(start), **{"participants": ("ana", "bo"), **more})


def at(wall: str, zone: str) -> datetime:
    return first_instant(datetime.fromisoformat(wall), zone_named(zone))


@given(zones, kinds, walls, walls, st.integers(0, 400), people)
@example("America/Chicago", ("hourly", 1), datetime(2020, 3, 8), datetime(2020, 3, 8, 5), 20, ("a", "b", "c"))
@example("America/Chicago", ("hourly", 1), datetime(2020, 3, 9), datetime(2020, 3, 8, 5), 20, ("a", "b", "c"))
@example("Pacific/Apia", ("daily", 1), datetime(2011, 12, 1), datetime(2011, 12, 29), 9, ("a", "b", "c"))
def test_shifts_leave_no_moment_out_and_none_twice_and_come_in_order(
    zone: str, kind: tuple[Any, int], start: datetime, begin: datetime, days: int, names: tuple[str, ...]
) -> None:
    many = Rota(zone, *kind, start, names)
    since = begin.replace(tzinfo=UTC)
    until = since + (days * DAY if kind[0] != "hourly" else days * HOUR)

    found = list(shifts(many, since, until))

    assert found[0].start <= since < found[0].end
    assert found[-1].start <= until < found[-1].end
    assert all(shift.start < shift.end for shift in found)
    assert all(one.end == other.start for one, other in pairwise(found))
    turns = [names.index(shift.participant) for shift in found]
    assert all(other == (one + 1) % len(names) for one, other in pairwise(turns))
    last = found[-1]
    assert next(shifts(many, last.start, last.start)) == last  # whenever one asks


@given(zones, kinds, walls, st.integers(-400, 400), people, windows, st.sampled_from(["calendar", "active_shifts"]))
@example("UTC", ("daily", 1), datetime(2026, 11, 23), 250, ("a", "b"), (WORKING_DAYS,), "active_shifts")
@example("UTC", ("hourly", 5), datetime(2026, 11, 23), 0, ("a", "b"), (WORKING_DAYS,), "active_shifts")
def test_whose_turn_it_is_does_not_depend_on_when_one_asks(  # noqa: PLR0913  what is drawn
    zone: str, kind: tuple[Any, int], start: datetime, number: int, names: tuple[str, ...], open_at: Any, advance: Any
) -> None:
    many = Rota(zone, *kind, start, names, open_at, advance)
    low, high = sorted((0, number % 400 - 200))

    counted = sum(many.counts(k, many.handoff(k), many.handoff(k + 1)) for k in range(low, high))

    assert many.turn(high) - many.turn(low) == counted


@given(zones, kinds, walls, st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)))
@example("America/Chicago", ("daily", 1), datetime(2020, 1, 1, 1, 30), datetime(2020, 11, 1, 7, 10))  # 1:10 once more
def test_a_moment_lies_between_the_hand_offs_of_its_shift(
    zone: str, kind: tuple[Any, int], start: datetime, moment: datetime
) -> None:
    many, t = Rota(zone, *kind, start, ("ana",)), moment.replace(tzinfo=UTC)
    number = many.number_at(t)
    assert many.handoff(number) <= t < many.handoff(number + 1)


@given(zones, walls, windows.filter(bool), st.sampled_from([1, 5, 8, 24]))
@example("America/Chicago", datetime(2020, 3, 1), (Window(("sunday",), time(2), time(3, 30)),), 1)  # one in a gap
def test_with_active_shifts_everybody_who_is_next_comes_next(
    zone: str, start: datetime, open_at: Any, hours: int
) -> None:
    names = tuple("abcde")
    many = Rota(zone, "hourly", hours, start, names, open_at, "active_shifts")
    since = first_instant(start, many.clock)

    found = list(shifts(many, since, since + 30 * DAY))

    turns = {shift.begins: names.index(shift.participant) for shift in found}
    in_order = [turns[begins] for begins in sorted(turns)]
    assert all(other == (one + 1) % len(names) for one, other in pairwise(in_order))
    assert next(shifts(many, found[-1].start, found[-1].start)) == found[-1]  # whenever one asks


@given(zones, walls, walls)
def test_a_later_wall_time_is_never_an_earlier_moment(zone: str, one: datetime, other: datetime) -> None:
    clock = zone_named(zone)
    assert first_instant(min(one, other), clock) <= first_instant(max(one, other), clock)


@given(zones, st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)))
def test_what_a_clock_shows_is_not_after_the_moment(zone: str, moment: datetime) -> None:
    clock, t = zone_named(zone), moment.replace(tzinfo=UTC)
    assert first_instant(wall_of(t, clock), clock) <= t


def test_a_time_in_a_gap_is_the_moment_of_the_jump_and_one_that_comes_twice_the_first() -> None:
    assert at("2020-03-08T02:30", "America/Chicago") == datetime(2020, 3, 8, 8, tzinfo=UTC)
    assert at("2020-11-01T01:30", "America/Chicago") == datetime(2020, 11, 1, 6, 30, tzinfo=UTC)
    assert at("2011-12-30T13:00", "Pacific/Apia") == at("2011-12-31T00:00", "Pacific/Apia")


def test_a_shift_that_collapses_in_a_gap_skips_nobody() -> None:
    hourly = rota("America/Chicago", "hourly", 1, "2020-03-08T00:00", participants=("a", "b", "c"))
    found = list(shifts(hourly, at("2020-03-08T00:00", "America/Chicago"), at("2020-03-08T03:30", "America/Chicago")))
    assert [(wall_of(each.start, CHICAGO).hour, each.participant) for each in found] == [(0, "a"), (1, "b"), (3, "c")]


def test_a_month_ends_with_its_last_day_and_never_flows_into_the_next() -> None:
    monthly = rota(kind="monthly", start="2024-01-31T09:00")
    days = [monthly.wall(k).date().isoformat() for k in range(5)]
    assert days == ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]


def test_on_a_calendar_somebody_misses_every_turn_and_with_active_shifts_nobody() -> None:
    names = ("mo", "tu", "we", "th", "fr", "sa", "su")
    since, until = datetime(2026, 11, 23, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
    for advance, seen in (("calendar", set(names[:5])), ("active_shifts", set(names))):
        many = rota(start="2026-11-23T00:00", participants=names, restrictions=(WORKING_DAYS,), advance=advance)
        assert {each.participant for each in shifts(many, since, until)} == seen


@pytest.mark.parametrize(
    ("kind", "start", "restriction", "asked", "found"),
    [
        ("weekly", "2026-11-23T09:00", NIGHT, ("24T02", "24T03"), [("23T20", "24T08")]),
        ("weekly", "2026-11-23T09:00", WORKING_DAYS, ("24T10", "24T11"), [("24T09", "24T17")]),
        ("daily", "2026-11-23T09:00", WORKING_DAYS, ("24T10", "25T16"), [("24T09", "24T17"), ("25T09", "25T17")]),
        ("daily", "2026-11-23T17:00", WORKING_DAYS, ("24T10", "25T16"), [("24T09", "24T17"), ("25T09", "25T17")]),
    ],
)
def test_shifts_are_cut_by_restrictions_and_not_by_what_is_asked_for(
    kind: str, start: str, restriction: Window, asked: tuple[str, str], found: list[tuple[str, str]]
) -> None:
    restricted = rota("Europe/Berlin", kind, start=start, restrictions=(restriction,))
    since, until = (at(f"2026-11-{wall}:00", "Europe/Berlin") for wall in asked)
    shown = [(wall_of(each.start, BERLIN), wall_of(each.end, BERLIN)) for each in shifts(restricted, since, until)]
    assert [(f"{since:%dT%H}", f"{until:%dT%H}") for since, until in shown] == found


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"participants": ()}, NoParticipantsError, "participants"),
        ({"zone": "Mars/Olympus"}, UnknownZoneError, "zone"),
        ({"zone": "../etc"}, UnknownZoneError, "zone"),
        ({"start": "0001-01-01T00:00"}, TimeRangeError, "start"),
        ({"restrictions": (Window((), time(8), time(9)),)}, NeverOpenError, "restrictions/0/days"),
    ],
)
def test_a_rota_that_means_nothing_is_refused_with_its_place(change: Any, error: type[Exception], field: str) -> None:
    with pytest.raises(error) as refused:
        check_rota(rota(**change))
    assert getattr(refused.value, "field") == field  # noqa: B009  of all of them


@pytest.mark.parametrize(
    ("changed", "since", "until", "field"),
    [
        ({"kind": "hourly"}, 2000, 2030, "until"),  # more shifts than anybody reads
        ({"restrictions": (WORKING_DAYS,) * 50}, 2000, 2030, "until"),
        ({}, 2030, 2000, "until"),
        ({}, 1969, 1971, "from"),
        ({}, 2199, 2201, "until"),
        ({"kind": "weekly", "length": 10_000}, 2030, 2031, "length"),  # from 2026 to 2218
        ({"kind": "monthly", "length": 100_000}, 2030, 2031, "length"),  # there is no such year
    ],
)
def test_what_nobody_reads_or_is_too_far_away_is_refused(changed: Any, since: int, until: int, field: str) -> None:
    with pytest.raises(TimeRangeError) as refused:
        list(shifts(rota(**changed), datetime(since, 1, 1, tzinfo=UTC), datetime(until, 1, 1, tzinfo=UTC)))
    assert refused.value.field == field


def _cases(path: Path, *kinds: str) -> list[tuple[str, Any]]:
    if not path.exists():
        return []
    sample = json.loads(path.read_text())
    return [(kind, case) for kind in kinds for case in sample[kind]]


@pytest.mark.parametrize(("kind", "case"), _cases(SAMPLE, "handoffs", "start", "end"))
def test_a_case_of_another_project_comes_out_the_same(kind: str, case: Any) -> None:
    many = Rota(case["tz"], case["type"], case["length"], datetime.fromisoformat(case["start"]), ("ana", "bo"))
    if kind == "handoffs":
        found = list(shifts(many, at(case["frm"], case["tz"]), at(case["to"], case["tz"])))
        expected = [datetime.fromisoformat(each) for each in case["expected"]]
        assert [*(shift.start for shift in found), found[-1].end] == expected
    else:
        begins = at(case["start"], case["tz"])
        first = next(iter(shifts(many, begins, begins)))
        assert (first.start, first.end) == (begins, at(case["next"], case["tz"]))


@pytest.mark.parametrize(("kind", "case"), _cases(RULES, "active", "start", "end"))
def test_a_weekly_rule_of_another_project_opens_at_the_same_times(kind: str, case: Any) -> None:
    rule = case["rule"]
    days = tuple(WEEKDAYS[(index - 1) % 7] for index, on in enumerate(rule["days"]) if on)  # theirs begin on Sunday
    window = Window(days, time.fromisoformat(rule["start"]), time.fromisoformat(rule["end"]))
    moment = at(case["t"], "UTC")
    spans = openings([window], zone_named("UTC"), moment, moment + 7 * DAY)
    current = next(span for span in spans if span.end > moment)
    if kind == "active":
        assert (current.start <= moment) == case["expect"]
    else:
        assert getattr(current, kind) == at(case["expect"], "UTC")
