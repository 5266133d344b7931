"""What comes in about capacity."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from fastapi import Query
from pydantic import ConfigDict, Field, HttpUrl, model_validator
from pydantic_core import PydanticCustomError

from libs.web.schemas import Body, Line, Moment, Name, Text, example
from services.lifecycle.api.checkpoints.checkpoint_plan_schemas import Id
from services.lifecycle.domain.capacity.events import (
    Cost,
    Credentials,
    DemandSource,
    Domain,
    Plan,
    Scaling,
    Side,
    Strategy,
    Supply,
)

Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]
Delta = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
PerUnit = Annotated[float, Field(ge=1e-9, le=1e15, allow_inf_nan=False)]
Units = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Metric = Annotated[Line, Field(description="What demand is counted in, such as requests per second.")]
InMetric = Annotated[
    str, Query(max_length=500, description="Of which metric, if demand is counted in several; the first, unless given.")
]
Replace = Annotated[bool, Field(description="Forget the history so far; to count in another metric it takes this.")]


class Point(Body):
    """Demand at a time, or the highest of a day."""

    at: date | Moment
    value: Amount


class ImportPoints(Body):
    """Demand over time; of each day the highest point counts."""

    model_config = example(
        metric="requests per second",
        points=[{"at": "2026-11-19", "value": 812.5}, {"at": "2026-11-20T14:00:00Z", "value": 840}],
    )

    metric: Metric
    points: Annotated[list[Point], Field(min_length=1, max_length=20_000)]
    replace: Replace = False


class SourceAuth(Body):
    """How to show who asks; a secret is named, never sent."""

    kind: Literal["none", "basic", "bearer"] = "none"
    username: Annotated[str, Field(max_length=200, description="Of basic.")] = ""
    secret: Annotated[
        str, Field(max_length=253, description="The name of a file in the service's folder of secrets.")
    ] = ""

    @property
    def credentials(self) -> Credentials:
        """As they are kept."""
        return Credentials(self.kind, self.username, self.secret)


class SetDemandSource(Body):
    """Which Prometheus is asked for the demand of every day that is over."""

    model_config = example(
        address="https://prometheus.example.com",
        query='sum(rate(http_requests_total{job="checkout-api"}[5m]))',
        metric="requests per second",
        since="2026-01-01",
        auth={"kind": "bearer", "secret": "prometheus-token"},
    )

    address: Annotated[HttpUrl, Field(description="Up to where /api/v1 begins; a host of CONCORDAT_SOURCE_HOSTS.")]
    query: Annotated[str, Field(min_length=1, max_length=10_000, description="PromQL that gives one series.")]
    metric: Metric
    since: Annotated[date, Field(description="The first day that is asked for.")]
    step_s: Annotated[int, Field(strict=True, ge=60, le=86_400)] = 3_600
    auth: SourceAuth = SourceAuth()

    @property
    def source(self) -> DemandSource:
        """As it is kept."""
        return DemandSource(
            address=str(self.address),
            query=self.query,
            metric=self.metric,
            step_s=self.step_s,
            since=self.since,
            credentials=self.auth.credentials,
        )


class ImportPrometheus(Body):
    """Which range query gives the demand."""

    model_config = example(
        address="https://prometheus.example.com",
        query='sum(rate(http_requests_total{job="checkout-api"}[5m]))',
        metric="requests per second",
        since="2026-01-01T00:00:00Z",
        step_s=3600,
    )

    address: Annotated[HttpUrl, Field(description="Up to where /api/v1 begins; a host of CONCORDAT_SOURCE_HOSTS.")]
    query: Annotated[str, Field(min_length=1, max_length=10_000, description="PromQL that gives one series.")]
    metric: Metric
    since: Moment
    until: Annotated[Moment | None, Field(description="Now unless given; a day that is not over is left out.")] = None
    step_s: Annotated[int, Field(strict=True, ge=60, le=86_400)] = 3_600
    auth: SourceAuth = SourceAuth()
    replace: Replace = False


class EstimateDemand(Body):
    """What is expected before anything can be measured, and where the number comes from."""

    model_config = example(
        metric="requests per second",
        peak=200,
        start="2027-01-15",
        growth_a_year=0.5,
        basis="as many shops as wiki.example/launch names, at the rate of the old cart",
    )

    metric: Metric
    peak: Positive
    start: date
    growth_a_year: Annotated[float, Field(ge=-0.99, le=10, allow_inf_nan=False)] = 0.0
    basis: Annotated[Text, Field(min_length=1)]


class SetInorganic(Body):
    """Demand that no history foretells: a launch, a campaign, a large customer who comes or goes."""

    model_config = example(title="Launch in France", start="2027-02-01", delta=300, confidence=0.8, until="2027-02-28")

    title: Line
    start: date
    until: Annotated[date | None, Field(description="The last day; for good unless given.")] = None
    delta: Annotated[Delta, Field(description="What it adds to the peak of a day; negative if it takes away.")]
    confidence: Annotated[Share, Field(description="How likely it is; this share of the delta is planned for.")]


class BoundMetric(Body):
    """What one unit can do in another metric, such as memory or requests of another kind."""

    model_config = example(unit_capacity=8, tested_on="2026-11-12", url="https://ci.example/load-tests/31")

    unit_capacity: PerUnit
    tested_on: date
    url: Annotated[HttpUrl, Field(description="Where the load test can be seen.")]


class FailureDomain(Body):
    """Units that fail together, such as a zone."""

    name: Name
    units: Units
    share: Annotated[
        Share | None,
        Field(description="Of all demand that it must be able to carry; in equal parts unless given."),
    ] = None


class UnitCost(Body):
    """What one unit costs in a month."""

    amount: Amount
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, such as EUR.")]


@dataclass(frozen=True, slots=True)
class LoadTested:
    """What one unit served, when, and where that can be seen."""

    unit_capacity: float
    on: date
    url: str


class MeasureSupply(Body):
    """What is there, and what one unit served in a load test: the checkpoint that tells it, or its three figures."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "unit": "pod of 4 cores",
                    "unit_capacity": 120,
                    "tested_on": "2026-11-12",
                    "url": "https://ci.example/load-tests/31",
                    "domains": [{"name": "zone-a", "units": 6}, {"name": "zone-b", "units": 6}],
                    "cost": {"amount": 85, "currency": "EUR"},
                },
                {
                    "unit": "pod of 4 cores",
                    "load_test": "0193492c-0000-7000-8000-000000000031",
                    "domains": [{"name": "zone-a", "units": 6}, {"name": "zone-b", "units": 6}],
                },
            ]
        }
    )

    unit: Line
    load_test: Id | None = Field(default=None, description="A checkpoint that passed and says how many units bore it.")
    unit_capacity: PerUnit | None = Field(default=None, description="In what demand is counted in.")
    tested_on: date | None = None
    url: HttpUrl | None = Field(default=None, description="Where the load test can be seen.")
    domains: Annotated[list[FailureDomain], Field(min_length=1, max_length=50)]
    cost: UnitCost | None = None

    @model_validator(mode="after")
    def _told_once(self) -> "MeasureSupply":
        told = [self.unit_capacity, self.tested_on, self.url]
        if any(told) if self.load_test else not all(told):
            kind, message = "supply", "send load_test alone, or unit_capacity, tested_on and url"
            raise PydanticCustomError(kind, message)
        return self

    def tested(self) -> LoadTested | None:
        """What one unit served, unless a checkpoint has to tell it."""
        if self.unit_capacity is None or self.tested_on is None:
            return None
        return LoadTested(self.unit_capacity, self.tested_on, str(self.url))

    def supply(self, tested: LoadTested) -> Supply:
        """As it is kept."""
        equal = 1 / len(self.domains)
        return Supply(
            self.unit,
            tested.unit_capacity,
            tested.on,
            tested.url,
            tuple(Domain(each.name, each.units, each.share or equal) for each in self.domains),
            Cost(self.cost.amount, self.cost.currency) if self.cost else None,
        )


class OrderUnits(Body):
    """Units that are ordered and not there yet."""

    model_config = example(
        domain="zone-a", units=4, arrives="2027-01-15", confidence=0.8, note="https://orders.example/7"
    )

    domain: Annotated[Name, Field(description="The failure domain that they come to.")]
    units: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    arrives: Annotated[date, Field(description="The first day on which they serve.")]
    confidence: Annotated[Share, Field(description="How likely that is; this share of them is planned with.")] = 1.0
    note: Text = ""


class TakeDelivery(Body):
    """Which of the units are there."""

    model_config = example(units=4)

    units: Annotated[
        int | None, Field(strict=True, ge=0, le=1_000_000, description="How many; all of them, unless given.")
    ] = None


class ChangePlan(Body):
    """How capacity is planned."""

    model_config = example(
        horizon_days=365, lead_time_days=42, spare=2, utilisation=0.6, headroom=0.1, reason="quarterly planning"
    )

    horizon_days: Annotated[int, Field(strict=True, ge=1, le=10_000)]
    lead_time_days: Annotated[int, Field(strict=True, ge=0, le=10_000, description="From an order until it serves.")]
    spare: Annotated[int, Field(strict=True, ge=0, le=1_000, description="The k of N+k, in each failure domain.")]
    utilisation: Annotated[
        float, Field(ge=0.01, le=1, allow_inf_nan=False, description="A unit is planned to be used up to this share.")
    ]
    headroom: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False, description="On top of the peak.")] = 0.0
    reason: Text = ""

    @property
    def plan(self) -> Plan:
        """As it is kept."""
        return Plan(self.horizon_days, self.lead_time_days, self.spare, self.utilisation, self.headroom)


class OfSide(Body):
    """For which side this is said."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"side": "sre"}]})

    side: Side


class ProposeStrategy(OfSide):
    """How a service should grow."""

    model_config = example(
        side="dev", kind="automatic", trigger="CPU above 60 % for 5 minutes", min_units=2, max_units=12
    )

    kind: Scaling
    trigger: Annotated[Text, Field(description="What makes it grow; asked of what scales by itself.")] = ""
    min_units: Units = 0
    max_units: Annotated[Units | None, Field(description="How far it may go in each failure domain.")] = None
    text: Text = ""

    @property
    def strategy(self) -> Strategy:
        """As it is kept."""
        return Strategy(self.kind, self.trigger, self.min_units, self.max_units, self.text)
