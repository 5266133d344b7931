"""What happens to an action item."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Kind = Literal["mitigate", "prevent", "detect", "process"]
Priority = Literal["P0", "P1", "P2", "P3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOpened:
    """Somebody owes something by a day."""

    action: str
    postmortem: str
    incident: str
    service: str
    title: str
    owner: str
    type: Kind
    priority: Priority
    due: date
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
class ActionCompleted(ActionFact):
    """It is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDropped(ActionFact):
    """It will not be done."""


Event = ActionOpened | ActionStarted | ActionCompleted | ActionDropped
