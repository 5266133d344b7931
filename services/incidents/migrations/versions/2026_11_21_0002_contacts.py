"""How people are reached: rows that can be erased, which no event repeats."""

from alembic import op
from sqlalchemy import Column, Text

from libs.events.columns import Json

revision = "2026_11_21_0002"
down_revision = "2026_11_21_0001"


def upgrade() -> None:
    """Create them; the same in Postgres and in the SQLite file of read models."""
    op.create_table(
        "incidents_contacts",
        Column("id", Text, primary_key=True),
        Column("person", Text, nullable=False),
        Column("data", Json(), nullable=False),
    )
    op.create_index("incidents_contacts_person", "incidents_contacts", ["person", "id"])


def downgrade() -> None:
    """Never: nobody could be reached any more."""
    raise NotImplementedError
