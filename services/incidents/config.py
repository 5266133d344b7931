"""What incidents is told at the start."""

from pydantic import Field

from libs.events.settings import Settings


class IncidentsSettings(Settings):
    """The settings of incidents, beside those of every service.

    Args:
        service_wait_s: How long declaring an incident waits for a service that was just registered to be known here.
    """

    service_wait_s: float = Field(default=2, ge=0, le=30)
