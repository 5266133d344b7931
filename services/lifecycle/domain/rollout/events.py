"""What happens to a roll-out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Strategy = Literal["canary", "phased", "blue_green"]


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """A share of the users that gets the version, who they are, and how long it is watched there."""

    percent: float
    cohort: str = ""
    watch: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPlanned:
    """A version is to go out.

    Args:
        rollout: Its id.
        service: Of what.
        version: Which.
        strategy: How.
        steps: Growing shares of the users; the last is all of them.
        rollback_when: What takes it back without a person, such as an alert's condition; empty when nothing does.
        deployment: The deployment that it is, or empty.
        by: Who plans it.
        at: When.
    """

    rollout: str
    service: str
    version: str
    strategy: Strategy
    steps: tuple[RolloutStep, ...]
    rollback_when: str
    deployment: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutReviewed:
    """Another person, of the SRE side, has looked at the plan."""

    rollout: str
    service: str
    notes: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStarted:
    """The first step serves."""

    rollout: str
    service: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutAdvanced:
    """A further step serves; *step* counts from 0."""

    rollout: str
    service: str
    step: int
    percent: float
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutDone:
    """The last step was watched, and nothing was wrong."""

    rollout: str
    service: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRolledBack:
    """The version before is back; *automatic* when no person decided it."""

    rollout: str
    service: str
    step: int
    automatic: bool
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutCancelled:
    """It never began."""

    rollout: str
    service: str
    reason: str
    by: str
    at: datetime


Event = (
    RolloutPlanned
    | RolloutReviewed
    | RolloutStarted
    | RolloutAdvanced
    | RolloutDone
    | RolloutRolledBack
    | RolloutCancelled
)
