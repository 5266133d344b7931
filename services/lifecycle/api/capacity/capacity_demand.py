"""`/v1/services/{service}/capacity/demand`: the highest demand of each day, from points, CSV or Prometheus."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.calls import Call, CallDep
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.capacity.capacity_known import READ, WRITE, Capacities, CapacitiesDep
from services.lifecycle.api.capacity.capacity_schemas import (
    ImportPoints,
    ImportPrometheus,
    InMetric,
    Metric,
    SetDemandSource,
)
from services.lifecycle.api.capacity.capacity_views import CapacityView
from services.lifecycle.api.reviews.reviewing import actor
from services.lifecycle.clients.prometheus import MOST_POINTS, Asker, RangeQueryError, range_query
from services.lifecycle.clients.secrets import SecretMissingError, asker_of
from services.lifecycle.config import LifecycleSettings
from services.lifecycle.contract import CAPACITY
from services.lifecycle.domain.capacity import commands
from services.lifecycle.domain.capacity.commands import ImportDemand
from services.lifecycle.domain.capacity.errors import MetricUnknownError
from services.lifecycle.domain.capacity.events import Source
from services.lifecycle.exchange.demand import UnusableDemandError, daily, read_csv

_CSV: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Lines of a time and the demand then; a time is a day, or has an offset.",
        "content": {"text/csv": {"schema": {"type": "string"}, "example": "at,value\n2026-11-19,812.5\n"}},
    }
}

router = Router(prefix="/v1/services/{service}/capacity", tags=["capacity"])


@dataclass(frozen=True, slots=True)
class DemandDayView:
    """The highest demand of a day."""

    day: date
    peak: float


@router.get("/demand", openapi_extra=READ, responses=responses(404))
async def list_demand(  # noqa: PLR0913  each is a parameter of the route
    service: str,
    known: CapacitiesDep,
    page: PageDep,
    since: Annotated[date | None, Query()] = None,
    until: Annotated[date | None, Query(description="The last day.")] = None,
    metric: InMetric = "",
    as_of: AsOf = None,
) -> Page[DemandDayView]:
    """List the highest demand of each day that was measured, the first first."""
    await known.around(service, as_of)
    whole = (await known.resources.handler.load(CAPACITY, service, as_of=as_of)).state
    state = {whole.basis.metric: whole, **whole.by_metric}.get(metric)
    if state is None:
        raise MetricUnknownError(metric, whole.others)
    days = sorted(day for day in state.days if (not since or day >= since) and (not until or day <= until))

    def behind(place: datetime | None, most: int) -> Sequence[DemandDayView]:
        rest = [day for day in days if place is None or day > place.date()]
        return [DemandDayView(day, state.days[day]) for day in rest[:most]]

    return page.walk(behind, place=lambda each: datetime(each.day.year, each.day.month, each.day.day, tzinfo=UTC))


@router.post("/demand", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404, 409, 422))
async def import_demand(service: str, body: ImportPoints, call: CallDep, known: CapacitiesDep) -> Response:
    """Import demand over time: of each day the highest point is kept, in place of what was known of that day.

    A day that is not over yet is left out. The forecast is made anew by a worker.
    """
    points = ((point.at, point.value) for point in body.points)
    return await _take(call, known, service, _Import(body.metric, "json", points, "/points", replace=body.replace))


@router.post(
    "/demand:import-csv",
    response_model=CapacityView,
    openapi_extra={**WRITE, **_CSV},
    responses=responses(404, 409, 422),
)
async def import_demand_csv(
    service: str,
    request: Request,
    call: CallDep,
    known: CapacitiesDep,
    metric: Annotated[Metric, Query()],
    replace: Annotated[bool, Query(description="Forget the history so far.")] = False,  # noqa: FBT002  a parameter
) -> Response:
    """Import demand from CSV with the columns `at,value`, as `POST .../demand` does."""
    try:
        points = read_csv(await request.body())
    except UnusableDemandError as error:
        raise _unusable(error) from error
    return await _take(call, known, service, _Import(metric, "csv", points, "", replace=replace))


@router.post(
    "/demand:import-prometheus",
    response_model=CapacityView,
    openapi_extra=WRITE,
    responses=responses(404, 409, 422, 502),
)
async def import_demand_prometheus(
    service: str, request: Request, body: ImportPrometheus, call: CallDep, known: CapacitiesDep
) -> Response:
    """Import demand from a range query of Prometheus, as `POST .../demand` does."""
    settings: LifecycleSettings = request.app.state.settings
    address, until = str(body.address), body.until or call.context.at
    asker = _may_ask(settings, body)
    points = (until - body.since) / timedelta(seconds=body.step_s) + 1
    if not 1 <= points <= MOST_POINTS:
        detail = f"these are {points:.0f} points; choose times and a step that give 1 to {MOST_POINTS}"
        raise Problem(422, "invalid-range", "The range cannot be asked for", detail, [Place(detail, "/since")])
    try:
        samples = await range_query(address, body.query, body.since, until, body.step_s, asker)
    except RangeQueryError as error:
        detail = str(error)
        raise Problem(
            502, "source-failed", "The source gave no usable answer", detail, [Place(detail, "/query")]
        ) from error
    found = _Import(body.metric, "prometheus", samples, "/query", replace=body.replace, query=body.query)
    return await _take(call, known, service, found)


@router.put("/demand-source", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404, 409, 422))
async def set_demand_source(
    service: str, request: Request, body: SetDemandSource, call: CallDep, known: CapacitiesDep
) -> Response:
    """Have a Prometheus asked for the demand of every day that is over: a worker begins at once with those before.

    The answer says in `demand_source` whether it works, and which day was told last.
    """
    _may_ask(request.app.state.settings, body)
    command = commands.SetDemandSource(service=service, source=body.source, by=actor(call), at=call.context.at)
    return await known.do(call, command)


@router.delete("/demand-source", response_model=CapacityView, openapi_extra=WRITE, responses=responses(404))
async def remove_demand_source(
    service: str,
    call: CallDep,
    known: CapacitiesDep,
    metric: InMetric = "",
    reason: Annotated[str, Query(max_length=10_000)] = "",
) -> Response:
    """Have it asked no more; the demand so far stays."""
    command = commands.RemoveDemandSource(
        service=service, metric=metric, reason=reason, by=actor(call), at=call.context.at
    )
    return await known.do(call, command)


def _may_ask(settings: LifecycleSettings, body: ImportPrometheus | SetDemandSource) -> Asker | None:
    """Who asks; refuses a host that may not be asked, and a secret that is not there.

    Raises:
        Problem: It is so.
    """
    if not settings.may_ask(str(body.address)):
        detail = f"{body.address.host} is not among the hosts that may be asked; add it to CONCORDAT_SOURCE_HOSTS"
        raise Problem(422, "source-not-allowed", "The source may not be asked", detail, [Place(detail, "/address")])
    try:
        return asker_of(body.auth.credentials, settings.secrets)
    except SecretMissingError as error:
        detail = str(error)
        raise Problem(
            422, "secret-missing", "There is no such secret", detail, [Place(detail, "/auth/secret")]
        ) from error


@dataclass(frozen=True, slots=True)
class _Import:
    metric: str
    source: Source
    points: Iterable[tuple[date | datetime, float]]
    pointer: str
    replace: bool
    query: str = ""


async def _take(call: Call, known: Capacities, service: str, what: _Import) -> Response:
    try:
        found = daily(what.points, call.context.at.date(), what.pointer)
    except UnusableDemandError as error:
        raise _unusable(error) from error
    command = ImportDemand(
        service=service,
        metric=what.metric,
        source=what.source,
        query=what.query,
        first=found.first,
        peaks=found.peaks,
        replaces=what.replace,
        by=actor(call),
        at=call.context.at,
    )
    return await known.do(call, command)


def _unusable(error: UnusableDemandError) -> Problem:
    detail = str(error)
    return Problem(422, "unusable-demand", "The demand cannot be used", detail, [Place(detail, error.pointer)])
