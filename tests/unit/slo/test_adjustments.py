"""Maintenance windows and exclusions: when they occur, and what they leave of the counts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.adjustments import (
    Adjustment,
    Effect,
    Excused,
    adjusted,
    adjusted_counts,
    excused,
    occurrences,
)
from services.slo.domain.error_budget import Counts
from services.slo.domain.errors import InvalidAdjustmentError
from services.slo.domain.series import Series
from services.slo.domain.windows import minute_at

HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def once(effect: Effect, first: int, stop: int) -> Adjustment:
    """Covers the minutes [first, stop) since the epoch."""
    return Adjustment(effect, EPOCH + timedelta(minutes=first), timedelta(minutes=stop - first))


def within(first: int, stop: int, *adjustments: Adjustment) -> Excused:
    return excused(adjustments, EPOCH + timedelta(minutes=first), EPOCH + timedelta(minutes=stop))


def test_a_single_window_covers_the_minutes_that_start_inside_it() -> None:
    odd = Adjustment("remove", EPOCH + timedelta(seconds=30), timedelta(minutes=2))
    assert within(0, 100, odd) == Excused(removed=(range(1, 3),))


def test_a_rule_recurs_at_the_same_wall_time_across_a_change_of_clocks() -> None:
    sundays = Adjustment("remove", at("2026-03-22T04:00:00+01:00"), HOUR, "Europe/Berlin", "FREQ=WEEKLY;BYDAY=SU")
    got = [o.start for o in occurrences(sundays, at("2026-03-22T00:00:00Z"), at("2026-04-06T00:00:00Z"))]
    assert got == [at("2026-03-22T03:00:00Z"), at("2026-03-29T02:00:00Z"), at("2026-04-05T02:00:00Z")]


def test_an_occurrence_at_a_wall_time_that_is_skipped_takes_place_after_the_change() -> None:
    nightly = Adjustment("remove", at("2026-03-28T02:30:00+01:00"), HOUR, "Europe/Berlin", "FREQ=DAILY")
    got = [o.start for o in occurrences(nightly, at("2026-03-29T00:00:00Z"), at("2026-03-29T12:00:00Z"))]
    assert got == [at("2026-03-29T01:30:00Z")]


def test_an_occurrence_that_began_before_counts_as_far_as_it_reaches() -> None:
    weekly = Adjustment("remove", at("2026-01-04T23:00:00Z"), 4 * HOUR, rrule="FREQ=WEEKLY")
    got = list(occurrences(weekly, at("2026-01-12T00:00:00Z"), at("2026-01-13T00:00:00Z")))
    assert [o.start for o in got] == [at("2026-01-11T23:00:00Z")]
    assert not list(occurrences(weekly, at("2026-01-12T03:00:00Z"), at("2026-01-13T00:00:00Z")))


def test_one_that_ended_covers_what_came_before_and_cuts_what_was_under_way() -> None:
    daily = Adjustment("remove", EPOCH, HOUR, rrule="FREQ=DAILY", until=EPOCH + timedelta(days=1, minutes=20))
    got = excused([daily], EPOCH, EPOCH + timedelta(days=5)).removed
    assert got == (range(60), range(24 * 60, 24 * 60 + 20))
    never = Adjustment("remove", EPOCH, HOUR, rrule="FREQ=DAILY", until=EPOCH)
    assert excused([never], EPOCH, EPOCH + timedelta(days=5)) == Excused()


def test_the_last_friday_of_a_month_can_be_said() -> None:
    rule = Adjustment("remove", at("2026-01-30T22:00:00Z"), HOUR, rrule="FREQ=MONTHLY;BYDAY=-1FR;COUNT=3")
    got = [
        o.start.date().isoformat() for o in occurrences(rule, at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"))
    ]
    assert got == ["2026-01-30", "2026-02-27", "2026-03-27"]


def test_a_rule_may_end() -> None:
    rule = Adjustment("remove", at("2026-01-01T00:00:00Z"), HOUR, rrule="FREQ=DAILY;UNTIL=20260103T000000Z")
    assert len(list(occurrences(rule, at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")))) == 3


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"start": at("2026-01-01")}, "start"),
        ({"duration": timedelta()}, "duration"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"rrule": "FREQ=MINUTELY"}, "FREQ must be one of"),
        ({"rrule": "every day"}, "no RFC 5545 rule"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "INTERVAL"),
        ({"rrule": "FREQ=DAILY;INTERVAL=x"}, "no RFC 5545 rule"),
        ({"rrule": "FREQ=DAILY;BYDAY=XX"}, "no RFC 5545 rule"),
        ({"rrule": "FREQ=DAILY;UNTIL=20260103T000000"}, "no RFC 5545 rule"),
        ({"rrule": "FREQ=DAILY\nRRULE:FREQ=WEEKLY"}, "FREQ must be one of"),
        ({"rrule": "FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2"}, "BYMONTHDAY needs FREQ=MONTHLY or YEARLY"),
        ({"rrule": "FREQ=YEARLY;BYMONTHDAY=30;BYMONTH=2"}, "it never occurs"),
        ({"rrule": "FREQ=DAILY;COUNT=2\nEXDATE:20260101T000000Z"}, "give one rule"),
        ({"rrule": "FREQ=DAILY;COUNT=2\nDTSTART:20260101T000000Z"}, "give one rule"),
        ({"rrule": "FREQ=DAILY;COUNT=0"}, "it never occurs"),
    ],
)
def test_what_makes_no_adjustment_is_named(fields: dict[str, Any], detail: str) -> None:
    valid: dict[str, Any] = {"effect": "remove", "start": at("2026-01-01T00:00:00Z"), "duration": HOUR}
    with pytest.raises(InvalidAdjustmentError, match=detail):
        Adjustment(**valid | fields)


def test_several_that_overlap_have_no_double_effect_and_removal_wins() -> None:
    got = within(
        0,
        100,
        once("remove", 10, 20),
        once("remove", 15, 30),
        once("count_as_good", 5, 12),
        once("count_as_good", 28, 40),
    )
    assert got == Excused(removed=(range(10, 30),), good=(range(5, 10), range(30, 40)))
    assert got.any == (range(5, 40),)
    assert got.expected(range(20, 60)) == 30


def test_what_is_removed_is_gone_and_what_counts_as_good_keeps_its_total() -> None:
    series = Series.of({1: (0, 5), 2: (1, 5), 3: (4, 5)})
    got = adjusted(series, Excused(removed=(range(1, 2),), good=(range(2, 3),)))
    assert (got.minute.tolist(), got.good.tolist(), got.total.tolist()) == ([2, 3], [5, 4], [5, 5])


MINUTES = st.integers(0, 120)
ADJUSTMENTS = st.lists(
    st.tuples(st.sampled_from(["remove", "count_as_good"]), MINUTES, st.integers(1, 40)).map(
        lambda a: once(a[0], a[1], a[1] + a[2])
    ),
    max_size=6,
)
BUCKETS = st.dictionaries(MINUTES, st.integers(0, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))


@given(BUCKETS, ADJUSTMENTS, MINUTES, MINUTES)
def test_ranges_and_prefix_sums_leave_what_a_look_at_each_minute_leaves(
    buckets: dict[int, tuple[int, int]], adjustments: list[Adjustment], a: int, b: int
) -> None:
    window = range(min(a, b), max(a, b))
    covers = {
        effect: {m for each in adjustments if each.effect == effect for m in _minutes(each)}
        for effect in ("remove", "count_as_good")
    }
    left = {m: c for m, c in buckets.items() if m in window and m not in covers["remove"]}
    expected = Counts(
        sum(n if m in covers["count_as_good"] else g for m, (g, n) in left.items()),
        sum(n for _, n in left.values()),
        len(left),
    )
    excuses = within(window.start, window.stop, *adjustments)
    series = adjusted(Series.of(buckets), excuses).within(window)
    assert Counts(int(series.good.sum()), int(series.total.sum()), len(series.minute)) == expected

    def counts(part: range) -> Counts:
        held = [buckets[m] for m in part if m in buckets]
        return Counts(sum(g for g, _ in held), sum(n for _, n in held), len(held))

    assert adjusted_counts(counts, window, excuses) == expected
    assert excuses.expected(window) == sum(m not in covers["remove"] for m in window)


def _minutes(adjustment: Adjustment) -> range:
    return range(minute_at(adjustment.start), minute_at(adjustment.start + adjustment.duration))
