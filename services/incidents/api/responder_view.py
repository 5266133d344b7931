"""What who works on an incident needs, on one screen: as far as other services have told of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs, principal
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.incident_schemas import IncidentAnswer, IncidentState, incident_answer, there
from services.incidents.api.verbs import Id
from services.incidents.contract import INCIDENT
from services.incidents.domain.incident.state import Known as KnownIncident
from services.incidents.domain.incident.state import Record, over_since
from services.incidents.domain.incident.terms import Severity
from services.incidents.domain.next_steps import next_steps
from services.incidents.effects import find_incident
from services.incidents.projections.incident_fields import INCIDENT_FIELDS, empty_but_required
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.known_services import KNOWN_SERVICES, service_of
from services.incidents.projections.people import PEOPLE, person_of
from services.incidents.projections.surroundings import SURROUNDINGS, budgets_before, known_between, known_of

router = Router(prefix="/v1/incidents", tags=["incidents"])

_RECENT: Final = timedelta(days=2)
_OPEN: Final = ("triage", "active", "mitigated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A link of a service, of the kind that its owner gave it."""

    service: str
    kind: str
    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where the code of a service is, and whose it is."""

    service: str
    repository: str
    path: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentDeployment:
    """A deployment to one of its services, shortly before it began or since."""

    deployment: str
    service: str
    version: str
    summary: str
    result: str
    at: datetime
    rolled_back_at: datetime | None
    url: str
    linked: bool
    suspected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLeft:
    """The error budget of one SLO of its services: before it began, and now; null: undefined."""

    slo: str
    service: str
    state: str
    remaining: float | None
    remaining_before: float | None
    spent: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """An incident that is not over."""

    number: str
    title: str
    severity: Severity
    state: IncidentState


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyState:
    """A service that it relies on, and how that is."""

    service: str
    of: str
    criticality: str
    failure_behaviour: str
    phase: str
    owner_team: str
    sre_team: str
    open_incidents: list[OpenIncident]
    budgets: list[BudgetLeft]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderView:
    """An incident and all around it; `next` says who must do what, with times by UTC and by the clocks of who asks."""

    incident: IncidentAnswer
    next: list[str]
    phase: str
    owner_team: str
    sre_team: str
    runbooks: list[Pointer]
    dashboards: list[Pointer]
    links: list[Pointer]
    repositories: list[Repository]
    dependencies: list[DependencyState]
    recent_deployments: list[RecentDeployment]
    budgets: list[BudgetLeft]


@router.get(
    "/{id}/responder-view",
    response_model=ResponderView,
    openapi_extra=needs("incidents.read"),
    responses=responses(404),
    dependencies=[fresh(SURROUNDINGS, INCIDENTS, KNOWN_SERVICES, INCIDENT_FIELDS, PEOPLE)],
)
async def get_responder_view(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """What to do next, runbooks, dashboards, code, dependencies and how they are, deployments, budgets."""
    loaded = await resources.handler.load(INCIDENT, await find_incident(resources.store, reference))
    state = there(loaded.state)
    who = principal(request).name
    return answer(request, await resources.views.read(_around, state, who, resources.clock.now()))


def _around(connection: Connection, state: KnownIncident, who: str, now: datetime) -> ResponderView:
    record, until = state.record, over_since(state) or now
    services = list(dict.fromkeys((record.service, *(each.service for each in record.affected))))
    pointers = [pointer for service in services for pointer in _pointers(connection, service)]
    known, reader = service_of(connection, record.service), person_of(connection, who)
    return ResponderView(
        incident=incident_answer(state),
        next=[*next_steps(state, now, reader.clock if reader else UTC), *_still_empty(connection, state)],
        phase=known.phase if known else "",
        owner_team=known.owner_team if known else "",
        sre_team=known.sre_team if known else "",
        runbooks=[each for each in pointers if each.kind == "runbook"],
        dashboards=[each for each in pointers if each.kind == "dashboard"],
        links=[each for each in pointers if each.kind not in {"runbook", "dashboard"}],
        repositories=[each for service in services for each in _repositories(connection, service)],
        dependencies=[each for service in services for each in _dependencies(connection, service, record, until)],
        recent_deployments=_deployments(connection, services, record, until),
        budgets=[each for service in services for each in _budgets(connection, service, record, until)],
    )


def _still_empty(connection: Connection, state: KnownIncident) -> list[str]:
    """What somebody has to fill in before it can be closed."""
    empty = empty_but_required(connection, "close", state.record.details.fields)
    over_for_good = not state.allowed
    return [] if over_for_good or not empty else [f"fill in {', '.join(empty)} before it is closed: PATCH fields"]


def _pointers(connection: Connection, service: str) -> list[Pointer]:
    found = known_of(connection, service, "links")
    links: Iterable[dict[str, Any]] = found[0].data["links"] if found else ()
    return [
        Pointer(service=service, kind=link.get("kind", ""), title=link.get("title", ""), url=link["url"])
        for link in links
    ]


def _repositories(connection: Connection, service: str) -> list[Repository]:
    found = known_of(connection, service, "links")
    places: Iterable[dict[str, Any]] = found[0].data["code"] if found else ()
    return [
        Repository(
            service=service,
            repository=place.get("repository", ""),
            path=place.get("path", ""),
            owner=place.get("owner", ""),
        )
        for place in places
    ]


def _dependencies(connection: Connection, service: str, record: Record, until: datetime) -> list[DependencyState]:
    found: list[DependencyState] = []
    for dependency in known_of(connection, service, "dependency"):
        known = service_of(connection, dependency.subject)
        found.append(
            DependencyState(
                service=dependency.subject,
                of=service,
                criticality=dependency.data["criticality"],
                failure_behaviour=dependency.data["failure_behaviour"],
                phase=known.phase if known else "",
                owner_team=known.owner_team if known else "",
                sre_team=known.sre_team if known else "",
                open_incidents=_open_incidents(connection, dependency.subject),
                budgets=_budgets(connection, dependency.subject, record, until),
            )
        )
    return found


def _open_incidents(connection: Connection, service: str) -> list[OpenIncident]:
    c = INCIDENTS.view.c
    query = select(c.number, c.title, c.severity, c.state).where(c.service == service, c.state.in_(_OPEN))
    rows = connection.execute(query.order_by(c.ordinal)).mappings()
    return [OpenIncident(**row) for row in rows]


def _deployments(
    connection: Connection, services: list[str], record: Record, until: datetime
) -> list[RecentDeployment]:
    linked = {each.deployment: each.suspected for each in record.deployments}
    found: list[RecentDeployment] = []
    for service in services:
        since = record.milestones.impact_started - _RECENT
        for known in known_between(connection, [service], ["deployment"], since, until):
            taken_back = known.data["rolled_back_at"]
            found.append(
                RecentDeployment(
                    deployment=known.subject,
                    service=service,
                    version=known.data["version"],
                    summary=known.data.get("summary", ""),
                    result=known.data["result"],
                    at=known.at,
                    rolled_back_at=datetime.fromisoformat(taken_back) if taken_back else None,
                    url=known.data["url"],
                    linked=known.subject in linked,
                    suspected=linked.get(known.subject, False),
                )
            )
    return sorted(found, key=lambda each: each.at, reverse=True)


def _budgets(connection: Connection, service: str, record: Record, until: datetime) -> list[BudgetLeft]:
    before = budgets_before(connection, service, record.milestones.impact_started)
    after = budgets_before(connection, service, until)
    found: list[BudgetLeft] = []
    for slo in sorted(known_of(connection, service, "slo"), key=lambda each: each.subject):
        left, was = after.get(slo.subject, slo.data["remaining"]), before.get(slo.subject)
        spent = None if left is None or was is None else max(was - left, 0.0)
        found.append(
            BudgetLeft(
                slo=slo.subject,
                service=service,
                state=slo.data["state"],
                remaining=left,
                remaining_before=was,
                spent=spent,
            )
        )
    return found
