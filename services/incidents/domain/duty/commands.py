"""What is told of a schedule."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.duty.events import Scheduled, ShiftsMoved
from services.incidents.domain.on_call.limits import Breach


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a schedule stands at a moment; what is new of it is told.

    Args:
        schedule: Which.
        services: What it answers for.
        members: Who takes turns.
        standing: The limits that the plan breaks.
        once: Those that a shift broke that is over: facts, which nothing mends.
        moved: Whose shifts a change has moved.
        at: When.
    """

    schedule: str
    services: tuple[str, ...]
    members: tuple[Scheduled, ...]
    standing: tuple[Breach, ...]
    once: tuple[Breach, ...]
    moved: tuple[ShiftsMoved, ...]
    at: datetime
