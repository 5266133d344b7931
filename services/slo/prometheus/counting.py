"""How PromQL is asked for whole counts per minute (decision 0011).

`increase(x[1m])` counts no events: it extrapolates to the borders of the minute and drops what happened between the
last scrape of one minute and the first of the next. So a counter is read at fixed times instead, a step apart, and
the differences are added up. Differences of whole numbers are whole, minutes share their borders, and so any window is
exactly the counter's own difference. All of it, the rule for resets too, is PromQL that Prometheus evaluates per series
before anything is summed:

    sum_over_time(
      (last_over_time(x[5m]) - last_over_time(x[5m] offset 15s)
        * (last_over_time(x[5m]) >= bool last_over_time(x[5m] offset 15s)))[59s999ms:15s]
    ) and last_over_time(x[1m])

- A counter that is less than a step before was reset and counts from zero, as in `increase`.
- `last_over_time` reads across failed scrapes (their staleness marker would cut the series in two), for as long as
  Prometheus itself looks back. A series that first appears, or is back after longer, begins a new count, as in
  `increase`.
- `[59s999ms:15s]` holds the four steps of the minute wherever a range includes its start (before Prometheus 3).
- `and` leaves out series without a scrape in the minute, so that a dead service is absent, not zero.
"""

import json
import re
from collections.abc import Callable
from typing import Final

import promql_parser as promql

from services.slo.exchange.promql import complainer
from services.slo.prometheus.faults import SourceError, refuse

STEP: Final = "15s"  # divides a minute; a restart loses at most what one instance counted in a step
LOOKBACK: Final = "5m"  # Prometheus's --query.lookback-delta

_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)  # a label name that needs no quotes
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def asked(query: str, place: str, *, counter: bool) -> str:
    """What Prometheus is asked for *query*: PromQL whose value at the end of a minute is the count of that minute.

    Counters, bare if *counter*, or under `rate` or `increase` whatever their range, are read as told above. Anything
    else is asked as it is, and must give the count of a minute by itself.

    Args:
        query: PromQL.
        place: Where it comes from, for faults.
        counter: Whether bare selectors are counters (OpenSLO's `counter`).

    Raises:
        SourceError: It is no PromQL, or it is not a sum of counters: where only the sum is known, the restart of one
            instance looks like one of all.
    """
    said = complainer()(query)
    if said is not None:
        if counter:
            raise refuse("query-not-promql", place, said)
        return query  # PromQL newer than the parser: the server knows
    expression = promql.parse(query)
    if not counter and promql.walk(expression, lambda part: not _is_rate(part)):
        return query

    def cannot(part: promql.Expr) -> SourceError:
        return refuse("query-not-a-counter", place, f"cannot count {part}")

    return _counted(expression, cannot, counter=counter)


def _is_rate(part: promql.Expr) -> bool:
    return isinstance(part, promql.Call) and part.func.name in {"rate", "irate", "increase", "delta"}


def _counted(part: promql.Expr, cannot: Callable[[promql.Expr], SourceError], *, counter: bool) -> str:
    def counted(inner: promql.Expr) -> str:
        return _counted(inner, cannot, counter=counter)

    match part:
        case promql.VectorSelector(offset=None, at=None) if counter and not part.matchers.or_matchers:
            return _increase(_selector(part))
        case promql.Call(args=[promql.MatrixSelector(vector_selector=series)]) if part.func.name in {
            "rate",
            "increase",
        }:
            return _counted(series, cannot, counter=True)
        case promql.ParenExpr(expr=inner):
            return f"({counted(inner)})"
        case promql.AggregateExpr(expr=inner, modifier=modifier) if str(part.op) == "sum":
            return f"sum{f' {modifier} ' if modifier else ''}({counted(inner)})"
        case promql.BinaryExpr(lhs=left, rhs=right) if not part.modifier and str(part.op) in {"+", "-"}:
            return f"{counted(left)} {part.op} {counted(right)}"
        case promql.BinaryExpr(lhs=left) if _is_or_zero(part):
            return f"{counted(left)} or vector(0)"
        case _:
            raise cannot(part)


def _is_or_zero(part: promql.BinaryExpr) -> bool:
    match part.rhs:
        case promql.Call(args=[promql.NumberLiteral(val=0.0)]) as call:
            return (
                str(part.op) == "or" and call.func.name == "vector" and not (part.modifier and part.modifier.matching)
            )
        case _:
            return False


def _selector(part: promql.VectorSelector) -> str:
    """The selector in PromQL; the parser's own text leaves quotes unescaped."""
    return f"{part.name or ''}{{{','.join(map(_matcher, part.matchers.matchers))}}}"


def _matcher(matcher: promql.Matcher) -> str:
    name = matcher.name if _PLAIN.fullmatch(matcher.name) else json.dumps(matcher.name, ensure_ascii=False)
    return f"{name}{_OPERATORS[str(matcher.op).rpartition('.')[2]]}{json.dumps(matcher.value, ensure_ascii=False)}"


def _increase(selector: str) -> str:
    now = f"last_over_time({selector}[{LOOKBACK}])"
    before = f"last_over_time({selector}[{LOOKBACK}] offset {STEP})"
    steps = f"({now} - {before} * ({now} >= bool {before}))[59s999ms:{STEP}]"
    return f"(sum_over_time({steps}) and last_over_time({selector}[1m]))"
