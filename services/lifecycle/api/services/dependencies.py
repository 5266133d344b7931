"""`/v1/services/{service}/dependencies`, and the graph they make."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import Query
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.references import PatienceDep, WaitDep, caught_up, known_slo, living_service
from services.lifecycle.api.services.dependency_schemas import (
    DependenciesView,
    DependencyBody,
    GraphView,
    ReachedView,
    WarningView,
    dependencies_view,
    reached_view,
)
from services.lifecycle.api.views import live
from services.lifecycle.contract import DEPENDENCIES, SERVICE
from services.lifecycle.domain.dependencies.commands import Command, Confirm, Declare, Remove
from services.lifecycle.domain.dependencies.decider import Dependencies
from services.lifecycle.domain.dependencies.graph import blast_radius, cycle_through, relied_on, way
from services.lifecycle.domain.errors import ServiceUnsupportedError
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service.decider import Decommissioned, Unsupported
from services.lifecycle.projections import dependencies as read_model
from services.lifecycle.projections.services import SERVICES

router = Router(prefix="/v1/services/{service}", tags=["dependencies"])
_READ, _WRITE = needs("services.read"), needs("services.write")
_FADING = {Phase.DEPRECATION, Phase.ABANDONED, Phase.UNSUPPORTED}


@router.get("/dependencies", response_model=DependenciesView, openapi_extra=_READ, responses=responses(404))
async def list_dependencies(service: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read what a service relies on directly, and what is still missing there."""
    live(await resources.handler.load(SERVICE, service, as_of=as_of))
    loaded = await resources.handler.load(DEPENDENCIES, service, as_of=as_of)
    return etag.answer(request, dependencies_view(service, loaded.state), version=loaded.version)


@router.put("/dependencies/{on}", response_model=DependenciesView, openapi_extra=_WRITE, responses=responses(404))
async def declare_dependency(
    service: str, on: str, body: DependencyBody, call: CallDep, wait_s: WaitDep, patience_s: PatienceDep
) -> Response:
    """Say that a service relies on another, and how; a cycle of hard dependencies is refused."""
    await _alive(call.resources, service)
    await living_service(call.resources, on, "on")
    if body.slo:
        await known_slo(call.resources, on, body.slo, "slo", wait_s)
    way_back: tuple[str, ...] = ()
    if body.criticality == "hard":
        await caught_up(call.resources, patience_s, read_model.DEPENDENCIES, SERVICES)
        edges = await call.resources.views.read(read_model.all_edges)
        way_back = way([edge for edge in edges if edge.criticality == "hard"], on, service)
    command = Declare(
        service=service,
        on=on,
        criticality=body.criticality,
        slo=body.slo or "",
        failure_behaviour=body.failure_behaviour,
        way_back=way_back,
        by=call.principal.name,
        at=call.context.at,
    )
    return await _do(call, service, command)


@router.delete("/dependencies/{on}", response_model=DependenciesView, openapi_extra=_WRITE, responses=responses(404))
async def remove_dependency(
    service: str, on: str, call: CallDep, reason: Annotated[str, Query(max_length=10_000)] = ""
) -> Response:
    """Say that a service relies on another no more."""
    live(await call.resources.handler.load(SERVICE, service))
    command = Remove(service=service, on=on, reason=reason, by=call.principal.name, at=call.context.at)
    return await _do(call, service, command)


@router.post("/dependencies:confirm", response_model=DependenciesView, openapi_extra=_WRITE, responses=responses(404))
async def confirm_dependencies(service: str, call: CallDep) -> Response:
    """Say that what is listed is all that the service relies on, nothing if nothing is; it holds until a change."""
    await _alive(call.resources, service)
    return await _do(call, service, Confirm(service=service, by=call.principal.name, at=call.context.at))


@router.get(
    "/dependency-graph",
    response_model=GraphView,
    openapi_extra=_READ,
    responses=responses(404),
    dependencies=[fresh(read_model.DEPENDENCIES, SERVICES)],
)
async def get_dependency_graph(service: str, resources: ResourcesDep, request: Request) -> Response:
    """Read who fails when a service fails, and whose failure it suffers, over any number of steps."""
    live(await resources.handler.load(SERVICE, service))
    return etag.answer(request, await resources.views.read(_graph, service))


async def _do(call: CallDep, service: str, command: Command) -> Response:
    def shown(outcome: Outcome[Dependencies]) -> DependenciesView:
        return dependencies_view(service, outcome.state)

    return await call.handle(DEPENDENCIES, service, command, body=shown)


async def _alive(resources: ResourcesDep, service: str) -> None:
    if isinstance(live(await resources.handler.load(SERVICE, service)), Unsupported | Decommissioned):
        raise ServiceUnsupportedError(service)


def _graph(connection: Connection, service: str) -> GraphView:
    edges = read_model.all_edges(connection)
    down, up = relied_on(edges, service), blast_radius(edges, service)
    view = SERVICES.view.c
    names = {service, *(one.service for one in (*down, *up))}
    query = select(view.name, view.owner_team, view.tier, view.phase).where(view.name.in_(names))
    known = {name: (owner, tier, phase) for name, owner, tier, phase in connection.execute(query)}
    relies_on = tuple(reached_view(one, known[one.service]) for one in down if one.service in known)
    cycle = cycle_through(edges, service)
    owner, tier, _ = known.get(service, ("", 0, ""))
    return GraphView(
        service=service,
        relies_on=relies_on,
        relied_on_by=tuple(reached_view(one, known[one.service]) for one in up if one.service in known),
        fails_too=sum(one.hard for one in up),
        cycle=cycle,
        warnings=tuple(_warnings(relies_on, cycle, owner or None, tier)),
    )


def _warnings(
    relies_on: Sequence[ReachedView], cycle: Sequence[str], owner: str | None, tier: int
) -> Iterator[WarningView]:
    if cycle:
        detail = f"{' -> '.join(cycle)} rely on each other in a circle"
        yield WarningView("cycle", detail, "test that each starts and recovers while the next is away", owner)
    for one in relies_on:
        if one.phase in _FADING:
            detail = f"{one.service} is in {one.phase}"
            yield WarningView("dependency-fading", detail, f"move away from {one.service}", owner)
        if one.hard and tier and (one.tier or 0) > tier:
            detail = f"{one.service} is of tier {one.tier}, and the service of tier {tier} fails without it"
            yield WarningView("less-critical", detail, "raise its tier, or make the dependency soft", one.owner_team)
