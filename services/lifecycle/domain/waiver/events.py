"""What happens to a waiver."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Control:
    """What keeps the risk small meanwhile: it is there already, since when, and here is where to see it."""

    what: str
    url: str
    implemented_at: datetime


@dataclass(frozen=True, slots=True)
class WaiverRequested:
    """Somebody asks that a check be let through; it is not before another person approves.

    Args:
        waiver: Its id.
        service: For which service.
        check: Which check of the gate policy.
        risk_owner: Who answers for the risk.
        reason: Why the check cannot be met now.
        control: What keeps the risk small meanwhile.
        expires_at: Its end, after which the check counts again by itself.
        by: Who asks.
        at: When.
    """

    waiver: str
    service: str
    check: str
    risk_owner: str
    reason: str
    control: Control
    expires_at: datetime
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WaiverApproved:
    """Another person let it hold until *expires_at*."""

    waiver: str
    service: str
    check: str
    expires_at: datetime
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WaiverRenewed:
    """Another person than the one who asked let it hold longer."""

    waiver: str
    service: str
    check: str
    expires_at: datetime
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WaiverRevoked:
    """It holds no more, or was never let hold; the check counts again."""

    waiver: str
    service: str
    check: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WaiverExpired:
    """Its time is up; the check counts again."""

    waiver: str
    service: str
    check: str
    at: datetime


Event = WaiverRequested | WaiverApproved | WaiverRenewed | WaiverRevoked | WaiverExpired
