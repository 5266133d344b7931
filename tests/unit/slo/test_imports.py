"""Files of counts as measurements."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.report import read_buckets
from services.slo.measurements.imports import REMEDIES, Batch, Refused, read_measurements
from services.slo.measurements.topic import MOST, Measurement

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
HEADER = "start,good,total"


def read(*lines: str, size: int = 10_000) -> list[Batch]:
    return list(read_measurements(lines, "checkout", "csv", 7, latest=AT + timedelta(minutes=5), size=size))


def json_line(start: object = "2026-11-21T10:00:00Z", good: object = 1, total: object = 2) -> str:
    return json.dumps({"start": start, "good": good, "total": total})


@pytest.mark.parametrize(
    "lines",
    [
        [HEADER, "2026-11-21T10:00:00Z,990,1000"],
        ["\ufeffstart,good,total\r\n", "\n", "2026-11-21T10:00:00Z,990,1000\r\n", "\n"],
        ['"total", "note", "good", "start"', '"1000", "x", "990", "2026-11-21T12:00:00+02:00"'],
        [json_line(good=990, total=1000)],
        ["", '{"total":1000,"good":990,"start":"2026-11-21T10:00:00+00:00","note":null}\n'],
    ],
    ids=["csv", "csv of a spreadsheet", "quoted csv in another order", "json", "json with more fields"],
)
def test_a_line_is_a_measurement(lines: list[str]) -> None:
    (batch,) = read(*lines)
    last = len([*lines]) - (lines[-1] == "\n")
    assert batch == Batch({last: Measurement("checkout", AT, "csv", 7, 990, 1000)}, [], last)


def test_an_empty_file_has_no_batch() -> None:
    assert read() == read("", "\n") == []


def test_batches_are_bounded_and_say_how_far_they_got() -> None:
    lines = [HEADER, *(f"2026-11-21T09:0{minute}:00Z,1,1" for minute in range(5))]
    batches = read(*lines, size=2)
    assert [(len(batch.measurements), batch.line) for batch in batches] == [(2, 3), (2, 5), (1, 6)]


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ("2026-11-21T10:00:00Z,1", "not-csv", ""),
        ("2026-11-21T10:00:00Z,1,2,3", "not-csv", ""),
        ("yesterday,1,2", "not-a-time", "start"),
        ("0001-01-01T00:00:00+14:00,1,2", "not-a-time", "start"),
        ("2026-11-21T10:00:00,1,2", "no-offset", "start"),
        ("2026-11-21T10:00:01Z,1,2", "off-grid", "start"),
        ("2026-11-21T10:06:00Z,1,2", "in-the-future", "start"),
        ("2026-11-21T10:00:00Z,1.0,2", "not-whole", "good"),
        ("2026-11-21T10:00:00Z,1,NaN", "not-a-number", "total"),
        ("2026-11-21T10:00:00Z,,2", "not-whole", "good"),
        ("2026-11-21T10:00:00Z,-1,2", "negative", "good"),
        (f"2026-11-21T10:00:00Z,1,{MOST + 1}", "too-large", "total"),
        ("2026-11-21T10:00:00Z,1," + "9" * 10_000, "too-large", "total"),
        ("2026-11-21T10:00:00Z,3,2", "good-exceeds-total", "good"),
        ("2026-11-21T09:00:00Z,1,2", "duplicate-minute", "start"),
    ],
)
def test_a_wrong_line_of_csv_is_refused_by_its_number_and_the_others_are_kept(line: str, code: str, field: str) -> None:
    (batch,) = read(HEADER, "2026-11-21T09:00:00Z,1,2", line, "2026-11-21T09:01:00Z,1,2")
    assert [(wrong.line, wrong.code, wrong.field) for wrong in batch.refused] == [(3, code, field)]
    assert [measurement.start.minute for measurement in batch.measurements.values()] == [0, 1]


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ("{", "not-json", ""),
        ("[1]", "not-json", ""),
        ("[" * 100_000, "not-json", ""),
        ('{"start": "\ud800"}', "not-json", ""),
        ('{"start": "2026-11-21T10:00:00Z", "good": 1}', "missing-column", "total"),
        (json_line(start=1_700_000_000), "not-a-time", "start"),
        (json_line(good=0.5), "not-whole", "good"),
        (json_line(good=True), "not-whole", "good"),
        (json_line(total=None), "not-whole", "total"),
        (json_line(total="2"), "not-whole", "total"),
        (json_line(total=float("nan")), "not-a-number", "total"),
        (json_line(good=-1), "negative", "good"),
        (json_line(total=2**64), "too-large", "total"),
        (json_line(good=3), "good-exceeds-total", "good"),
        (json_line("2026-11-21T09:00:00Z"), "duplicate-minute", "start"),
    ],
)
def test_a_wrong_line_of_json_is_refused_by_its_number_and_the_others_are_kept(
    line: str, code: str, field: str
) -> None:
    (batch,) = read(json_line("2026-11-21T09:00:00Z"), line, json_line("2026-11-21T09:01:00Z"))
    assert [(wrong.line, wrong.code, wrong.field) for wrong in batch.refused] == [(2, code, field)]
    assert [measurement.start.minute for measurement in batch.measurements.values()] == [0, 1]


def test_a_header_without_a_column_is_refused_and_nothing_is_read() -> None:
    assert read("start,good", "2026-11-21T10:00:00Z,1") == [
        Batch({}, [Refused(1, "missing-column", "total", "there is no column total")], 1)
    ]


@pytest.mark.parametrize(
    "lines",
    [
        [
            "slo,start,good,total",
            "a,2026-11-21T10:00:00Z,1,2",
            "b,2026-11-21T10:00:00Z,3,4",
            "a,2026-11-21T10:00:00Z,5,6",
        ],
        [
            json_line()[:-1] + ', "slo": "a"}',
            '{"slo":"b",' + json_line(good=3, total=4)[1:],
            json_line()[:-1] + ', "slo": "a"}',
        ],
    ],
    ids=["csv", "json"],
)
def test_lines_may_name_their_own_slo_whose_minutes_come_once(lines: list[str]) -> None:
    (batch,) = read_measurements(lines, "", "csv", 7, latest=AT)
    assert [(one.slo, one.good, one.total) for one in batch.measurements.values()] == [("a", 1, 2), ("b", 3, 4)]
    assert [(wrong.line, wrong.code) for wrong in batch.refused] == [(len(lines), "duplicate-minute")]


@pytest.mark.parametrize("line", [HEADER, json_line()], ids=["csv", "json"])
def test_lines_that_name_no_slo_are_refused(line: str) -> None:
    (batch,) = read_measurements([line], "", "csv", 7, latest=AT)
    assert [(wrong.code, wrong.field) for wrong in batch.refused] == [("missing-column", "slo")]


def test_every_code_has_a_remedy() -> None:
    assert all(REMEDIES.values())
    assert Refused(1, "off-grid", "start", "").remedy == REMEDIES["off-grid"]


@given(st.dictionaries(st.integers(0, 30_000_000), st.tuples(st.integers(0, MOST), st.integers(0, MOST)), max_size=20))
def test_whatever_a_report_reads_an_import_reads(counts: dict[int, tuple[int, int]]) -> None:
    rows = [(datetime.fromtimestamp(m * 60, UTC).isoformat(), min(pair), max(pair)) for m, pair in counts.items()]
    if not rows:
        return
    for lines in ([HEADER, *(f"{s},{g},{t}" for s, g, t in rows)], [json_line(*row) for row in rows]):
        batches = list(read_measurements(lines, "checkout", "csv", 7, latest=datetime.max.replace(tzinfo=UTC), size=3))
        assert not any(batch.refused for batch in batches)
        read_here = {one.minute: (one.good, one.total) for batch in batches for one in batch.measurements.values()}
        assert read_here == read_buckets(lines)


def test_many_lines_are_read_in_bounded_memory() -> None:
    def lines() -> Iterator[str]:
        yield HEADER
        at = AT - timedelta(days=400)
        for minute in range(5_000):
            yield f"{(at + timedelta(minutes=minute)).isoformat()},{minute},{minute}"

    tracemalloc.start()
    count = sum(len(batch.measurements) for batch in read_measurements(lines(), "a", "b", 1, latest=AT, size=1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 5_000
    assert peak < 1_000_000
