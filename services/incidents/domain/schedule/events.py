"""What happens to a schedule."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.on_call.roster import Kind, ScheduleRevision
from services.incidents.domain.on_call.spans import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleFact:
    """What every event of a schedule says."""

    schedule: str
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDefined(ScheduleFact):
    """People are on call like this from the revision's moment on; the first of these begins the schedule.

    What was planned for later is replaced by it, and so is what was planned for *instead_of*.
    """

    display_name: str
    revision: ScheduleRevision
    instead_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEnded(ScheduleFact):
    """Nobody is on call here any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideDecided(ScheduleFact):
    """For a time it is otherwise."""

    override: str
    kind: Kind
    person: str
    replaces: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideCancelled(ScheduleFact):
    """It counts no more, from now on."""

    override: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapOffered(ScheduleFact):
    """Somebody would rather not be on call for a time of theirs."""

    swap: str
    person: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapTaken(ScheduleFact):
    """Somebody takes it; *exchange* is the time of their own that they give for it."""

    swap: str
    person: str
    exchange: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapApproved(ScheduleFact):
    """It counts from now on."""

    swap: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapDeclined(ScheduleFact):
    """It comes to nothing."""

    swap: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRenewed(ScheduleFact):
    """The calendar's address is another one; only its hash is kept."""

    digest: str


Event = (
    ScheduleDefined
    | ScheduleEnded
    | OverrideDecided
    | OverrideCancelled
    | SwapOffered
    | SwapTaken
    | SwapApproved
    | SwapDeclined
    | TokenRenewed
)
