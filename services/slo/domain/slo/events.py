"""What can happen to an SLO."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SloDefined:
    """An SLO was defined (revision 1) or changed; see `commands.Promise` for the fields."""

    slo: str
    service: str
    display_name: str
    revision: int
    target: float
    window: str
    method: str
    document: dict[str, object]
    at: datetime


Event = SloDefined
