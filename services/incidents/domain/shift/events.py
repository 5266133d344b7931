"""What happens to a shift."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.person.events import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftHandedOver:
    """Who goes off duty says what those who come must know; *incidents* were open then."""

    shift: str
    schedule: str
    person: str
    incoming: tuple[str, ...]
    note: str
    incidents: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverAcknowledged:
    """Who comes on duty has read it."""

    shift: str
    schedule: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftClosed:
    """A shift is over: what it cost whom; *interrupt_minutes* from each page until its incident was mitigated."""

    shift: str
    schedule: str
    services: tuple[str, ...]
    person: str
    side: Side
    site: str
    start: datetime
    end: datetime
    pages: int
    incidents: int
    interrupt_minutes: int
    at: datetime


Event = ShiftHandedOver | HandoverAcknowledged | ShiftClosed
