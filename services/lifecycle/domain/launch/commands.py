"""What can be asked of a launch."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.architecture.policy import ArchitecturePolicy
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.launch.events import Outcome, Plan
from services.lifecycle.domain.launch.proof import Proof
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service.commands import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLaunch:
    """Say what reaches the users of a service that stands in *phase*; sent again, nothing happens."""

    launch: str
    service: str
    owner_team: str
    tier: int
    phase: Phase
    plan: Plan
    policy: ArchitecturePolicy
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLaunch:
    """Plan it otherwise."""

    launch: str
    plan: Plan
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCheckpoint:
    """Show what a checkpoint asks for."""

    launch: str
    checkpoint: str
    outcome: Outcome
    url: str
    note: str
    done_at: datetime
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRecord:
    """Show it by what the platform keeps a record of: how it came out, and when, follow from that."""

    launch: str
    checkpoint: str
    proof: Proof
    note: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeReady:
    """Say that nothing blocks it; *checks* are what the platform measures now."""

    launch: str
    checks: tuple[CheckResult, ...]
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Say that it has reached its users; *checks* are what the platform measures now."""

    launch: str
    checks: tuple[CheckResult, ...]
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Do not launch it."""

    launch: str
    by: Actor
    reason: str
    at: datetime


Command = PlanLaunch | ChangeLaunch | RecordCheckpoint | NameRecord | MakeReady | Launch | Cancel
