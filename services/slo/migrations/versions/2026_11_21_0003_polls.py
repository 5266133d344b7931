"""How far sources have been read, and when each was asked last."""

from alembic import op
from sqlalchemy import BigInteger, Column, Text

from libs.events.columns import Instant

revision = "2026_11_21_0003"
down_revision = "2026_11_21_0002"


def upgrade() -> None:
    """Create them; the same in Postgres and in the SQLite file of read models."""
    op.create_table(
        "slo_polls",
        Column("slo", Text, primary_key=True),
        Column("kind", Text, primary_key=True),
        Column("first", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("done", BigInteger, nullable=False),
        Column("code", Text, nullable=False),
        Column("place", Text, nullable=False),
        Column("detail", Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slo_source_polls",
        Column("source", Text, primary_key=True),
        Column("asked_at", Instant(), nullable=False),
        Column("succeeded_at", Instant()),
        Column("read_until", BigInteger),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Never: what was read would be read again."""
    raise NotImplementedError
