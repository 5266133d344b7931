"""What can be asked of a roll-out."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.rollout.events import RolloutPlanned


@dataclass(frozen=True, slots=True)
class Plan:
    """Say how a version is to go out; sent again, nothing happens."""

    what: RolloutPlanned


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Look at the plan; *is_person* because a machine is no second person."""

    rollout: str
    notes: str
    is_person: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Serve the first step."""

    rollout: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Serve the step *step*, which counts from 0 and is the next one."""

    rollout: str
    step: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Say that the last step was watched long enough."""

    rollout: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """Take it back."""

    rollout: str
    automatic: bool
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Do not begin."""

    rollout: str
    reason: str
    by: str
    at: datetime


Command = Plan | Review | Start | Advance | Finish | RollBack | Cancel
