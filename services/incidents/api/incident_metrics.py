"""The figures of incidents: how long they took, how often they come, whom they woke. Drills count in none."""

import csv
import io
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import Query
from sqlalchemy import Connection, RowMapping, select
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.incidents.domain.incident.terms import Severity
from services.incidents.domain.incident_metrics import (
    Counted,
    Dimension,
    IncidentFigures,
    Interruption,
    Interruptions,
    RepeatCause,
    figures_by,
    figures_of,
    interruptions_of,
    repeat_causes,
)
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.people import PEOPLE, people_of
from services.incidents.projections.shifts import PAGES, Page, pages_between
from services.incidents.projections.surroundings import SURROUNDINGS, stretches

router = Router(prefix="/v1/metrics/incidents", tags=["metrics"])

_USUAL: Final = timedelta(days=90)
_OVER: Final = ("resolved", "closed", "cancelled", "merged")
_UNCOUNTED: Final = ("cancelled", "merged")
_NUMBERS: Final = ("mttd", "mtta", "mtta_implied", "mttm", "mttr", "mtbf")
_FORMULA: Final = ("=", "+", "-", "@", "\t")  # what a spreadsheet would calculate instead of show
_CSV: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}

Since = Annotated[Moment | None, Query(description="Declared then or later; 90 days before `until` unless given.")]
Until = Annotated[Moment | None, Query(description="Declared before; now unless given.")]
Some = Annotated[list[str] | None, Query(description="Repeated: any of them.")]
Form = Annotated[Literal["json", "csv"], Query(alias="format")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """What was declared in this time and counts in no figure."""

    test: int
    cancelled: int
    merged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentMetrics:
    """IncidentFigures of the incidents that were declared in a time, in seconds."""

    since: datetime
    until: datetime
    by: Dimension
    total: IncidentFigures
    items: list[IncidentFigures]
    repeat_causes: list[RepeatCause]
    excluded: Excluded


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptionMetrics:
    """How often people were called, by the hours of their own clocks: business 8 to 18, sleep 22 to 8."""

    since: datetime
    until: datetime
    by: Literal["person", "service", "severity"]
    total: Interruptions
    items: list[Interruptions]


@router.get(
    "",
    response_model=IncidentMetrics,
    openapi_extra=needs("incidents.read"),
    responses=responses(422) | _CSV,
    dependencies=[fresh(INCIDENTS, SURROUNDINGS)],
)
async def get_incident_metrics(  # noqa: PLR0913, PLR0917  each is a filter
    request: Request,
    resources: ResourcesDep,
    since: Since = None,
    until: Until = None,
    by: Annotated[Dimension, Query()] = "service",
    service: Some = None,
    team: Some = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    cause: Some = None,
    form: Form = "json",
) -> Response:
    """Time to detect, acknowledge, mitigate and resolve: n, median, p90, mean, what is missing, what is still open.

    Team and phase are those that the service had when the incident was declared.
    """
    start, end = _period(since, until, resources.clock.now())
    wanted = {"service": service, "team": team, "severity": severity, "cause": cause}
    counted, excluded = await resources.views.read_long(_counted, start, end, wanted)
    metrics = IncidentMetrics(
        since=start,
        until=end,
        by=by,
        total=figures_of("", counted),
        items=figures_by(by, counted),
        repeat_causes=repeat_causes(counted),
        excluded=excluded,
    )
    if form == "csv":
        return _table(f"incidents-by-{by}", [_flat(each) for each in metrics.items])
    return answer(request, metrics)


@router.get(
    "/export",
    openapi_extra=needs("incidents.read"),
    responses=responses(422) | _CSV,
    dependencies=[fresh(INCIDENTS, SURROUNDINGS)],
)
async def export_incidents(resources: ResourcesDep, since: Since = None, until: Until = None) -> Response:
    """One line for each incident that counts, with its times, as CSV: whoever doubts a figure makes it anew."""
    start, end = _period(since, until, resources.clock.now())
    counted, _ = await resources.views.read_long(_counted, start, end, {})
    return _table("incidents", [asdict(each) for each in counted], [field.name for field in fields(Counted)])


@router.get(
    "/interruptions",
    response_model=InterruptionMetrics,
    openapi_extra=needs("incidents.read"),
    responses=responses(422) | _CSV,
    dependencies=[fresh(PAGES, INCIDENTS, PEOPLE)],
)
async def get_interruptions(  # noqa: PLR0913  each is a filter
    request: Request,
    resources: ResourcesDep,
    since: Since = None,
    until: Until = None,
    by: Annotated[Literal["person", "service", "severity"], Query()] = "person",
    service: Some = None,
    form: Form = "json",
) -> Response:
    """How often people were called in business hours, off hours and when they sleep, by their own clocks."""
    start, end = _period(since, until, resources.clock.now())
    pages, zones = await resources.views.read_long(_pages, start, end, service or ())
    groups: defaultdict[str, list[Interruption]] = defaultdict(list)
    every: list[Interruption] = []
    for page in pages:
        zone = zones.get(page.person)
        interruption = Interruption(page.person, page.at.astimezone(zone) if zone else None)
        groups[getattr(page, by)].append(interruption)
        every.append(interruption)
    items = [interruptions_of(key, groups[key]) for key in sorted(groups)]
    if form == "csv":
        return _table(f"interruptions-by-{by}", [asdict(each) for each in items])
    told = InterruptionMetrics(since=start, until=end, by=by, total=interruptions_of("", every), items=items)
    return answer(request, told)


def _period(since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    end = until or now
    start = since or end - _USUAL
    if start >= end:
        detail = f"since ({start.isoformat()}) must lie before until ({end.isoformat()})"
        raise Problem(422, "invalid-period", "The period is empty", detail, [Place(detail, "since")])
    return start, end


def _counted(
    connection: Connection, since: datetime, until: datetime, wanted: Mapping[str, Collection[str] | None]
) -> tuple[list[Counted], Excluded]:
    c = INCIDENTS.view.c
    query = select(INCIDENTS.view).where(c.declared >= since, c.declared < until).order_by(c.ordinal)
    rows = connection.execute(query).mappings().all()
    phases, teams = stretches(connection, "phase"), stretches(connection, "team")
    found: list[Counted] = []
    excluded = {"test": 0, "cancelled": 0, "merged": 0}
    for row in rows:
        incident = _incident(row, phases, teams)
        if any(those and getattr(incident, name) not in those for name, those in wanted.items()):
            continue
        if row["test"]:
            excluded["test"] += 1
        elif row["state"] in _UNCOUNTED:
            excluded[row["state"]] += 1
        else:
            found.append(incident)
    return found, Excluded(**excluded)


_Stretches = Mapping[str, Sequence[tuple[datetime, str]]]


def _incident(row: RowMapping, phases: _Stretches, teams: _Stretches) -> Counted:
    service, declared = row["service"], row["declared"]
    return Counted(
        number=row["number"],
        service=service,
        team=_at(teams.get(service, ()), declared),
        severity=row["severity"],
        priority=row["priority"],
        phase=_at(phases.get(service, ()), declared),
        cause=row["outage_class"],
        impact_started=row["impact_started"],
        detected=row["detected"],
        acknowledged=row["acknowledged"],
        implied=row["acknowledged_implied"],
        mitigated=row["mitigated"],
        resolved=row["resolved"],
        over=row["state"] in _OVER,
    )


def _at(stretches: Sequence[tuple[datetime, str]], moment: datetime) -> str:
    """What was so at *moment*; before all that is known, what was so first."""
    if not stretches:
        return ""
    index = bisect_right([since for since, _ in stretches], moment)
    return stretches[max(index - 1, 0)][1]


def _pages(
    connection: Connection, since: datetime, until: datetime, services: Collection[str]
) -> tuple[list[Page], dict[str, Any]]:
    pages = [page for page in pages_between(connection, since, until) if not services or page.service in services]
    people = people_of(connection, {page.person for page in pages})
    return pages, {name: person.clock for name, (person, _) in people.items() if person.zone}


def _flat(figures: IncidentFigures) -> dict[str, object]:
    numbers = {f"{name}_{part}": value for name in _NUMBERS for part, value in asdict(getattr(figures, name)).items()}
    return {"key": figures.key, "incidents": figures.incidents, "still_open": figures.still_open, **numbers}


def _table(name: str, rows: Iterable[Mapping[str, object]], columns: Sequence[str] = ()) -> Response:
    lines = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or (list(lines[0]) if lines else ["key"]))
    writer.writeheader()
    writer.writerows({column: _cell(value) for column, value in line.items()} for line in lines)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text.getvalue(), 200, headers, "text/csv; charset=utf-8")


def _cell(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value
