"""The figures of a bucket file, by each of OpenSLO's methods."""

from collections import defaultdict
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.error_budget import Target
from services.slo.domain.errors import InvalidBucketError
from services.slo.domain.report import Empty, Method, Slicing, read_buckets, report

TARGET = Target.of(0.95)
GOOD = (2, 10, 12, 13, 13, 12, 13, 13, 12, 11)
TOTAL = (4, 10, 12, 13, 14, 15, 14, 13, 12, 11)
VECTOR = dict(enumerate(zip(GOOD, TOTAL, strict=True)))


@pytest.mark.parametrize(
    ("method", "sli", "consumed"),
    [("occurrences", 0.940678, 1.18644), ("timeslices", 0.6, 8.0), ("ratio-timeslices", 0.915714, 1.68571)],
)
def test_the_published_vector(method: Method, sli: float, consumed: float) -> None:
    got = report(VECTOR, TARGET, method=method)
    assert (got["good"], got["bad"], got["total"]) == (111, 7, 118)
    assert got["sli"] == pytest.approx(sli, abs=1e-6)
    assert got["error_budget_consumed"] == got["burn_rate"] == pytest.approx(consumed, abs=1e-5)
    assert got["error_budget_remaining"] == pytest.approx(1 - consumed, abs=1e-5)
    assert got["state"] == "violated"
    assert got["coverage"] == 10 / 40_320


@pytest.mark.parametrize(("empty", "sli"), [("ignore", 1.0), ("good", 1.0), ("bad", 0.25)])
@pytest.mark.parametrize("method", ["timeslices", "ratio-timeslices"])
def test_slices_without_events_are_what_the_policy_says(method: Method, empty: Empty, sli: float) -> None:
    got = report({3: (5, 5)}, TARGET, method=method, window_min=4, slicing=Slicing(empty=empty))
    assert got["sli"] == sli


def test_no_events_are_undefined_by_every_method() -> None:
    methods: list[Method] = ["occurrences", "timeslices", "ratio-timeslices"]
    for method in methods:
        got = report({0: (0, 0)}, TARGET, method=method)
        assert (got["sli"], got["burn_rate"], got["state"]) == (None, None, "undefined")
        assert got["coverage"] == 1 / 40_320


def test_a_slice_that_is_not_wholly_inside_the_window_does_not_count() -> None:
    """Slices of five minutes; the window [7, 17) holds only [10, 15) whole."""
    buckets = dict.fromkeys(range(20), (0, 1)) | dict.fromkeys(range(10, 15), (1, 1))
    until = datetime.fromtimestamp(17 * 60, UTC)
    got = report(buckets, TARGET, method="timeslices", window_min=10, until=until, slicing=Slicing(5))
    assert (got["sli"], got["total"]) == (1.0, 10)


def test_the_window_is_half_open() -> None:
    buckets = {0: (0, 1), 1: (1, 1), 2: (1, 1), 3: (0, 1)}
    got = report(buckets, TARGET, window_min=2, until=datetime.fromtimestamp(3 * 60, UTC))
    assert (got["good"], got["total"], got["coverage"]) == (2, 2, 1.0)
    assert (got["window_start"], got["window_end"]) == ("1970-01-01T00:01:00Z", "1970-01-01T00:03:00Z")


def _by_definition(buckets: dict[int, tuple[int, int]], length: int) -> tuple[Fraction | None, Fraction | None]:
    slices: dict[int, list[tuple[int, int]]] = defaultdict(list)
    end = max(buckets) + 1
    for minute, counts in buckets.items():
        if (minute // length + 1) * length <= end:
            slices[minute // length].append(counts)
    ratios = [
        Fraction(sum(g for g, _ in held), sum(n for _, n in held))
        for held in slices.values()
        if sum(n for _, n in held)
    ]
    if not ratios:
        return None, None
    return Fraction(sum(r >= Fraction(19, 20) for r in ratios), len(ratios)), sum(ratios, Fraction()) / len(ratios)


@given(
    st.dictionaries(
        st.integers(0, 300), st.tuples(st.integers(0, 50), st.integers(0, 50)).map(sorted).map(tuple), min_size=1
    ),
    st.integers(1, 7),
)
def test_slices_agree_with_their_definition(buckets: dict[int, tuple[int, int]], length: int) -> None:
    timeslices, ratios = _by_definition(buckets, length)
    got = [
        report(buckets, TARGET, method=method, slicing=Slicing(length))["sli"]
        for method in ("timeslices", "ratio-timeslices")
    ]
    assert got == [None if value is None else float(value) for value in (timeslices, ratios)]


def test_csv_and_json_lines_hold_the_same() -> None:
    csv = ["start,good,total\n", "2026-11-21T10:00:00Z,990,1000\n", "2026-11-21T11:01:00+01:00, 1, 2\n"]
    json = [
        '{"start": "2026-11-21T10:00:00Z", "good": 990, "total": 1000}',
        "",
        '{"start": "2026-11-21T10:01:00Z", "good": 1, "total": 2}',
    ]
    minute = int(datetime(2026, 11, 21, 10, tzinfo=UTC).timestamp()) // 60
    assert read_buckets(csv) == read_buckets(json) == {minute: (990, 1000), minute + 1: (1, 2)}


def test_a_later_line_replaces_an_earlier_one_of_the_same_minute() -> None:
    lines = ["start,good,total", "2026-11-21T10:00:00Z,1,9", "2026-11-21T10:00:00Z,2,3"]
    assert list(read_buckets(lines).values()) == [(2, 3)]


@pytest.mark.parametrize(
    ("lines", "detail"),
    [
        (["start,total", ""], "line 1: the header must name start, good and total; good is missing"),
        (["start,good,total", "yesterday,1,2"], "line 2: start is 'yesterday'"),
        (["start,good,total", "2026-11-21T10:00:00,1,2"], "without an offset"),
        (["start,good,total", "2026-11-21T10:00:30Z,1,2"], "full minute"),
        (["start,good,total", "2026-11-21T10:00:00Z,3,2"], "good is 3, more than total, which is 2"),
        (["start,good,total", "2026-11-21T10:00:00Z,-1,2"], "good is -1"),
        (["start,good,total", "2026-11-21T10:00:00Z,nan,2"], "good is 'nan'"),
        (["start,good,total", "2026-11-21T10:00:00Z,1"], "total is ''"),
        (['{"start": "2026-11-21T10:00:00Z", "good": 1.5, "total": 2}'], "line 1: good is 1.5"),
        (['{"start": '], "line 1: is no JSON"),
        (["{}", "[]"], "line 1: start is None"),
        ([], "line 1: the header must name"),
    ],
)
def test_a_line_that_holds_no_bucket_is_named(lines: list[str], detail: str) -> None:
    with pytest.raises(InvalidBucketError) as error:
        read_buckets(lines)
    assert detail in str(error.value)
