"""What comes in and goes out about what services rely on."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import ConfigDict, Field

from libs.web.schemas import Body, Name, Text
from services.lifecycle.domain.dependencies.decider import Dependencies
from services.lifecycle.domain.dependencies.events import Criticality, DependencyDeclared
from services.lifecycle.domain.dependencies.graph import Reached
from services.lifecycle.domain.phases import Phase


class DependencyBody(Body):
    """How a service relies on another."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "criticality": "soft",
                    "slo": "search-availability",
                    "failure_behaviour": "shows the most popular products instead, from a cache of an hour",
                }
            ]
        }
    )

    criticality: Criticality = Field(description="`hard`: without it the service fails; `soft`: it does less.")
    slo: Name | None = Field(default=None, description="The SLO of the other that the service relies on.")
    failure_behaviour: Text = Field(default="", description="What the service does while the other fails.")


@dataclass(frozen=True, slots=True)
class DependencyView:
    """How a service relies on another; `missing` is what gates will ask for."""

    service: str
    on: str
    criticality: Criticality
    slo: str | None
    failure_behaviour: str
    missing: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConfirmedView:
    """Somebody said that the list is complete, and nothing has changed since."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DependenciesView:
    """All that a service relies on directly, by name."""

    service: str
    items: tuple[DependencyView, ...]
    confirmed: ConfirmedView | None
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class ReachedView:
    """A service of the graph, and the shortest way to it; `hard` when each step is a hard dependency."""

    service: str
    hard: bool
    path: tuple[str, ...]
    owner_team: str | None
    tier: int | None
    phase: Phase


@dataclass(frozen=True, slots=True)
class WarningView:
    """Something about the graph that somebody should do something about, and why."""

    code: str
    detail: str
    what: str
    who: str | None


@dataclass(frozen=True, slots=True)
class GraphView:
    """Where a service stands among those it relies on and those that rely on it, over any number of steps.

    `fails_too` counts those that fail when the service does.
    """

    service: str
    relies_on: tuple[ReachedView, ...]
    relied_on_by: tuple[ReachedView, ...]
    fails_too: int
    cycle: tuple[str, ...]
    warnings: tuple[WarningView, ...]


def dependencies_view(service: str, state: Dependencies) -> DependenciesView:
    """All of a service's dependencies as they are answered."""
    confirmed = state.confirmed
    return DependenciesView(
        service=service,
        items=tuple(dependency_view(state.on[name]) for name in sorted(state.on)),
        confirmed=ConfirmedView(confirmed.by, confirmed.at) if confirmed else None,
    )


def dependency_view(event: DependencyDeclared) -> DependencyView:
    """A dependency as it is answered."""
    missing = {"slo": event.slo, "failure_behaviour": event.failure_behaviour}
    return DependencyView(
        service=event.service,
        on=event.on,
        criticality=event.criticality,
        slo=event.slo or None,
        failure_behaviour=event.failure_behaviour,
        missing=tuple(name for name, value in missing.items() if not value),
        by=event.by,
        at=event.at,
    )


def reached_view(reached: Reached, row: tuple[str, int, str]) -> ReachedView:
    """A service of the graph as it is answered; *row* is its owner, tier and phase."""
    owner, tier, phase = row
    return ReachedView(reached.service, reached.hard, reached.path, owner or None, tier or None, Phase(phase))
