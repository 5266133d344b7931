"""What happens to a gathering."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.engagement.charter import Side
from services.lifecycle.domain.engagement.events import SeriesKind

Decision = Literal["continue", "change_model", "demote", "disengage"]


@dataclass(frozen=True, slots=True)
class PackLine:
    """One figure or fact, and where it comes from; a value that is not known says why in *note*."""

    label: str
    value: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What the pack says about one thing."""

    title: str
    lines: tuple[PackLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheringFact:
    """What every event of a gathering says."""

    gathering: str
    engagement: str
    kind: SeriesKind
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheringDrafted(GatheringFact):
    """A pack was made of what was known of the time from *since* to *until*."""

    series: str
    title: str
    since: datetime
    until: datetime
    pack: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementMade(GatheringFact):
    """One side said how things stand: production is SRE's to tell, the product development's."""

    side: Side
    text: str
    horizon_months: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotesTaken(GatheringFact):
    """What was said, and what both will start, stop and keep doing."""

    notes: str
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheringConcluded(GatheringFact):
    """They met; updates and reviews end with a decision."""

    series: str
    decision: Decision | None = None


Event = GatheringDrafted | StatementMade | NotesTaken | GatheringConcluded
