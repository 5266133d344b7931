"""The one resolver: layers by priority, restrictions, overrides above all, and why each stretch is somebody's."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.incidents.domain.on_call.resolver import at_moment, holes, resolve
from services.incidents.domain.on_call.roster import (
    HALVES,
    Kind,
    Layer,
    Override,
    Roster,
    RotationRevision,
    ScheduleRevision,
)
from services.incidents.domain.on_call.spans import Span, joined
from services.incidents.domain.on_call.turns import Rota
from services.incidents.domain.on_call.windows import WEEKDAYS, Window

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHTS = Window(WEEKDAYS, time(20), time(8))


def rota(*people: str, kind: Any = "daily", length: int = 1, **more: Any) -> tuple[RotationRevision, ...]:
    wall = MONDAY.replace(tzinfo=None)
    return (RotationRevision(Rota("UTC", kind, length, wall, people, **more), MONDAY - 365 * DAY),)


def revision(*layers: Layer, since: datetime = MONDAY - 365 * DAY, **more: Any) -> ScheduleRevision:
    given = {"off_duty": (), "sides": "any", "managers": (), **more}
    return ScheduleRevision("UTC", ("checkout-api",), layers, **given, effective_from=since)


def override(kind: Kind, person: str, replaces: str, start: datetime, end: datetime, number: int = 1) -> Override:
    return Override(f"o{number}", kind, person, replaces, start, end, "", "ana", MONDAY + number * HOUR)


def roster(*layers: Layer, overrides: Sequence[Override] = (), **rotations: tuple[RotationRevision, ...]) -> Roster:
    return Roster("checkout", (revision(*layers),), tuple(overrides), rotations)


def told(found: Roster, hours: int = 48) -> list[tuple[str, float, float]]:
    """Who, from which hour of Monday on, until which."""
    shown = resolve(found, MONDAY, MONDAY + hours * HOUR)
    return [(each.person, (each.since - MONDAY) / HOUR, (each.until - MONDAY) / HOUR) for each in shown]


DAYS = Layer("days", "team")


def test_a_layer_is_cut_by_those_of_higher_priority_and_stands_beside_its_equals() -> None:
    nights = Layer("nights", "night", 1, (NIGHTS,))
    both = roster(DAYS, nights, team=rota("ana", "bo"), night=rota("cleo"))
    assert told(both, 24) == [("cleo", -4, 0), ("cleo", 0, 8), ("ana", 8, 20), ("cleo", 20, 24)][1:]
    equal = roster(DAYS, replace(nights, priority=0), team=rota("ana", "bo"), night=rota("cleo"))
    assert told(equal, 24) == [("ana", 0, 24), ("cleo", 0, 8), ("cleo", 20, 24)]


def test_a_cover_stands_above_all_and_says_so() -> None:
    covered = roster(
        DAYS, overrides=[override("cover", "dora", "", MONDAY + 6 * HOUR, MONDAY + 9 * HOUR)], team=rota("ana", "bo")
    )
    assert told(covered, 24) == [("ana", 0, 6), ("dora", 6, 9), ("ana", 9, 24)]
    (now,) = at_moment(covered, MONDAY + 7 * HOUR)
    assert (now.source.type, now.source.override) == ("cover", "o1")
    (before,) = at_moment(covered, MONDAY)
    assert (before.source.type, before.source.rotation, before.source.shift) == (
        "rotation",
        "team",
        "team@20261123T000000Z",
    )


def test_a_replacement_takes_only_what_is_theirs_and_later_ones_build_upon_it() -> None:
    first = override("replacement", "dora", "ana", MONDAY + 6 * HOUR, MONDAY + 30 * HOUR)
    second = override("swap", "ed", "dora", MONDAY + 8 * HOUR, MONDAY + 10 * HOUR, 2)
    replaced = roster(DAYS, overrides=[second, first], team=rota("ana", "bo"))
    assert told(replaced) == [
        ("ana", 0, 6),
        ("dora", 6, 8),
        ("ed", 8, 10),
        ("dora", 10, 24),
        ("bo", 24, 48),
    ]
    (now,) = at_moment(replaced, MONDAY + 9 * HOUR)
    assert (now.source.type, now.source.override, now.source.rotation) == ("swap", "o2", "team")
    assert now.shift == "checkout.days.ed.20261123T080000Z"


def test_who_stands_in_for_somebody_later_cuts_what_is_told_now() -> None:
    cover = override("cover", "dora", "", MONDAY, MONDAY + 10 * HOUR)
    later = override("swap", "ed", "dora", MONDAY + 6 * HOUR, MONDAY + 8 * HOUR, 2)
    assert told(roster(overrides=[cover, later]), 1) == [("dora", 0, 6)]


@pytest.mark.parametrize(
    ("kind", "person", "replaces"), [("cover", "ed", ""), ("swap", "ed", "ana"), ("off_duty", "", "")]
)
def test_what_was_cancelled_before_it_began_changes_nothing(kind: Any, person: str, replaces: str) -> None:
    ends_before = override(kind, person, replaces, MONDAY + 12 * HOUR, MONDAY + 2 * HOUR)
    before = roster(DAYS, overrides=[ends_before], team=rota("ana"))
    assert told(before, 24) == [("ana", 0, 24)]
    nobody = replace(before, rotations={})
    assert (told(nobody, 24), holes(nobody, MONDAY, MONDAY + DAY)) == ([], [Span(MONDAY, MONDAY + DAY)])


def test_two_swap_the_same_time() -> None:
    week = Span(MONDAY + 2 * HOUR, MONDAY + 5 * HOUR)
    halves = (override("swap", "bo", "ana", week.start, week.end), override("swap", "ana", "bo", week.start, week.end))
    swapped = [replace(half, override=f"o1{end}") for half, end in zip(halves, HALVES, strict=True)]
    both = roster(DAYS, Layer("backup", "other"), overrides=swapped, team=rota("ana"), other=rota("bo"))
    layers = {each.source.layer: each.person for each in at_moment(both, MONDAY + 3 * HOUR)}
    assert layers == {"days": "bo", "backup": "ana"}


def test_a_schedule_that_has_ended_lacks_nobody() -> None:
    ended = Roster("checkout", (revision(DAYS), revision(since=MONDAY + 5 * HOUR)), (), {"team": rota("ana")})
    assert told(ended) == [("ana", 0, 5)]
    assert holes(ended, MONDAY, MONDAY + DAY) == []


def test_a_change_that_leaves_a_layer_as_it_was_cuts_no_shift_of_it() -> None:
    added = revision(DAYS, Layer("backup", "other"), since=MONDAY + 5 * HOUR)
    changed = Roster("checkout", (revision(DAYS), added), (), {"team": rota("ana"), "other": rota("bo")})
    assert told(changed, 24) == [("ana", 0, 24), ("bo", 5, 24)]


def test_nobody_is_on_call_off_duty_and_that_is_no_hole() -> None:
    off = override("off_duty", "", "", MONDAY + 2 * HOUR, MONDAY + 4 * HOUR)
    free = roster(DAYS, overrides=[off], team=rota("ana"))
    assert told(free, 24) == [("ana", 0, 2), ("ana", 4, 24)]
    assert holes(free, MONDAY, MONDAY + DAY) == []
    days_only = Layer("days", "team", 0, (Window(WEEKDAYS, time(8), time(20)),))
    for_nobody = override("replacement", "dora", "bo", MONDAY, MONDAY + DAY)
    assert holes(roster(days_only, overrides=[for_nobody], team=rota("ana")), MONDAY, MONDAY + DAY) == [
        Span(MONDAY, MONDAY + 8 * HOUR),
        Span(MONDAY + 20 * HOUR, MONDAY + DAY),
    ]
    declared = Roster("checkout", (revision(days_only, off_duty=(NIGHTS,)),), (), {"team": rota("ana")})
    assert holes(declared, MONDAY, MONDAY + DAY) == []


def test_shadows_see_without_the_duty_and_fill_no_hole() -> None:
    shadowed = roster(Layer("learners", "new", 9, shadow=True), new=rota("zoe"))
    (zoe,) = at_moment(shadowed, MONDAY)
    assert (zoe.person, zoe.shadow) == ("zoe", True)
    assert holes(shadowed, MONDAY, MONDAY + DAY) == [Span(MONDAY, MONDAY + DAY)]
    beside = roster(DAYS, Layer("learners", "new", 9, shadow=True), team=rota("ana"), new=rota("zoe"))
    assert [each.person for each in at_moment(beside, MONDAY)] == ["ana", "zoe"]


def test_what_changes_from_a_moment_on_leaves_the_past_as_it_was() -> None:
    old, new = rota("ana"), rota("bo")
    both = (old[0], replace(new[0], effective_from=MONDAY + 5 * HOUR))
    changed = Roster("checkout", (revision(DAYS),), (), {"team": both})
    assert told(changed, 24) == [("ana", 0, 5), ("bo", 5, 24)]
    third = (*both, replace(rota("cleo")[0], effective_from=MONDAY + 5 * HOUR))  # of two at the same moment, the later
    assert told(replace(changed, rotations={"team": third}), 24) == [("ana", 0, 5), ("cleo", 5, 24)]
    layers = (revision(DAYS), revision(Layer("x", "other"), since=MONDAY + 3 * HOUR))
    assert told(Roster("checkout", layers, (), {"team": old, "other": new}), 24) == [("ana", 0, 3), ("bo", 3, 24)]


def test_who_takes_turns_are_those_of_the_layers_in_force_each_once_and_no_shadows() -> None:
    later = revision(replace(DAYS, rotation="other"), since=MONDAY)
    layers = revision(DAYS, Layer("nights", "night"), Layer("learners", "new", shadow=True), Layer("empty", "none"))
    rotations = {"team": rota("ana", "bo"), "night": rota("bo", "cleo"), "new": rota("zoe"), "other": rota("ed")}
    off = override("off_duty", "", "", MONDAY, MONDAY + HOUR)
    covered = override("cover", "dora", "", MONDAY + HOUR, MONDAY + DAY, 2)
    both = Roster("checkout", (layers, later), (off, covered), rotations)
    for moment in (MONDAY - 999 * DAY, MONDAY - HOUR):  # what is first said holds for what was before
        assert both.turning(moment) == ["ana", "bo", "cleo"]
    assert both.turning(MONDAY) == ["ed"]
    assert Roster("checkout", (), (), rotations).turning(MONDAY) == []
    assert both.people == {"ana", "bo", "cleo", "zoe", "ed", "dora"}


kinds = st.sampled_from([("hourly", 5), ("hourly", 4), ("daily", 1), ("weekly", 1), ("monthly", 1)])
restrictions = st.sampled_from([(), (NIGHTS,), (Window(WEEKDAYS[:5], time(9), time(17)),)])
layered = st.lists(
    st.tuples(kinds, restrictions, st.integers(0, 2), restrictions, st.booleans()), min_size=1, max_size=4
)
spans = st.tuples(st.integers(-100, 600), st.integers(1, 200))
decided = st.lists(st.tuples(st.sampled_from(["", "a0", "x0"]), spans), max_size=3)  # a cover, or in whose place


@given(layered, decided, st.integers(-300, 600), st.integers(1, 400))
def test_a_stretch_is_the_same_from_wherever_one_looks(
    layers: list[Any], overrides: list[Any], start: int, lasts: int
) -> None:
    rotations = {
        f"r{n}": rota(f"a{n}", f"b{n}", kind=kind[0], length=kind[1], restrictions=rules)
        for n, (kind, rules, *_) in enumerate(layers)
    }
    made = [Layer(f"l{n}", f"r{n}", *rest) for n, (_, _, *rest) in enumerate(layers)]
    said = [
        override("replacement" if of else "cover", f"x{n}", of, MONDAY + at * HOUR, MONDAY + (at + long) * HOUR, n)
        for n, (of, (at, long)) in enumerate(overrides)
    ]
    whole = roster(*made, overrides=said, **rotations)
    since, until = MONDAY + start * HOUR, MONDAY + (start + lasts) * HOUR

    found = resolve(whole, since, until)

    assert all(each.since < each.until for each in found)
    around = resolve(whole, since - 40 * DAY, until + 40 * DAY)
    assert found == [each for each in around if each.since < until and each.until > since]
    moment = since + (until - since) / 3
    assert at_moment(whole, moment) == tuple(each for each in found if each.since <= moment < each.until)
    duty = joined(Span(each.since, each.until) for each in found if not each.shadow)
    for hole in holes(whole, since, until):
        assert not any(hole.start < span.end and hole.end > span.start for span in duty)
    one_layer = len(made) == 1 and not said
    assert not one_layer or all(one.until <= other.since for one, other in pairwise(found))
