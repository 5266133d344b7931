"""The words of an incident, and what every event of one says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Severity = Literal["sev1", "sev2", "sev3", "sev4"]
Priority = Literal["", "P0", "P1", "P2", "P3"]  # how soon it is worked on, beside how bad it is; empty: nobody said
Stage = Literal["investigating", "identified", "monitoring"]
Role = Literal["incident_commander", "operations", "communications", "planning"]  # planning keeps the record, too
Side = Literal["", "dev", "sre"]
Relation = Literal["duplicate_of", "duplicated_by", "caused_by", "causes", "follows", "followed_by", "related_to"]
Audience = Literal["stakeholders", "customers"]
Value = str | float | bool

_PAIRS: Final[tuple[tuple[Relation, Relation], ...]] = (
    ("duplicate_of", "duplicated_by"),
    ("caused_by", "causes"),
    ("follows", "followed_by"),
    ("related_to", "related_to"),
)
SEEN_FROM_THERE: Final[Mapping[Relation, Relation]] = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A service that its users feel it in.

    Args:
        service: Its name.
        users_share: Of its users, 0 to 1; None: nobody knows.
        since: When they began to feel it; None: as the incident's impact did.
        until: When they felt it no more; None: as the incident's impact did.
    """

    service: str
    users_share: float | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Something to look at, elsewhere."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFact:
    """What every event of an incident says; *number* is what people call it, such as `INC-42`."""

    incident: str
    number: str
    service: str
    severity: Severity
    by: str
    reason: str = ""
    at: datetime
