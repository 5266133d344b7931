"""What can be asked of a team."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.lifecycle.domain.team.events import Outcome
from services.lifecycle.domain.team.kinds import TeamKind
from services.lifecycle.domain.team.structure import UNSAID, Structure


@dataclass(frozen=True, slots=True)
class Register:
    """Enter a team under a name that is its own for ever.

    Args:
        team: Its name.
        kind: What kind of team it is.
        display_name: What people call it.
        at: When.
        structure: How it is set up.
        least_at_site: How many people an SRE team has at a site at least.
        shard_of: The team it was a part of, or empty.
        by: Who registers it.
    """

    team: str
    kind: TeamKind
    display_name: str
    at: datetime
    structure: Structure = UNSAID
    least_at_site: int = 1
    shard_of: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Call the team something else, or set it up differently; its name stays, and what is None."""

    team: str
    display_name: str
    at: datetime
    structure: Structure | None = None
    least_at_site: int = 1
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """Add members that another catalogue names; nobody is taken out, and an empty *display_name* leaves its own."""

    team: str
    display_name: str
    members: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Make parts of the team teams of their own, each with some of its services; what is left stays a team.

    Args:
        team: Its name.
        into: The new teams.
        services: Who owns each service that moves.
        structure: What is left.
        least_at_site: How many people an SRE team has at a site at least.
        reason: Why.
        by: Who asks.
        at: When.
    """

    team: str
    into: tuple[str, ...]
    services: Mapping[str, str]
    structure: Structure
    least_at_site: int
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """End the team as a part of another of its kind, which takes over its *services*."""

    team: str
    into: str
    services: tuple[str, ...]
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorb:
    """Take another team in, which was *kind* and had *structure*."""

    team: str
    absorbed: str
    kind: TeamKind
    structure: Structure
    least_at_site: int
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dissolve:
    """End the team.

    Args:
        team: Its name.
        needed_by: What needs it: services, engagements.
        services: Who shall own each of its services.
        reason: Why.
        by: Who asks.
        at: When.
        successor: Who shall own what became one of its services in that very moment; empty: nobody.
    """

    team: str
    needed_by: tuple[str, ...]
    services: Mapping[str, str]
    reason: str
    by: str
    at: datetime
    successor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Say whether the team is still set up well."""

    team: str
    outcome: Outcome
    notes: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SayMissed:
    """Say which duties should have been passed on, and whether the structure, looked at *every* so often, waits."""

    team: str
    every: timedelta
    at: datetime


@dataclass(frozen=True, slots=True)
class TakeOn:
    """See whether the team can be made to answer for something; one that has ended cannot."""

    team: str


Command = Register | Change | Enrol | Shard | Merge | Absorb | Dissolve | Review | SayMissed | TakeOn
