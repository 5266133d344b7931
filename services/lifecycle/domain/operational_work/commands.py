"""What can be said about the time of a team."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.operational_work.events import WorkRecorded


@dataclass(frozen=True, slots=True)
class Record:
    """Say what time was spent on; sent again, nothing happens."""

    what: WorkRecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Say that it was recorded by mistake."""

    work: str
    reason: str
    by: str
    at: datetime


Command = Record | Withdraw
