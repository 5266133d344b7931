"""What can happen to an adjustment."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.adjustments import Effect


@dataclass(frozen=True, slots=True)
class AdjustmentAgreed:
    """Both sides agreed on it; see `commands.Agree` and `adjustments.Adjustment` for the fields."""

    adjustment: str
    slos: tuple[str, ...]
    service: str
    effect: Effect
    start: datetime
    duration_s: float
    zone: str
    rrule: str
    reason: str
    development: str
    sre: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AdjustmentEnded:
    """It excuses nothing from *until* on."""

    adjustment: str
    until: datetime
    reason: str
    by: str
    at: datetime


Event = AdjustmentAgreed | AdjustmentEnded
