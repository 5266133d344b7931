"""`/v1/services/{service}/capacity/metrics`: what else demand is counted in; the tightest metric bounds the plan."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from libs.web.calls import CallDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.capacity.capacity_known import WRITE, CapacitiesDep
from services.lifecycle.api.capacity.capacity_schemas import BoundMetric, Metric
from services.lifecycle.api.capacity.capacity_views import CapacityView
from services.lifecycle.api.reviews.reviewing import actor
from services.lifecycle.domain.capacity import commands

router = Router(prefix="/v1/services/{service}/capacity/metrics", tags=["capacity"])


@router.put("/{metric}", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404, 422))
async def bound_metric(
    service: str, metric: Metric, body: BoundMetric, call: CallDep, known: CapacitiesDep
) -> Response:
    """Say what one unit can do in another metric; then its demand is imported, estimated or asked for under its name.

    Units, plan, orders and strategy are those of the service: plan and forecast go by the metric that is the tightest.
    """
    command = commands.BoundMetric(
        service=service,
        metric=metric,
        unit_capacity=body.unit_capacity,
        tested_on=body.tested_on,
        url=str(body.url),
        by=actor(call),
        at=call.context.at,
    )
    return await known.do(call, command)


@router.delete("/{metric}", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404))
async def drop_metric(
    service: str,
    metric: str,
    call: CallDep,
    known: CapacitiesDep,
    reason: Annotated[str, Query(max_length=10_000)] = "",
) -> Response:
    """Count demand in it no more; what was known of it is forgotten, and stays in the past (`as_of`)."""
    command = commands.DropMetric(service=service, metric=metric, reason=reason, by=actor(call), at=call.context.at)
    return await known.do(call, command)
