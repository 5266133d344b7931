"""Until when other services were heard."""

from alembic import op
from sqlalchemy import Column, Integer, Text

from libs.events.columns import Instant

revision = "2026_11_21_0002"
down_revision = "2026_11_21_0001"


def upgrade() -> None:
    """Create it; the same in Postgres and in the SQLite file of read models."""
    op.create_table(
        "lifecycle_heard",
        Column("projection", Text, primary_key=True),
        Column("service", Text, primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("until", Instant(), nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Never: it would be noted again within seconds."""
    raise NotImplementedError
