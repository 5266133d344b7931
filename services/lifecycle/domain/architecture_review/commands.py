"""What can be asked of an architecture review."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.architecture.policy import ArchitecturePolicy
from services.lifecycle.domain.architecture_review.events import Minutes, PreRead, Side
from services.lifecycle.domain.service.commands import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Say what is looked at, and where to read up on it."""

    review: str
    service: str
    owner_team: str
    title: str
    pre_read: PreRead
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Write down who met and what came out; *insiders* are the people of the team that owns the service."""

    review: str
    minutes: Minutes
    insiders: frozenset[str]
    policy: ArchitecturePolicy
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Stand up for it, for one side."""

    review: str
    side: Side
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Give it up."""

    review: str
    by: Actor
    reason: str
    at: datetime


Command = Prepare | Hold | Sign | Withdraw
