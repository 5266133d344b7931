"""What can be asked about evidence."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Record:
    """Enter that something was done for a service."""

    evidence: str
    service: str
    kind: str
    done_at: datetime
    url: str
    by: str
    at: datetime


Command = Record
