"""What one can ask of an error budget: to say what its measurements mean."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.burn_rate import Tier, Verdict


@dataclass(frozen=True, slots=True)
class Reading:
    """What the windows of one alert condition say.

    Args:
        tier: The condition.
        verdict: Whether they burn.
        burn_rate_short: In the short window.
        burn_rate_long: In the long window.
        alert: The id of the alert, should it fire now.
    """

    tier: Tier
    verdict: Verdict
    burn_rate_short: float
    burn_rate_long: float
    alert: str


@dataclass(frozen=True, slots=True)
class Assess:
    """Take note of the figures.

    Args:
        figures: As they are now; whether they are worth publishing is decided here.
        readings: Of every alert condition the SLO has.
        quiet_for: Figures that only moved are published at most so often.
    """

    figures: BudgetAssessed
    readings: tuple[Reading, ...]
    quiet_for: timedelta = timedelta(minutes=1)

    @property
    def at(self) -> datetime:
        """When."""
        return self.figures.at


Command = Assess
