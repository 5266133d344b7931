"""What can be asked of a shift."""

from dataclasses import dataclass

from services.incidents.domain.asked import Asked
from services.incidents.domain.shift.events import ShiftClosed


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Asked):
    """Say what those who come must know."""

    shift: str
    schedule: str
    person: str
    incoming: tuple[str, ...]
    note: str
    incidents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeHandover(Asked):
    """Say that it is read; only those who come can."""

    shift: str
    schedule: str
    incoming: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Close:
    """It is over."""

    closed: ShiftClosed


Command = HandOver | AcknowledgeHandover | Close
