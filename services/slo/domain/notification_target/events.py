"""What can happen to a notification target; none of it leaves the service."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.notification_target.commands import Address


@dataclass(frozen=True, slots=True)
class TargetSet:
    """It has this address from now on."""

    target: str
    address: Address
    at: datetime


@dataclass(frozen=True, slots=True)
class TargetRemoved:
    """Nothing is sent there any more."""

    target: str
    at: datetime


Event = TargetSet | TargetRemoved
