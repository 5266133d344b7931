"""What happens to an escalation policy."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.escalation_policy.steps import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySet:
    """It says this from now on; incidents that page already go on as they began."""

    policy: str
    content: Content
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEnded:
    """It is used no more; it can still be read."""

    policy: str
    by: str
    reason: str = ""
    at: datetime


Event = PolicySet | PolicyEnded
