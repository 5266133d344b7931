"""What every command of a person or a machine says."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks, why, and when."""

    by: str
    reason: str = ""
    at: datetime
