"""What was laid out before says the same as the resolver, and what is too much to lay out at once is refused."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.incidents.domain.on_call.bounds import MOST_STRETCHES, MOST_UNASKED, check_size, fitting
from services.incidents.domain.on_call.charts import Charts
from services.incidents.domain.on_call.errors import TimeRangeError
from services.incidents.domain.on_call.resolver import at_moment, resolve
from services.incidents.domain.on_call.roster import Layer, OnCall, Override, Roster, RotationRevision, ScheduleRevision
from services.incidents.domain.on_call.turns import Rota
from services.incidents.domain.on_call.windows import WEEKDAYS, Window
from tests.benchmarks.bench_on_call import START, roster_from
from tests.benchmarks.day_by_day import day_by_day

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEAR = roster_from(START)
CHARTS = Charts()


def roster(kind: Any, *, layers: int = 1, overrides: Sequence[Override] = ()) -> Roster:
    rota = Rota("UTC", kind, 1, START.replace(tzinfo=None), ("ana", "bo"))
    made = tuple(Layer(f"l{number}", "team") for number in range(layers))
    revision = ScheduleRevision("UTC", ("checkout-api",), made, (), "any", (), START)
    return Roster("checkout", (revision,), tuple(overrides), {"team": (RotationRevision(rota, START),)})


def told(found: Sequence[OnCall]) -> list[tuple[str, str, float]]:
    return [(each.source.layer, each.person, (each.since - START) / DAY) for each in found]


@given(st.integers(-40 * 24 * 60, 400 * 24 * 60))
@settings(deadline=None)
def test_who_is_on_call_is_who_the_resolver_says_and_who_is_next_begins_when_they_end(minutes: int) -> None:
    moment = START + timedelta(minutes=minutes)
    now = CHARTS.at(YEAR, moment)
    assert tuple(now) == at_moment(YEAR, moment)
    plan = resolve(YEAR, moment, moment + 60 * DAY)
    late = max((each.until for each in now), default=moment) + 28 * DAY
    following = dict[OnCall, None]()
    for held in now:
        layers = {held.source.layer, ""} if held.source.layer else {each.source.layer for each in plan}
        after = next((it for it in plan if it.since >= held.until and it.source.layer in layers), None)
        following |= {after: None} if after and after.since < late else {}
    if now:
        assert CHARTS.following(YEAR, now, moment) == list(following)


def test_where_nobody_is_on_call_the_very_next_are_all_who_begin_then() -> None:
    charts, both = Charts(), roster("daily", layers=2)
    assert told(charts.following(both, [], START - 5 * DAY)) == [
        ("l0", "ana", 0),
        ("l1", "ana", 0),
    ]
    assert charts.following(both, [], START - 40 * DAY) == []


def test_a_shadow_is_nobodys_successor_and_beside_it_nobody_is_on_call() -> None:
    daily, office = roster("daily"), Window(WEEKDAYS, time(9), time(17))
    (revision,), (layer,) = daily.revisions, daily.revisions[0].layers
    layers = (replace(layer, restrictions=(office,)), replace(layer, name="learners", shadow=True))
    shadowed = replace(daily, revisions=(replace(revision, layers=layers),))
    now = Charts().at(shadowed, START + HOUR)
    assert [each.shadow for each in now] == [True]
    assert told(Charts().following(shadowed, now, START + HOUR)) == [("l0", "ana", 9 / 24)]


def test_at_a_hand_off_only_who_comes_is_on_call() -> None:
    assert told(Charts().at(roster("daily"), START + DAY)) == [("l0", "bo", 1)]


def test_another_version_of_a_schedule_is_laid_out_anew() -> None:
    charts, before = Charts(), roster("weekly")
    assert told(charts.at(before, START + DAY)) == [("l0", "ana", 0)]
    off = Override("o1", "off_duty", "", "", START + 12 * HOUR, START + 36 * HOUR, "", "ana", START)
    assert charts.at(replace(before, overrides=(off,), version=(2,)), START + DAY) == []


def test_a_year_is_what_going_day_by_day_says() -> None:
    found = {(each.person, each.since, each.until) for each in resolve(YEAR, START, START + 365 * DAY)}
    assert found == set(day_by_day(YEAR, START, 365))


def test_too_many_shifts_at_once_are_refused_with_what_would_do() -> None:
    hourly = roster("hourly", layers=50)
    with pytest.raises(TimeRangeError, match="ask for at most 16 days at once") as refused:
        check_size(hourly, START, START + 1100 * DAY)
    assert refused.value.field == "until"
    check_size(hourly, START, START + 16 * DAY)
    assert len(resolve(hourly, START, START + 16 * DAY)) <= MOST_STRETCHES + 50


def test_what_is_not_in_force_does_not_count() -> None:
    check_size(roster("hourly", layers=50), START - 1000 * DAY, START + DAY)
    check_size(roster("monthly", layers=50), START, datetime(2029, 1, 1, tzinfo=UTC))
    check_size(YEAR, START, START + 1000 * DAY)
    hourly, monthly = roster("hourly", layers=50), roster("monthly")
    then = replace(monthly.rotations["team"][0], effective_from=START + DAY)
    check_size(replace(hourly, rotations={"team": (*hourly.rotations["team"], then)}), START, START + 1000 * DAY)


def test_restrictions_count_by_the_day() -> None:
    monthly, office = roster("monthly"), Window(WEEKDAYS[:5], time(9), time(17))
    (revision,), (turned,) = monthly.revisions, monthly.rotations["team"]
    layers = (replace(revision.layers[0], restrictions=(office,) * 30),)
    restricted = replace(turned, rota=replace(turned.rota, restrictions=(office,) * 20))
    with pytest.raises(TimeRangeError, match="ask for at most 399 days at once"):
        check_size(
            replace(monthly, revisions=(replace(revision, layers=layers),), rotations={"team": (restricted,)}),
            START,
            START + 1000 * DAY,
        )


def test_what_nobody_asked_for_is_laid_out_as_far_as_a_schedule_has_shifts_enough() -> None:
    assert fitting(YEAR, START, START + 120 * DAY) == START + 120 * DAY

    hourly = roster("hourly", layers=10)
    until = fitting(hourly, START, START + 120 * DAY)

    assert until < START + 30 * DAY
    assert MOST_UNASKED * 0.9 < len(resolve(hourly, START, until)) < MOST_UNASKED * 1.1
