"""What appends events looks names and keys up by their index, however large the tables are."""

from libs.events.migrate import renew_appending

revision = "2026_11_22_0002"
down_revision = "2026_11_21_0001"


def upgrade() -> None:
    """Renew it."""
    renew_appending()


def downgrade() -> None:
    """Never: the older one does the same, slower."""
    raise NotImplementedError
