"""What a gate knows of a service's capacity."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from services.lifecycle.domain.capacity.outlook import Outlook, look, missing
from services.lifecycle.domain.capacity.state import Basis


@dataclass(frozen=True, slots=True)
class Cover:
    """Whether capacity covers the demand of a time to come, and why it is thought so.

    `unknown`: something is missing or too old, or demand is only estimated; `outlook` is what was looked at.
    """

    state: Literal["covered", "short", "unknown"]
    detail: str
    until: date | None = None
    outlook: Outlook | None = None


@dataclass(frozen=True, slots=True)
class CapacityFacts:
    """The capacity of a service."""

    basis: Basis

    @property
    def demand_known(self) -> str:
        """Where a first idea of the demand comes from; empty: there is none."""
        basis = self.basis
        if basis.measured_until:
            return f"{basis.metric} measured until {basis.measured_until}"
        if basis.estimate:
            return (
                f"{basis.estimate.peak:g} {basis.metric} from {basis.estimate.start}, estimated: {basis.estimate.basis}"
            )
        return ""

    def cover(self, today: date, *, least_days: int, spare: int, stale_days: int) -> Cover:
        """Whether there is enough for the longer of *least_days* and the lead time, with *spare* units per domain.

        Args:
            today: From when on.
            least_days: For so long at least, such as six months.
            spare: The k of N+k that is asked for; a plan that keeps more is held to its own.
            stale_days: A load test, a plan and the last day of demand that is older counts no more.
        """
        basis = self.basis
        if lacks := [*missing(basis), *(f"demand in {name}" for name in unfed(basis))]:
            return Cover("unknown", f"nobody has said: {', '.join(lacks)}")
        if old := stale(basis, today, stale_days):
            return Cover("unknown", "; ".join(old))
        assert basis.plan is not None  # noqa: S101  not missing
        plan = basis.plan.plan
        days = max(least_days, plan.lead_time_days)
        asked = replace(plan, horizon_days=days, spare=max(spare, plan.spare))
        found, until = look(basis, today, plan=asked), today + timedelta(days=days)
        if found is None or any(each.forecast is None for each in basis.by_metric.values()):
            return Cover("unknown", "demand is estimated, not yet forecast from a history", until, found)
        if found.shortfall is None:
            return Cover("covered", f"enough until {until} with N+{asked.spare}", until, found)
        short = found.shortfall
        detail = f"{short.domain} needs {short.needed} units on {short.day} with N+{asked.spare}, and has {short.there}"
        return Cover("short", f"{detail}; order by {short.order_by}", until, found)


def unfed(basis: Basis) -> tuple[str, ...]:
    """The other metrics of which no demand is known, so that nobody can say whether they are the tightest."""
    return tuple(name for name, each in basis.others.items() if each.forecast is None and each.estimate is None)


def stale(basis: Basis, today: date, stale_days: float) -> tuple[str, ...]:
    """What is too old to count, in words."""
    found: list[str] = []
    if basis.forecast and (today - basis.forecast.until).days > stale_days:
        found.append(f"demand was last measured on {basis.forecast.until}")
    if basis.supply and (today - basis.supply.supply.tested_on).days > stale_days:
        found.append(f"the load test is of {basis.supply.supply.tested_on}")
    for name, other in basis.others.items():
        if other.forecast and (today - other.forecast.until).days > stale_days:
            found.append(f"demand in {name} was last measured on {other.forecast.until}")
        if other.bound and (today - other.bound.tested_on).days > stale_days:
            found.append(f"the load test of {name} is of {other.bound.tested_on}")
    if basis.plan and (today - basis.plan.at.date()).days > stale_days:
        found.append(f"the plan was last looked at on {basis.plan.at.date()}")
    return tuple(found)
