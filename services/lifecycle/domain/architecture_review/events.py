"""What happens to an architecture review."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.review_template.checklist import Severity

Side = Literal["dev", "sre"]
Criticality = Literal["critical", "important", "supporting"]


@dataclass(frozen=True, slots=True)
class PreRead:
    """What people read before they meet, and since when they can."""

    url: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who was there, and for which side."""

    person: str
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of the service.

    Args:
        name: What people call it.
        criticality: `critical`: without it users are not served; `important`: they notice; `supporting`: they do not.
        redundancy: How many of it may be lost at once before it is missed; 0: it stands alone.
        failure_domains: Where it runs; what is in one domain can fail together.
        note: What else is worth knowing.
    """

    name: str
    criticality: Criticality
    redundancy: int
    failure_domains: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class PatternUsed:
    """An entry of the catalogue of patterns that the service relies on, and where."""

    pattern: str
    where: str


@dataclass(frozen=True, slots=True)
class AntipatternFound:
    """An entry of the catalogue of antipatterns that people found, where, how severe it is, and what to do."""

    antipattern: str
    where: str
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """What came out of it.

    Args:
        held_at: When people met.
        participants: Who was there.
        components: What the service is made of.
        patterns: What keeps it up.
        antipatterns: What was found.
        decisions: What was decided.
    """

    held_at: datetime
    participants: tuple[Participant, ...]
    components: tuple[Component, ...]
    patterns: tuple[PatternUsed, ...]
    antipatterns: tuple[AntipatternFound, ...]
    decisions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArchitectureReviewPrepared:
    """Both sides will look at the architecture of a service, and can read up on it."""

    review: str
    service: str
    owner_team: str
    title: str
    pre_read: PreRead
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ArchitectureReviewHeld:
    """Both sides have met; told again, it corrects what was written down, and both sign anew."""

    review: str
    service: str
    minutes: Minutes
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ArchitectureReviewSigned:
    """Somebody who was there stands up for what was decided, for one side."""

    review: str
    service: str
    side: Side
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ArchitectureReviewConcluded:
    """Both sides have signed: what was decided holds."""

    review: str
    service: str
    decisions: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ArchitectureReviewWithdrawn:
    """It will not be held, or not be signed."""

    review: str
    service: str
    by: str
    reason: str
    at: datetime


Event = (
    ArchitectureReviewPrepared
    | ArchitectureReviewHeld
    | ArchitectureReviewSigned
    | ArchitectureReviewConcluded
    | ArchitectureReviewWithdrawn
)
