"""What happens to evidence."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EvidenceRecorded:
    """Something was done for a service at *at*, and entered at *recorded*."""

    evidence: str
    service: str
    kind: str
    at: datetime
    url: str
    by: str
    recorded: datetime


Event = EvidenceRecorded
