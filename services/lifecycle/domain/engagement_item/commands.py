"""What can be asked of an item of an engagement."""

from dataclasses import dataclass
from datetime import date, datetime

from services.lifecycle.domain.engagement.charter import Side
from services.lifecycle.domain.engagement.commands import Speaker
from services.lifecycle.domain.engagement_item.events import Content
from services.lifecycle.domain.engagement_item.lives import Kind, State


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    item: str
    engagement: str
    kind: Kind
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(_Asked):
    """Keep track of something."""

    content: Content
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(_Asked):
    """Say something else."""

    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Go(_Asked):
    """Go on by a verb of its kind; *speaker* where not anybody may, *side* where both must."""

    verb: str
    speaker: Speaker | None = None
    side: Side | None = None
    outcome: str = ""
    owner: str = ""
    due: date | None = None
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(_Asked):
    """Take over how a tracker says that it stands; *means* is the state that its word stands for, if known."""

    status: str
    url: str
    means: State | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind(_Asked):
    """Say that it is overdue, if it is."""


Command = Open | Change | Go | Report | Remind
