"""A read model's table, many rows at a time: one statement to read them, one to write them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Protocol

from sqlalchemy import Column, Connection, Dialect, Float, Numeric, Table

from libs.events.projection import Key, Row

Process = Callable[[Any], Any]
_SQLITE_VARIABLES = 30_000  # per statement; SQLite takes 32,766


class Rows(Protocol):
    """The rows of one table, as the folds see them."""

    def select(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, Row]:
        """Those of the rows that exist."""
        ...

    def write(self, connection: Connection, new: Sequence[Row], changed: Sequence[Row], gone: Sequence[Key]) -> None:
        """Insert *new* rows, replace those that *changed*, remove those whose keys are *gone*."""
        ...


def rows_of(table: Table, dialect: Dialect) -> Rows:
    """The rows of *table* in the database that speaks *dialect*."""
    return PostgresRows(table, dialect) if dialect.name == "postgresql" else SqliteRows(table, dialect)


class _Shape:
    """The columns of a table, and how their values pass into the database and out of it."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        columns = list(table.columns)
        key = list(table.primary_key.columns)
        self.names = [column.name for column in columns]
        self.values: Callable[[Row], tuple[Any, ...]] = _tuple_of(self.names)
        self.key: Callable[[Row], Key] = _tuple_of([column.name for column in key])
        self._bind = _binders(columns, dialect)
        self._bind_key = _binders(key, dialect)
        self._result: list[Process | None] = [
            column.type.dialect_impl(dialect).result_processor(dialect, _wire_type(column)) for column in columns
        ]

    def bound(self, rows: Iterable[Row]) -> list[Sequence[Any]]:
        """The values of *rows*, column by column, ready for the driver."""
        return _apply(self._bind, list(zip(*map(self.values, rows), strict=True)))

    def records(self, rows: Iterable[Row]) -> Iterable[Sequence[Any]]:
        """The values of *rows*, row by row, ready for the driver."""
        if any(self._bind):
            return zip(*self.bound(rows), strict=True)
        return map(self.values, rows)

    def bound_keys(self, keys: Iterable[Key]) -> list[Sequence[Any]]:
        """The values of *keys*, column by column, ready for the driver."""
        return _apply(self._bind_key, list(zip(*keys, strict=True)))

    def loaded(self, found: Sequence[Sequence[Any]]) -> dict[Key, Row]:
        """What the driver gave, as rows by key."""
        columns = _apply(self._result, list(zip(*found, strict=True)))
        rows = [dict(zip(self.names, values, strict=True)) for values in zip(*columns, strict=True)]
        return {self.key(row): row for row in rows}


class SqliteRows:
    """`Rows` in SQLite: prepared statements, repeated by the driver."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self._shape = shape = _Shape(table, dialect)
        names, key = _quoted(table.columns), _quoted(table.primary_key.columns)
        self._key_width = len(key)
        self._select = f'SELECT {", ".join(names)} FROM "{table.name}" WHERE ({", ".join(key)}) IN (VALUES '  # noqa: S608  names from code
        self._row = f"({', '.join('?' * len(key))})"
        self._upsert = (
            f'INSERT INTO "{table.name}" ({", ".join(names)}) VALUES ({", ".join("?" * len(shape.names))})'  # noqa: S608  as above
            f" ON CONFLICT ({', '.join(key)}) DO {_update(names, key)}"
        )
        self._delete = f'DELETE FROM "{table.name}" WHERE {" AND ".join(f"{name} = ?" for name in key)}'  # noqa: S608  as above

    def select(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, Row]:
        """See `Rows.select`."""
        found: list[Sequence[Any]] = []
        bound = list(zip(*self._shape.bound_keys(keys), strict=True))
        step = _SQLITE_VARIABLES // self._key_width
        for start in range(0, len(bound), step):
            part = bound[start : start + step]
            sql = self._select + ", ".join([self._row] * len(part)) + ")"
            found += connection.exec_driver_sql(sql, tuple(v for key in part for v in key)).all()
        return self._shape.loaded(found)

    def write(self, connection: Connection, new: Sequence[Row], changed: Sequence[Row], gone: Sequence[Key]) -> None:
        """See `Rows.write`."""
        if new or changed:
            rows = list(zip(*self._shape.bound([*new, *changed]), strict=True))
            connection.exec_driver_sql(self._upsert, rows)
        if gone:
            connection.exec_driver_sql(self._delete, list(zip(*self._shape.bound_keys(gone), strict=True)))


class PostgresRows:
    """`Rows` in Postgres: COPY and arrays through the driver's own connection, in the same transaction."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self._shape = _Shape(table, dialect)
        self._table = table.name
        names, key = _quoted(table.columns), _quoted(table.primary_key.columns)
        arrays, keys = _arrays(table.columns, dialect), _arrays(table.primary_key.columns, dialect)
        same = " AND ".join(f"t.{name} = k.{name}" for name in key)
        wanted = f"unnest({keys}) AS k({', '.join(key)})"
        columns = ", ".join(f"t.{name}" for name in names)
        self._select = f'SELECT {columns} FROM {wanted} JOIN "{table.name}" t ON {same}'  # noqa: S608  names from code
        self._upsert = (
            f'INSERT INTO "{table.name}" ({", ".join(names)}) SELECT * FROM unnest({arrays})'  # noqa: S608  as above
            f" ON CONFLICT ({', '.join(key)}) DO {_update(names, key)}"
        )
        self._delete = f'DELETE FROM "{table.name}" t USING {wanted} WHERE {same}'  # noqa: S608  as above

    def select(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, Row]:
        """See `Rows.select`."""
        keys_of = self._shape.bound_keys(keys)
        return self._shape.loaded(_run_async(connection, lambda driver: driver.fetch(self._select, *keys_of)))

    def write(self, connection: Connection, new: Sequence[Row], changed: Sequence[Row], gone: Sequence[Key]) -> None:
        """See `Rows.write`."""

        async def write(driver: Any) -> None:  # noqa: ANN401  asyncpg is untyped
            if new:
                rows = self._shape.records(new)
                await driver.copy_records_to_table(self._table, records=rows, columns=self._shape.names)
            if changed:
                await driver.execute(self._upsert, *self._shape.bound(changed))
            if gone:
                await driver.execute(self._delete, *self._shape.bound_keys(gone))

        _run_async(connection, write)


def _run_async(connection: Connection, work: Callable[[Any], Awaitable[Any]]) -> Any:  # noqa: ANN401  asyncpg is untyped
    """What *work* gives of the asyncpg connection under *connection*, whose transaction has begun."""
    driver: Any = connection.connection.dbapi_connection
    return driver.run_async(work)


def _tuple_of(names: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    """A function that takes those values out of a row; `itemgetter` of one name gives no tuple."""
    if len(names) == 1:
        only = names[0]
        return lambda row: (row[only],)
    return itemgetter(*names)


def _binders(columns: Sequence[Column[Any]], dialect: Dialect) -> list[Process | None]:
    return [column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns]


def _wire_type(column: Column[Any]) -> int | None:
    """The Postgres type that numbers arrive in (`pg_type.oid`); other types do not care."""
    if isinstance(column.type, Float):
        return 701  # float8
    return 1700 if isinstance(column.type, Numeric) else None  # numeric


def _apply(processors: Sequence[Process | None], columns: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """Each column's values through its processor; most have none."""
    return [
        values if process is None else list(map(process, values))
        for process, values in zip(processors, columns, strict=False)  # no rows, no columns
    ]


def _quoted(columns: Iterable[Column[Any]]) -> list[str]:
    return [f'"{column.name}"' for column in columns]


def _arrays(columns: Iterable[Column[Any]], dialect: Dialect) -> str:
    types = [column.type.dialect_impl(dialect).compile(dialect) for column in columns]
    return ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))


def _update(names: Sequence[str], key: Sequence[str]) -> str:
    changing = [f"{name} = excluded.{name}" for name in names if name not in key]
    return f"UPDATE SET {', '.join(changing)}" if changing else "NOTHING"
