"""What can be asked of a service."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.lifecycle.domain.gates import Verdict
from services.lifecycle.domain.people import ANYBODY, Actor, Approvers
from services.lifecycle.domain.phases import Kind, Phase
from services.lifecycle.domain.service.catalogue import EMPTY, Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Enter a service under a name that is its own for ever.

    Args:
        service: Its name.
        display_name: What people call it.
        owner_team: Empty when nobody owns it yet.
        tier: 1 (most critical) to 4; 0 when not set yet.
        phase: Where it stands; past the first phase this is an import.
        revives: The unsupported service that it brings back, or empty.
        grace: For how long the gates that an import did not pass here are advisory, at most.
        grandfathered_until: An earlier end of that grace.
        by: Who registers it.
        at: When.
        catalogue: What people look up about it.
    """

    service: str
    display_name: str
    owner_team: str
    tier: int
    phase: Phase
    revives: str
    grace: timedelta
    grandfathered_until: datetime | None
    by: str
    at: datetime
    catalogue: Catalogue = EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Give some of its fields another value; None leaves one as it is."""

    service: str
    display_name: str | None
    owner_team: str | None
    tier: int | None
    at: datetime
    catalogue: Catalogue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrich:
    """Add to what people look up about the service; an empty *display_name* leaves its own."""

    service: str
    display_name: str
    catalogue: Catalogue
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Let another team answer for all of the service that a team answers for."""

    service: str
    from_team: str
    to_team: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Move the service to another phase, or ask for it where a second person must approve.

    Args:
        service: Its name.
        transition: The id that the pending transition would have.
        to: The phase it should move to.
        reason: Why.
        needs_approval: The kinds of move that wait for another person.
        verdict: What the gates on the way say now.
        evaluation: The id under which that verdict is kept; empty when the move passes no gate.
        by: Who asks.
        at: When.
        requesters: Who may ask for a move that waits for another person.
    """

    service: str
    transition: str
    to: Phase
    reason: str
    needs_approval: frozenset[Kind]
    verdict: Verdict
    evaluation: str
    by: Actor
    at: datetime
    requesters: Approvers = ANYBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Let a pending transition happen; the gates are looked at again."""

    service: str
    transition: str
    reason: str
    verdict: Verdict
    evaluation: str
    by: Actor
    at: datetime
    approvers: Approvers = ANYBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """Refuse a pending transition, or take it back."""

    service: str
    transition: str
    reason: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review of what has changed since the service was engaged the last time."""

    evidence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Engage:
    """Let the SRE team of an engagement work for the service; one does at a time.

    Args:
        service: Its name.
        engagement: Which.
        sre_team: Who helps.
        dev_team: Whose services the engagement is for.
        reviewed: What was reviewed last; needed when the service was engaged before.
        by: Who begins it.
        at: When.
    """

    service: str
    engagement: str
    sre_team: str
    dev_team: str
    reviewed: Reviewed | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOn:
    """Let another engagement, or another SRE team of the same one, go on where *former* stands."""

    service: str
    former: str
    engagement: str
    sre_team: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Let it work for the service no more."""

    service: str
    engagement: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decommission:
    """Say that nothing of an unsupported service is left.

    Args:
        service: Its name.
        reason: What people want to say of it.
        verdict: What is left of it now.
        evaluation: The id under which that verdict is kept.
        by: Who says so.
        at: When.
    """

    service: str
    reason: str
    verdict: Verdict
    evaluation: str
    by: str
    at: datetime


Command = (
    Register | Change | Enrich | HandOver | Transition | Approve | Decline | Engage | PassOn | Release | Decommission
)
