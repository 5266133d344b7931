"""What can be asked of what is known of a service's architecture."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.readiness_review.commands import MoveFinding, Reclassify, Triage, Waive
from services.lifecycle.domain.review_template.checklist import Severity

Step = Triage | Reclassify | MoveFinding | Waive


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Something that is not as it should be; of the same entry and title there is one at a time.

    Args:
        finding: The id that it gets if nobody knows of it yet.
        item: The entry of the catalogue that it is about.
        title: What people read in lists.
        text: What is wrong, and what would be right.
        severity: How severe it is.
        source: What brought it to light.
    """

    finding: str
    item: str
    title: str
    text: str
    severity: Severity
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discover:
    """Open a finding for each discovery that nobody knows of; *review* is the one that made them, or empty."""

    service: str
    review: str
    discoveries: tuple[Discovery, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOn:
    """Take a finding further; *insiders* are the people of the team that owns the service."""

    service: str
    step: Step
    owner_team: str
    insiders: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lapse:
    """Say which waivers have run out."""

    service: str
    at: datetime


Command = Discover | GoOn | Lapse
