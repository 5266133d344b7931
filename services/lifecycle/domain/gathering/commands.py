"""What can be asked of a gathering."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.engagement.charter import Side
from services.lifecycle.domain.engagement.commands import Speaker
from services.lifecycle.domain.engagement.events import SeriesKind
from services.lifecycle.domain.gathering.events import Decision, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    gathering: str
    engagement: str
    kind: SeriesKind
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(_Asked):
    """Keep a pack for people to complete."""

    series: str
    title: str
    since: datetime
    until: datetime
    pack: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell(_Asked):
    """Say for one side how things stand; a service review asks how far its roadmap reaches."""

    side: Side
    text: str
    horizon_months: int | None
    reaches: tuple[float, float]
    speaker: Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(_Asked):
    """Write down what was said."""

    notes: str
    start: tuple[str, ...]
    stop: tuple[str, ...]
    keep: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclude(_Asked):
    """Say that they met, and what they decided."""

    decision: Decision | None
    is_person: bool


Command = Draft | Tell | Note | Conclude
