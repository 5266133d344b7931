"""What can be asked of a waiver. The terms are the policy's at that moment, for the service's tier."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.lifecycle.domain.people import Actor, Approvers
from services.lifecycle.domain.waiver.events import Control


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Ask that a check be let through for a while."""

    waiver: str
    service: str
    check: str
    risk_owner: str
    reason: str
    control: Control
    expires_at: datetime
    longest: timedelta
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Let it hold."""

    waiver: str
    reason: str
    approvers: Approvers
    longest: timedelta
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """Let it hold until another day; *most* is how often that may be."""

    waiver: str
    expires_at: datetime
    reason: str
    approvers: Approvers
    longest: timedelta
    most: int
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """End it, or refuse it, or take it back."""

    waiver: str
    reason: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Expire:
    """Look whether its time is up."""

    waiver: str
    at: datetime


Command = Request | Approve | Renew | Revoke | Expire
