"""The slo service's own settings, beside those of every process."""

from datetime import timedelta

from pydantic import Field

from libs.events.settings import Settings


class SloSettings(Settings):
    """When measurements are evaluated.

    Args:
        tick_s: Every SLO is evaluated at least this often, also when no data comes.
        assess_every_s: Figures that only moved a point are published at most this often per SLO.
        settle_s: Arriving data is evaluated when none came for so long, or after a second of steady arrival.
        future_s: A bucket may start this much later than the service's clock says.
        service_wait_s: A definition waits so long to hear of a service that it names.
    """

    tick_s: float = Field(default=15, gt=0)
    assess_every_s: float = Field(default=60, ge=0)
    settle_s: float = Field(default=0.05, gt=0, le=1)
    future_s: float = Field(default=300, ge=0)
    service_wait_s: float = Field(default=2, ge=0, le=10)

    @property
    def assess_every(self) -> timedelta:
        """`assess_every_s` as a duration."""
        return timedelta(seconds=self.assess_every_s)
