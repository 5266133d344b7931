"""The key that signs links and webhooks."""

from alembic import op
from sqlalchemy import Column, Text

revision = "2026_11_21_0003"
down_revision = "2026_11_21_0002"


def upgrade() -> None:
    """Create it; the same in Postgres and in the SQLite file of read models."""
    op.create_table(
        "incidents_keys",
        Column("name", Text, primary_key=True),
        Column("value", Text, nullable=False),
    )


def downgrade() -> None:
    """Never: links that were sent would not work any more."""
    raise NotImplementedError
