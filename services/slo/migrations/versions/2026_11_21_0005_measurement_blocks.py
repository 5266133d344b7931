"""Measurements in blocks: minutes of a day, hours of 32 days, and a journal of what has arrived."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Text

from services.slo.measurements.blocks import Entries, by_day
from services.slo.measurements.buckets import merge_entries
from services.slo.measurements.topic import Measurement

revision = "2026_11_21_0005"
down_revision = "2026_11_21_0004"
_AT_ONCE = 100_000


def upgrade() -> None:
    """Make the new tables, move what the old ones hold, and drop these."""
    op.create_table(
        "slo_journal",
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("arrived", Integer, nullable=False),
        Column("entries", Integer, nullable=False),
        Column("data", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slo_minute_blocks",
        Column("slo", Text, primary_key=True),
        Column("day", Integer, primary_key=True, autoincrement=False),
        Column("changed", Integer, nullable=False),
        Column("data", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slo_hour_blocks",
        Column("slo", Text, primary_key=True),
        Column("span", Integer, primary_key=True, autoincrement=False),
        Column("data", LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":  # it is deflated already
        for table in ("slo_journal", "slo_minute_blocks", "slo_hour_blocks"):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTERNAL")
    _move()
    for table in ("slo_minutes", "slo_hours", "slo_days"):
        op.drop_table(table)


def _move() -> None:
    """Put every old minute into a block; `slo_inputs` has counted them already."""
    connection = op.get_bind()
    now = datetime.now(UTC)  # noqa: TID251  from when on they are kept
    counted = sa.text("SELECT slo, version, first, last FROM slo_inputs")
    held = [dict(row) for row in connection.execute(counted).mappings()]
    query = sa.text("SELECT slo, minute, source, revision, good, total FROM slo_minutes ORDER BY slo, minute")
    for rows in connection.execute(query).partitions(_AT_ONCE):
        measurements = [
            Measurement(slo, datetime.fromtimestamp(minute * 60, UTC), source, revision, good, total)
            for slo, minute, source, revision, good, total in rows
        ]
        merge_entries(connection, by_day(Entries.of(measurements)), now)
    if held:
        restore = "UPDATE slo_inputs SET version = :version, first = :first, last = :last WHERE slo = :slo"
        connection.execute(sa.text(restore), held)


def downgrade() -> None:
    """Never: measurements are not removed by a program."""
    raise NotImplementedError
