"""What can be asked of an escalation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.incidents.domain.asked import Asked
from services.incidents.domain.escalation.climbing import Climbed
from services.incidents.domain.escalation.events import Cause, Rating
from services.incidents.domain.incident.terms import Severity
from services.incidents.domain.who_is_paged import Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """Take the step that is due.

    Args:
        climbed: Which, and whom it calls.
        cause: Why now.
        notifications: What is sent, by person; of no person: to whom it is said that nobody could be called.
        told: Who hears that nobody could be called.
        at: When.
    """

    climbed: Climbed
    cause: Cause
    notifications: Mapping[str, tuple[str, ...]]
    told: tuple[str, ...] = ()
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Look for somebody who takes an incident on, and take the first step; *why* says who is called in which order."""

    incident: str
    number: str
    service: str
    severity: Severity
    title: str
    phase: str
    team: str
    quiet: bool
    why: str
    plan: tuple[Rung, ...]
    rounds: int
    acknowledgement_timeout: timedelta | None
    first: Climb
    at: datetime
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Asked):
    """Somebody takes it on, or shows that it is not forgotten."""


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


Command = Begin | Climb | Hold | Pause | End | NoteUndelivered | TellResponder | CorrectClock | RatePage
