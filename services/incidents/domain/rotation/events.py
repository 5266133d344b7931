"""What happens to a rotation."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.on_call.sides import Mixture
from services.incidents.domain.on_call.turns import Rota


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationChanged:
    """People take turns like this from *effective_from* on; the first of these begins the rotation.

    What was planned for later is replaced by it, and so is what was planned for *instead_of*.
    """

    rotation: str
    display_name: str
    rota: Rota
    sides: Mixture
    effective_from: datetime
    instead_of: datetime | None = None
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationEnded:
    """Nobody takes turns any more."""

    rotation: str
    by: str
    reason: str = ""
    at: datetime


Event = RotationChanged | RotationEnded
