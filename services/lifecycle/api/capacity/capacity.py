"""`/v1/services/{service}/capacity`: how much is asked of a service, what it can do, when more must be ordered."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import RowMapping
from starlette.responses import Response

from libs.events import codec
from libs.web import etag
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Name
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.capacity.capacity_forecast_views import ForecastWeeks, forecast_weeks
from services.lifecycle.api.capacity.capacity_known import READ, WRITE, CapacitiesDep
from services.lifecycle.api.capacity.capacity_schemas import (
    ChangePlan,
    EstimateDemand,
    InMetric,
    LoadTested,
    MeasureSupply,
    OfSide,
    ProposeStrategy,
    SetInorganic,
)
from services.lifecycle.api.capacity.capacity_views import CapacityView, capacity_view
from services.lifecycle.api.engagements.engaged import speaker
from services.lifecycle.api.reviews.reviewing import actor
from services.lifecycle.contract import CAPACITY, CHECKPOINT
from services.lifecycle.domain.capacity import commands
from services.lifecycle.domain.capacity.errors import SecondSideError
from services.lifecycle.domain.checkpoint.errors import NoUnitCapacityError
from services.lifecycle.domain.checkpoint.events import CheckpointConcluded
from services.lifecycle.domain.engagement.commands import Speaker
from services.lifecycle.projections.capacity import CAPACITY as KNOWN
from services.lifecycle.projections.capacity import capacities

_PATH = "/services/{service}/capacity"

router = Router(prefix="/v1", tags=["capacity"])


@router.get("/capacity", openapi_extra=READ, dependencies=[fresh(KNOWN)])
async def list_capacities(
    known: CapacitiesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    short: Annotated[bool | None, Query(description="Only those with, or without, a shortfall ahead.")] = None,
    as_of: AsOf = None,
) -> Page[CapacityView]:
    """List the services of which some capacity is known; `order_by=order_by` of those that are short by urgency.

    With `as_of` a page may hold fewer services than asked for, even none, while more follow.
    """
    view = KNOWN.view
    found = await known.resources.views.read(
        page.fetch,
        capacities(service or [], short=short, as_of=as_of),
        key=view.c.service,
        orders={"order_by": view.c.order_by} if short and not as_of else {},
        item=_service,
    )
    items: list[CapacityView] = []
    for name in found.items:
        state = (await known.resources.handler.load(CAPACITY, name, as_of=as_of)).state
        if not as_of or short is None or (state.shortfall is not None) == short:
            items.append(capacity_view(state, await known.around(name, as_of)))
    return Page(items=items, next_page_token=found.next_page_token)


@router.get(_PATH, response_model=CapacityView, openapi_extra=READ, responses=responses(404))
async def get_capacity(service: str, known: CapacitiesDep, as_of: AsOf = None) -> Response:
    """Read how much is asked of a service, how much it can do, and by when more must be ordered.

    Demand that was just imported is forecast by a worker: until then `forecast` is pending.
    """
    around = await known.around(service, as_of)
    loaded = await known.resources.handler.load(CAPACITY, service, as_of=as_of)
    body = codec.encode(capacity_view(loaded.state, around))
    # The version is what If-Match takes; the outlook moves with the day, so nothing is answered 304.
    return Response(body, headers={"ETag": etag.strong(loaded.version)}, media_type="application/json")


@router.get(f"{_PATH}/forecast", response_model=ForecastWeeks, openapi_extra=READ, responses=responses(404))
async def get_capacity_forecast(service: str, known: CapacitiesDep, as_of: AsOf = None) -> Response:
    """Read the demand of the coming weeks beside what is there, and how far the model was off on its test."""
    around = await known.around(service, as_of)
    loaded = await known.resources.handler.load(CAPACITY, service, as_of=as_of)
    body = codec.encode(forecast_weeks(loaded.state, around))
    return Response(body, headers={"ETag": etag.strong(loaded.version)}, media_type="application/json")


@router.put(f"{_PATH}/estimate", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404, 409))
async def estimate_demand(service: str, body: EstimateDemand, call: CallDep, known: CapacitiesDep) -> Response:
    """Say what demand is expected before anything can be measured; a forecast takes its place."""
    command = commands.EstimateDemand(
        service=service,
        metric=body.metric,
        peak=body.peak,
        start=body.start,
        growth_a_year=body.growth_a_year,
        basis=body.basis,
        by=actor(call),
        at=call.context.at,
    )
    return await known.do(call, command)


@router.put(
    f"{_PATH}/inorganic/{{name}}", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404, 422)
)
async def set_inorganic_demand(
    service: str, name: Name, body: SetInorganic, call: CallDep, known: CapacitiesDep, metric: InMetric = ""
) -> Response:
    """Say what demand comes that no history foretells; what has begun before the history ends is part of that."""
    command = commands.SetInorganic(
        service=service,
        name=name,
        title=body.title,
        start=body.start,
        until=body.until,
        delta=body.delta,
        confidence=body.confidence,
        metric=metric,
        by=actor(call),
        at=call.context.at,
    )
    return await known.do(call, command)


@router.delete(
    f"{_PATH}/inorganic/{{name}}", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404)
)
async def remove_inorganic_demand(
    service: str,
    name: str,
    call: CallDep,
    known: CapacitiesDep,
    metric: InMetric = "",
    reason: Annotated[str, Query(max_length=10_000)] = "",
) -> Response:
    """Say that it will not come."""
    command = commands.RemoveInorganic(
        service=service, name=name, metric=metric, reason=reason, by=actor(call), at=call.context.at
    )
    return await known.do(call, command)


@router.put(f"{_PATH}/supply", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404, 422))
async def measure_supply(service: str, body: MeasureSupply, call: CallDep, known: CapacitiesDep) -> Response:
    """Say what is there in each failure domain, and what one unit served in a load test."""
    tested = body.tested() or await _load_tested(call, service, body.load_test or "")
    command = commands.MeasureSupply(service=service, supply=body.supply(tested), by=actor(call), at=call.context.at)
    return await known.do(call, command)


@router.put(f"{_PATH}/plan", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404, 422))
async def change_capacity_plan(service: str, body: ChangePlan, call: CallDep, known: CapacitiesDep) -> Response:
    """Say how capacity is planned; the same plan sent again another day says that it was looked at and holds."""
    command = commands.ChangePlan(
        service=service,
        plan=body.plan,
        policy=known.policy,
        reason=body.reason,
        by=actor(call),
        at=call.context.at,
    )
    return await known.do(call, command)


@router.put(f"{_PATH}/strategy", response_model=CapacityView, openapi_extra=WRITE, responses=responses(403, 404, 422))
async def propose_scaling_strategy(
    service: str, body: ProposeStrategy, call: CallDep, known: CapacitiesDep
) -> Response:
    """Say for one side how the service should grow; it holds when the other side agrees."""
    await _speaks(call, known, service, body)
    command = commands.ProposeStrategy(
        service=service, strategy=body.strategy, side=body.side, by=actor(call), at=call.context.at
    )
    return await known.do(call, command)


@router.post(
    f"{_PATH}/strategy:agree", response_model=CapacityView, openapi_extra=WRITE, responses=responses(403, 404, 409)
)
async def agree_scaling_strategy(service: str, body: OfSide, call: CallDep, known: CapacitiesDep) -> Response:
    """Agree for the other side; where no SRE team is engaged, as another person."""
    sre_team = await _speaks(call, known, service, body)
    command = commands.AgreeStrategy(
        service=service, side=body.side, both_sides=bool(sre_team), by=actor(call), at=call.context.at
    )
    return await known.do(call, command)


async def _speaks(call: CallDep, known: CapacitiesDep, service: str, body: OfSide) -> str:
    """The SRE team of *service*; refuses who does not speak for the side.

    Raises:
        SecondSideError: Somebody else does.
    """
    around = await known.around(service)
    team = around.sre_team if body.side == "sre" else around.owner_team
    if body.side == "sre" and not team:
        raise SecondSideError(call.principal.name, "an engagement with an SRE team; until then speak for the dev side")
    who = await speaker(call, team) if team else Speaker(call.principal.name, call.principal.kind == "person")
    if not who.is_person or (who.speakers and who.name not in who.speakers):
        people = ", ".join(sorted(who.speakers)) or "a person, not a machine"
        raise SecondSideError(who.name, f"somebody who speaks for {team or 'its owner'}: {people}")
    return around.sre_team


def _service(row: RowMapping) -> str:
    return str(row["service"])


async def _load_tested(call: Call, service: str, checkpoint: str) -> LoadTested:
    """What the checkpoint says that one unit served."""
    state = (await call.resources.handler.load(CHECKPOINT, checkpoint)).state
    if state is None or state.planned.service != service:
        raise NoUnitCapacityError(checkpoint, f"is none of {service!r}")
    ended = state.ended
    if not isinstance(ended, CheckpointConcluded) or "unit_capacity" not in ended.figures:
        raise NoUnitCapacityError(checkpoint, f"({state.planned.kind}, {state.state}) says of no unit")
    return LoadTested(ended.figures["unit_capacity"], ended.performed_at.date(), ended.evidence[0])
