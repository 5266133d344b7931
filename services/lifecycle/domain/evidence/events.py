"""What happens to evidence."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Figure = str | int | float | bool
EvidenceOutcome = Literal["passed", "failed"]


@dataclass(frozen=True, slots=True)
class EvidenceRecorded:
    """Something was done for a service.

    Args:
        evidence: Its id.
        service: For which.
        kind: What was done; a check of this name looks for it.
        at: When it was done.
        url: Where to see it.
        by: Who did it.
        recorded: When it was entered.
        outcome: Whether it went as it should.
        figures: What came out, such as the share of the expected peak that a load test reached.
    """

    evidence: str
    service: str
    kind: str
    at: datetime
    url: str
    by: str
    recorded: datetime
    outcome: EvidenceOutcome = "passed"
    figures: dict[str, Figure] = field(default_factory=dict[str, Figure])


Event = EvidenceRecorded
