"""What can be asked of an incident while people work on it: how bad it is, who does what, who hears of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.incident.state import Details
from services.incidents.domain.incident.terms import Affected, Audience, Relation, Role, Severity, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend(Asked):
    """Describe it otherwise; None: as it was.

    Args:
        details: All of them, as they shall be.
        severity: How bad it is.
        update_every_minutes: How often who is concerned hears how it stands, as that severity says.
        affected: All services beside its own that its users feel it in.
    """

    verb: ClassVar[str] = "amend"
    details: Details | None = None
    severity: Severity | None = None
    update_every_minutes: int | None = None
    affected: tuple[Affected, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumeRole(Asked):
    """Let *person* have a role; *force* takes it from who has it, and needs a reason."""

    verb: ClassVar[str] = "assume a role"
    role: Role
    person: str
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRole(Asked):
    """Let *person* have a role when they acknowledge it; who has it, has it until then."""

    verb: ClassVar[str] = "hand over"
    role: Role
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptRole(Asked):
    """Take over what was offered."""

    verb: ClassVar[str] = "acknowledge"
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineRole(Asked):
    """Do not take over what was offered; who offered it may take that back."""

    verb: ClassVar[str] = "decline"
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRole(Asked):
    """Nobody has a role any more."""

    verb: ClassVar[str] = "release"
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class AddResponder(Asked):
    """Let *person* help."""

    verb: ClassVar[str] = "add a responder"
    person: str
    side: Side = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseResponder(Asked):
    """*person* need not help any more."""

    verb: ClassVar[str] = "release a responder"
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkIncident(Asked):
    """It has to do with another incident."""

    other: str
    other_number: str
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkIncident(Asked):
    """It has nothing to do with another incident."""

    other: str
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDeployment(Asked):
    """A deployment has to do with it."""

    deployment: str
    service: str
    version: str
    suspected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkDeployment(Asked):
    """A deployment has nothing to do with it."""

    deployment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCadence(Asked):
    """Say how it stands every so often; None: when there is something to say."""

    verb: ClassVar[str] = "set the cadence"
    every_minutes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostUpdate(Asked):
    """Tell who is concerned how it stands."""

    verb: ClassVar[str] = "post an update"
    text: str
    audience: Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFellDue(Asked):
    """It is *due*, by the calendar."""

    due: datetime


OfRoles = AssumeRole | OfferRole | AcceptRole | DeclineRole | ReleaseRole | AddResponder | ReleaseResponder
OfLinks = LinkIncident | UnlinkIncident | LinkDeployment | UnlinkDeployment
OfUpdates = SetCadence | PostUpdate | UpdateFellDue
WorkCommand = Amend | OfRoles | OfLinks | OfUpdates
