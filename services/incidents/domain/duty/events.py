"""What others are told of a schedule."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.person.events import Side


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Somebody who takes turns in a schedule."""

    person: str
    side: Side
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleChanged:
    """Who takes turns for which services now; *active_since*: as long as these sides do."""

    schedule: str
    services: tuple[str, ...]
    members: tuple[Scheduled, ...]
    active_since: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftsMoved:
    """Times in the weeks to come that somebody has now, or has no more."""

    schedule: str
    person: str
    gained: tuple[Span, ...]
    lost: tuple[Span, ...]
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitBreached:
    """Being on call asks more than it may."""

    schedule: str
    services: tuple[str, ...]
    limit: str
    subject: str
    value: float
    allowed: float
    detail: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitKept:
    """It no longer does."""

    schedule: str
    services: tuple[str, ...]
    limit: str
    subject: str
    at: datetime


Event = ScheduleChanged | ShiftsMoved | LimitBreached | LimitKept
