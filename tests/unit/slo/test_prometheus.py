"""What a Prometheus is asked, in which parts, and what its answers amount to."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.measurements.topic import MOST, Measurement, decode, record
from services.slo.prometheus import (
    REMEDIES,
    Bucket,
    Indicator,
    Progress,
    Query,
    SourceError,
    Span,
    indicator_of,
    newest,
)
from services.slo.prometheus.answers import values
from services.slo.prometheus.counting import asked
from services.slo.prometheus.faults import Code
from services.slo.prometheus.indicator import PARTS, reading
from services.slo.prometheus.plan import MOST_MIN

FIRST = 28_000_000
SPAN = Span(FIRST, FIRST + 3)
QUERY = Query("sum(handled)", "ratioMetric.good")
PAIR = Indicator("good", (QUERY, Query("sum(all)", "ratioMetric.total")))
RATIO = Indicator("success", (QUERY,))


def increase(selector: str) -> str:
    now, before = f"last_over_time({selector}[5m])", f"last_over_time({selector}[5m] offset 15s)"
    steps = f"sum_over_time(({now} - {before} * ({now} >= bool {before}))[59s999ms:15s])"
    return f"({steps} and last_over_time({selector}[1m]))"


# What is asked


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("requests_total", increase("requests_total{}")),
        ('sum(a_total{code=~"2..|3..",x!="1"})', "sum(" + increase('a_total{code=~"2..|3..",x!="1"}') + ")"),
        (r'a_total{x="q\"b\\d"}', increase(r'a_total{x="q\"b\\d"}')),
        ("sum by (job) (a_total) - (b_total)", f"sum by (job) ({increase('a_total{}')}) - ({increase('b_total{}')})"),
        ("sum(a_total) or vector(0)", f"sum({increase('a_total{}')}) or vector(0)"),
        ("sum(rate(a_total[5m])) + b_total", f"sum({increase('a_total{}')}) + {increase('b_total{}')}"),
        ('{__name__="a.b"}', increase('{__name__="a.b"}')),
    ],
)
def test_counters_are_counted_in_steps_before_they_are_summed(query: str, expected: str) -> None:
    assert asked(query, "", counter=True) == expected


@pytest.mark.parametrize(
    "query",
    ["handled", "sum(handled)", "max_over_time(handled[1m])", "sum(increase(a_total[1m] anchored))", "newer syntax("],
)
def test_what_counts_minutes_by_itself_is_asked_as_it_is(query: str) -> None:
    assert asked(query, "", counter=False) == query


@pytest.mark.parametrize("query", ["sum(increase(a_total[1m]))", "sum(rate(a_total[30d]))"])
def test_rates_and_increases_are_counted_without_being_called_counters(query: str) -> None:
    assert asked(query, "", counter=False) == f"sum({increase('a_total{}')})"


@pytest.mark.parametrize(
    ("query", "counter"),
    [
        ("max(a_total)", True),
        ("-a_total", True),
        ("a_total * 2", True),
        ("a_total offset 5m", True),
        ("a_total @ 1600000000", True),
        ("rate(a_total[5m] offset 1h)", True),
        ("rate(sum(a_total)[5m:1m])", True),
        ("sum(a_total) or vector(1)", True),
        ("a_total + on(job) b_total", True),
        ("irate(a_total[5m])", True),
        ("sum(rate(a_total[5m])) * 60", False),
        ("round(sum(increase(a_total[1m])))", False),
        ("sum(rate(a_total[5m])) + handled", False),
    ],
)
def test_counters_that_cannot_be_told_apart_are_refused_with_the_part(query: str, counter: bool) -> None:  # noqa: FBT001  a column of the table
    with pytest.raises(SourceError, match="cannot count ") as refusal:
        asked(query, "ratioMetric.good", counter=counter)
    assert (refusal.value.fault.code, refusal.value.fault.place) == ("query-not-a-counter", "ratioMetric.good")


@pytest.mark.parametrize(
    ("query", "said"),
    [("sum(a_total", "line 1, column 12: "), ("a" + "+a" * 20_000, "40001 tokens"), ("(" * 20_000, "20000 tokens")],
    ids=["unfinished", "endless", "deep"],
)
def test_a_counter_query_that_is_no_promql_or_too_long_is_refused(query: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as refusal:
        asked(query, "", counter=True)
    assert refusal.value.fault.code == "query-not-promql"


def metric(query: object) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


@pytest.mark.parametrize(
    ("ratio", "kind", "texts"),
    [
        ({"good": metric("g"), "total": metric("t")}, "good", ["g", "t"]),
        ({"bad": metric("b"), "total": metric("t")}, "bad", ["b", "t"]),
        ({"raw": metric("rate(r[5m])"), "rawType": "success", "counter": True}, "success", ["rate(r[5m])"]),
        ({"raw": metric("r[{{ .window }}]"), "rawType": "failure"}, "failure", ["r[1m]"]),
    ],
)
def test_a_ratio_metric_is_one_query_or_two(ratio: Mapping[str, Any], kind: str, texts: list[str]) -> None:
    indicator = indicator_of({"ratioMetric": ratio})
    assert (indicator.kind, [query.text for query in indicator.queries]) == (kind, texts)


def threshold(query: str, op: str, value: str) -> Indicator:
    return indicator_of({"thresholdMetric": metric(query), "op": op, "value": value})


def test_a_threshold_metric_is_asked_as_it_is() -> None:
    indicator = threshold("sum(rate(r[{{ .window }}]))", "lte", "1/5")
    assert [query.text for query in indicator.queries] == ["sum(rate(r[1m]))"]
    assert indicator.queries[0].place == "spec.indicator.spec.thresholdMetric.metricSource.spec.query"


@pytest.mark.parametrize("query", [None, "", "  ", 7])
def test_a_ratio_metric_without_a_query_is_refused_with_its_path(query: object) -> None:
    with pytest.raises(SourceError) as refusal:
        indicator_of({"ratioMetric": {"good": metric("g"), "total": metric(query)}})
    assert refusal.value.fault.code == "indicator-not-polled"
    assert refusal.value.fault.place == "spec.indicator.spec.ratioMetric.total.metricSource.spec.query"


# In which parts


def test_the_newest_minute_is_over_for_as_long_as_scrapes_take_to_arrive() -> None:
    end = datetime.fromtimestamp(FIRST * 60, UTC)
    assert newest(end + timedelta(seconds=30), 30) == FIRST
    assert newest(end + timedelta(seconds=29), 30) == FIRST - 1


def test_only_full_minutes_are_read() -> None:
    first = datetime.fromtimestamp(FIRST * 60, UTC)
    assert Progress.between(first, first + timedelta(seconds=179)) == Progress(FIRST, FIRST + 2, FIRST)
    assert Progress.between(first + timedelta(seconds=1), first + timedelta(hours=1)).first == FIRST + 1
    nothing = Progress.between(first, first - timedelta(hours=1))
    assert (nothing.next(), nothing.share) == (None, 1.0)


@given(first=st.integers(0, 10**8), length=st.integers(0, 60_000), longest=st.integers(0, 20_000))
def test_spans_cover_every_minute_once_in_order_and_prometheus_takes_each(
    first: int, length: int, longest: int
) -> None:
    longest = max(longest, length // 50)
    progress, reached = Progress(first, first + length, first), first
    while (span := progress.next(longest)) is not None:
        assert span.first == reached < span.end <= first + length
        assert span.end - span.first <= MOST_MIN
        progress, reached = progress.after(span), span.end
    assert reached == first + length
    assert progress.share == 1


def test_a_live_source_goes_on_where_it_ended_and_never_back() -> None:
    done = Progress(FIRST, FIRST + 5, FIRST + 5)
    assert done.next() is None
    assert done.until(FIRST + 7).next() == (FIRST + 5, FIRST + 7)
    assert done.until(FIRST + 3) == done


def test_a_span_that_is_not_next_is_refused() -> None:
    with pytest.raises(ValueError, match="is not next"):
        Progress(FIRST, FIRST + 5, FIRST).after(Span(FIRST + 1, FIRST + 2))


# What an answer is


def answered(*series: Mapping[str, Any], **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}, **more}).encode()


def test_a_value_is_about_the_minute_that_ends_at_its_time() -> None:
    series = {"metric": {}, "values": [[(FIRST + 1) * 60, "7"], [(FIRST + 3) * 60.0, "8.5"]]}
    assert values(200, {}, answered(series), QUERY, SPAN) == {FIRST: "7", FIRST + 2: "8.5"}


def test_no_series_has_no_values() -> None:
    assert values(200, {}, answered(), QUERY, SPAN) == {}


def test_hints_are_no_warnings() -> None:
    assert values(200, {}, answered(infos=["might not be a counter"], warnings=[]), QUERY, SPAN) == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>Sign in</html>", "source-not-prometheus"),
        (b"", "source-not-prometheus"),
        (b'{"status": "success"}', "source-not-prometheus"),
        (b'{"status": "success", "data": {"resultType": "vector", "result": []}}', "source-not-prometheus"),
        (b'{"status": "success", "data": {"resultType": "matrix", "result": 7}}', "source-not-prometheus"),
        (answered({"metric": {}, "values": [[FIRST * 60, "1"]]}), "source-not-prometheus"),
        (answered({"metric": {}, "values": [[(FIRST + 4) * 60, "1"]]}), "source-not-prometheus"),
        (answered({"metric": {}, "values": [[(FIRST + 1) * 60 + 1, "1"]]}), "source-not-prometheus"),
        (answered({"metric": {}, "values": [[(FIRST + 1) * 60, "1"]] * 2}), "source-not-prometheus"),
        (answered({"metric": {}, "values": [[(FIRST + 1) * 60, "one"]]}), "source-not-prometheus"),
        (answered({"metric": {}, "histograms": [[(FIRST + 1) * 60, {"count": "3"}]]}), "query-histograms"),
        (answered({"metric": {"a": "1"}}, {"metric": {"a": "2"}}), "query-many-series"),
        (answered(warnings=["store 3 is down"]), "source-partial"),
    ],
)
def test_what_is_no_answer_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(SourceError) as refusal:
        values(200, {"content-type": "text/html"}, body, QUERY, SPAN)
    assert refusal.value.fault.code == code


@pytest.mark.parametrize(
    ("status", "body", "code", "place"),
    [
        (302, b"", "source-redirects", "address"),
        (401, b"Unauthorized", "source-unauthorized", "auth"),
        (403, b"", "source-unauthorized", "auth"),
        (404, b"404 page not found", "source-not-found", "address"),
        (418, b"teapot", "source-not-prometheus", "address"),
        (422, b"<html>", "source-not-prometheus", "address"),
        (400, b'{"status":"error","errorType":"bad_data","error":"parse error"}', "query-refused", QUERY.place),
        (422, b'{"status":"error","errorType":"execution","error":"many-to-many"}', "query-refused", QUERY.place),
        (
            422,
            b'{"status":"error","errorType":"execution","error":"query processing would load too many samples"}',
            "query-too-heavy",
            QUERY.place,
        ),
        (503, b'{"status":"error","errorType":"timeout","error":"timed out"}', "query-too-heavy", QUERY.place),
        (503, b"<html>", "source-unavailable", "address"),
        (429, b"", "source-unavailable", "address"),
        (500, b'{"status":"error","errorType":"internal","error":"disk"}', "source-unavailable", "address"),
    ],
)
def test_every_refusal_of_a_server_has_a_code_and_a_place(status: int, body: bytes, code: str, place: str) -> None:
    with pytest.raises(SourceError) as refusal:
        values(status, {"retry-after": "7"}, body, QUERY, SPAN)
    fault = refusal.value.fault
    assert (fault.code, fault.place) == (code, place)
    assert refusal.value.retry_after_s == 7
    assert fault.remedy in str(refusal.value)


def test_what_a_server_says_is_passed_on_in_one_bounded_line() -> None:
    body = json.dumps({"status": "error", "errorType": "bad_data", "error": "a\n\x1b[31m" + "b" * 10_000}).encode()
    with pytest.raises(SourceError) as refusal:
        values(400, {}, body, QUERY, SPAN)
    assert refusal.value.fault.detail.isprintable()
    assert len(refusal.value.fault.detail) < 400


def test_a_minute_that_is_not_over_by_the_servers_clock_is_not_read() -> None:
    early = {"date": "Fri, 27 Mar 2023 02:42:59 GMT"}
    span = Span(0, int(datetime(2023, 3, 27, 2, 43, tzinfo=UTC).timestamp()) // 60)
    with pytest.raises(SourceError) as refusal:
        values(200, early, answered(), QUERY, span)
    assert refusal.value.fault.code == "source-clock-behind"
    assert values(200, {"date": "Fri, 27 Mar 2023 02:43:00 GMT"}, answered(), QUERY, span) == {}
    assert values(200, {"date": "soon"}, answered(), QUERY, span) == {}


# What answers amount to


def test_good_and_total_meet_by_the_minute() -> None:
    got = reading(PAIR, [{FIRST: "3", FIRST + 2: "0"}, {FIRST: "4", FIRST + 2: "0"}], SPAN)
    assert got.buckets == [Bucket(FIRST, 3, 4), Bucket(FIRST + 2, 0, 0)]
    assert (got.absent, got.refused) == (1, [])


def test_bad_events_are_taken_from_total() -> None:
    bad = Indicator("bad", PAIR.queries)
    assert reading(bad, [{FIRST: "1"}, {FIRST: "4"}], SPAN).buckets == [Bucket(FIRST, 3, 4)]


def test_a_ratio_weighs_every_minute_the_same() -> None:
    answers = [{FIRST: "0.999001", FIRST + 1: "0", FIRST + 2: "1"}]
    assert [bucket.good for bucket in reading(RATIO, answers, SPAN).buckets] == [999_001, 0, PARTS]
    failure = Indicator("failure", RATIO.queries)
    assert [bucket.good for bucket in reading(failure, answers, SPAN).buckets] == [999, PARTS, 0]


@pytest.mark.parametrize(
    ("good", "total", "code", "place"),
    [
        (None, "4", "count-missing", "ratioMetric.good"),
        ("4", None, "count-missing", "ratioMetric.total"),
        ("NaN", "4", "count-nan", "ratioMetric.good"),
        ("3", "+Inf", "count-infinite", "ratioMetric.total"),
        ("-Inf", "4", "count-infinite", "ratioMetric.good"),
        ("-1", "4", "count-negative", "ratioMetric.good"),
        ("3.0000000001", "4", "count-not-whole", "ratioMetric.good"),
        ("3", str(MOST + 1), "count-too-large", "ratioMetric.total"),
        ("3", "1" + "0" * 308, "count-too-large", "ratioMetric.total"),
        ("5", "4", "good-exceeds-total", "ratioMetric.good"),
    ],
)
def test_a_minute_that_is_no_count_is_refused_alone(good: str | None, total: str | None, code: str, place: str) -> None:
    answers = [
        {minute: text for minute, text in ((FIRST, one), (FIRST + 1, fine)) if text is not None}
        for one, fine in ((good, "1"), (total, "2"))
    ]
    got = reading(PAIR, answers, SPAN)
    assert got.buckets == [(FIRST + 1, 1, 2)]
    assert [(some.fault.code, some.fault.place, some.first) for some in got.refused] == [(code, place, FIRST)]


@pytest.mark.parametrize(
    ("op", "good"),
    [("lte", [1, 1, 0, 1, 0]), ("lt", [1, 0, 0, 1, 0]), ("gte", [0, 1, 1, 0, 1]), ("gt", [0, 0, 1, 0, 1])],
)
def test_a_minute_is_good_if_its_value_is_within_the_limit_exactly(op: str, good: list[int]) -> None:
    values = ["0.19999999999999999", "0.2", "2.0000000000000001e-01", "-Inf", "+Inf"]
    span = Span(FIRST, FIRST + 6)
    got = reading(threshold("p99", op, "1/5"), [{FIRST + at: text for at, text in enumerate(values)}], span)
    assert got.buckets == [Bucket(FIRST + at, each, 1) for at, each in enumerate(good)]
    assert (got.absent, got.refused) == (1, [])


def test_a_minute_whose_value_is_no_number_is_neither_good_nor_bad() -> None:
    got = reading(threshold("p99", "lte", "1/5"), [{FIRST: "NaN", FIRST + 1: "0.1"}], SPAN)
    assert got.buckets == [Bucket(FIRST + 1, 1, 1)]
    assert [(some.fault.code, some.first, some.minutes) for some in got.refused] == [("value-nan", FIRST, 1)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0.1234567", "ratio-too-fine"),
        ("1.01", "ratio-out-of-range"),
        ("-0.5", "ratio-out-of-range"),
        ("NaN", "count-nan"),
    ],
)
def test_a_ratio_that_cannot_be_kept_exactly_is_refused(text: str, code: str) -> None:
    assert [some.fault.code for some in reading(RATIO, [{FIRST: text}], SPAN).refused] == [code]


def test_minutes_with_the_same_fault_are_told_once() -> None:
    got = reading(PAIR, [{FIRST: "NaN", FIRST + 2: "NaN"}, {FIRST: "1", FIRST + 1: "1", FIRST + 2: "1"}], SPAN)
    assert [(some.fault.code, some.first, some.last, some.minutes) for some in got.refused] == [
        ("count-missing", FIRST + 1, FIRST + 1, 1),
        ("count-nan", FIRST, FIRST + 2, 2),
    ]


@given(st.lists(st.tuples(st.integers(0, MOST), st.integers(0, MOST)), max_size=20))
def test_every_count_survives_exactly_and_can_be_published(pairs: list[tuple[int, int]]) -> None:
    counts = {FIRST + at: (min(pair), max(pair)) for at, pair in enumerate(pairs)}
    answers = [{minute: str(count[part]) for minute, count in counts.items()} for part in (0, 1)]
    got = reading(PAIR, answers, Span(FIRST, FIRST + len(pairs)))
    published = [decode(record(one).value) for one in got.measurements("checkout", "prometheus", 7)]
    assert published == [
        Measurement("checkout", datetime.fromtimestamp(minute * 60, UTC), "prometheus", 7, good, total)
        for minute, (good, total) in counts.items()
    ]


def test_every_code_has_a_remedy() -> None:
    assert set(REMEDIES) == set(get_args(Code))
