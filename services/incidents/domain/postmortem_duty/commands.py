"""What can be asked of the duty to write a postmortem."""

from dataclasses import dataclass
from typing import ClassVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.learning import LearningPolicy
from services.incidents.domain.postmortem.events import BudgetSpent
from services.incidents.domain.postmortem_duty.events import Stage, Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Require(Asked):
    """Say that the incident needs one, by *policy*; its days are counted from today, when that is clear.

    Args:
        drafted: Whether there is one already.
        published: Whether that is published already.
    """

    incident: str
    number: str
    service: str
    why: Why
    policy: LearningPolicy
    budget: BudgetSpent | None = None
    drafted: bool = False
    published: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Meet(Asked):
    """It was drafted, or published; nothing happens where none was due."""

    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse(Asked):
    """Say that none is needed after all; needs a reason."""

    verb: ClassVar[str] = "excuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Asked):
    """Say what is near, or over; each once."""

    policy: LearningPolicy


Command = Require | Meet | Excuse | Look
