"""Columns of read models that are found by their words, with the database's own index: GIN of tsvector, or FTS5.

A `Words` column holds words with a blank between them, and around them all: what a word is, the service says. Each
generation of a read model has its index, which the database keeps as it keeps the rows.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import DDL, ColumnElement, Connection, Table, Text, event, literal, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import Boolean

_WORDS_OF: Final = (  # a function: what it is made of the planner takes for cheap, and reads all rows
    """CREATE FUNCTION words_of(said text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000
       AS 'BEGIN RETURN array_to_tsvector(string_to_array(btrim(said), '' '')); END'"""
)
_GIN: Final = """CREATE INDEX "ix_{index}" ON "{table}" USING gin (words_of("{column}"))"""
_FTS5: Final = (
    # FTS5 keeps no text of its own; our words are its tokens: it changes nothing beyond ASCII.
    """CREATE VIRTUAL TABLE "{index}" USING fts5("{column}", content="{table}", tokenize=ascii, detail=none)""",
    """CREATE TRIGGER "{index}_new" AFTER INSERT ON "{table}" BEGIN {add} END""",
    """CREATE TRIGGER "{index}_gone" AFTER DELETE ON "{table}" BEGIN {remove} END""",
    """CREATE TRIGGER "{index}_other" AFTER UPDATE ON "{table}" WHEN old."{column}" IS NOT new."{column}"
       BEGIN {remove} {add} END""",
)
_ADD: Final = """INSERT INTO "{index}" (rowid, "{column}") VALUES (new.rowid, new."{column}");"""
_REMOVE: Final = (
    """INSERT INTO "{index}" ("{index}", rowid, "{column}") VALUES ('delete', old.rowid, old."{column}");"""
)


class Words(Text):
    """Words to be found by; at most half a megabyte of them, as a tsvector has its bounds."""


def searched(table: Table) -> list[str]:
    """The columns of *table* that are found by their words."""
    return [column.name for column in table.columns if isinstance(column.type, Words)]


def know_words(connection: Connection) -> None:
    """Let the database know what the words of a text are; nobody else may do so at the same time."""
    if connection.dialect.name == "postgresql" and not connection.scalar(text("SELECT to_regproc('words_of')")):
        connection.execute(text(_WORDS_OF))


def index_words(table: Table) -> None:
    """Let *table* be made with the indexes of its words."""
    for column in searched(table):
        names = {"table": table.name, "column": column, "index": f"{table.name}_{column}"}
        names |= {"add": _ADD.format(**names), "remove": _REMOVE.format(**names)}
        for dialect, statements in (("postgresql", (_GIN,)), ("sqlite", _FTS5)):
            for statement in statements:
                ddl = DDL(statement.format(**names).replace("%", "%%"))
                event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def show_words(connection: Connection, view: Table, table: Table) -> None:
    """Let `holds` find the rows of *table* in *view*."""
    if connection.dialect.name == "sqlite":
        for column in searched(table):
            index = f"{table.name}_{column}"
            found = f'SELECT rowid AS row, "{index}" AS found FROM "{index}"'  # noqa: S608  names from code
            connection.execute(text(f'DROP VIEW IF EXISTS "{view.name}_{column}"'))
            connection.execute(text(f'CREATE VIEW "{view.name}_{column}" AS {found}'))


class _Holds(FunctionElement[bool]):
    """Whether a searched column holds all, or any, of some words."""

    type = Boolean()
    name = "holds"
    inherit_cache = False

    def __init__(self, column: ColumnElement[str], wanted: Sequence[str], *, every: bool) -> None:
        vector = (" & " if every else " | ").join(f"'{word}'" for word in wanted)
        tokens = (" AND " if every else " OR ").join(f'"{word}"' for word in wanted)
        super().__init__(column, literal(vector), literal(tokens))


def holds(column: ColumnElement[str], wanted: Sequence[str], *, every: bool = True) -> ColumnElement[bool]:
    """Whether *column* of a view holds the words *wanted* (letters and digits, one at least): all of them, or any."""
    return _Holds(column, wanted, every=every)


@compiles(_Holds)
def _tokens(element: _Holds, compiler: Any, **more: Any) -> str:  # noqa: ANN401  SQLAlchemy's own
    column, _, tokens = element.clauses
    view, name, asked = column.table.name, column.name, compiler.process(tokens, **more)
    return f'"{view}".row IN (SELECT row FROM "{view}_{name}" WHERE found MATCH {asked})'  # noqa: S608  names from code


@compiles(_Holds, "postgresql")
def _lexemes(element: _Holds, compiler: Any, **more: Any) -> str:  # noqa: ANN401  likewise
    column, vector, _ = element.clauses
    place, asked = compiler.process(column, **more), compiler.process(vector, **more)
    return f"(words_of({place}) @@ CAST({asked} AS tsquery))"
