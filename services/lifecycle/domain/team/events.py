"""What happens to a team."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

TeamKind = Literal["dev", "sre"]


@dataclass(frozen=True, slots=True)
class TeamRegistered:
    """A team is known from now on."""

    team: str
    kind: TeamKind
    display_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TeamChanged:
    """A team is called something else."""

    team: str
    display_name: str
    at: datetime


Event = TeamRegistered | TeamChanged
