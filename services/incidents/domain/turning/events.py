"""What others are told when it is another's turn."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody on call, as others show it."""

    person: str
    since: datetime
    until: datetime
    layer: str
    shadow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTurned:
    """Who is on call from now on, until the next of these."""

    schedule: str
    services: tuple[str, ...]
    on_call: tuple[Turn, ...]
    at: datetime


Event = ScheduleTurned
