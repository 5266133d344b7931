"""PromQL in definitions: a query that does not parse is refused with its place."""

import pytest

from services.slo.exchange.promql import complainer


@pytest.mark.parametrize(
    "query",
    [
        'sum(rate(http_requests_total{job="a",code!~"5.."}[5m])) by (job) > bool 3',
        "1 - (sum(sum_over_time(a[{{.window}}]))\n/ sum(count_over_time(a[{{ .window }}])))  # a comment",
        'x{a="{{.window}}"}',
        "histogram_fraction(0, 0.2, rate(x[5m]))",
    ],
)
def test_promql_is_not_complained_about(query: str) -> None:
    assert complainer()(query) is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "line 1, column 1: no expression found in input"),
        ("a b", "line 1, column 3: invalid promql query"),
        ("sum(rate(x[5m])", "line 1, column 16: unclosed left parenthesis"),
        (
            "sum(rate(x[5m])) /\n  rate(y)",
            "line 2, column 9: expected type matrix in call to function 'rate', got vector",
        ),
        ("x\n/ unknown(y)", "line 2, column 10: unknown function with name 'unknown'"),
        ("sum(rate(x[{{.window}}])) +* 3", "line 1, column 28: invalid promql query"),
        ('rate(x{a="b}[5m])', 'line 1, column 10: unterminated quoted string "'),
        ("max(x[5m] @ start()) b", "line 1, column 22: invalid promql query"),
        ("sum:http.hits{code:200}.as_count()", "line 1, column 9: unexpected character after '.': 'h'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(query: str, said: str) -> None:
    assert complainer()(query) == said


def test_a_query_that_would_exhaust_the_parser_is_refused() -> None:
    """The parser recurses; the process would end."""
    assert "at most 500 are read" in (complainer()("1" + "+1" * 50_000) or "")


def test_only_the_first_few_places_are_looked_for() -> None:
    complain = complainer()
    said = [complain("a b") for _ in range(11)]
    assert (said[9], said[10]) == ("line 1, column 3: invalid promql query", "invalid promql query")
