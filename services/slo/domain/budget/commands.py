"""What one can ask of an error budget: to say what its measurements mean, and what they meant."""

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
        data_until: Where the windows end.
    """

    tier: Tier
    verdict: Verdict
    burn_rate_short: float
    burn_rate_long: float
    alert: str
    data_until: datetime | None = None


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


@dataclass(frozen=True, slots=True)
class Review:
    """Take note of what measurements say by now about the moment in which an alert fired.

    Args:
        alert: Which.
        burning: Whether both windows of that moment are over the threshold.
        burn_rate_short: In the short one.
        burn_rate_long: In the long one.
        input_version: How many measurements had been taken in.
        at: When it was looked at.
    """

    alert: str
    burning: bool
    burn_rate_short: float
    burn_rate_long: float
    input_version: int
    at: datetime


Command = Assess | Review
