"""What happens to a design review."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DesignGoal:
    """What the design is for."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another way, and why it was not taken."""

    title: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, why, and which goals it serves."""

    text: str
    why: str
    serves: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A design as it is read.

    Args:
        title: What people call it.
        url: Where the whole document is; may be empty.
        goals: What it is for.
        constraints: What it has to live with.
        alternatives: What else was considered.
        decisions: What was decided, each for a goal.
    """

    title: str
    url: str
    goals: tuple[DesignGoal, ...]
    constraints: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class DesignReviewOpened:
    """Somebody writes a design for a service that *owner_team* owns."""

    review: str
    service: str
    owner_team: str
    design: Design
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DesignRevised:
    """The design was written anew."""

    review: str
    service: str
    design: Design
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DesignSubmitted:
    """It is complete, and waits for somebody from outside."""

    review: str
    service: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DesignApproved:
    """Somebody from outside the team has read it, and agrees."""

    review: str
    service: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DesignChangesRequested:
    """Somebody from outside has read it, and says what to change."""

    review: str
    service: str
    changes: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DesignReviewWithdrawn:
    """It will not be built like this."""

    review: str
    service: str
    by: str
    reason: str
    at: datetime


Event = (
    DesignReviewOpened
    | DesignRevised
    | DesignSubmitted
    | DesignApproved
    | DesignChangesRequested
    | DesignReviewWithdrawn
)
