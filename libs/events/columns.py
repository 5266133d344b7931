"""Column types of read models whose values come back as they went in, in SQLite and in Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware moment in UTC: `timestamptz` in Postgres, microseconds since 1970 in SQLite (which keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the database knows it as."""
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Any:  # noqa: ANN401  see above
        """Nothing to do on the way into Postgres."""
        return super().bind_processor(dialect) if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ANN401  see above
        """Nothing to do on the way out of Postgres."""
        return super().result_processor(dialect, coltype) if dialect.name == "sqlite" else None

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002  see above
        """Into SQLite."""
        if value is None:
            return value
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """Out of SQLite."""
        if value is None:
            return value
        return _EPOCH + timedelta(microseconds=value)


def Json() -> TypeEngine[Any]:  # noqa: N802  reads like the other types of columns
    """Lists, dicts with text keys, text, numbers, booleans: `jsonb` in Postgres, text in SQLite.

    Tuples come back as lists and datetimes as text: a fold puts in what comes out.
    """
    return JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
