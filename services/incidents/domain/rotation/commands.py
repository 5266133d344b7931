"""What can be asked of a rotation."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.on_call.sides import Mixture
from services.incidents.domain.on_call.turns import Rota
from services.incidents.domain.person.events import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Define(Asked):
    """People take turns like this; *people* says which side each participant is on."""

    rotation: str
    display_name: str
    rota: Rota
    sides: Mixture
    people: dict[str, Side]
    effective_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Asked):
    """From a moment on they take turns in another way; what was before stays as it was."""

    display_name: str
    rota: Rota
    sides: Mixture
    people: dict[str, Side]
    effective_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Asked):
    """Nobody takes turns any more; *schedules* still need them."""

    verb: ClassVar[str] = "end"

    schedules: tuple[str, ...] = ()


Command = Define | Change | End
