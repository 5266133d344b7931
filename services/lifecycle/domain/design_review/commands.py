"""What can be asked of a design review."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.design_review.events import Design
from services.lifecycle.domain.service.commands import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Begin a design; sent again, nothing happens."""

    review: str
    service: str
    owner_team: str
    design: Design
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Revise:
    """Write it anew."""

    review: str
    design: Design
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Say that it can be read."""

    review: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Agree to it; *insiders* are the people of the team that owns the service."""

    review: str
    insiders: frozenset[str]
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestChanges:
    """Say what to change."""

    review: str
    insiders: frozenset[str]
    changes: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Give it up."""

    review: str
    by: Actor
    reason: str
    at: datetime


Command = Open | Revise | Submit | Approve | RequestChanges | Withdraw
