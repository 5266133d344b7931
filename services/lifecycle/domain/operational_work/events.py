"""What is said about the time of a team; never about the time of a person."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

Kind = Literal["toil", "tickets", "interrupts", "on_call", "incidents", "project"]
OPERATIONAL: Final[frozenset[Kind]] = frozenset({"toil", "tickets", "interrupts", "on_call", "incidents"})  # B1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRecorded:
    """A team spent time on one kind of work.

    Args:
        work: Its id, given by whoever records it.
        team: Whose time.
        service: For which service, or empty.
        kind: On what; all but `project` is operational.
        hours: How long, of all people together; None when only the items were counted.
        items: How many tickets, interrupts and so on; None when only the hours were counted.
        start: The first day.
        until: The last day; it counts for the window that this day lies in.
        notes: What it was.
        by: Who recorded it.
        at: When it was recorded.
    """

    work: str
    team: str
    service: str
    kind: Kind
    hours: float | None
    items: int | None
    start: date
    until: date
    notes: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkWithdrawn:
    """It was recorded by mistake, and counts no more."""

    work: str
    team: str
    reason: str
    by: str
    at: datetime


Event = WorkRecorded | WorkWithdrawn
