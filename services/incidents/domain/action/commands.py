"""What can be asked of an action item."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from services.incidents.domain.action.events import Kind, Priority, SourceKind
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
    collaborators: tuple[str, ...] = ()
    tracking_url: str = ""
    source_kind: SourceKind = "postmortem"
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Asked):
    """Its owner works on it."""

    verb: ClassVar[str] = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Asked):
    """Let it be owed differently; another day, or another owner, needs a reason.

    Args:
        latest: Until when it is done if it becomes more urgent; None: its day stays.
    """

    verb: ClassVar[str] = "change"
    changes: Mapping[str, Any]
    latest: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete(Asked):
    """It is done."""

    verb: ClassVar[str] = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop(Asked):
    """It will not be done."""

    verb: ClassVar[str] = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Asked):
    """Say that it is due soon, or overdue, if it is; each is said once for a day that it is due on."""

    remind_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerLeft(Asked):
    """Say that *owner* is not here any more, if they own it."""

    owner: str


Command = Open | Start | Change | Complete | Drop | Look | OwnerLeft
