"""What happens to a launch."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from services.lifecycle.domain.checkpoint.plans import KINDS
from services.lifecycle.domain.evaluation.events import CheckResult

Outcome = Literal["passed", "failed", "not_applicable"]
RecordKind = Literal["checkpoint", "rollout", "deployment", "design_review"]
PROVING: Final[tuple[str, ...]] = (*KINDS, "design_review", "rollout", "rollback")  # what a checkpoint may take


@dataclass(frozen=True, slots=True)
class Record:
    """Something of the service that the platform keeps a record of."""

    kind: RecordKind
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the launch has to show.

    Args:
        id: By which evidence names it.
        text: What is to be so.
        blocking: Whether nothing is launched without it.
        source: Who asks for it.
        max_age_days: Older evidence is none; None where a check measures it.
        check: The check of the gates that measures it, or empty.
        records: What proves it, when a record is named instead of a link (`proof.py`).
    """

    id: str
    text: str
    blocking: bool
    source: str
    max_age_days: int | None
    check: str
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is launched, and when."""

    title: str
    text: str
    url: str
    planned_for: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlanned:
    """A feature or change of a live service is to reach its users.

    Args:
        launch: Its id.
        service: Of what.
        owner_team: Whose service it is.
        tier: Of the service.
        plan: What it is, and when.
        checkpoints: What it has to show, as the policy had it then.
        second_person: Whether somebody else than who planned it must say that it is ready.
        policy_version: Of the policy.
        by: Who plans it.
        at: When.
    """

    launch: str
    service: str
    owner_team: str
    tier: int
    plan: Plan
    checkpoints: tuple[Checkpoint, ...]
    second_person: bool
    policy_version: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LaunchChanged:
    """It is about something else, or comes on another day."""

    launch: str
    service: str
    plan: Plan
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRecorded:
    """Evidence for a checkpoint; the last counts.

    Args:
        launch: Which launch.
        service: Of which service.
        checkpoint: Which checkpoint.
        outcome: What came out.
        url: Where to see it.
        note: What was done; why it failed, or does not apply.
        done_at: When it was so.
        by: Who says so.
        at: When they said so.
        record: What the platform keeps of it; None where people say so.
    """

    launch: str
    service: str
    checkpoint: str
    outcome: Outcome
    url: str
    note: str
    done_at: datetime
    by: str
    at: datetime
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class LaunchReady:
    """Nothing blocks it; *checks* are what was measured in that moment."""

    launch: str
    service: str
    checks: tuple[CheckResult, ...]
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LaunchDone:
    """It has reached its users; *checks* are what was measured in that moment."""

    launch: str
    service: str
    checks: tuple[CheckResult, ...]
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LaunchCancelled:
    """It will not be launched."""

    launch: str
    service: str
    by: str
    reason: str
    at: datetime


Event = LaunchPlanned | LaunchChanged | CheckpointRecorded | LaunchReady | LaunchDone | LaunchCancelled
