"""What happens to the capacity of a service."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Side = Literal["dev", "sre"]
Source = Literal["json", "csv", "prometheus"]
Scaling = Literal["vertical", "horizontal", "automatic"]
Model = Literal["linear", "exponential", "holt-winters", "seasonal-naive"]
RefusalCode = Literal["too-little-history", "gaps", "mostly-zero", "not-reliable"]


@dataclass(frozen=True, slots=True)
class Domain:
    """A failure domain: its units, and the share of all demand that it must be able to carry."""

    name: str
    units: int
    share: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What one unit costs in a month."""

    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class Supply:
    """What is there; *unit_capacity* is the demand that one unit served in the load test of *tested_on*."""

    unit: str
    unit_capacity: float
    tested_on: date
    url: str
    domains: tuple[Domain, ...]
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How capacity is planned.

    Args:
        horizon_days: How far ahead a shortfall is looked for.
        lead_time_days: From an order to the day on which the units serve.
        spare: So many units more than needed in each failure domain (the k of N+k).
        utilisation: A unit is planned to be used up to this share of what it can do.
        headroom: The forecast peak is planned for with this share on top.
    """

    horizon_days: int
    lead_time_days: int
    spare: int
    utilisation: float
    headroom: float = 0.0


@dataclass(frozen=True, slots=True)
class Strategy:
    """How the service grows; *max_units* is how far it may go in each failure domain, None where nothing limits it."""

    kind: Scaling
    trigger: str
    min_units: int
    max_units: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class DemandImported:
    """The highest demand of each day from *first* on; null: the import changed nothing about that day."""

    service: str
    metric: str
    source: Source
    query: str
    first: date
    peaks: tuple[float | None, ...]
    replaces: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to show who asks; the secret is the name of a file, never what is in it."""

    kind: Literal["none", "basic", "bearer"] = "none"
    username: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandSource:
    """A Prometheus that is asked for the demand of every day that is over.

    Args:
        address: Up to where /api/v1 begins.
        query: Gives one series.
        metric: What demand is counted in.
        step_s: Between two points; of each day the highest counts.
        since: The first day that is asked for.
        credentials: How to show who asks.
    """

    address: str
    query: str
    metric: str
    step_s: int
    since: date
    credentials: Credentials = Credentials()


@dataclass(frozen=True, slots=True)
class DemandSourceSet:
    """Demand is asked for day by day from now on."""

    service: str
    source: DemandSource
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DemandSourceRemoved:
    """It is asked for no more."""

    service: str
    reason: str
    by: str
    at: datetime
    metric: str = ""  # empty: the first one


@dataclass(frozen=True, slots=True)
class DemandSourceFailed:
    """It gave no usable answer; told once until it does, or fails otherwise."""

    service: str
    detail: str
    at: datetime
    metric: str = ""  # empty: the first one


@dataclass(frozen=True, slots=True)
class DemandSourceRecovered:
    """It answers again."""

    service: str
    at: datetime
    metric: str = ""  # empty: the first one


@dataclass(frozen=True, slots=True)
class MetricBounded:
    """Demand is counted in this metric, too: so much of it one unit served in the load test of *tested_on*."""

    service: str
    metric: str
    unit_capacity: float
    tested_on: date
    url: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MetricDropped:
    """Demand is not counted in this metric any more; what was known of it is forgotten."""

    service: str
    metric: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DemandEstimated:
    """What demand is expected before anything is measured: *peak* from *start* on, growing by a share a year."""

    service: str
    metric: str
    peak: float
    start: date
    growth_a_year: float
    basis: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InorganicSet:
    """Demand that no history foretells: *delta* from *start* until *until*, or for good."""

    service: str
    name: str
    title: str
    start: date
    until: date | None
    delta: float
    confidence: float
    by: str
    at: datetime
    metric: str = ""  # empty: the first one


@dataclass(frozen=True, slots=True)
class InorganicRemoved:
    """It will not come."""

    service: str
    name: str
    reason: str
    by: str
    at: datetime
    metric: str = ""  # empty: the first one


@dataclass(frozen=True, slots=True)
class SupplyMeasured:
    """What is there, and what a unit can do."""

    service: str
    supply: Supply
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UnitsOrdered:
    """Units that will be there on *arrives*, as far as one can tell; *confidence* of them is planned with."""

    service: str
    order: str
    domain: str
    units: int
    arrives: date
    confidence: float
    note: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UnitsArrived:
    """So many of them are there now, and serve."""

    service: str
    order: str
    domain: str
    units: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderWithdrawn:
    """They will not come."""

    service: str
    order: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """Capacity is planned otherwise from now on, or the plan was looked at and holds."""

    service: str
    plan: Plan
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StrategyProposed:
    """One side says how the service should grow."""

    service: str
    edition: int
    strategy: Strategy
    side: Side
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StrategyAgreed:
    """The other side, or where there is none another person, agrees: the edition is in force."""

    service: str
    edition: int
    strategy: Strategy
    side: Side
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Backtest:
    """How well a model foretold the last days of the history from those before.

    Args:
        days: So many were held back.
        mape: The mean of how far a day was off, as a share of that day.
        naive_mape: The same of a forecast that repeats the last week, or with two years of history the last year.
        worst_under: By which share of the forecast the worst day lay above it.
    """

    days: int
    mape: float
    naive_mape: float
    worst_under: float


@dataclass(frozen=True, slots=True)
class ForecastMade:
    """How demand goes on by itself: the highest of each week after *until*, the last day of the history."""

    service: str
    model: Model
    yearly: bool
    history: int
    until: date
    backtest: Backtest
    growth_a_year: float
    weeks: tuple[float, ...]
    imports: int
    at: datetime
    metric: str = ""  # empty: the first one


@dataclass(frozen=True, slots=True)
class ForecastRefused:
    """The history allows no forecast that is worth its name."""

    service: str
    code: RefusalCode
    detail: str
    until: date
    backtest: Backtest | None
    imports: int
    at: datetime
    metric: str = ""  # empty: the first one


@dataclass(frozen=True, slots=True)
class ShortfallForecast:
    """From *shortfall_on* on a failure domain has too few units, unless more are ordered by *order_by*."""

    service: str
    shortfall_on: date
    order_by: date
    domain: str
    needed: int
    there: int
    at: datetime
    metric: str = ""  # that runs short; empty: the first one


@dataclass(frozen=True, slots=True)
class ShortfallCleared:
    """There is enough for the whole horizon again."""

    service: str
    at: datetime


Event = (
    DemandImported
    | DemandSourceSet
    | DemandSourceRemoved
    | DemandSourceFailed
    | DemandSourceRecovered
    | MetricBounded
    | MetricDropped
    | DemandEstimated
    | InorganicSet
    | InorganicRemoved
    | SupplyMeasured
    | UnitsOrdered
    | UnitsArrived
    | OrderWithdrawn
    | PlanChanged
    | StrategyProposed
    | StrategyAgreed
    | ForecastMade
    | ForecastRefused
    | ShortfallForecast
    | ShortfallCleared
)
