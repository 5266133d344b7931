"""What happens in a service's risk register."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.lifecycle.domain.risk_register.arithmetic import Estimate

RiskState = Literal["proposed", "assessed", "accepted", "mitigating", "eliminated", "transferred"]
Ending = Literal["expired", "slo_changed", "reassessed"]


@dataclass(frozen=True, slots=True)
class Promise:
    """The SLO whose budget risks are counted against: the strictest of the service."""

    slo: str
    target: float
    revision: int


@dataclass(frozen=True, slots=True)
class RiskProposed:
    """Somebody says what could go wrong; *cause* is the word by which incidents are recognised as this risk."""

    risk: str
    service: str
    title: str
    text: str
    cause: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RiskAssessed:
    """How bad a risk is, and where the numbers come from; *bad_minutes* are those of a year."""

    risk: str
    service: str
    estimate: Estimate
    bad_minutes: float
    basis: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RiskAccepted:
    """A risk is lived with until a time, within the budget that *promise* leaves."""

    risk: str
    service: str
    until: datetime
    bad_minutes: float
    promise: Promise
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AcceptanceEnded:
    """A risk is accepted no longer: people decide again."""

    risk: str
    service: str
    because: Ending
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MitigationBegun:
    """Somebody makes a risk smaller, until a day."""

    risk: str
    service: str
    plan: str
    owner: str
    due: date
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RiskEliminated:
    """It cannot happen any more, and where that can be seen."""

    risk: str
    service: str
    url: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RiskTransferred:
    """Somebody else bears it."""

    risk: str
    service: str
    to: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RiskRealised:
    """It has happened: *incident* was it; minutes and users as they were, where somebody said so."""

    risk: str
    service: str
    incident: str
    ttd_minutes: float | None
    ttr_minutes: float | None
    users_fraction: float | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RiskMeasured:
    """How long *incident*, which was this risk, took, as far as its own times tell; the last word counts."""

    risk: str
    service: str
    incident: str
    ttd_minutes: float | None
    ttr_minutes: float | None
    at: datetime


Event = (
    RiskProposed
    | RiskAssessed
    | RiskAccepted
    | AcceptanceEnded
    | MitigationBegun
    | RiskEliminated
    | RiskTransferred
    | RiskRealised
    | RiskMeasured
)
