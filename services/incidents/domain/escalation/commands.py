"""What can be asked of an escalation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.asked import Asked
from services.incidents.domain.escalation.climbing import Climbed
from services.incidents.domain.escalation.events import Cause, EscalationBegun, Rating, SideCalled


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """Take the step that is due.

    Args:
        climbed: Which, and whom it calls.
        cause: Why now.
        notifications: What is sent, by person.
        beside: Whom a further side calls at the same moment; None: there is none.
        told: Who hears that nobody could be called.
        at: When.
    """

    climbed: Climbed
    cause: Cause
    notifications: Mapping[str, tuple[str, ...]]
    beside: SideCalled | None = None
    told: tuple[str, ...] = ()
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Look for somebody who takes an incident on; who did already is called for no more, but a further side is."""

    begun: EscalationBegun
    first: Climb | SideCalled | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replan:
    """Go on as *begun* says; the ladder begins anew, or a further side is called."""

    begun: EscalationBegun
    first: Climb | SideCalled | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFurther:
    """Nothing of what the further side was sent arrives: call the next of it."""

    called: SideCalled


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Asked):
    """Somebody takes it on, or shows that it is not forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reassure(Asked):
    """Somebody says that they have it, also where it was acknowledged before; whoever holds it goes on holding it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Asked):
    """Leave it alone until then."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Asked):
    """There is nothing to call for any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteUndelivered:
    """What was sent did not reach its person."""

    notification: str
    person: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TellResponder:
    """Who took it on hears of how many alerts it has by now."""

    person: str
    alerts: int
    notifications: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectClock:
    """The clock was set back to *at*: what is due waits no longer than it would have."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePage(Asked):
    """Whether there was something to do."""

    page: str
    rating: Rating


Command = (
    Begin
    | Replan
    | Climb
    | CallFurther
    | Hold
    | Reassure
    | Pause
    | End
    | NoteUndelivered
    | TellResponder
    | CorrectClock
    | RatePage
)
