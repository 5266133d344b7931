"""What happens to a silence."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceMade:
    """From *since* to *until* alerts that all *matchers* match page nobody."""

    silence: str
    matchers: tuple[str, ...]
    since: datetime
    until: datetime
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceEnded:
    """It is over before its time: what still fires pages now."""

    silence: str
    by: str
    reason: str = ""
    at: datetime


Event = SilenceMade | SilenceEnded
