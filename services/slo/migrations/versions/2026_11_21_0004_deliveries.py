"""Notifications to be sent, and what became of them."""

from alembic import op
from sqlalchemy import Column, Integer, Text

from libs.events.columns import Instant

revision = "2026_11_21_0004"
down_revision = "2026_11_21_0003"


def upgrade() -> None:
    """Create them; the same in Postgres and in the SQLite file of read models."""
    op.create_table(
        "slo_deliveries",
        Column("id", Text, primary_key=True),
        Column("slo", Text, nullable=False),
        Column("alert", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("payload", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("next_at", Instant(), nullable=False),
        Column("status", Integer),
        Column("detail", Text, nullable=False),
        Column("created_at", Instant(), nullable=False),
        Column("finished_at", Instant()),
    )
    op.create_index("slo_deliveries_due", "slo_deliveries", ["state", "next_at"])


def downgrade() -> None:
    """Never: what was sent would be sent again."""
    raise NotImplementedError
