"""Queries over `{{.window}}`, which rules fill in: 5 minutes in one, 30 days in another."""

import re

import promql_parser as promql

from services.slo.domain.openslo import Complain

_WINDOW = re.compile(r"\{\{ *\.window *\}\}")  # the one variable Sloth's queries may hold
_VARIABLE = re.compile(r"\{\{.*?\}\}")
_PLACEHOLDER = "3h17m31s"


class InvalidQueryError(ValueError):
    """A query that no rule can be made of.

    Args:
        code: `promql` (it does not parse), `window_missing`, or `variable_unknown`.
        detail: What to do, and where in the query, lines and columns from 1.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def check(query: str, complain: Complain, *, windowed: bool = True) -> None:
    """Refuse *query* unless it is PromQL and, where it is to be *windowed*, holds `{{.window}}`.

    Raises:
        InvalidQueryError: It is not, or it holds another variable.
    """
    if variable := next((found for found in _VARIABLE.finditer(query) if not _WINDOW.fullmatch(found[0])), None):
        at = variable.start()
        line, column = query.count("\n", 0, at) + 1, at - query.rfind("\n", 0, at)
        detail = f"line {line}, column {column}: {variable[0]} is not known; {{{{.window}}}} is the only variable"
        raise InvalidQueryError("variable_unknown", detail)
    if said := complain(query):
        raise InvalidQueryError("promql", said)
    if windowed and not _WINDOW.search(query):
        detail = "{{.window}} is missing; write it where the range stands, as in rate(requests_total[{{.window}}])"
        raise InvalidQueryError("window_missing", detail)


def render(query: str, window: str) -> str:
    """*query* over *window*, such as `5m`."""
    return _WINDOW.sub(window, query)


def windowed(query: str, complain: Complain, *, counter: bool) -> str:
    """*query* with `{{.window}}`, added where only instant vectors are asked for.

    OpenSLO's own examples ask for the metric alone and say whether it is a counter: a counter's events are its
    increase, those of a gauge the sum of what it showed.

    Raises:
        InvalidQueryError: It does not parse, or asks for ranges or moments of its own.
    """
    if _WINDOW.search(query):
        check(query, complain)
        return query
    check(query, complain, windowed=False)
    function = "increase" if counter else "sum_over_time"
    fixed = False

    def look(node: promql.Expr) -> None:
        nonlocal fixed
        moved = isinstance(node, promql.VectorSelector) and (node.offset or node.at)
        fixed |= bool(moved) or isinstance(node, promql.MatrixSelector | promql.SubqueryExpr)

    def over_window(node: promql.Expr) -> promql.Expr | None:
        if isinstance(node, promql.VectorSelector):
            return promql.parse(f"{function}({node.prettify()}[{_PLACEHOLDER}])")
        return None

    parsed = promql.parse(query)
    promql.walk(parsed, look)
    rendered = "" if fixed else promql.transform(parsed, None, over_window).prettify()
    if _PLACEHOLDER not in rendered:
        detail = "has a range or an offset of its own, or asks for no metric; write {{.window}} where the range stands"
        raise InvalidQueryError("window_missing", detail)
    return rendered.replace(_PLACEHOLDER, "{{.window}}")
