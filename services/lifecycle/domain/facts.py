"""What is known about a service when a gate is evaluated: its own record, and what other services have said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.lifecycle.domain.evidence.events import EvidenceRecorded
from services.lifecycle.domain.phases import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the slo service last said about the budget of an SLO; *id* is its event's."""

    id: str
    revision: int
    state: str
    target: float
    sli: float | None
    coverage: float
    window_start: datetime
    window_end: datetime
    remaining: float | None


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The event that said a budget is spent, and when."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Slo:
    """An SLO of the service.

    Args:
        name: Its name.
        revision: Of its definition.
        assessment: The last one, if any.
        exhausted: Set while its budget is spent and has not recovered.
    """

    name: str
    revision: int
    assessment: Assessment | None = None
    exhausted: Exhausted | None = None


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is not over; *id* is that of the event which last changed it."""

    id: str
    number: str
    severity: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Freeze:
    """The event by which the error-budget policy stopped releases, why, and when."""

    id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Grandfathered:
    """A service was imported at *phase*: the gates up to it are advisory until *until*."""

    phase: Phase
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known about a service.

    Args:
        service: Its name.
        phase: Where it stands.
        phase_since: Since when.
        owner_team: Empty when nobody owns it.
        tier: 0 when not set.
        grandfathered: The grace of an import.
        slos: Its SLOs.
        freeze: Set while its error-budget policy stops releases.
        incidents: Its open incidents.
        attestations: Per kind, the evidence of what was done last.
        waivers: Per check, until when it is waived.
    """

    service: str
    phase: Phase
    phase_since: datetime
    owner_team: str
    tier: int
    grandfathered: Grandfathered | None = None
    slos: Sequence[Slo] = ()
    freeze: Freeze | None = None
    incidents: Sequence[OpenIncident] = ()
    attestations: Mapping[str, EvidenceRecorded] = field(default_factory=dict[str, EvidenceRecorded])
    waivers: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
