"""Points over time become the highest of each day; what cannot be read is refused with its line."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from services.lifecycle.exchange.demand import UnusableDemandError, daily, read_csv

TODAY = date(2026, 11, 21)


def test_of_each_day_the_highest_point_is_kept_and_days_without_one_are_told() -> None:
    points = [
        (date(2026, 11, 17), 4.0),
        (datetime(2026, 11, 19, 10, tzinfo=UTC), 7.0),
        (datetime(2026, 11, 19, 11, tzinfo=UTC), 9.0),
        (datetime(2026, 11, 19, 12, tzinfo=UTC), 8.0),
    ]

    found = daily(points, TODAY)

    assert (found.first, found.peaks, found.unfinished) == (date(2026, 11, 17), (4.0, None, 9.0), 0)


def test_a_day_is_one_in_utc_and_counts_when_it_is_over() -> None:
    east = timezone(timedelta(hours=9))
    points = [(datetime(2026, 11, 20, 3, tzinfo=east), 5.0), (datetime(2026, 11, 21, 8, tzinfo=UTC), 6.0)]

    found = daily(points, TODAY)

    assert (found.first, found.peaks, found.unfinished) == (date(2026, 11, 19), (5.0,), 1)


@pytest.mark.parametrize(
    "points",
    [[(TODAY, 5.0)], [], [(date(1, 1, 1), 1.0)], [(TODAY - timedelta(days=1200), 1.0), (date(2026, 11, 1), 1.0)]],
)
def test_no_day_that_is_over_or_far_too_many_are_refused(points: list[tuple[date, float]]) -> None:
    with pytest.raises(UnusableDemandError):
        daily(points, TODAY)


def test_csv_holds_days_and_times() -> None:
    text = "\ufeffAt,Value\r\n2026-11-19,5\r\n\r\n2026-11-20T10:00:00+02:00, 6.5\r\n".encode()

    assert read_csv(text) == [(date(2026, 11, 19), 5.0), (datetime(2026, 11, 20, 8, tzinfo=UTC), 6.5)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"day,peak\n2026-11-19,5\n", "line 1"),
        (b"at,value\n2026-11-19\n", "line 2: 1 columns"),
        (b"at,value\n2026-11-19,5\n2026-11-20,many\n", "line 3: 'many'"),
        (b"at,value\n2026-11-19,-1\n", "line 2: '-1'"),
        (b"at,value\n2026-11-19,nan\n", "line 2: 'nan'"),
        (b"at,value\n2026-11-19,inf\n", "line 2: 'inf'"),
        (b"at,value\n2026-11-19T10:00:00,5\n", "with an offset"),
        (b"at,value\n2026-11-31,5\n", "line 2: '2026-11-31'"),
        (b"at,value\n0001-01-01T00:00:00+14:00,5\n", "line 2"),
        (b"at,value\n", "no point"),
        (b"", "no point"),
        (b"\xff\xfe", "no CSV"),
        (b'at,value\n"2026', "no CSV"),
    ],
)
def test_what_is_no_demand_is_refused_with_its_line(text: bytes, said: str) -> None:
    with pytest.raises(UnusableDemandError, match=said):
        read_csv(text)
