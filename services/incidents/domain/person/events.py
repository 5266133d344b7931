"""What happens to a person's place; what is personal stands in the contact row that they name, and can be erased."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Side = Literal["dev", "sre"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRegistered:
    """Somebody can be called."""

    person: str
    team: str
    side: Side
    site: str
    contact: str
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChanged:
    """Team, side, site, or how they are reached."""

    person: str
    team: str
    side: Side
    site: str
    contact: str
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonErased:
    """Nothing personal is left."""

    person: str
    by: str
    reason: str = ""
    at: datetime


Event = PersonRegistered | PersonChanged | PersonErased
