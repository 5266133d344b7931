"""What can be asked of gate policies."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Publish:
    """Put *policy* in force; *shipped* is the one that was in force before any was published."""

    policy: Policy
    shipped: Policy
    reason: str
    by: str
    at: datetime


Command = Publish
