"""The numbers of capacity planning: plain data, each with the source it comes from."""

from dataclasses import dataclass
from typing import ClassVar

from services.lifecycle.domain.policy import Fault, InvalidPolicyError, Number


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityPolicy:
    """What a forecast takes, and how long its parts hold.

    Args:
        version: Of these numbers.
        stale_days: A load test, a plan, and the last day of demand that is older counts no more.
        least_days: A forecast takes so many days of demand.
        most_gaps: At most this share of them may be missing; they are filled in on a straight line.
        most_error: A forecast that was off by more in its back-test is refused.
        most_horizon_days: A plan looks at most so far ahead.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    version: str
    stale_days: Number
    least_days: Number
    most_gaps: Number
    most_error: Number
    most_horizon_days: Number

    def validate(self) -> None:
        """Refuse what no plan could keep.

        Raises:
            InvalidPolicyError: Names the places.
        """
        spans = {"stale_days": 1, "least_days": 28, "most_horizon_days": 28}
        faults = [
            Fault(f"/{name}/value", f"{value:g} is too few; at least {least}")
            for name, least in spans.items()
            if (value := getattr(self, name).value) < least
        ]
        faults += [
            Fault(f"/{name}/value", f"{value:g} is no share; from 0 to 1")
            for name in ("most_gaps", "most_error")
            if not 0 <= (value := getattr(self, name).value) <= 1
        ]
        if self.most_horizon_days.value > MOST_HORIZON_DAYS:
            faults.append(Fault("/most_horizon_days/value", f"at most {MOST_HORIZON_DAYS}: forecasts end there"))
        if faults:
            raise InvalidPolicyError(faults)


REFRESH_DAYS = 7  # a forecast is made of weeks: a new one is due when another week has come
MOST_HORIZON_DAYS = 540
WEEKS_AHEAD = 104  # how far a forecast goes: the longest horizon, also when the history is as old as it may be
