"""What people say about an incident while they work on it: how bad it is, who does what, what it has to do with."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.incident.terms import (
    Affected,
    Audience,
    IncidentFact,
    Priority,
    Relation,
    Role,
    Severity,
    Side,
    Value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSeverityChanged(IncidentFact):
    """It is more or less severe than was thought."""

    from_severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentImpactChanged(IncidentFact):
    """What beside its own service its users feel it in: all of *affected*, and *gone* no more."""

    affected: tuple[Affected, ...]
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentAmended(IncidentFact):
    """It is described otherwise; the fields say all that is so from now on."""

    title: str
    priority: Priority
    customer_facing: bool
    test: bool
    tags: tuple[str, ...]
    fields: dict[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRoleAssumed(IncidentFact):
    """*person* has a role; *before* had it until now, and *handed_over* it or was relieved of it."""

    role: Role
    person: str
    before: str = ""
    handed_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRoleOffered(IncidentFact):
    """*person* shall have a role once they acknowledge that."""

    role: Role
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRoleOfferEnded(IncidentFact):
    """*person* shall not have a role after all."""

    role: Role
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRoleReleased(IncidentFact):
    """*person* gave a role up, and nobody has it."""

    role: Role
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResponderAdded(IncidentFact):
    """*person* helps."""

    person: str
    side: Side = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResponderReleased(IncidentFact):
    """*person* helps no more."""

    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLinked(IncidentFact):
    """It has to do with another incident."""

    other: str
    other_number: str
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentUnlinked(IncidentFact):
    """It has nothing to do with another incident."""

    other: str
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDeploymentLinked(IncidentFact):
    """A deployment has to do with it; *suspected* to be the cause."""

    deployment: str
    deployed_service: str
    version: str
    suspected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDeploymentUnlinked(IncidentFact):
    """A deployment has nothing to do with it."""

    deployment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCadenceSet(IncidentFact):
    """Who is concerned hears every so often how it stands; None: when there is something to say.

    *by_severity*: that follows from how bad it is, and changes with that; else somebody chose it.
    """

    every_minutes: int | None
    next_due: datetime | None
    by_severity: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentUpdatePosted(IncidentFact):
    """Who is concerned was told how it stands, and when they hear again."""

    text: str
    audience: Audience
    next_due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentUpdateOverdue(IncidentFact):
    """Who is concerned should have been told how it stands by *due*."""

    due: datetime


WorkEvent = (
    IncidentSeverityChanged
    | IncidentImpactChanged
    | IncidentAmended
    | IncidentRoleAssumed
    | IncidentRoleOffered
    | IncidentRoleOfferEnded
    | IncidentRoleReleased
    | IncidentResponderAdded
    | IncidentResponderReleased
    | IncidentLinked
    | IncidentUnlinked
    | IncidentDeploymentLinked
    | IncidentDeploymentUnlinked
    | IncidentCadenceSet
    | IncidentUpdatePosted
    | IncidentUpdateOverdue
)
