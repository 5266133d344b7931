"""Finding rows by their words, with the database's own means: tsvector in Postgres, whole words by instr in SQLite.

A searched column holds the words of a text (`domain/words.py`) with a blank before and after each, so that both find
the same.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import Boolean

from services.incidents.domain.words import words


def kept(*texts: str) -> str:
    """What a searched column holds of *texts*."""
    return f" {' '.join(words(chr(10).join(texts)))} "


class _Holds(FunctionElement[bool]):
    """Whether a searched column holds all, or any, of some words."""

    type = Boolean()
    name = "holds"
    inherit_cache = False

    def __init__(self, column: ColumnElement[str], wanted: Sequence[str], *, every: bool) -> None:
        self.wanted, self.every = tuple(wanted), every
        joined = (" & " if every else " | ").join(f"'{word}'" for word in self.wanted)
        super().__init__(column, literal(joined), *(literal(f" {word} ") for word in self.wanted))


def holds(column: ColumnElement[str], wanted: Sequence[str], *, every: bool = True) -> ColumnElement[bool]:
    """Whether *column* holds the words *wanted*: all of them, or any; nothing is asked of no words."""
    return _Holds(column, wanted, every=every)


@compiles(_Holds)
def _substrings(element: _Holds, compiler: Any, **more: Any) -> str:  # noqa: ANN401  SQLAlchemy's own
    column, _, *wanted = element.clauses
    place = compiler.process(column, **more)
    found = [f"instr({place}, {compiler.process(word, **more)}) > 0" for word in wanted]
    return f"({(' AND ' if element.every else ' OR ').join(found)})"


@compiles(_Holds, "postgresql")
def _vector(element: _Holds, compiler: Any, **more: Any) -> str:  # noqa: ANN401  likewise
    column, query, *_ = element.clauses
    place, asked = compiler.process(column, **more), compiler.process(query, **more)
    return f"(array_to_tsvector(string_to_array(btrim({place}), ' ')) @@ CAST({asked} AS tsquery))"
