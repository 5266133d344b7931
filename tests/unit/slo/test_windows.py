"""Windows against hand-counted dates, and against a civil walk that knows no index arithmetic."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.errors import InvalidWindowError
from services.slo.domain.windows import Bounds, Calendar, Rolling, Unit, bounds, minute_at, periods

MONTHS = {"M": 1, "Q": 3, "Y": 12}
DAYS = {"d": 1, "w": 7}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def starts(window: Calendar, since: str, until: str) -> list[str]:
    zone = ZoneInfo(window.zone)
    return [p.start.astimezone(zone).strftime("%Y-%m-%d %H:%M") for p in periods(window, at(since), at(until))]


def test_a_rolling_window_ends_where_one_asks() -> None:
    now = at("2026-03-01T12:00:30+01:00")
    assert bounds(Rolling(60), now) == Bounds(at("2026-03-01T10:00:30Z"), at("2026-03-01T11:00:30Z"))


def test_rolling_windows_stand_back_to_back_and_end_at_the_last_moment() -> None:
    got = list(periods(Rolling(60), at("2026-03-01T10:30:00Z"), at("2026-03-01T12:00:00Z")))
    assert [p.start.hour for p in got] == [10, 11]
    assert got[-1].end == at("2026-03-01T12:00:00Z")


def test_each_month_is_counted_from_the_anchor_so_that_a_short_one_shortens_no_other() -> None:
    monthly = Calendar(1, "M", at("2024-01-31"), "UTC")
    assert starts(monthly, "2024-01-31T00:00:00Z", "2024-05-01T00:00:00Z") == [
        "2024-01-31 00:00",
        "2024-02-29 00:00",
        "2024-03-31 00:00",
        "2024-04-30 00:00",
    ]
    assert starts(monthly, "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z") == ["2026-02-28 00:00"]


def test_a_year_from_29_february_starts_on_the_28th_where_there_is_none() -> None:
    yearly = Calendar(1, "Y", at("2024-02-29"), "UTC")
    assert starts(yearly, "2024-06-01T00:00:00Z", "2028-03-01T00:00:00Z") == [
        "2024-02-29 00:00",
        "2025-02-28 00:00",
        "2026-02-28 00:00",
        "2027-02-28 00:00",
        "2028-02-29 00:00",
    ]


def test_quarters_and_periods_of_several_units_keep_to_the_anchor() -> None:
    quarters = Calendar(1, "Q", at("2026-01-01"), "UTC")
    assert bounds(quarters, at("2026-05-31T23:59:59Z")) == Bounds(
        at("2026-04-01T00:00:00Z"), at("2026-07-01T00:00:00Z")
    )
    fortnights = Calendar(2, "w", at("2026-01-05"), "UTC")
    assert starts(fortnights, "2026-01-05T00:00:00Z", "2026-02-02T00:00:00Z") == [
        "2026-01-05 00:00",
        "2026-01-19 00:00",
    ]


def test_periods_reach_back_before_the_anchor() -> None:
    monthly = Calendar(1, "M", at("2026-03-31"), "UTC")
    assert bounds(monthly, at("2026-02-27T00:00:00Z")) == Bounds(at("2026-01-31T00:00:00Z"), at("2026-02-28T00:00:00Z"))


def test_a_day_has_23_or_25_hours_where_the_clocks_change() -> None:
    daily = Calendar(1, "d", at("2026-01-01"), "Europe/Berlin")
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)):
        got = bounds(daily, at(f"{day}T12:00:00Z"))
        assert len(got.minutes) == hours * 60


def test_a_month_in_a_zone_starts_at_its_midnight() -> None:
    monthly = Calendar(1, "M", at("2026-01-01"), "America/New_York")
    assert bounds(monthly, at("2026-04-01T03:59:59Z")).start == at("2026-03-01T05:00:00Z")
    assert bounds(monthly, at("2026-04-01T04:00:00Z")).start == at("2026-04-01T04:00:00Z")


def test_a_wall_time_that_is_skipped_or_repeated_is_read_with_the_earlier_offset() -> None:
    daily = Calendar(1, "d", at("2026-01-01T02:30"), "Europe/Berlin")
    assert bounds(daily, at("2026-03-29T12:00:00Z")).start == at("2026-03-29T01:30:00Z")
    assert bounds(daily, at("2026-10-25T12:00:00Z")).start == at("2026-10-25T00:30:00Z")


def test_a_day_that_a_country_skipped_is_no_period() -> None:
    """Samoa went from 29 to 31 December 2011."""
    daily = Calendar(1, "d", at("2011-12-01"), "Pacific/Apia")
    got = starts(daily, "2011-12-29T12:00:00Z", "2012-01-01T00:00:00Z")
    assert got == ["2011-12-29 00:00", "2011-12-31 00:00", "2012-01-01 00:00"]


def test_hours_are_elapsed_time() -> None:
    """Not civil: the night on which an hour is skipped has no empty period."""
    six = Calendar(6, "h", at("2026-03-28T18:00"), "Europe/Berlin")
    got = list(periods(six, at("2026-03-28T17:00:00Z"), at("2026-03-30T00:00:00Z")))
    assert {len(p.minutes) for p in got} == {360}


def test_a_bucket_belongs_to_the_period_in_which_it_starts() -> None:
    daily = Calendar(1, "d", at("2026-01-01T00:00:30"), "UTC")
    first, second = periods(daily, at("2026-01-01T00:01:00Z"), at("2026-01-03T00:00:00Z"))
    assert first.minutes.stop == second.minutes.start == minute_at(at("2026-01-02T00:01:00Z"))
    assert first.closed_minutes.stop == first.minutes.stop - 1


@pytest.mark.parametrize(
    ("count", "unit", "anchor", "zone", "named"),
    [
        (0, "M", at("2026-01-01"), "UTC", "length"),
        (1, "fortnight", at("2026-01-01"), "UTC", "unit"),
        (1, "M", at("2026-01-01T00:00:00Z"), "UTC", "anchor"),
        (1, "M", at("2026-01-01"), "Mars/Olympus", "zone"),
        (1, "M", at("2026-01-01"), "../etc/passwd", "zone"),
        (1, "M", at("2026-01-01"), "Europe", "zone"),
        (1, "M", at("2026-01-01"), "", "zone"),
    ],
)
def test_what_makes_no_calendar_is_named(count: int, unit: Unit, anchor: datetime, zone: str, named: str) -> None:
    with pytest.raises(InvalidWindowError, match=f"the window's {named} is"):
        Calendar(count, unit, anchor, zone)


def test_a_window_without_length_or_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidWindowError, match="length"):
        Rolling(0)
    with pytest.raises(InvalidWindowError, match="years 1 to 9999"):
        bounds(Calendar(1, "M", at("2026-01-01"), "UTC"), datetime.max.replace(tzinfo=UTC))
    with pytest.raises(InvalidWindowError, match="years 1 to 9999"):
        bounds(Rolling(60), datetime.min.replace(tzinfo=UTC))


def _is_boundary(day: date, window: Calendar) -> bool:
    anchor = window.anchor.date()
    if window.unit in DAYS:
        return (day - anchor).days % (DAYS[window.unit] * window.count) == 0
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    last = monthrange(day.year, day.month)[1]
    return months % (MONTHS[window.unit] * window.count) == 0 and day.day == min(anchor.day, last)


def _moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment whose wall clock shows *wall*, else *wall* by the offset before the clocks skipped it."""
    offsets = [(wall.replace(tzinfo=UTC) + timedelta(hours=h)).astimezone(zone).utcoffset() for h in range(-36, 37)]
    tries = [wall.replace(tzinfo=UTC) - (offset or timedelta()) for offset in offsets]
    shown = [m for m in tries if m.astimezone(zone).replace(tzinfo=None) == wall]
    return min(shown) if shown else tries[0]


@given(
    st.sampled_from(
        ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Asia/Beirut"]
    ),
    st.sampled_from(["d", "w", "M", "Q", "Y"]),
    st.integers(1, 4),
    st.datetimes(at("2019-01-01"), at("2027-01-01")),
    st.datetimes(at("2020-01-01"), at("2026-01-01"), timezones=st.just(UTC)),
)
def test_boundaries_equal_a_walk_through_the_civil_calendar(
    zone: str, unit: Unit, count: int, anchor: datetime, moment: datetime
) -> None:
    window = Calendar(count, unit, anchor.replace(second=0, microsecond=0), zone)
    got = bounds(window, moment)

    def boundary(step: int) -> datetime:
        """The nearest one before (-1) or after (1) *moment*, day by day."""
        day = moment.date() - step * timedelta(days=2)
        while True:
            if _is_boundary(day, window):
                found = _moment(datetime.combine(day, window.anchor.time()), ZoneInfo(zone))
                if (found > moment) if step > 0 else (found <= moment):
                    return found
            day += step * timedelta(days=1)

    assert got == Bounds(boundary(-1), boundary(1))


@given(
    st.sampled_from(["d", "w", "M", "Q"]),
    st.datetimes(at("2023-01-01"), at("2026-01-01"), timezones=st.just(UTC)),
    st.integers(0, 200),
)
def test_periods_tile_time(unit: Unit, since: datetime, days: int) -> None:
    until = since + timedelta(days=days)
    got = list(periods(Calendar(1, unit, at("2024-01-31"), "America/Santiago"), since, until))
    assert all(a.end == b.start for a, b in pairwise(got))
    assert (not got) == (since == until)
    if got:
        assert got[0].start <= since < got[0].end
        assert got[-1].start < until <= got[-1].end
