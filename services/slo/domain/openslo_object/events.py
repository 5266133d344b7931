"""What can happen to an OpenSLO object."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ObjectStored:
    """It was stored (revision 1) or edited; see `commands.Store` for the fields."""

    kind: str
    name: str
    revision: int
    document: dict[str, object]
    uses: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ObjectRemoved:
    """Nothing can refer to it any more."""

    kind: str
    name: str
    reason: str
    at: datetime


Event = ObjectStored | ObjectRemoved
