"""Incidents: declare, read, move on, write into the timeline."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.ids import new_id
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.filters import matching
from services.incidents.api.schemas import (
    Classification,
    Declaration,
    Entry,
    EntryAnswer,
    IncidentAnswer,
    IncidentState,
    Resolution,
    Timeline,
    Times,
    incident_answer,
    of_row,
)
from services.incidents.api.verbs import Id, add_verbs
from services.incidents.contract import CONTRACT, INCIDENT
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.incident.commands import (
    Acknowledge,
    Cancel,
    Classify,
    Close,
    Command,
    CorrectMilestones,
    Declare,
    Identify,
    Investigate,
    Mitigate,
    Monitor,
    Note,
    Reopen,
    Resolve,
)
from services.incidents.domain.incident.events import IncidentNoted, Severity
from services.incidents.domain.milestones import MILESTONES, Milestone
from services.incidents.domain.timeline import describe
from services.incidents.intake import Numbers, find_incident, incident_effects
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.known_services import KNOWN_SERVICES, require_service

router = Router(prefix="/v1/incidents", tags=["incidents"])


@router.post(
    "",
    status_code=201,
    response_model=IncidentAnswer,
    openapi_extra=needs("incidents.write"),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def declare_incident(request: Request, call: CallDep, body: Declaration) -> Response:
    """Declare an incident; it gets a number, and is in triage until somebody takes it on."""
    await require_service(call.resources.views, body.service, request.app.state.settings.service_wait_s)
    numbers: Numbers = request.app.state.numbers
    incident = str(new_id())

    async def declare(number: str) -> Response:
        command = Declare(
            incident=incident, number=number, by=call.principal.name, at=call.context.at, **body.model_dump()
        )
        return await _carry(call, incident, command, status=201, location=f"/v1/incidents/{incident}")

    return await numbers.give(declare)


@router.get("", openapi_extra=needs("incidents.read"), dependencies=[fresh(INCIDENTS)])
async def list_incidents(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[IncidentState] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    outage_class: Annotated[list[str] | None, Query()] = None,
) -> Page[IncidentAnswer]:
    """Incidents in all states unless filtered, the newest first."""
    c = INCIDENTS.view.c
    query = select(INCIDENTS.view).where(
        *matching({c.service: service, c.state: state, c.severity: severity, c.outage_class: outage_class})
    )
    return await resources.views.read(
        page.fetch, query, key=c.ordinal, item=lambda row: of_row(IncidentAnswer, row), descending=True
    )


@router.get("/{id}", response_model=IncidentAnswer, openapi_extra=needs("incidents.read"), responses=responses(404))
async def get_incident(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """One incident as it is now, by its number (`INC-42`) or its id."""
    loaded = await resources.handler.load(INCIDENT, await find_incident(resources.store, reference))
    return answer(request, incident_answer(loaded.state), version=loaded.version)


@router.post(
    "/{id}:resolve", response_model=IncidentAnswer, openapi_extra=needs("incidents.write"), responses=responses(404)
)
async def resolve_incident(call: CallDep, reference: Id, body: Resolution | None = None) -> Response:
    """It is over; while alerts fire only with force and a reason."""
    asked = body or Resolution()
    command = Resolve(by=call.principal.name, reason=asked.reason, at=call.context.at, force=asked.force)
    return await _carry(call, reference, command)


@router.post(
    "/{id}:classify", response_model=IncidentAnswer, openapi_extra=needs("incidents.write"), responses=responses(404)
)
async def classify_incident(call: CallDep, reference: Id, body: Classification) -> Response:
    """Say of what class of outage it was; what one class spends of a quarter's error budget is counted together."""
    command = Classify(outage_class=body.outage_class, by=call.principal.name, reason=body.reason, at=call.context.at)
    return await _carry(call, reference, command)


@router.patch(
    "/{id}/milestones",
    response_model=IncidentAnswer,
    openapi_extra=needs("incidents.write", if_match=True),
    responses=responses(404),
)
async def correct_milestones(call: CallDep, reference: Id, body: Times) -> Response:
    """Correct times of what was reached; each correction is an event with its editor and reason."""
    times: dict[Milestone, datetime] = {name: time for name in MILESTONES if (time := getattr(body, name)) is not None}
    command = CorrectMilestones(times=times, by=call.principal.name, reason=body.reason, at=call.context.at)
    return await _carry(call, reference, command)


@router.post(
    "/{id}/timeline",
    status_code=201,
    response_model=EntryAnswer,
    openapi_extra=needs("incidents.write"),
    responses=responses(404),
)
async def write_timeline(call: CallDep, reference: Id, body: Entry) -> Response:
    """Write into the timeline: also what lies before the incident; what a fast clock puts ahead happened now."""
    at = call.context.at
    command = Note(
        kind=body.kind,
        text=body.text,
        occurred_at=min(body.occurred_at or at, at),
        starred=body.starred,
        by=call.principal.name,
        at=at,
    )
    return await call.handle(
        INCIDENT,
        await find_incident(call.resources.store, reference),
        command,
        body=lambda outcome: _entry(call.context.event_id(0), outcome.events[0]),
        status=201,
        location=f"/v1/incidents/{reference}/timeline",
    )


@router.get("/{id}/timeline", response_model=Timeline, openapi_extra=needs("incidents.read"), responses=responses(404))
async def get_timeline(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """All that happened to an incident and that people wrote about it, in the order in which it happened."""
    stream = INCIDENT.stream(await find_incident(resources.store, reference))
    recorded = await resources.store.load(stream)
    if not recorded:
        raise AbsentError("incident")
    entries = [_entry(each.event_id, CONTRACT.decode(each)) for each in recorded]
    entries.sort(key=lambda entry: entry.occurred_at)
    return answer(request, Timeline(items=entries), version=recorded[-1].version)


def _entry(event_id: UUID, event: Any) -> EntryAnswer:  # noqa: ANN401  any event of an incident
    noted = event if isinstance(event, IncidentNoted) else None
    return EntryAnswer(
        id=str(event_id),
        kind=noted.kind if noted else CONTRACT.name_of(type(event)).split(".")[4],
        text=describe(event),
        author=event.by,
        source="person" if noted else "system",
        starred=noted.starred if noted else False,
        occurred_at=noted.occurred_at if noted else event.at,
        written_at=event.at,
    )


async def _carry(
    call: Call, reference: str, command: Command, *, status: int = 200, location: str | None = None
) -> Response:
    return await call.handle(
        INCIDENT,
        await find_incident(call.resources.store, reference),
        command,
        body=lambda outcome: incident_answer(outcome.state),
        status=status,
        location=location,
        effects=incident_effects,
    )


add_verbs(
    router,
    "incident",
    (Acknowledge, Investigate, Identify, Monitor, Mitigate, Close, Cancel, Reopen),
    _carry,
    answer=IncidentAnswer,
)
