"""What happens to an incident. Each event names the incident whole, so that a reader of one needs no other."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.incidents.domain.milestones import Milestone

Severity = Literal["sev1", "sev2", "sev3", "sev4"]
Stage = Literal["investigating", "identified", "monitoring"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDeclared(IncidentFact):
    """Something is wrong; *alert* is the one that opened it, *group* what further alerts join it by."""

    title: str
    alert: str = ""
    group: str = ""
    impact_started: datetime
    detected: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAcknowledged(IncidentFact):
    """Somebody works on it; *implied* when another command said so, which counts apart."""

    implied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentStageChanged(IncidentFact):
    """The work on it came to another stage."""

    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMitigated(IncidentFact):
    """Users feel it no more; its cause may still be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResolved(IncidentFact):
    """It is over; *forced* while alerts still fired."""

    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClosed(IncidentFact):
    """Nothing is left to do; final."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCancelled(IncidentFact):
    """It was a false alarm; final."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReopened(IncidentFact):
    """It was not over after all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClassified(IncidentFact):
    """It is of a class of outage, such as `retry-storm`: those of one class are counted together."""

    outage_class: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAlertJoined(IncidentFact):
    """A further alert belongs to it, and *others* that came at the same time.

    *notify* says that whoever works on it is to be told: at most once in `INTERVAL`, and nobody is called anew.
    """

    alert: str
    summary: str = ""
    others: tuple[str, ...] = ()
    notify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAlertCleared(IncidentFact):
    """One of its alerts fires no more, and *others* that ended at the same time."""

    alert: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMilestoneCorrected(IncidentFact):
    """One of its times was another than the one first written down."""

    milestone: Milestone
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentNoted(IncidentFact):
    """Somebody wrote into its timeline."""

    kind: str
    text: str
    occurred_at: datetime
    starred: bool = False


Event = (
    IncidentDeclared
    | IncidentAcknowledged
    | IncidentStageChanged
    | IncidentMitigated
    | IncidentResolved
    | IncidentClosed
    | IncidentCancelled
    | IncidentReopened
    | IncidentClassified
    | IncidentAlertJoined
    | IncidentAlertCleared
    | IncidentMilestoneCorrected
    | IncidentNoted
)
