"""What is defined by OpenSLO documents, every reference followed: arithmetic and alerts start from here.

Numbers are exact: what was written in decimal is a ratio of integers. Lengths are minutes; as in the go-sdk a month
that is a length has 30 days, while calendar windows keep their unit.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from services.slo.domain.error_budget import Target
from services.slo.domain.windows import Window

Method = Literal["Occurrences", "Timeslices", "RatioTimeslices"]
Missing = Literal["good", "bad", "ignore"]
Operator = Literal["gt", "lt", "gte", "lte"]
_COMPARED: Mapping[Operator, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "lt": operator.lt,
    "gte": operator.ge,
    "lte": operator.le,
}

_SHORT = 12  # long windows are so many short ones: 1 h and 5 min, 6 h and 30 min, 3 d and 6 h (SRE Workbook, ch. 5)
_PAGE = frozenset({"page", "critical", "high", "urgent", "fatal", "sev1", "sev2", "p0", "p1"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where a metric comes from.

    Args:
        name: Of the DataSource; empty where the metric names none.
        type: Such as `Prometheus`, `concordat` (pushed), or one that Concordat cannot poll; may be empty.
        connection: The DataSource's `connectionDetails`.
    """

    name: str = ""
    type: str = ""
    connection: object = None


@dataclass(frozen=True, slots=True)
class Metric:
    """A query, or whatever `spec` holds for a source of its type."""

    source: Source
    spec: Mapping[str, Any]

    @property
    def query(self) -> str:
        """The text of the query; empty where the spec has none."""
        query = self.spec.get("query")
        return query if isinstance(query, str) else ""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Good or bad events out of all; *counter*: they only grow (until they start anew)."""

    total: Metric
    good: Metric | None
    bad: Metric | None
    counter: bool


@dataclass(frozen=True, slots=True)
class RawRatio:
    """A ratio that the source has already divided: of successes or of failures."""

    raw: Metric
    means: Literal["success", "failure"]
    counter: bool


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value that each objective compares with its own limit."""

    metric: Metric


@dataclass(frozen=True, slots=True)
class Indicator:
    """An SLI."""

    name: str
    display_name: str
    description: str
    measure: Ratio | RawRatio | Threshold

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Its metrics by their OpenSLO names, such as `good` and `total`."""
        match self.measure:
            case Ratio(total=total, good=good, bad=bad):
                held = {"total": total, "good": good, "bad": bad}
            case RawRatio(raw=raw):
                held = {"raw": raw}
            case Threshold(metric=metric):
                held = {"threshold": metric}
        return {name: metric for name, metric in held.items() if metric}


@dataclass(frozen=True, slots=True)
class Slices:
    """How Timeslices and RatioTimeslices cut time; *target*: what makes a slice good (equal is good)."""

    length_min: int
    target: Fraction | None


@dataclass(frozen=True, slots=True)
class Limit:
    """What a threshold metric's value must be to be good: `lte 0.2`."""

    op: Operator
    value: Fraction

    def holds(self, value: Decimal) -> bool:
        """Whether *value*, any number or infinite, is good; compared exactly."""
        exact = Fraction(value) if value.is_finite() else float(value)
        return _COMPARED[self.op](exact, self.value)


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a composite SLO.

    Args:
        of: An indicator of its own, or the name of another SLO.
        weight: Beside the other components'.
        missing: What minutes count as in which its measurements are missing.
        delay_min: For so long they are waited for.
        method: By which its SLI is made of events; None in documents of the first version of this service.
        slices: For the two methods that have slices.
        parts: The components of another SLO that is a composite itself.
    """

    of: Indicator | str
    weight: Fraction
    missing: Missing = "ignore"
    delay_min: int = 0
    method: Method | None = None
    slices: Slices | None = None
    parts: "tuple[Component, ...]" = ()

    @property
    def name(self) -> str:
        """Of the indicator or the SLO."""
        return self.of if isinstance(self.of, str) else self.of.name

    @property
    def leaves(self) -> int:
        """How many components are measured, on all levels."""
        return sum(part.leaves for part in self.parts) or 1


@dataclass(frozen=True, slots=True)
class Objective:
    """One target.

    Args:
        display_name: What people read; may be empty.
        target: The least ratio of good to all.
        slices: For the two methods that have slices.
        limit: For a threshold metric.
        component: In a composite SLO.
    """

    display_name: str
    target: Target
    slices: Slices | None = None
    limit: Limit | None = None
    component: Component | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A tier: an alert condition on the burn rate over `lookback_min`.

    Args:
        name: Of the AlertCondition.
        severity: As it was written.
        op: How the burn rate compares with the factor while the alert is on.
        factor: The burn rate.
        lookback_min: The long window.
        after_min: How long it must hold before the alert fires.
        description: What people read; may be empty.
    """

    name: str
    severity: str
    op: Operator
    factor: Fraction
    lookback_min: int
    after_min: int
    description: str

    @property
    def short_min(self) -> int:
        """The short window, which lets the alert clear soon after: a twelfth of the long one."""
        return max(1, self.lookback_min // _SHORT)

    @property
    def urgency(self) -> Literal["page", "ticket"]:
        """Whether somebody is called: OpenSLO leaves the words of a severity free."""
        return "page" if self.severity.lower() in _PAGE else "ticket"


@dataclass(frozen=True, slots=True)
class Notification:
    """An AlertNotificationTarget: who or what hears of an alert."""

    name: str
    target: str
    description: str


@dataclass(frozen=True, slots=True)
class Policy:
    """An AlertPolicy, with its tiers."""

    name: str
    display_name: str
    description: str
    when_no_data: bool
    when_breaching: bool
    when_resolved: bool
    conditions: tuple[Condition, ...]
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """An SLO.

    Args:
        name: Its key.
        display_name: What people read; may be empty.
        description: May be empty.
        service: Whose reliability it is about.
        method: How events become an SLI.
        window: The period of the budget.
        indicator: What is measured; None in a composite, where each objective has its own.
        objectives: At least one.
        policies: Without any, the default tiers apply.
        labels: Each with its values.
        annotations: As they were given.
    """

    name: str
    display_name: str
    description: str
    service: str
    method: Method
    window: Window
    indicator: Indicator | None
    objectives: tuple[Objective, ...]
    policies: tuple[Policy, ...]
    labels: Mapping[str, tuple[str, ...]]
    annotations: Mapping[str, str]

    @property
    def target(self) -> Target:
        """Of the first objective; of a composite the mean of all, weighed as their SLIs are.

        So a composite's budget is that of its components together, and if each just keeps its target, so does it.
        """
        held = [(each.component.weight, each.target) for each in self.objectives if each.component]
        return weighed_target(held) if self.composite and held else self.objectives[0].target

    @property
    def indicators(self) -> Mapping[str, tuple[Indicator, Limit | None]]:
        """What is measured, by what measurements of it are sent as, with the limit of a threshold metric.

        That is the SLO's name, or in a composite `checkout-journey.cart` for each indicator that is its own.
        """
        if self.indicator is not None:
            return {self.name: (self.indicator, self.objectives[0].limit)}
        return {
            f"{self.name}.{each.component.name}": (each.component.of, each.limit)
            for each in self.objectives
            if each.component and isinstance(each.component.of, Indicator)
        }

    @property
    def composite(self) -> bool:
        """Whether it is weighed from components."""
        return self.indicator is None


def weighed_target(targets: Sequence[tuple[Fraction, Target]]) -> Target:
    """The mean of *targets*, each with its weight."""
    whole = sum((weight for weight, _ in targets), Fraction())
    mean = sum((weight * Fraction(target.p, target.q) for weight, target in targets), Fraction()) / whole
    return Target(mean.numerator, mean.denominator)
