"""What can be asked of a team."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.team.events import TeamKind


@dataclass(frozen=True, slots=True)
class Register:
    """Enter a team under a name that is its own for ever."""

    team: str
    kind: TeamKind
    display_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """Call the team something else; its name stays."""

    team: str
    display_name: str
    at: datetime


Command = Register | Change
