"""What can be asked about a person."""

from dataclasses import dataclass
from typing import ClassVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.person.events import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(Asked):
    """Somebody can be called from now on; *contact* names the row that says how."""

    person: str
    team: str
    side: Side
    site: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Asked):
    """They moved, or can be reached in another way."""

    team: str
    side: Side
    site: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Asked):
    """Nothing personal is kept any more; the label stays in what has happened."""

    verb: ClassVar[str] = "erase"


Command = Register | Change | Erase
