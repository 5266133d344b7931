"""Counts out of a real Prometheus."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from deploy.local.prometheus import PrometheusServer, promtool
from services.slo.domain.source.commands import Auth, Settings
from services.slo.prometheus import (
    Indicator,
    Progress,
    Query,
    Reading,
    Secrets,
    SourceError,
    Span,
    indicator_of,
    read_on,
)
from services.slo.prometheus.client import open_source
from services.slo.prometheus.counting import asked

pytestmark = pytest.mark.prometheus

Start = Callable[..., PrometheusServer]
Samples = list[tuple[float, int]]  # seconds since the epoch, value
FIRST = 28_000_000  # a minute since the epoch
T0 = FIRST * 60


def counters(series: Mapping[str, Samples], name: str = "requests") -> str:
    """OpenMetrics text of counters; keys are labels."""
    lines = [f"{name}_total{{{labels}}} {value} {at:.3f}" for labels, some in series.items() for at, value in some]
    return "\n".join([f"# TYPE {name} counter", *lines, "# EOF\n"])


def scraped(random: Random, seconds: int, every: int, restarts: tuple[int, ...] = ()) -> Samples:
    """A counter scraped every *every* seconds, begun anew at some of them."""
    offset, value, samples = random.randrange(every * 1000) / 1000, random.randrange(10_000), []
    for index in range(seconds // every):
        value = random.randrange(20) if index in restarts else value + random.randrange(50)
        samples.append((T0 + offset + index * every, value))
    return samples


def counted(samples: Samples, minute: int) -> int | None:
    """What the decision says that a minute holds, the slow way."""

    def at(second: float) -> int | None:
        return next((value for when, value in reversed(samples) if second - 300 <= when <= second), None)

    end, total, known = (minute + 1) * 60, 0, False
    for step in range(end - 45, end + 1, 15):
        now, before = at(step), at(step - 15)
        if now is not None and before is not None:
            total, known = total + (now - before if now >= before else now), True
    scraped_in_it = any(end - 60 < when <= end for when, _ in samples)
    return total if known and scraped_in_it else None


def ratio(good: str, total: str, *, counter: bool = True) -> Indicator:
    counts = {name: {"metricSource": {"spec": {"query": query}}} for name, query in (("good", good), ("total", total))}
    return indicator_of({"ratioMetric": {"counter": counter, **counts}})


async def read(server: PrometheusServer, indicator: Indicator, span: Span, settings: Settings | None = None) -> Reading:
    async with open_source(settings or Settings("prometheus", server.url), Secrets(server.directory)) as source:
        return await source.read(indicator, span)


async def test_counts_are_whole_exact_and_share_their_borders(start_prometheus: Start) -> None:
    random = Random(4)  # noqa: S311  no secret
    series = {
        'code="200",instance="a"': scraped(random, 1800, 15),
        'code="200",instance="b"': scraped(random, 1800, 10),
        'code="500",instance="a"': scraped(random, 1800, 30),
        'code="500",instance="b"': scraped(random, 1800, 60),
    }
    server = start_prometheus(counters(series))
    indicator = ratio('sum(requests_total{code!~"5.."})', "sum(requests_total)")

    got = await read(server, indicator, Span(FIRST + 1, FIRST + 29))

    good = [labels for labels in series if "200" in labels]
    expected = [
        (
            minute,
            sum(counted(series[one], minute) or 0 for one in good),
            sum(counted(one, minute) or 0 for one in series.values()),
        )
        for minute in range(FIRST + 1, FIRST + 29)
    ]
    assert [tuple(bucket) for bucket in got.buckets] == expected
    assert (got.absent, got.refused) == (0, [])
    start, end = T0 + 60, T0 + 29 * 60
    between = sum(
        max(v for t, v in samples if t <= end) - max(v for t, v in samples if t <= start) for samples in series.values()
    )
    assert sum(bucket.total for bucket in got.buckets) == between


async def test_a_restart_of_one_instance_is_its_own_and_counts_from_zero(start_prometheus: Start) -> None:
    random = Random(7)  # noqa: S311  no secret
    series = {
        'instance="a"': scraped(random, 900, 15, restarts=(9, 22, 23)),
        'instance="b"': [(at, value + 1_000_000) for at, value in scraped(random, 900, 15)],
    }
    server = start_prometheus(counters(series))

    got = await read(server, ratio("sum(requests_total)", "sum(requests_total)"), Span(FIRST + 1, FIRST + 14))

    assert [bucket.total for bucket in got.buckets] == [
        sum(counted(samples, minute) or 0 for samples in series.values()) for minute in range(FIRST + 1, FIRST + 14)
    ]
    assert max(bucket.total for bucket in got.buckets) < 1_000


async def test_a_service_without_traffic_is_zero_and_one_without_scrapes_is_absent(start_prometheus: Start) -> None:
    idle = [(float(T0 + at), 5) for at in range(10, 300, 15)]
    back = [(float(T0 + at), 5 + at - 420) for at in range(430, 600, 15)]
    server = start_prometheus(counters({"": idle + back}))

    got = await read(server, ratio("requests_total", "requests_total"), Span(FIRST + 1, FIRST + 10))

    assert [(bucket.minute - FIRST, bucket.total) for bucket in got.buckets] == [
        (1, 0),
        (2, 0),
        (3, 0),
        (4, 0),
        (7, 55),  # all that came since the last scrape: nothing is lost over a gap of less than five minutes
        (8, 60),
        (9, 60),
    ]
    assert got.absent == 2


def test_failed_scrapes_cut_no_counter_in_two(tmp_path: Path) -> None:
    """Prometheus marks a series stale where a scrape failed; what was counted meanwhile comes with the next one."""
    series = "0 10 20 30 stale stale 60 70 80 stale _x20 500 510 520 530"  # a value every 15 s
    expected = {1: 30, 2: 50, 4: None, 6: None, 8: 20}
    checks = [
        {
            "expr": asked("sum(requests_total)", "", counter=True),
            "eval_time": f"{minute}m",
            "exp_samples": [] if count is None else [{"labels": "{}", "value": count}],
        }
        for minute, count in expected.items()
    ]
    given = {"interval": "15s", "input_series": [{"series": "requests_total", "values": series}]}
    file = tmp_path / "test.yaml"
    file.write_text(json.dumps({"tests": [{**given, "promql_expr_test": checks}]}))  # JSON is YAML

    done = promtool("test", "rules", str(file))

    assert done.returncode == 0, done.stdout + done.stderr


async def test_what_came_while_nothing_was_scraped_for_long_is_not_counted(start_prometheus: Start) -> None:
    samples = [(float(T0 + at), at) for at in (*range(10, 120, 15), *range(1210, 1320, 15))]
    server = start_prometheus(counters({"": samples}))

    got = await read(server, ratio("requests_total", "requests_total"), Span(FIRST + 1, FIRST + 22))

    assert [bucket.minute - FIRST for bucket in got.buckets] == [1, 20, 21]
    assert sum(bucket.total for bucket in got.buckets) < 200


async def test_an_absent_count_is_not_zero_unless_the_query_says_so(start_prometheus: Start) -> None:
    server = start_prometheus(counters({'code="200"': [(float(T0 + at), at) for at in range(0, 300, 15)]}))
    bad, total = 'sum(requests_total{code=~"5.."})', "sum(requests_total)"
    sources = {name: {"metricSource": {"spec": {"query": query}}} for name, query in (("bad", bad), ("total", total))}
    span = Span(FIRST + 1, FIRST + 4)

    got = await read(server, indicator_of({"ratioMetric": {"counter": True, **sources}}), span)
    assert [(some.fault.code, some.minutes) for some in got.refused] == [("count-missing", 3)]
    assert got.refused[0].fault.place == "spec.indicator.spec.ratioMetric.bad.metricSource.spec.query"
    assert not got.buckets

    sources["bad"]["metricSource"]["spec"]["query"] = f"{bad} or vector(0)"
    got = await read(server, indicator_of({"ratioMetric": {"counter": True, **sources}}), span)
    assert [(bucket.good, bucket.total) for bucket in got.buckets] == [(60, 60)] * 3


async def test_rates_and_increases_of_any_range_are_read_as_what_was_counted(start_prometheus: Start) -> None:
    samples = scraped(Random(5), 600, 15)  # noqa: S311  no secret
    server = start_prometheus(counters({"": samples}))

    got = await read(
        server,
        ratio("sum(rate(requests_total[5m]))", "sum(increase(requests_total[1m]))", counter=False),
        Span(FIRST + 1, FIRST + 9),
    )

    assert [(bucket.good, bucket.total) for bucket in got.buckets] == [
        (counted(samples, minute), counted(samples, minute)) for minute in range(FIRST + 1, FIRST + 9)
    ]


async def test_fractions_are_refused_with_the_way_to_whole_counts(start_prometheus: Start) -> None:
    server = start_prometheus()
    got = await read(server, ratio("vector(1)", "vector(1.5)", counter=False), Span(FIRST, FIRST + 8))
    assert not got.buckets
    assert [(some.fault.code, some.minutes) for some in got.refused] == [("count-not-whole", 8)]
    assert "counter: true" in got.refused[0].fault.remedy


async def test_a_gauge_of_counts_per_minute_is_read_as_it_is(start_prometheus: Start) -> None:
    text = "\n".join(
        ["# TYPE handled gauge", *(f"handled {minute} {T0 + minute * 60}" for minute in range(1, 6)), "# EOF\n"]
    )
    server = start_prometheus(text)

    got = await read(server, ratio("handled", "handled", counter=False), Span(FIRST, FIRST + 4))

    assert [tuple(bucket) for bucket in got.buckets] == [(FIRST + at, at + 1, at + 1) for at in range(4)]


async def test_a_ratio_is_kept_to_six_decimals_that_the_query_rounds_itself(start_prometheus: Start) -> None:
    text = "\n".join(
        ["# TYPE share gauge", *(f"share {at} {T0 + at * 60}" for at in range(1, 4)), "# EOF\n"],
    )
    server = start_prometheus(text)
    span = Span(FIRST, FIRST + 3)

    async def raw(query: str, kind: str) -> Reading:
        metric = {"metricSource": {"spec": {"query": query}}}
        return await read(server, indicator_of({"ratioMetric": {"raw": metric, "rawType": kind}}), span)

    got = await raw("share / 3", "success")
    assert [(bucket.good, bucket.total) for bucket in got.buckets] == [(1_000_000, 1_000_000)]
    assert [(some.fault.code, some.minutes) for some in got.refused] == [("ratio-too-fine", 2)]

    got = await raw("round(share / 3, 0.000001)", "failure")
    assert [bucket.good for bucket in got.buckets] == [666_667, 333_333, 0]

    got = await raw("share / 0 - share / 0", "success")
    assert [some.fault.code for some in got.refused] == ["count-nan"]

    got = await raw("share * 50", "success")
    assert [some.fault.code for some in got.refused] == ["ratio-out-of-range"]


async def test_two_series_are_refused_and_named(start_prometheus: Start) -> None:
    samples = [(float(T0 + at), at) for at in range(0, 120, 15)]
    server = start_prometheus(counters({'code="200"': samples, 'code="500"': samples}))
    with pytest.raises(SourceError, match=r'2 series, among them .*"code":"200".*"code":"500"') as refusal:
        await read(server, ratio("requests_total", "requests_total"), Span(FIRST + 1, FIRST + 2))
    assert refusal.value.fault.code == "query-many-series"


@pytest.mark.parametrize("query", ["sum(", "sum(requests_total) + on(x) group_left nonsense(1)"])
async def test_a_bad_query_is_refused_with_the_words_of_prometheus(start_prometheus: Start, query: str) -> None:
    server = start_prometheus()
    with pytest.raises(SourceError, match="parse error: ") as refusal:
        await read(server, ratio(query, query, counter=False), Span(FIRST, FIRST + 1))
    assert refusal.value.fault.code == "query-refused"
    assert refusal.value.fault.place == "spec.indicator.spec.ratioMetric.good.metricSource.spec.query"


async def test_a_query_that_cannot_be_executed_is_refused_with_the_words_of_prometheus(start_prometheus: Start) -> None:
    samples = [(float(T0 + at), at) for at in range(0, 120, 15)]
    server = start_prometheus(counters({'code="200"': samples, 'code="500"': samples}))
    query = "sum(requests_total + ignoring(code) requests_total)"
    with pytest.raises(SourceError, match=r"execution: .*many-to-many") as refusal:
        await read(server, ratio(query, query, counter=False), Span(FIRST, FIRST + 1))
    assert refusal.value.fault.code == "query-refused"


async def test_a_long_past_is_read_in_parts_and_reading_resumes(start_prometheus: Start) -> None:
    minutes = 11_500  # more than Prometheus gives at once
    server = start_prometheus(counters({"": [(T0 + 30.0 + at * 60, at) for at in range(minutes)]}))
    indicator = ratio("requests_total", "requests_total")
    since, until = (datetime.fromtimestamp((FIRST + at) * 60, UTC) for at in (1, minutes))
    parts: list[Reading] = []
    progress, shares = Progress.between(since, until), [0.0]
    while progress.next():  # one part, then a new process
        async with open_source(Settings("prometheus", server.url), Secrets(server.directory)) as source:
            async for step in read_on(source, indicator, progress, longest_min=20_000):
                parts.append(step.reading)
                progress = step.progress
                shares.append(progress.share)
                break

    assert [bucket.minute for part in parts for bucket in part.buckets] == list(range(FIRST + 1, FIRST + minutes))
    assert {bucket.total for part in parts for bucket in part.buckets} == {1}
    assert len(parts) == 2
    assert shares == sorted(shares)
    assert shares[-1] == 1


async def test_a_password_is_sent_where_the_source_names_one(start_prometheus: Start, tmp_path: Path) -> None:
    bcrypt_of_test = "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"  # of Prometheus's documentation
    server = start_prometheus(web_config=f"basic_auth_users: {{admin: '{bcrypt_of_test}'}}")
    indicator, span = (
        Indicator("good", (Query("vector(1)", "good"), Query("vector(2)", "total"))),
        Span(FIRST, FIRST + 1),
    )

    with pytest.raises(SourceError) as refusal:
        await read(server, indicator, span)
    assert (refusal.value.fault.code, refusal.value.fault.place) == ("source-unauthorized", "auth")

    (server.directory / "password").write_text("test\n")
    settings = Settings("prometheus", server.url, Auth("basic", "admin", "password"), insecure=True)
    assert (await read(server, indicator, span, settings)).buckets == [(FIRST, 1, 2)]
