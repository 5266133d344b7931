"""What happens to an incident. Each event names the incident whole, so that a reader of one needs no other."""

from dataclasses import dataclass, field
from datetime import datetime

from services.incidents.domain.incident.terms import (
    Attachment,
    IncidentFact,
    Priority,
    Stage,
    Value,
)
from services.incidents.domain.incident.terms import Severity as Severity  # noqa: PLC0414  read here by others
from services.incidents.domain.incident.work_events import WorkEvent
from services.incidents.domain.milestones import Milestone


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDeclared(IncidentFact):
    """Something is wrong.

    Args:
        alert: The one that opened it; empty: somebody declared it.
        group: What further alerts join it by.
        test: A drill: it counts in no figure.
        alerts: Those that it took from the incident that it was split from.
        firing: Those of them that fire.
        update_every_minutes: How often who is concerned hears how it stands, as its severity says.
        update_due: When they hear first.
    """

    title: str
    alert: str = ""
    group: str = ""
    impact_started: datetime
    detected: datetime
    priority: Priority = ""
    customer_facing: bool = False
    test: bool = False
    tags: tuple[str, ...] = ()
    fields: dict[str, Value] = field(default_factory=dict[str, Value])
    split_from: str = ""
    alerts: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()
    update_every_minutes: int | None = None
    update_due: datetime | None = None


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
class IncidentAlertsTold(IncidentFact):
    """Whoever works on it is to be told of *alerts* that joined since they were last told; *summary* is the last's."""

    alerts: int
    summary: str = ""
    notify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAlertCleared(IncidentFact):
    """One of its alerts fires no more, and *others* that ended at the same time."""

    alert: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMilestoneCorrected(IncidentFact):
    """One of its times was another than first written down; *implied* when the correction of another says so."""

    milestone: Milestone
    time: datetime
    implied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentNoted(IncidentFact):
    """Somebody wrote into its timeline."""

    kind: str
    text: str
    occurred_at: datetime
    starred: bool = False
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMerged(IncidentFact):
    """It is a part of another, which goes on with its alerts; final.

    Of more than 5,000 alerts *alerts* are the first; of each one `alert.moved` tells.
    """

    into: str
    into_number: str
    alerts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAbsorbed(IncidentFact):
    """Another one turned out to be a part of it; said once for each 5,000 of its alerts."""

    other: str
    other_number: str
    alerts: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentGroupTaken(IncidentFact):
    """Further alerts of this group join it, as they joined the one that was merged into it."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSplit(IncidentFact):
    """Some of its alerts are another incident."""

    into: str
    into_number: str
    alerts: tuple[str, ...]


CourseEvent = (
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
    | IncidentAlertsTold
    | IncidentAlertCleared
    | IncidentMilestoneCorrected
    | IncidentNoted
    | IncidentMerged
    | IncidentAbsorbed
    | IncidentGroupTaken
    | IncidentSplit
)
Event = CourseEvent | WorkEvent
