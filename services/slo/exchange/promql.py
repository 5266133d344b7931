"""PromQL in definitions: whether a query parses, and the place from which on it does not.

promql-parser says what is wrong but not where. The place is found by asking it again: the first token after which no
ending makes it a query is where it went wrong. That costs some hundred parses, so it is done for a few queries only.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator

import promql_parser

_MOST_TOKENS = 500  # the parser recurses without a limit: a chain of thousands of operators ends the process
_MOST_PLACED_TOKENS = 200
_MOST_PLACES = 10

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")  # {{.window}}, as Sloth and the OpenSLO examples write the evaluated window
_TOKEN = re.compile(
    r"""#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|[A-Za-z_:][\w:]*|[0-9][\w.]*|[=!]~|[=!<>]=|\S"""
)
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_ENDINGS = ("", " x", "x[5m]", "[5m]", "5m", " 5m", " 1", "()", "(x)", "(x[5m])", '="b"', '"b"', " (a) x", " (a) (x)")
_INCOMPLETE = re.compile("invalid promql|bad number|unclosed|unexpected|unterminated|no expression")


def complainer() -> Callable[[str], str | None]:
    """Something that says what is wrong with a query; None where it is PromQL.

    A `{{.window}}` counts as a duration. The first ten complaints name line and column, from 1.
    """
    places = iter(range(_MOST_PLACES))

    def complain(query: str) -> str | None:
        text = _PLACEHOLDER.sub(lambda match: "5m".rjust(len(match[0]), "0"), query)
        tokens = list(_TOKEN.finditer(text))
        if len(tokens) > _MOST_TOKENS:
            return f"has {len(tokens)} tokens, at most {_MOST_TOKENS} are read; record parts of it under names"
        said = _error(text)
        if said is None or len(tokens) > _MOST_PLACED_TOKENS or next(places, None) is None:
            return said
        at = _place(text, tokens, said)
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        return f"line {line}, column {column}: {said}"

    return complain


def _error(text: str) -> str | None:
    try:
        promql_parser.parse(text)
    except ValueError as error:
        return str(error)
    return None


def _place(text: str, tokens: list[re.Match[str]], said: str) -> int:
    """Where the first token stands that no ending can save; the end if *text* only stops too early."""
    closings = [""]
    for token in tokens:
        closing = closings[-1]
        if token[0] in _BRACKETS:
            closing = _BRACKETS[token[0]] + closing
        elif closing.startswith(token[0]):
            closing = closing[1:]
        closings.append(closing)

    def lost(count: int) -> bool:
        endings = _endings(text[: tokens[count - 1].end()], closings[count])
        return all(_hopeless(whole, said) for whole in endings)

    first = bisect_left(range(1, len(tokens) + 1), True, key=lost)  # noqa: FBT003  what is looked for
    return tokens[first].start() if first < len(tokens) else len(text)


def _endings(begun: str, closing: str) -> Iterator[str]:
    for ending in _ENDINGS:
        yield begun + ending + closing
        if closing:
            yield begun + closing[0] + ending + closing[1:]


def _hopeless(text: str, said: str) -> bool:
    """Whether *text* fails for the reason that was *said*, or is no sentence at all: not for another type or name."""
    error = _error(text)
    return error is not None and (error == said or _INCOMPLETE.search(error) is not None)
