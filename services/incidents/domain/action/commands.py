"""What can be asked of an action item."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from services.incidents.domain.action.events import Kind, Priority
from services.incidents.domain.asked import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Asked):
    """Somebody is to do something by a day."""

    action: str
    postmortem: str
    incident: str
    service: str
    title: str
    owner: str
    type: Kind
    priority: Priority
    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Asked):
    """Its owner works on it."""

    verb: ClassVar[str] = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Asked):
    """It is done."""

    verb: ClassVar[str] = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Asked):
    """It will not be done."""

    verb: ClassVar[str] = "drop"


Command = Open | Start | Complete | Drop
