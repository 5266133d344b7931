"""Minute buckets of measurements, and their sums per hour and day."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "2026_11_21_0002"
down_revision = "2026_11_21_0001"


def upgrade() -> None:
    """Create them; the same in Postgres and in the SQLite file of read models."""
    op.create_table(
        "slo_minutes",
        Column("slo", Text, primary_key=True),
        Column("minute", BigInteger, primary_key=True, autoincrement=False),
        Column("source", Text, primary_key=True),
        Column("revision", BigInteger, nullable=False),
        Column("good", BigInteger, nullable=False),
        Column("total", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    for name, unit in (("slo_hours", "hour"), ("slo_days", "day")):
        op.create_table(
            name,
            Column("slo", Text, primary_key=True),
            Column(unit, BigInteger, primary_key=True, autoincrement=False),
            Column("good", BigInteger, nullable=False),
            Column("total", BigInteger, nullable=False),
            Column("observed", Integer, nullable=False),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "slo_inputs",
        Column("slo", Text, primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("first", BigInteger, nullable=False),
        Column("last", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Never: measurements are not removed by a program."""
    raise NotImplementedError
