"""What happens to an action item."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Kind = Literal["mitigate", "prevent", "detect", "process"]
Priority = Literal["P0", "P1", "P2", "P3"]
SourceKind = Literal["postmortem", "incident", "review", "finding", "insight"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOpened:
    """Somebody owes something by a day.

    Args:
        postmortem: What it follows from, where that is a postmortem; else empty.
        incident: Of the postmortem; else empty.
        collaborators: Who helps; one person owns it.
        tracking_url: Where the work is planned.
        source_kind: What it follows from.
        source: Its id there; empty for a postmortem.
    """

    action: str
    postmortem: str
    incident: str
    service: str
    title: str
    owner: str
    type: Kind
    priority: Priority
    due: date
    collaborators: tuple[str, ...] = ()
    tracking_url: str = ""
    source_kind: SourceKind = "postmortem"
    source: str = ""
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFact:
    """What every later event of an action says."""

    action: str
    service: str
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStarted(ActionFact):
    """Its owner works on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionChanged(ActionFact):
    """It is owed by somebody else, by another day, or differently; holds all of it."""

    title: str
    owner: str
    collaborators: tuple[str, ...]
    type: Kind
    priority: Priority
    due: date
    tracking_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionReminder(ActionFact):
    """What somebody is told about what is owed."""

    title: str
    owner: str
    priority: Priority
    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionReminded(ActionReminder):
    """It is due soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOverdue(ActionReminder):
    """Its day is over, and it is not done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOwnerLeft(ActionReminder):
    """Its owner is not here any more; somebody else shall own it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCompleted(ActionFact):
    """It is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDropped(ActionFact):
    """It will not be done."""


Event = (
    ActionOpened
    | ActionStarted
    | ActionChanged
    | ActionReminded
    | ActionOverdue
    | ActionOwnerLeft
    | ActionCompleted
    | ActionDropped
)
