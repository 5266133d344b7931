"""What can be asked about evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.lifecycle.domain.evidence.events import EvidenceOutcome, Figure


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
    outcome: EvidenceOutcome = "passed"
    figures: Mapping[str, Figure] = field(default_factory=dict[str, Figure])


Command = Record
