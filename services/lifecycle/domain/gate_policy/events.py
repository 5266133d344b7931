"""What happens to gate policies."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class GatePolicyPublished:
    """A policy is in force from now on, in place of *replaces*."""

    version: str
    replaces: str
    policy: Policy
    reason: str
    by: str
    at: datetime


Event = GatePolicyPublished
