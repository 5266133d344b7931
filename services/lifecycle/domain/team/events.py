"""What happens to a team."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.lifecycle.domain.team.kinds import TeamKind
from services.lifecycle.domain.team.structure import UNSAID, Structure

Outcome = Literal["keep", "change"]


@dataclass(frozen=True, slots=True)
class TeamRegistered:
    """A team is known from now on; *shard_of* is the team that it was a part of, or empty."""

    team: str
    kind: TeamKind
    display_name: str
    at: datetime
    structure: Structure = UNSAID
    shard_of: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class TeamChanged:
    """A team is called something else, or is set up differently; without a *structure* that stays as it was."""

    team: str
    display_name: str
    at: datetime
    structure: Structure | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSharded:
    """Parts of a team became teams of their own, and took services along; *structure* is what is left."""

    team: str
    into: tuple[str, ...]
    services: Mapping[str, str]
    structure: Structure
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMerged:
    """A team ended as part of another, which owns its services now."""

    team: str
    into: str
    services: tuple[str, ...]
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamAbsorbed:
    """A team took another one in; *structure* is what it is since."""

    team: str
    absorbed: str
    structure: Structure
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamDissolved:
    """A team ended; *services* says who owns each of its services now, *successor* who gets what came just then."""

    team: str
    services: Mapping[str, str]
    reason: str
    by: str
    at: datetime
    successor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureReviewed:
    """People looked whether the team is still set up well, and decided to keep it so or to change it."""

    team: str
    outcome: Outcome
    notes: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyOverdue:
    """A duty should have been passed on by a day, and was not; told once."""

    team: str
    duty: str
    holder: str
    due: date
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureReviewOverdue:
    """People should have looked by a day whether the team is still set up well; told once."""

    team: str
    due: date
    at: datetime


Event = (
    TeamRegistered
    | TeamChanged
    | TeamSharded
    | TeamMerged
    | TeamAbsorbed
    | TeamDissolved
    | StructureReviewed
    | DutyOverdue
    | StructureReviewOverdue
)
