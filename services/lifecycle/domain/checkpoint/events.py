"""What happens to a checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.checkpoint.judging import Criterion
from services.lifecycle.domain.checkpoint.plans import Kind, Plan
from services.lifecycle.domain.checkpoint.results import Result
from services.lifecycle.domain.review_template.checklist import Severity

Conclusion = Literal["passed", "failed"]


@dataclass(frozen=True, slots=True)
class WeakPoint:
    """What is not as it should be; it is a finding of the service's architecture until somebody has dealt with it."""

    title: str
    text: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFact:
    """What every event of a checkpoint says."""

    checkpoint: str
    service: str
    kind: Kind
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPlanned(CheckpointFact):
    """Something is to be tried out, and this is what it must show."""

    title: str
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointChanged(CheckpointFact):
    """It must show something else, or in another way, before anything came out."""

    title: str
    plan: Plan
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointStarted(CheckpointFact):
    """It runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointConcluded(CheckpointFact):
    """It was carried through.

    Args:
        conclusion: Whether everything was as it had to be.
        result: What came out.
        criteria: What had to be so, and whether it was.
        figures: What was measured and what follows from it; durations in seconds.
        performed_by: Who carried it out.
        performed_at: When.
        evidence: Where to see it.
        weak_points: What it showed that is not as it should be.
        policy_version: The policy by which it was judged.
    """

    conclusion: Conclusion
    result: Result
    criteria: tuple[Criterion, ...]
    figures: Mapping[str, float]
    performed_by: str
    performed_at: datetime
    evidence: tuple[str, ...]
    weak_points: tuple[WeakPoint, ...]
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointAborted(CheckpointFact):
    """It was stopped before it could show anything, or because its abort condition came true."""

    reason: str
    performed_at: datetime
    weak_points: tuple[WeakPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointCancelled(CheckpointFact):
    """It never began."""

    reason: str


Event = (
    CheckpointPlanned
    | CheckpointChanged
    | CheckpointStarted
    | CheckpointConcluded
    | CheckpointAborted
    | CheckpointCancelled
)
