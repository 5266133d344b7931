"""What can be asked of a checkpoint."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.checkpoint.events import WeakPoint
from services.lifecycle.domain.checkpoint.plans import Content
from services.lifecycle.domain.checkpoint.policy import CheckpointPolicy
from services.lifecycle.domain.checkpoint.results import Outcome
from services.lifecycle.domain.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """What came out, when, by whom, and where to see it.

    Args:
        result: Of the plan's own kind.
        at: When it was performed.
        by: Who carried it out.
        evidence: Where to see it.
        weak_points: What it showed that is not as it should be.
    """

    result: Outcome
    at: datetime
    by: str
    evidence: tuple[str, ...]
    weak_points: tuple[WeakPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    checkpoint: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(_Asked):
    """Plan a checkpoint; *performed* when it has been carried out already, as machines report it."""

    service: str
    title: str
    content: Content
    policy: CheckpointPolicy
    performed: Performed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(_Asked):
    """Set out to show it otherwise."""

    title: str
    content: Content
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(_Asked):
    """Begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude(_Asked):
    """Say what came out; whether it passed follows from that."""

    performed: Performed
    policy: CheckpointPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(_Asked):
    """Stop it."""

    reason: str
    weak_points: tuple[WeakPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(_Asked):
    """Do not begin."""

    reason: str


Command = Schedule | Change | Start | Conclude | Abort | Cancel
