"""`/v1/metrics`: both sides next to each other, per team and service, never per person."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Depends, Query
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
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.delivery.deployments import DeliveryDep
from services.lifecycle.api.teams.team_schemas import living
from services.lifecycle.api.views import live
from services.lifecycle.contract import SERVICE, TEAM
from services.lifecycle.domain.delivery import DeliveryPolicy
from services.lifecycle.domain.metrics import Side
from services.lifecycle.domain.service.decider import Awaiting, Settled
from services.lifecycle.domain.team.decider import Ended
from services.lifecycle.projections.ci_reports import CI_REPORTS
from services.lifecycle.projections.deployments import DEPLOYMENTS
from services.lifecycle.projections.happenings import HAPPENINGS
from services.lifecycle.projections.incident_times import INCIDENT_TIMES
from services.lifecycle.projections.metrics import Measured, Scope, measured
from services.lifecycle.projections.operational_work import OPERATIONAL_WORK
from services.lifecycle.projections.services import SERVICES, ever_worked_for
from services.lifecycle.projections.slo_days import SLO_DAYS
from services.lifecycle.projections.team_load import worked_for

router = Router(prefix="/v1/metrics", tags=["metrics"])
READ = needs("metrics.read")
FRESH = fresh(SERVICES, DEPLOYMENTS, CI_REPORTS, HAPPENINGS, INCIDENT_TIMES, OPERATIONAL_WORK, SLO_DAYS)
_USUAL, _LONGEST = timedelta(days=28), timedelta(days=800)
CSV = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
_COLUMNS = ("metric", "side", "value", "unit", "n", "missing", "before", "since", "until", "version", "definition")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is measured, by which definitions, over which period, and in which form it is answered."""

    scope: Scope
    policy: DeliveryPolicy
    since: datetime | None
    until: datetime
    form: Literal["json", "csv"]

    def period(self, usual: timedelta, longest: timedelta = _LONGEST) -> tuple[datetime, datetime]:
        """From when until when; *usual* long, unless said otherwise.

        Raises:
            Problem: 422, it ends before it begins, or is too long.
        """
        start, place = self.since or self.until - usual, None
        if not start < self.until:
            place = Place("the period ends before it begins; give since before until", "since")
            raise Problem(422, "dates-out-of-order", "The dates are in the wrong order", place.detail, [place])
        if self.until - start > longest:
            place = Place(f"a period has at most {longest.days} days here; ask for several", "since")
            raise Problem(422, "period-too-long", "The period is too long", place.detail, [place])
        return start, self.until


async def _asked(  # noqa: PLR0913  each is a part of one question
    resources: ResourcesDep,
    request: Request,
    policy: DeliveryDep,
    since: Annotated[Moment | None, Query(description="Some weeks before the end, unless given.")] = None,
    until: Annotated[Moment | None, Query(description="Now, or the time of `as_of`, unless given.")] = None,
    format: Annotated[Literal["json", "csv"], Query()] = "json",  # noqa: A002  its name in the query
    as_of: AsOf = None,
) -> Asked:
    of_service = request.path_params.get("service")
    scope = (
        await _of_service(resources, of_service, as_of)
        if of_service
        else await _of_team(resources, request.path_params["team"], as_of)
    )
    return Asked(scope, policy, since, until or as_of or resources.clock.now(), format)


AskedDep = Annotated[Asked, Depends(_asked)]


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
async def get_service_metrics(service: str, resources: ResourcesDep, request: Request, asked: AskedDep) -> Response:  # noqa: ARG001  the dependency reads it
    """Read how a service is delivered and how it runs: DORA, SLO attainment, incident times, load, what CI counts."""
    return await _answer(resources, request, asked)


@router.get(
    "/teams/{team}",
    response_model=MetricsView,
    openapi_extra=READ,
    responses=responses(404, 422) | CSV,
    dependencies=[FRESH],
)
async def get_team_metrics(team: str, resources: ResourcesDep, request: Request, asked: AskedDep) -> Response:  # noqa: ARG001  the dependency reads it
    """Read the same for all services that a team owns or is engaged for, with the teams of the other side."""
    return await _answer(resources, request, asked)


async def _of_service(resources: Resources, service: str, as_of: datetime | None) -> Scope:
    """A service, its owner and the SRE team that is engaged for it."""
    profile = live(await resources.handler.load(SERVICE, service, as_of=as_of)).profile
    sre_teams = [profile.engaged.sre_team] if profile.engaged else []
    return Scope(f"service/{service}", [service], [profile.owner_team] if profile.owner_team else [], sre_teams, as_of)


async def _of_team(resources: Resources, team: str, as_of: datetime | None) -> Scope:
    """All services that a team owns or is engaged for, and the teams of the other side."""
    state = living(await resources.handler.load(TEAM, team, as_of=as_of))
    kind = (state.was if isinstance(state, Ended) else state).kind
    if as_of is None:
        found = [(one.name, one.owner_team, one.sre_team) for one in await resources.views.read(worked_for, team)]
    else:
        found = await _worked_for_then(resources, team, as_of)
    others = sorted({sre if kind == "dev" else owner for _, owner, sre in found} - {"", team})
    dev_teams, sre_teams = ([team], others) if kind == "dev" else (others, [team])
    return Scope(f"team/{team}", [name for name, _, _ in found], dev_teams, sre_teams, as_of)


async def _worked_for_then(resources: Resources, team: str, as_of: datetime) -> list[tuple[str, str, str]]:
    """The services that *team* owned or was engaged for: name, owner and SRE team, as they were known at *as_of*."""
    found: list[tuple[str, str, str]] = []
    for name in await resources.views.read(ever_worked_for, team):
        then = (await resources.handler.load(SERVICE, name, as_of=as_of)).state
        if isinstance(then, Settled | Awaiting):
            sre = then.profile.engaged.sre_team if then.profile.engaged else ""
            if team in {then.profile.owner_team, sre}:
                found.append((name, then.profile.owner_team, sre))
    return found


async def _answer(resources: Resources, request: Request, asked: Asked) -> Response:
    start, end = asked.period(_USUAL)
    found = await resources.views.read(measured, asked.scope, start, end)
    view = _view(asked.scope, start, end, found, asked.policy)
    if asked.form == "json":
        return etag.answer(request, view)
    spans = {"since": view.since.isoformat(), "until": view.until.isoformat()}
    told = ({name: getattr(metric, name, None) for name in _COLUMNS} | spans for metric in view.metrics)
    return as_csv(view.subject, _COLUMNS, told)


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
