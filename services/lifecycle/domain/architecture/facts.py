"""What a gate knows of a service's design and architecture."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.review_template.checklist import Severity


@dataclass(frozen=True, slots=True)
class DesignReviewFacts:
    """The design review that speaks for a service: the approved one, else the one under way, else the last.

    Args:
        event: That changed it last.
        review: Its id.
        title: What people call it.
        state: Where it stands.
        since: Since when.
        approved_by: Who approved it, from outside the team; empty unless it is approved.
    """

    event: str
    review: str
    title: str
    state: Literal["draft", "in_review", "changes_requested", "approved", "withdrawn"]
    since: datetime
    approved_by: str


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A finding that nobody has settled; *event* changed it last."""

    event: str
    finding: str
    item: str
    title: str
    severity: Severity
    state: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ArchitectureFacts:
    """What is known to be wrong with the architecture of a service.

    Args:
        reviewed_at: When both sides signed an architecture review last; None: they never did.
        review: That review, or empty.
        blocking: The blocking findings that are open; a waived one is not.
        waived: Those that are lived with until a time.
        findings: How many there are of any severity, settled or not.
        unsettled: Those of any severity that nobody has settled, the oldest first.
    """

    reviewed_at: datetime | None
    review: str
    blocking: tuple[OpenFinding, ...]
    waived: tuple[OpenFinding, ...]
    findings: int
    unsettled: tuple[OpenFinding, ...] = ()
