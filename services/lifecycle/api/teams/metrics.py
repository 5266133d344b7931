"""`/v1/metrics`: both sides next to each other, per team and service, never per person."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.lifecycle.api.delivery.deployments import DeliveryDep
from services.lifecycle.api.teams.team_schemas import living
from services.lifecycle.api.views import live
from services.lifecycle.contract import SERVICE, TEAM
from services.lifecycle.domain.delivery import DeliveryPolicy
from services.lifecycle.domain.metrics import Side
from services.lifecycle.domain.team.decider import Ended
from services.lifecycle.projections.deployments import DEPLOYMENTS
from services.lifecycle.projections.happenings import HAPPENINGS
from services.lifecycle.projections.incident_times import INCIDENT_TIMES
from services.lifecycle.projections.metrics import Measured, measured
from services.lifecycle.projections.operational_work import OPERATIONAL_WORK
from services.lifecycle.projections.services import SERVICES
from services.lifecycle.projections.slo_days import SLO_DAYS
from services.lifecycle.projections.team_load import worked_for

router = Router(prefix="/v1/metrics", tags=["metrics"])
READ = needs("metrics.read")
FRESH = fresh(SERVICES, DEPLOYMENTS, HAPPENINGS, INCIDENT_TIMES, OPERATIONAL_WORK, SLO_DAYS)
_USUAL, _LONGEST = timedelta(days=28), timedelta(days=800)
CSV = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
_COLUMNS = ("metric", "side", "value", "unit", "n", "missing", "before", "since", "until", "version", "definition")

Since = Annotated[Moment | None, Query(description="28 days before the end, unless given.")]
Until = Annotated[Moment | None, Query(description="Now, unless given.")]
Format = Annotated[Literal["json", "csv"], Query()]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is measured: services, and the teams of both sides that work for them."""

    subject: str
    services: list[str]
    dev_teams: list[str]
    sre_teams: list[str]


@dataclass(frozen=True, slots=True)
class MetricView:
    """A metric: null when nothing is known; `before` is its value over as long a time before the period."""

    metric: str
    side: Side
    value: float | None
    unit: str
    n: int
    missing: str
    before: float | None
    definition: str
    version: int
    source: str


@dataclass(frozen=True, slots=True)
class MetricDayView:
    """How many deployments to production a day had."""

    day: str
    deployments: int


@dataclass(frozen=True, slots=True)
class MetricsView:
    """The metrics of a team or a service over a period; never of a person."""

    subject: str
    services: tuple[str, ...]
    since: datetime
    until: datetime
    policy_version: str
    metrics: tuple[MetricView, ...]
    days: tuple[MetricDayView, ...]


@router.get(
    "/services/{service}",
    response_model=MetricsView,
    openapi_extra=READ,
    responses=responses(404, 422) | CSV,
    dependencies=[FRESH],
)
async def get_service_metrics(  # noqa: PLR0913  each is a part of one question
    service: str,
    resources: ResourcesDep,
    request: Request,
    policy: DeliveryDep,
    since: Since = None,
    until: Until = None,
    format: Format = "json",  # noqa: A002  its name in the query
) -> Response:
    """Read how a service is delivered and how it runs: DORA, SLO attainment, incident times, load of both sides."""
    scope = await scope_of_service(resources, service)
    start, end = period(since, until, resources.clock.now())
    found = await resources.views.read(measured, scope.services, scope.dev_teams, scope.sre_teams, start, end)
    return _answer(request, _view(scope, start, end, found, policy), format)


@router.get(
    "/teams/{team}",
    response_model=MetricsView,
    openapi_extra=READ,
    responses=responses(404, 422) | CSV,
    dependencies=[FRESH],
)
async def get_team_metrics(  # noqa: PLR0913  each is a part of one question
    team: str,
    resources: ResourcesDep,
    request: Request,
    policy: DeliveryDep,
    since: Since = None,
    until: Until = None,
    format: Format = "json",  # noqa: A002  its name in the query
) -> Response:
    """Read the same for all services that a team owns or is engaged for, with the teams of the other side."""
    scope = await scope_of_team(resources, team)
    start, end = period(since, until, resources.clock.now())
    found = await resources.views.read(measured, scope.services, scope.dev_teams, scope.sre_teams, start, end)
    return _answer(request, _view(scope, start, end, found, policy), format)


async def scope_of_service(resources: Resources, service: str) -> Scope:
    """A service, its owner and the SRE team that is engaged for it."""
    profile = live(await resources.handler.load(SERVICE, service)).profile
    sre_teams = [profile.engaged.sre_team] if profile.engaged else []
    return Scope(f"service/{service}", [service], [profile.owner_team] if profile.owner_team else [], sre_teams)


async def scope_of_team(resources: Resources, team: str) -> Scope:
    """All services that a team owns or is engaged for, and the teams of the other side."""
    state = living(await resources.handler.load(TEAM, team))
    kind = (state.was if isinstance(state, Ended) else state).kind
    works_for = await resources.views.read(worked_for, team)
    names = [one.name for one in works_for]
    others = sorted({one.sre_team if kind == "dev" else one.owner_team for one in works_for} - {"", team})
    dev_teams, sre_teams = ([team], others) if kind == "dev" else (others, [team])
    return Scope(f"team/{team}", names, dev_teams, sre_teams)


def period(
    since: datetime | None, until: datetime | None, now: datetime, usual: timedelta = _USUAL
) -> tuple[datetime, datetime]:
    """From when until when is asked; *usual* long, unless said otherwise.

    Raises:
        Problem: 422, it ends before it begins, or is too long.
    """
    end = until or now
    start = since or end - usual
    place = None
    if not start < end:
        place = Place("the period ends before it begins; give since before until", "since")
    elif end - start > _LONGEST:
        place = Place(f"a period has at most {_LONGEST.days} days; ask for several", "since")
    if place:
        raise Problem(422, "dates-out-of-order", "The dates are in the wrong order", place.detail, [place])
    return start, end


def _view(scope: Scope, since: datetime, until: datetime, found: Measured, policy: DeliveryPolicy) -> MetricsView:
    metrics = tuple(
        MetricView(
            metric=now.metric,
            side=now.side,
            value=now.value,
            unit=policy.metrics[now.metric].unit,
            n=now.n,
            missing=now.missing,
            before=before.value,
            definition=policy.metrics[now.metric].definition,
            version=policy.metrics[now.metric].version,
            source=policy.metrics[now.metric].source,
        )
        for now, before in zip(found.values, found.before, strict=True)
    )
    days = tuple(MetricDayView(day, count) for day, count in found.days)
    return MetricsView(scope.subject, tuple(scope.services), since, until, policy.version, metrics, days)


def _answer(request: Request, view: MetricsView, form: Literal["json", "csv"]) -> Response:
    if form == "json":
        return etag.answer(request, view)
    spans = {"since": view.since.isoformat(), "until": view.until.isoformat()}
    told = ({name: getattr(metric, name, None) for name in _COLUMNS} | spans for metric in view.metrics)
    return as_csv(view.subject, _COLUMNS, told)


def as_csv(subject: str, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Response:
    """A table about *subject*, one line for each of *rows*."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["subject", *columns])
    writer.writeheader()
    writer.writerows({**row, "subject": subject} for row in rows)
    name = subject.replace("/", "-")
    return Response(
        text.getvalue(), 200, {"Content-Disposition": f'attachment; filename="{name}.csv"'}, "text/csv; charset=utf-8"
    )
