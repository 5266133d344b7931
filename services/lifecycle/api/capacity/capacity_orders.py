"""`/v1/services/{service}/capacity/orders`: units that are ordered and not there yet."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from libs.web.calls import CallDep
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Name
from services.lifecycle.api.capacity.capacity_known import WRITE, CapacitiesDep
from services.lifecycle.api.capacity.capacity_schemas import OrderUnits, TakeDelivery
from services.lifecycle.api.capacity.capacity_views import CapacityView
from services.lifecycle.api.reviews.reviewing import actor
from services.lifecycle.domain.capacity import commands

router = Router(prefix="/v1/services/{service}/capacity/orders", tags=["capacity"])


@router.put("/{order}", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404, 422))
async def order_units(service: str, order: Name, body: OrderUnits, call: CallDep, known: CapacitiesDep) -> Response:
    """Say that more units will be there; plan and forecast count them from that day on. Said otherwise, it has changed.

    One whose day is over counts no more until somebody says that it is there, or when it will be.
    """
    command = commands.OrderUnits(
        service=service,
        order=order,
        domain=body.domain,
        units=body.units,
        arrives=body.arrives,
        confidence=body.confidence,
        note=body.note,
        by=actor(call),
        at=call.context.at,
    )
    return await known.do(call, command)


@router.post("/{order}:arrived", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404, 422))
async def take_delivery(service: str, order: str, body: TakeDelivery, call: CallDep, known: CapacitiesDep) -> Response:
    """Say that the units are there: they are added to the supply of their failure domain."""
    command = commands.TakeDelivery(service=service, order=order, units=body.units, by=actor(call), at=call.context.at)
    return await known.do(call, command)


@router.delete("/{order}", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404))
async def withdraw_order(
    service: str,
    order: str,
    call: CallDep,
    known: CapacitiesDep,
    reason: Annotated[str, Query(max_length=10_000)] = "",
) -> Response:
    """Say that they will not come."""
    command = commands.WithdrawOrder(service=service, order=order, reason=reason, by=actor(call), at=call.context.at)
    return await known.do(call, command)
