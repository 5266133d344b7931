"""`/v1/metrics/.../weeks`: how each metric went, week by week, and where it tends."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.teams.metrics import CSV, FRESH, READ, Asked, AskedDep, as_csv
from services.lifecycle.domain.delivery import DeliveryPolicy
from services.lifecycle.domain.metrics import Side, Value, trend
from services.lifecycle.projections.metrics import weekly

router = Router(prefix="/v1/metrics", tags=["metrics"])
_USUAL, _LONGEST = timedelta(weeks=13), timedelta(weeks=53)
_COLUMNS = ("metric", "side", "week", "value", "unit", "n", "missing", "version")


@dataclass(frozen=True, slots=True)
class MetricWeekView:
    """A metric in the week that begins on that Monday; null when nothing is known."""

    week: str
    value: float | None
    n: int
    missing: str


@dataclass(frozen=True, slots=True)
class MetricSeriesView:
    """A metric week by week; `per_week` is the slope of the line through them, null where too few are known."""

    metric: str
    side: Side
    unit: str
    version: int
    definition: str
    per_week: float | None
    weeks: tuple[MetricWeekView, ...]


@dataclass(frozen=True, slots=True)
class WeeksView:
    """The metrics of whole weeks, Monday to Monday in UTC; a trend is of so many weeks that are known at least."""

    subject: str
    services: tuple[str, ...]
    since: datetime
    until: datetime
    trend_weeks: float
    trend_source: str
    policy_version: str
    series: tuple[MetricSeriesView, ...]


@router.get(
    "/services/{service}/weeks",
    response_model=WeeksView,
    openapi_extra=READ,
    responses=responses(404, 422) | CSV,
    dependencies=[FRESH],
)
async def get_service_weeks(service: str, resources: ResourcesDep, request: Request, asked: AskedDep) -> Response:  # noqa: ARG001  the dependency reads it
    """Read the metrics of a service week by week, 13 weeks unless told otherwise, and where each tends."""
    return await _answer(resources, request, asked)


@router.get(
    "/teams/{team}/weeks",
    response_model=WeeksView,
    openapi_extra=READ,
    responses=responses(404, 422) | CSV,
    dependencies=[FRESH],
)
async def get_team_weeks(team: str, resources: ResourcesDep, request: Request, asked: AskedDep) -> Response:  # noqa: ARG001  the dependency reads it
    """Read the same for all services that a team owns or is engaged for, with the teams of the other side."""
    return await _answer(resources, request, asked)


async def _answer(resources: Resources, request: Request, asked: Asked) -> Response:
    scope, policy = asked.scope, asked.policy
    start, end = asked.period(_USUAL, _LONGEST)
    found = await resources.views.read_long(weekly, scope, start, end)
    series = tuple(
        _series([(monday, values[place]) for monday, values in found], policy)
        for place in range(len(found[0][1]) if found else 0)
    )
    least = policy.trend_weeks
    services = tuple(scope.services)
    view = WeeksView(scope.subject, services, start, end, least.value, least.source, policy.version, series)
    if asked.form == "json":
        return etag.answer(request, view)
    rows = (
        {"metric": each.metric, "side": each.side, "unit": each.unit, "version": each.version}
        | {"week": week.week, "value": week.value, "n": week.n, "missing": week.missing}
        for each in view.series
        for week in each.weeks
    )
    return as_csv(f"{scope.subject}/weeks", _COLUMNS, rows)


def _series(weeks: list[tuple[datetime, Value]], policy: DeliveryPolicy) -> MetricSeriesView:
    metric, side = weeks[0][1].metric, weeks[0][1].side
    meaning = policy.metrics[metric]
    return MetricSeriesView(
        metric=metric,
        side=side,
        unit=meaning.unit,
        version=meaning.version,
        definition=meaning.definition,
        per_week=trend([each.value for _, each in weeks], int(policy.trend_weeks.value)),
        weeks=tuple(
            MetricWeekView(monday.date().isoformat(), each.value, each.n, each.missing) for monday, each in weeks
        ),
    )
