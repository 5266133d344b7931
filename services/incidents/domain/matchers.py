"""Conditions on labels, written and meant as Alertmanager's: `severity="critical"`, `host=~"db-.*"`.

A regular expression must match the whole value, and a label that is absent is empty. It is RE2's, as Alertmanager's
are: whatever it is, its time grows with the value and no faster, so that none holds up the alerts of all others.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import re2

from services.incidents.domain.errors import MatcherError

_SHAPE = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"]*?))\s*', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LONGEST = 1000
_RE2: Final = re2.Options()
_RE2.log_errors = False  # whoever wrote it is told


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on the label *name*."""

    name: str
    negative: bool
    pattern: Any  # a text, or what RE2 compiled

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it holds."""
        value = labels.get(self.name, "")
        same = value == self.pattern if isinstance(self.pattern, str) else bool(self.pattern.fullmatch(value))
        return same is not self.negative


@lru_cache(maxsize=4096)
def matcher(text: str) -> Matcher:
    """The condition that *text* writes.

    Raises:
        MatcherError: It is none; the error says how one looks.
    """
    found = _SHAPE.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise MatcherError(text, 'write <label><=, !=, =~ or !~>"<value>", such as severity="critical"')
    name, operator, quoted, bare = found.groups()
    value = _ESCAPED.sub(lambda each: "\n" if each[1] == "n" else each[1], quoted) if quoted is not None else bare
    if not operator.endswith("~"):
        return Matcher(name, operator == "!=", value)
    try:
        return Matcher(name, operator == "!~", re2.compile(value, _RE2))
    except re2.error as error:
        message = f"{value!r} is no regular expression of RE2: {error.args[0].decode()}"
        raise MatcherError(text, message) from error


def quoted(value: str) -> str:
    """*value* as a matcher writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def check_matchers(matchers: Sequence[str], field: str) -> None:
    """Refuse conditions that cannot be read.

    Raises:
        MatcherError: It names the place of the first, below *field*.
    """
    for index, each in enumerate(matchers):
        try:
            matcher(each)
        except MatcherError as error:
            raise MatcherError(error.matcher, error.remedy, f"{field}/{index}") from error


def all_match(matchers: Iterable[str], labels: Mapping[str, str]) -> bool:
    """Whether every condition holds; one of an older kind that cannot be read any more does not."""
    try:
        return all(matcher(each).matches(labels) for each in matchers)
    except MatcherError:
        return False
