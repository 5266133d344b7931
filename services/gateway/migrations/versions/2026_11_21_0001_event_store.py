"""The event store of gateway, and what its projections keep about themselves."""

from libs.events.migrate import create_event_store

revision = "2026_11_21_0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    create_event_store()


def downgrade() -> None:
    """Never: events are not removed by a program."""
    raise NotImplementedError
