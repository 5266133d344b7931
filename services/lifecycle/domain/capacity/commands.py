"""What can be asked of a service's capacity."""

from dataclasses import dataclass
from datetime import date, datetime

from services.lifecycle.domain.capacity.events import (
    DemandSource,
    ForecastMade,
    ForecastRefused,
    Plan,
    Side,
    Source,
    Strategy,
    Supply,
)
from services.lifecycle.domain.capacity.policy import CapacityPolicy
from services.lifecycle.domain.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    service: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDemand(_Asked):
    """Take the highest demand of days; *replaces* forgets the history so far, which takes to change the metric."""

    metric: str
    source: Source
    query: str
    first: date
    peaks: tuple[float | None, ...]
    replaces: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundMetric(_Asked):
    """Say what one unit can do in another metric."""

    metric: str
    unit_capacity: float
    tested_on: date
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropMetric(_Asked):
    """Count demand in it no more."""

    metric: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDemandSource(_Asked):
    """Have demand asked for day by day."""

    source: DemandSource


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDemandSource(_Asked):
    """Have it asked for no more."""

    reason: str
    metric: str = ""


@dataclass(frozen=True, slots=True)
class NoteDemandSource:
    """Note whether the source answered; *failure* is why not, or empty."""

    service: str
    source: DemandSource
    failure: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateDemand(_Asked):
    """Say what is expected before anything can be measured."""

    metric: str
    peak: float
    start: date
    growth_a_year: float
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetInorganic(_Asked):
    """Say what demand comes that no history foretells."""

    name: str
    title: str
    start: date
    until: date | None
    delta: float
    confidence: float
    metric: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveInorganic(_Asked):
    """Say that it will not come."""

    name: str
    reason: str
    metric: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSupply(_Asked):
    """Say what is there, and what a unit served in a load test."""

    supply: Supply


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUnits(_Asked):
    """Say that more units will come to a failure domain; said again otherwise, the order has changed."""

    order: str
    domain: str
    units: int
    arrives: date
    confidence: float
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeDelivery(_Asked):
    """Say that the units of an order are there; *units*: how many, if not all."""

    order: str
    units: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawOrder(_Asked):
    """Say that they will not come."""

    order: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan(_Asked):
    """Plan otherwise; the same plan again says that it was looked at and holds."""

    plan: Plan
    policy: CapacityPolicy
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeStrategy(_Asked):
    """Say for one side how the service should grow."""

    strategy: Strategy
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeStrategy(_Asked):
    """Agree for a side; *both_sides*: the service has an SRE team, whose word it takes."""

    side: Side
    both_sides: bool


@dataclass(frozen=True, slots=True)
class KeepForecast:
    """Keep what the history was found to foretell, unless another history has come meanwhile."""

    service: str
    found: ForecastMade | ForecastRefused
    at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """Look again whether there is enough: time has passed."""

    service: str
    at: datetime


Command = (
    ImportDemand
    | BoundMetric
    | DropMetric
    | SetDemandSource
    | RemoveDemandSource
    | NoteDemandSource
    | EstimateDemand
    | SetInorganic
    | RemoveInorganic
    | MeasureSupply
    | OrderUnits
    | TakeDelivery
    | WithdrawOrder
    | ChangePlan
    | ProposeStrategy
    | AgreeStrategy
    | KeepForecast
    | Look
)
