"""Who relies on whom; and who has said that a list is complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.dependencies.events import (
    Criticality,
    DependenciesConfirmed,
    DependencyDeclared,
    DependencyRemoved,
)
from services.lifecycle.domain.dependencies.graph import Edge
from services.lifecycle.domain.phases import Phase
from services.lifecycle.projections.by_service import ByService
from services.lifecycle.projections.services import SERVICES


@dataclass(frozen=True, slots=True)
class Dependency:
    """What gates ask of one dependency; *id* is that of the event which said it last."""

    id: str
    service: str
    on: str
    criticality: Criticality
    slo: str
    failure_behaviour: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ListConfirmed:
    """The event by which somebody said that a list is complete, and when."""

    id: str
    by: str
    at: datetime


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("on", Text, primary_key=True),
        Column("criticality", Text, nullable=False),
        Column("slo", Text, nullable=False),
        Column("failure_behaviour", Text, nullable=False),
        Column("event", Text, nullable=False),
        Column("at", Instant(), nullable=False),
    )


def _keys(event: DependencyDeclared | DependencyRemoved, _: Recorded) -> Sequence[Key]:
    return ((event.service, event.on),)


def _declared(_: Row | None, event: DependencyDeclared, recorded: Recorded, __: Key) -> Row:
    return {
        "service": event.service,
        "on": event.on,
        "criticality": event.criticality,
        "slo": event.slo,
        "failure_behaviour": event.failure_behaviour,
        "event": str(recorded.event_id),
        "at": event.at,
    }


def _removed(_: Row | None, __: DependencyRemoved, ___: Recorded, ____: Key) -> None:
    return None


DEPENDENCIES: Final = Projection(
    name="dependencies",
    columns=_columns,
    events=CONTRACT,
    folds={DependencyDeclared: Fold(_keys, _declared), DependencyRemoved: Fold(_keys, _removed)},
    indexes=(("on",),),
    sources=("lifecycle",),
)


def _confirmed_columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("by", Text, nullable=False),
        Column("event", Text, nullable=False),
        Column("at", Instant(), nullable=False),
    )


def _service(event: DependenciesConfirmed | DependencyDeclared | DependencyRemoved, _: Recorded) -> Sequence[Key]:
    return ((event.service,),)


def _confirmed(_: Row | None, event: DependenciesConfirmed, recorded: Recorded, __: Key) -> Row:
    return {"service": event.service, "by": event.by, "event": str(recorded.event_id), "at": event.at}


def _changed(_: Row | None, __: DependencyDeclared | DependencyRemoved, ___: Recorded, ____: Key) -> None:
    return None


DEPENDENCIES_CONFIRMED: Final = Projection(
    name="dependencies_confirmed",
    columns=_confirmed_columns,
    events=CONTRACT,
    folds={
        DependenciesConfirmed: Fold(_service, _confirmed),
        DependencyDeclared: Fold(_service, _changed),
        DependencyRemoved: Fold(_service, _changed),
    },
    sources=("lifecycle",),
)


_D, _S = DEPENDENCIES.view.c, SERVICES.view.c
_NEEDED: Final = ByService.of(
    select(_D.event, _D.service, _D.on, _D.criticality, _D.slo, _D.failure_behaviour, _D.at), _D.service
)
_COMPLETE: Final = ByService.of(select(DEPENDENCIES_CONFIRMED.view.c.service), DEPENDENCIES_CONFIRMED.view.c.service)
_NEEDING: Final = ByService.of(
    select(_D.on, _D.service)
    .join(SERVICES.view, _S.name == _D.service)
    .where(_S.phase != Phase.UNSUPPORTED.value)
    .order_by(_D.on, _D.service),
    _D.on,
)


def dependencies_of(connection: Connection, service: str) -> list[Dependency]:
    """What *service* relies on, by name."""
    view = DEPENDENCIES.view.c
    query = select(view.event, view.service, view.on, view.criticality, view.slo, view.failure_behaviour, view.at)
    return [Dependency(*row) for row in connection.execute(query.where(view.service == service).order_by(view.on))]


def confirmed_of(connection: Connection, service: str) -> ListConfirmed | None:
    """Who said last that the list of *service* is complete; None if it has changed since, or nobody did."""
    view = DEPENDENCIES_CONFIRMED.view.c
    row = connection.execute(select(view.event, view.by, view.at).where(view.service == service)).first()
    return None if row is None else ListConfirmed(*row)


def dependencies_by_service(connection: Connection, *services: str) -> tuple[dict[str, list[Dependency]], set[str]]:
    """What each of *services* relies on, of all when none is named; and whose list somebody said to be complete."""
    found: dict[str, list[Dependency]] = {}
    for row in _NEEDED.rows(connection, services):
        found.setdefault(row["service"], []).append(Dependency(*row.values()))
    return found, {row["service"] for row in _COMPLETE.rows(connection, services)}


def live_dependents(connection: Connection, *services: str) -> dict[str, list[str]]:
    """Which services that are not at their end rely on each of *services*, on all when none is named."""
    found: dict[str, list[str]] = {}
    for row in _NEEDING.rows(connection, services):
        found.setdefault(row["on"], []).append(row["service"])
    return found


def live_dependents_of(connection: Connection, service: str) -> list[Dependency]:
    """The services that are not at their end and rely on *service*, by name."""
    view, services = DEPENDENCIES.view.c, SERVICES.view.c
    query = (
        select(view.event, view.service, view.on, view.criticality, view.slo, view.failure_behaviour, view.at)
        .join(SERVICES.view, services.name == view.service)
        .where(view.on == service, services.phase != Phase.UNSUPPORTED.value)
        .order_by(view.service)
    )
    return [Dependency(*row) for row in connection.execute(query)]


def all_edges(connection: Connection) -> list[Edge]:
    """The whole graph; services at their end rely on nothing."""
    view, services = DEPENDENCIES.view.c, SERVICES.view.c
    query = (
        select(view.service, view.on, view.criticality)
        .join(SERVICES.view, services.name == view.service)
        .where(services.phase != Phase.UNSUPPORTED.value)
        .order_by(view.service, view.on)
    )
    return [Edge(*row) for row in connection.execute(query)]
