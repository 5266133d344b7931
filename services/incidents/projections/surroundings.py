"""What other services say of those that incidents happen to: deployments, who answers for them, budgets, risks.

One row for each thing, of whatever kind, so that all of it is heard by one consumer and looked up in one table.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Text, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry

_TOLD_DAILY: Final = timedelta(days=3)  # of a budget at the least; what is older says nothing any more
ASSESSMENTS_KEPT: Final = 1_000  # of an SLO: years of quiet, or sixteen hours in which every minute costs a point
BEFORE: Final = timedelta(hours=1)  # a deployment so long before the impact may be its cause


@dataclass(frozen=True, slots=True)
class Registered:
    """What is read of a service's registration."""

    service: str
    phase: str
    owner_team: str = ""
    catalogue: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Changed:
    """What is read when a service is described otherwise; of its links and code only when these have changed."""

    service: str
    owner_team: str
    catalogue: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """What is read when a service comes to another phase."""

    service: str
    to_phase: str


@dataclass(frozen=True, slots=True)
class Depends:
    """What is read of a dependency."""

    service: str
    on: str
    criticality: str = ""
    failure_behaviour: str = ""


@dataclass(frozen=True, slots=True)
class DependsNoMore:
    """What is read of its end."""

    service: str
    on: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is read of a deployment to production."""

    deployment: str
    service: str
    at: datetime
    version: str = ""
    result: str = ""
    url: str = ""
    by: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What is read when a deployment is taken back."""

    deployment: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RiskProposed:
    """What is read of an entry of the risk register."""

    risk: str
    service: str
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Assessed:
    """What is read of an error budget."""

    slo: str
    service: str
    state: str
    at: datetime
    error_budget_remaining: float | None = None


class Known(NamedTuple):
    """One thing that is known of a service."""

    kind: str
    subject: str
    at: datetime
    data: Mapping[str, Any]


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("kind", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("subject", Text, nullable=False),  # what it is of: a deployment, an SLO, another service
        Column("at", Instant(), nullable=False),
        Column("data", Json(), nullable=False),
    )


def _keys(*kinds: str, name: str = "") -> Callable[[Any, Recorded], Sequence[Key]]:
    """A row of each kind: the one of what *name* names, else one of its own for each event."""

    def keys(event: Any, recorded: Recorded) -> Sequence[Key]:  # noqa: ANN401  any of those above
        key = getattr(event, name) if name else str(recorded.event_id)
        return tuple((kind, event.service if kind == "links" else key) for kind in kinds)

    return keys


def _row(key: Key, service: str, subject: str, at: datetime, **data: object) -> Row:
    return {"kind": key[0], "key": key[1], "service": service, "subject": subject, "at": at, "data": data}


def _described(row: Row | None, event: Registered | Changed, recorded: Recorded, key: Key) -> Row | None:
    at = recorded.occurred_at
    match key[0]:
        case "phase":
            return _row(key, event.service, getattr(event, "phase", ""), at)
        case "team":
            return _row(key, event.service, event.owner_team, at)
        case _ if event.catalogue is None:
            return row
        case _:
            links, code = event.catalogue.get("links", []), event.catalogue.get("code", [])
            return _row(key, event.service, "", at, links=links, code=code)


def _moved(_: Row | None, event: PhaseChanged, recorded: Recorded, key: Key) -> Row:
    return _row(key, event.service, event.to_phase, recorded.occurred_at)


def _dependency(event: Depends | DependsNoMore, _: Recorded) -> Sequence[Key]:
    return (("dependency", f"{event.service}/{event.on}"),)


def _depends(_: Row | None, event: Depends, recorded: Recorded, key: Key) -> Row:
    said = {"criticality": event.criticality, "failure_behaviour": event.failure_behaviour}
    return _row(key, event.service, event.on, recorded.occurred_at, **said)


def _depends_no_more(_: Row | None, __: DependsNoMore, ___: Recorded, ____: Key) -> None:
    return None


def _deployed(_: Row | None, event: Deployed, __: Recorded, key: Key) -> Row:
    said = {"result": event.result, "url": event.url, "by": event.by}
    said |= {"version": event.version, "summary": event.summary}
    return _row(key, event.service, event.deployment, event.at, **said, rolled_back_at=None, reason="")


def _rolled_back(row: Row | None, event: RolledBack, _: Recorded, __: Key) -> Row | None:
    taken_back = {"rolled_back_at": event.at.isoformat(), "reason": event.reason}
    return row and row | {"data": row["data"] | taken_back}


def _of_deployment(event: Deployed | RolledBack, _: Recorded) -> Sequence[Key]:
    return (("deployment", event.deployment),)


def _assessed(_: Row | None, event: Assessed, __: Recorded, key: Key) -> Row:
    return _row(key, event.service, event.slo, event.at, state=event.state, remaining=event.error_budget_remaining)


def _of_budget(event: Assessed, recorded: Recorded) -> Sequence[Key]:
    """How the SLO is, and one row of a ring: what is told now takes the place of what was told long ago."""
    return (("budget", f"{event.slo}/{recorded.version % ASSESSMENTS_KEPT}"), ("slo", event.slo))


def _proposed(_: Row | None, event: RiskProposed, __: Recorded, key: Key) -> Row:
    return _row(key, event.service, event.risk, event.at, title=event.title)


SURROUNDINGS: Final = Projection(
    name="surroundings",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.lifecycle.service.registered.v1": Registered,
            "io.concordat.lifecycle.service.changed.v1": Changed,
            "io.concordat.lifecycle.service.phase-changed.v1": PhaseChanged,
            "io.concordat.lifecycle.dependency.declared.v1": Depends,
            "io.concordat.lifecycle.dependency.removed.v1": DependsNoMore,
            "io.concordat.lifecycle.deployment.recorded.v1": Deployed,
            "io.concordat.lifecycle.deployment.rolled-back.v1": RolledBack,
            "io.concordat.lifecycle.risk.proposed.v1": RiskProposed,
            "io.concordat.slo.budget.assessed.v1": Assessed,
        }
    ),
    folds={
        Registered: Fold(_keys("phase", "team", "links"), _described),
        Changed: Fold(_keys("team", "links"), _described),
        PhaseChanged: Fold(_keys("phase"), _moved),
        Depends: Fold(_dependency, _depends),
        DependsNoMore: Fold(_dependency, _depends_no_more),
        Deployed: Fold(_of_deployment, _deployed),
        RolledBack: Fold(_of_deployment, _rolled_back),
        RiskProposed: Fold(_keys("risk", name="risk"), _proposed),
        Assessed: Fold(_of_budget, _assessed),
    },
    sources=("lifecycle", "slo"),
    indexes=(("service", "kind", "at"),),
    version=3,
)
_C: Final = SURROUNDINGS.view.c
_FIELDS: Final = (_C.kind, _C.subject, _C.at, _C.data)


def deployment_named(connection: Connection, deployment: str) -> tuple[str, str] | None:
    """The service and the version of *deployment*; None: nobody has told of it."""
    query = select(_C.service, _C.data).where(_C.kind == "deployment", _C.key == deployment)
    row = connection.execute(query).first()
    return None if row is None else (row[0], row[1]["version"])


def unknown_risks(connection: Connection, risks: Collection[str]) -> list[str]:
    """Those of *risks* that nobody has told of, in their order."""
    told = set(connection.execute(select(_C.key).where(_C.kind == "risk", _C.key.in_(risks))).scalars())
    return [risk for risk in risks if risk not in told]


def known_between(
    connection: Connection, services: Collection[str], kinds: Collection[str], since: datetime, until: datetime
) -> list[Known]:
    """What of *kinds* is known of *services* in [since, until], the oldest first."""
    query = select(*_FIELDS).where(_C.service.in_(services), _C.kind.in_(kinds), _C.at >= since, _C.at <= until)
    return [Known(*row) for row in connection.execute(query.order_by(_C.at, _C.key))]


def known_of(connection: Connection, service: str, kind: str, most: int = 200) -> list[Known]:
    """What of *kind* is known of *service*, the newest first."""
    query = select(*_FIELDS).where(_C.service == service, _C.kind == kind).order_by(_C.at.desc(), _C.key).limit(most)
    return [Known(*row) for row in connection.execute(query)]


def dependents_of(connection: Connection, services: Collection[str]) -> list[str]:
    """The services that depend on one of *services*, by name."""
    query = select(_C.service).where(_C.kind == "dependency", _C.subject.in_(services)).distinct()
    return list(connection.execute(query.order_by(_C.service)).scalars())


def budgets_before(connection: Connection, service: str, at: datetime) -> dict[str, float | None]:
    """What was left of the error budget of each SLO of *service* at *at*."""
    told = _C.kind == "budget", _C.at <= at, _C.at > at - _TOLD_DAILY
    query = select(_C.subject, _C.data).where(_C.service == service, *told)
    return {slo: data["remaining"] for slo, data in connection.execute(query.order_by(_C.at, _C.key))}


def stretches(connection: Connection, kind: str) -> dict[str, list[tuple[datetime, str]]]:
    """For each service from when on it was in which phase, or of which team, the oldest first."""
    found: dict[str, list[tuple[datetime, str]]] = {}
    query = select(_C.service, _C.at, _C.subject).where(_C.kind == kind).order_by(_C.service, _C.at, _C.key)
    for service, at, subject in connection.execute(query):
        found.setdefault(service, []).append((at, subject))
    return found
