"""Who must do what about the capacity of a service, by when, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.lifecycle.domain.capacity.facts import stale, unfed
from services.lifecycle.domain.capacity.outlook import Outlook, missing, overdue
from services.lifecycle.domain.capacity.policy import CapacityPolicy
from services.lifecycle.domain.capacity.state import Capacity

_PARTS: Final = (("demand", "demand"), ("the load test is", "supply"), ("the load test of", "metrics"))


@dataclass(frozen=True, slots=True)
class CapacityStep:
    """What somebody must do; `team <name>` where it is a team's affair."""

    who: tuple[str, ...]
    what: str
    why: str
    path: str
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What capacity is looked at against: who owns the service, who helps to run it, the numbers, and now."""

    service: str
    owner_team: str
    sre_team: str
    policy: CapacityPolicy
    at: datetime

    @property
    def today(self) -> date:
        """The day."""
        return self.at.date()


def next_steps(state: Capacity, found: Outlook | None, around: Around) -> Iterator[CapacityStep]:
    """Who must do what about the capacity of a service, and why."""
    team = (f"team {around.owner_team}" if around.owner_team else "whoever owns the service",)
    both = (*team, f"team {around.sre_team}") if around.sre_team else team
    path, lacks = f"/v1/services/{around.service}/capacity", missing(state.basis)
    if "demand" in lacks:
        refused = state.basis.refused
        why = refused.detail if refused else "nobody knows what will be asked of it"
        yield CapacityStep(team, "import the demand so far, or estimate it", why, f"{path}/demand")
    if "supply" in lacks:
        yield CapacityStep(
            team, "run a load test, and say what is there", "nobody knows what a unit can do", f"{path}/supply"
        )
    if "plan" in lacks:
        yield CapacityStep(both, "agree how capacity is planned", "there is no plan", f"{path}/plan")
    for failing in (each.failing for each in state.by_metric.values() if each.failing):
        what = "mend the source of demand, or how it is asked"
        why = f"since {failing.at.date()} it gives nothing: {failing.detail}"
        yield CapacityStep(team, what, why, f"{path}/demand-source")
    for old in stale(state.basis, around.today, around.policy.stale_days.value):
        part = next((part for words, part in _PARTS if old.startswith(words)), "plan")
        why = f"{old}, more than {around.policy.stale_days.value:g} days ago ({around.policy.stale_days.source})"
        yield CapacityStep(team, f"bring the {part} up to date", why, f"{path}/{part}")
    for name in unfed(state.basis):
        what = f"import the demand in {name} so far, or estimate it"
        yield CapacityStep(team, what, "nobody knows whether it is what the plan is bounded by", f"{path}/demand")
    for late in overdue(state.basis, around.today):
        what = f"say that the {late.units} units of order {late.order} are there, or when they will be"
        why = f"they were to be in {late.domain} on {late.arrives}, and are not planned with any more"
        yield CapacityStep(team, what, why, f"{path}/orders/{late.order}", late.arrives)
    if found and found.shortfall:
        short = found.shortfall
        late = ", which is too late to be there in time" if short.order_by < around.today else ""
        what = f"order {short.needed - short.there} more for {short.domain}{late}"
        why = f"{short.domain} needs {short.needed} on {short.day}, and has {short.there}"
        yield CapacityStep(both, what, why, f"{path}/orders", short.order_by)
    yield from _about_strategy(state, around, both)


def _about_strategy(state: Capacity, around: Around, both: tuple[str, ...]) -> Iterator[CapacityStep]:
    path, proposed = f"/v1/services/{around.service}/capacity", state.proposed
    if proposed is None:
        yield CapacityStep(both, "agree how the service scales", "nobody has said", f"{path}/strategy")
    elif state.agreed is None:
        other = "sre" if proposed.side == "dev" else "dev"
        who = f"team {around.sre_team if other == 'sre' else around.owner_team}"
        waits = who if around.sre_team else f"anybody but {proposed.by}"
        why = f"{proposed.by} proposed edition {proposed.edition} for the {proposed.side} side"
        yield CapacityStep((waits,), "agree to the scaling strategy, or propose another", why, f"{path}/strategy:agree")
