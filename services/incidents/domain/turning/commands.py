"""What can be told when it is another's turn."""

from dataclasses import dataclass

from services.incidents.domain.turning.events import ScheduleTurned


@dataclass(frozen=True, slots=True)
class Turned:
    """Who is on call."""

    now: ScheduleTurned
