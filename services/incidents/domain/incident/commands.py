"""What can be asked of an incident."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.incident.terms import Affected, Attachment, Priority, Severity, Stage, Value
from services.incidents.domain.incident.work_commands import WorkCommand
from services.incidents.domain.milestones import Milestone


@dataclass(frozen=True, slots=True, kw_only=True)
class Declare(Asked):
    """Open it. Without the detection, it was noticed by the earliest time that is given, and began no later.

    Args:
        update_every_minutes: How often who is concerned shall hear how it stands, as its severity says.
        reached: When it was acknowledged, mitigated or resolved, if it is declared afterwards.
        follows: The incident that it goes on where, and its number.
        split_from: The incident that it was a part of; who split it works on it.
    """

    incident: str
    number: str
    service: str
    title: str
    severity: Severity
    alert: str = ""
    group: str = ""
    impact_started: datetime | None = None
    detected: datetime | None = None
    reached: Mapping[Milestone, datetime] = field(default_factory=dict[Milestone, datetime])
    priority: Priority = ""
    customer_facing: bool = False
    test: bool = False
    update_every_minutes: int | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Value] = field(default_factory=dict[str, Value])
    affected: tuple[Affected, ...] = ()
    follows: tuple[str, str] | None = None
    split_from: str = ""
    alerts: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge(Asked):
    """Take it on."""

    verb: ClassVar[str] = "acknowledge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigate(Asked):
    """The cause is being looked for."""

    verb: ClassVar[str] = "investigate"
    stage: ClassVar[Stage] = "investigating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify(Asked):
    """The cause is known."""

    verb: ClassVar[str] = "identify"
    stage: ClassVar[Stage] = "identified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor(Asked):
    """A remedy is in place and being watched."""

    verb: ClassVar[str] = "monitor"
    stage: ClassVar[Stage] = "monitoring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigate(Asked):
    """Users feel it no more."""

    verb: ClassVar[str] = "mitigate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve(Asked):
    """It is over; *force* needs a reason, and goes ahead while alerts fire.

    *ended* are alerts of which the incident has not taken notice yet that they fire no more: they may flap.
    """

    verb: ClassVar[str] = "resolve"
    force: bool = False
    ended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Asked):
    """Nothing is left to do."""

    verb: ClassVar[str] = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Asked):
    """It is a false alarm."""

    verb: ClassVar[str] = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen(Asked):
    """It is not over after all."""

    verb: ClassVar[str] = "reopen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classify(Asked):
    """Say of what class of outage it is; also after it is closed, when it is understood.

    Args:
        outage_class: The class.
        unless_said: What was said before stays.
    """

    verb: ClassVar[str] = "classify"
    outage_class: str
    unless_said: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinAlert(Asked):
    """A further alert belongs to it, and *others* that came at the same time."""

    alert: str
    summary: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAlert(Asked):
    """Somebody looks at one of its alerts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearAlert(Asked):
    """One of its alerts fires no more, and *others* that ended at the same time."""

    alert: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectMilestones(Asked):
    """Some of its times were others; once it is over, also times that nobody wrote down."""

    times: Mapping[Milestone, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Asked):
    """Write into its timeline; what is noted may lie before the incident."""

    kind: str
    text: str
    occurred_at: datetime
    starred: bool = False
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeInto(Asked):
    """It is a part of another incident."""

    verb: ClassVar[str] = "merge"
    into: str
    into_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorb(Asked):
    """Another incident is a part of it, with its alerts; it began and was noticed no later than that one."""

    verb: ClassVar[str] = "merge"
    other: str
    other_number: str
    impact_started: datetime
    detected: datetime
    alerts: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeGroup(Asked):
    """Let further alerts of *group* join it."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Asked):
    """Some of its alerts are another incident."""

    verb: ClassVar[str] = "split"
    into: str
    into_number: str
    alerts: tuple[str, ...]


Stages = Investigate | Identify | Monitor
Transition = Acknowledge | Stages | Mitigate | Resolve | Close | Cancel | Reopen


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfAlerts(Asked):
    """The interval is over: tell whoever works on it of the alerts that joined since."""


OfAlerts = JoinAlert | TellOfAlerts | AcknowledgeAlert | ClearAlert | MergeInto | Absorb | TakeGroup | Split
Command = Declare | Transition | Classify | OfAlerts | CorrectMilestones | Note | WorkCommand
