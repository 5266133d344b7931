"""What can happen to an SLO."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SloDefined:
    """An SLO was defined (revision 1) or changed; see `commands.Promise` for the fields.

    `definition` is empty in events of the first version of this service: `decider.definition_of` reads both.
    """

    slo: str
    service: str
    display_name: str
    revision: int
    target: float
    window: str
    method: str
    document: dict[str, object]
    at: datetime
    definition: dict[str, object] = field(default_factory=dict[str, object])
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SloEnded:
    """It is promised no longer; what was measured stays."""

    slo: str
    service: str
    revision: int
    reason: str
    at: datetime


Event = SloDefined | SloEnded
