"""Incidents: declare, read, move on, merge and split."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.full_text import holds
from libs.events.handler import Step
from libs.events.ids import new_id
from libs.events.store import EventLog
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.filters import matching
from services.incidents.api.incident_calls import carry
from services.incidents.api.incident_fields import check_fields, check_filled
from services.incidents.api.incident_schemas import (
    Classification,
    Declaration,
    IncidentAnswer,
    IncidentState,
    Merging,
    Resolution,
    Splitting,
    affected_of,
    incident_answer,
    incident_row,
    there,
)
from services.incidents.api.verbs import Id, add_verbs
from services.incidents.contract import INCIDENT
from services.incidents.domain.errors import UnknownReferenceError
from services.incidents.domain.incident.commands import (
    Absorb,
    Acknowledge,
    Cancel,
    Classify,
    Close,
    Declare,
    Identify,
    Investigate,
    MergeInto,
    Mitigate,
    Monitor,
    Reopen,
    Resolve,
    Split,
)
from services.incidents.domain.incident.state import Incident, Record
from services.incidents.domain.incident.terms import Priority, Severity
from services.incidents.domain.incident.work_commands import LinkIncident
from services.incidents.domain.milestones import Milestone
from services.incidents.domain.words import words
from services.incidents.effects import find_incident, incident_effects
from services.incidents.intake import Numbers
from services.incidents.projections.alerts import ended_of
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.known_services import KNOWN_SERVICES, require_service

router = Router(prefix="/v1/incidents", tags=["incidents"])

_REACHED: Final[tuple[Milestone, ...]] = ("acknowledged", "mitigated", "resolved")


@router.post(
    "",
    status_code=201,
    response_model=IncidentAnswer,
    openapi_extra=needs("incidents.write"),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def declare_incident(request: Request, call: CallDep, body: Declaration) -> Response:
    """Declare an incident; it gets a number, and is in triage until somebody takes it on."""
    for service in (body.service, *(each.service for each in body.affected_services)):
        await require_service(call.resources.views, service, request.app.state.settings.service_wait_s)
    await check_fields(call.resources.handler, body.fields)
    follows = await _other(call.resources.handler.load, call.resources.store, body.follows, "follows")
    numbers: Numbers = request.app.state.numbers
    incident = str(new_id())
    said = body.model_dump(exclude={"affected_services", "follows", *_REACHED})
    reached: dict[Milestone, datetime] = {name: time for name in _REACHED if (time := getattr(body, name))}

    async def declare(number: str) -> Response:
        command = Declare(
            incident=incident,
            number=number,
            by=call.principal.name,
            at=call.context.at,
            affected=affected_of(body.affected_services) or (),
            follows=(follows.incident, follows.number) if follows else None,
            reached=reached,
            update_every_minutes=request.app.state.updates.every_minutes(body.severity),
            **said,
        )
        why: dict[str, Any] = {"by": command.by, "reason": command.reason, "at": command.at}
        back = LinkIncident(**why, other=incident, other_number=number, relation="followed_by")
        also = (Step(INCIDENT, follows.incident, back),) if follows else ()
        return await carry(call, incident, command, status=201, location=f"/v1/incidents/{incident}", also=also)

    return await numbers.give(declare)


@router.get("", openapi_extra=needs("incidents.read"), dependencies=[fresh(INCIDENTS)])
async def list_incidents(  # noqa: PLR0913, PLR0917  each is a filter
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[IncidentState] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    priority: Annotated[list[Priority] | None, Query()] = None,
    outage_class: Annotated[list[str] | None, Query()] = None,
    customer_facing: Annotated[bool | None, Query()] = None,
    test: Annotated[bool | None, Query()] = None,
    q: Annotated[str, Query(max_length=200, description="Words; those listed say all of them.")] = "",
) -> Page[IncidentAnswer]:
    """Incidents in all states unless filtered, the newest first."""
    c = INCIDENTS.view.c
    flags = {c.customer_facing: customer_facing, c.test: test}
    query = select(INCIDENTS.view).where(
        *matching(
            {
                c.service: service,
                c.state: state,
                c.severity: severity,
                c.priority: priority,
                c.outage_class: outage_class,
            }
        ),
        *(column.is_(flag) for column, flag in flags.items() if flag is not None),
        *((holds(c.words, wanted),) if (wanted := words(q)) else ()),
    )
    return await resources.views.read(page.fetch, query, key=c.ordinal, item=incident_row, descending=True)


@router.get("/{id}", response_model=IncidentAnswer, openapi_extra=needs("incidents.read"), responses=responses(404))
async def get_incident(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """One incident as it is now, by its number (`INC-42`) or its id."""
    loaded = await resources.handler.load(INCIDENT, await find_incident(resources.store, reference))
    return answer(request, incident_answer(loaded.state), version=loaded.version)


@router.post(
    "/{id}:resolve", response_model=IncidentAnswer, openapi_extra=needs("incidents.write"), responses=responses(404)
)
async def resolve_incident(call: CallDep, reference: Id, body: Resolution | None = None) -> Response:
    """It is over; while alerts fire, or fields are empty that it needs, only with force and a reason."""
    asked, resources = body or Resolution(), call.resources
    incident = await find_incident(resources.store, reference)
    if not asked.force:
        await check_filled(resources, (await resources.handler.load(INCIDENT, incident)).state, "resolve")
    ended = await resources.views.read(ended_of, incident)
    command = Resolve(
        by=call.principal.name, reason=asked.reason, at=call.context.at, force=asked.force, ended=tuple(ended)
    )
    return await carry(call, incident, command)


@router.post(
    "/{id}:classify", response_model=IncidentAnswer, openapi_extra=needs("incidents.write"), responses=responses(404)
)
async def classify_incident(call: CallDep, reference: Id, body: Classification) -> Response:
    """Say of what class of outage it was; what one class spends of a quarter's error budget is counted together."""
    command = Classify(outage_class=body.outage_class, by=call.principal.name, reason=body.reason, at=call.context.at)
    return await carry(call, reference, command)


@router.post(
    "/{id}:merge", response_model=IncidentAnswer, openapi_extra=needs("incidents.write"), responses=responses(404)
)
@retried_on_conflict
async def merge_incident(call: CallDep, reference: Id, body: Merging) -> Response:
    """It is a part of another incident, which goes on with its alerts; both say so in their timelines."""
    into = await _other(call.resources.handler.load, call.resources.store, body.into, "into")
    assert into is not None  # noqa: S101  it was named
    why: dict[str, Any] = {"by": call.principal.name, "reason": body.reason, "at": call.context.at}
    loaded = await call.resources.handler.load(INCIDENT, await find_incident(call.resources.store, reference))
    record = there(loaded.state).record
    absorb = Absorb(
        **why,
        other=record.incident,
        other_number=record.number,
        impact_started=record.milestones.impact_started,
        detected=record.milestones.detected,
        alerts=record.alerts,
        firing=record.firing,
    )
    itself = record.incident == into.incident  # which is refused
    also = () if itself else (Step(INCIDENT, into.incident, absorb, incident_effects),)
    command = MergeInto(**why, into=into.incident, into_number=into.number)
    return await carry(call.pinned(loaded), record.incident, command, also=also)


@router.post(
    "/{id}:split",
    status_code=201,
    response_model=IncidentAnswer,
    openapi_extra=needs("incidents.write"),
    responses=responses(404),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def split_incident(request: Request, call: CallDep, reference: Id, body: Splitting) -> Response:
    """Some of its alerts are an incident of their own, which is answered; who splits it works on that, too."""
    if body.service:
        await require_service(call.resources.views, body.service, request.app.state.settings.service_wait_s)
    source = await find_incident(call.resources.store, reference)
    record = there((await call.resources.handler.load(INCIDENT, source)).state).record
    numbers: Numbers = request.app.state.numbers
    incident = str(new_id())
    why: dict[str, Any] = {"by": call.principal.name, "reason": body.reason, "at": call.context.at}
    alerts, severity = tuple(dict.fromkeys(body.alerts)), body.severity or record.severity
    firing = set(record.firing)

    async def split(number: str) -> Response:
        declare = Declare(
            **why,
            incident=incident,
            number=number,
            service=body.service or record.service,
            title=body.title,
            severity=severity,
            update_every_minutes=request.app.state.updates.every_minutes(severity),
            impact_started=record.milestones.impact_started,
            detected=record.milestones.detected,
            test=record.details.test,
            split_from=source,
            alerts=alerts,
            firing=tuple(alert for alert in alerts if alert in firing),
        )
        leave = Split(**why, into=incident, into_number=number, alerts=alerts)
        also = (Step(INCIDENT, source, leave, incident_effects),)
        return await carry(call, incident, declare, status=201, location=f"/v1/incidents/{incident}", also=also)

    return await numbers.give(split)


async def _close(call: Call, reference: str, command: Close) -> Response:
    incident = await find_incident(call.resources.store, reference)
    await check_filled(call.resources, (await call.resources.handler.load(INCIDENT, incident)).state, "close")
    return await carry(call, incident, command)


async def _other(load: Any, log: EventLog, reference: str | None, field: str) -> Record | None:  # noqa: ANN401
    """The incident that *reference* in *field* of a body names.

    Raises:
        UnknownReferenceError: There is none.
    """
    if reference is None:
        return None
    found: Incident = (await load(INCIDENT, await find_incident(log, reference))).state
    if found is None:
        raise UnknownReferenceError("incident", reference, "GET /v1/incidents lists them", field)
    return found.record


add_verbs(
    router,
    "incident",
    (Acknowledge, Investigate, Identify, Monitor, Mitigate, Cancel, Reopen),
    carry,
    answer=IncidentAnswer,
)
add_verbs(router, "incident", (Close,), _close, answer=IncidentAnswer)
