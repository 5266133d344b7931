"""What can be asked of a service's risk register."""

from dataclasses import dataclass
from datetime import date, datetime

from services.lifecycle.domain.people import ANYBODY, Approvers
from services.lifecycle.domain.risk_register.arithmetic import Estimate, Took
from services.lifecycle.domain.risk_register.events import Promise
from services.lifecycle.domain.risk_register.policy import RiskPolicy
from services.lifecycle.domain.service.commands import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Say what could go wrong, and how bad it is if that is known."""

    service: str
    risk: str
    title: str
    text: str
    cause: str
    estimate: Estimate | None
    basis: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Assess:
    """Say how bad a risk is; an acceptance that no longer fits ends."""

    service: str
    risk: str
    estimate: Estimate
    basis: str
    promise: Promise | None
    policy: RiskPolicy
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """Live with a risk until a time, as somebody else than who proposed it."""

    service: str
    risk: str
    until: datetime
    promise: Promise | None
    policy: RiskPolicy
    by: Actor
    reason: str
    at: datetime
    deciders: Approvers = ANYBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Mitigate:
    """Make a risk smaller until a day."""

    service: str
    risk: str
    plan: str
    owner: str
    due: date
    by: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Eliminate:
    """Say that it cannot happen any more, and where that can be seen."""

    service: str
    risk: str
    url: str
    by: Actor
    reason: str
    at: datetime
    deciders: Approvers = ANYBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Say that somebody else bears it."""

    service: str
    risk: str
    to: str
    by: Actor
    reason: str
    at: datetime
    deciders: Approvers = ANYBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class Realise:
    """Say that an incident was this risk; *took* is what its own times tell."""

    service: str
    risk: str
    incident: str
    took: Took
    ttd_minutes: float | None
    ttr_minutes: float | None
    users_fraction: float | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Recognise:
    """An incident of this cause has happened: every risk of that cause was realised."""

    service: str
    incident: str
    cause: str
    took: Took
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Measure:
    """The times of an incident have changed: they count for every risk that it was."""

    service: str
    incident: str
    took: Took
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reestimate:
    """Take over what the incidents say, as an assessment by whoever asks."""

    service: str
    risk: str
    promise: Promise | None
    policy: RiskPolicy
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Reconsider:
    """The SLO has changed: see which acceptances still fit, the oldest first."""

    service: str
    promise: Promise | None
    policy: RiskPolicy
    at: datetime


@dataclass(frozen=True, slots=True)
class Lapse:
    """Say which acceptances have run out."""

    service: str
    at: datetime


Command = (
    Propose
    | Assess
    | Reestimate
    | Accept
    | Mitigate
    | Eliminate
    | Transfer
    | Realise
    | Recognise
    | Measure
    | Reconsider
    | Lapse
)
