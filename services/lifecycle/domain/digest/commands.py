"""What can be asked of a digest."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.inbox.policy import InboxPolicy
from services.lifecycle.domain.inbox.waiting import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Compile:
    """Tell what waits.

    Args:
        team: In which team.
        display_name: What people call it.
        week: At the beginning of which ISO week.
        time_zone: In which that began.
        items: What waits, in order.
        policy: How much is told, and whether nothing is.
        at: When.
    """

    team: str
    display_name: str
    week: str
    time_zone: str
    items: tuple[Waiting, ...]
    policy: InboxPolicy
    at: datetime


Command = Compile
