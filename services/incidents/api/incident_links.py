"""What an incident has to do with others, and what who is concerned hears of it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome, Step
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.incident_calls import carry
from services.incidents.api.incident_schemas import IncidentAnswer, span, there
from services.incidents.api.incident_work_schemas import (
    CadenceSet,
    LinkTo,
    Suspicion,
    ToldAnswer,
    Update,
    UpdateAnswer,
    UpdatesAnswer,
)
from services.incidents.api.schemas import Why
from services.incidents.api.verbs import Id
from services.incidents.contract import CONTRACT, INCIDENT
from services.incidents.domain.errors import AbsentError, UnknownReferenceError
from services.incidents.domain.incident.state import Incident, Record
from services.incidents.domain.incident.terms import SEEN_FROM_THERE, Relation
from services.incidents.domain.incident.work_commands import (
    LinkDeployment,
    LinkIncident,
    PostUpdate,
    SetCadence,
    UnlinkDeployment,
    UnlinkIncident,
)
from services.incidents.domain.incident.work_events import IncidentUpdatePosted
from services.incidents.effects import find_incident
from services.incidents.projections.notifications import about_incident
from services.incidents.projections.surroundings import SURROUNDINGS, deployment_named

router = Router(prefix="/v1/incidents", tags=["incidents"])

_WRITES: Final[dict[str, Any]] = {"openapi_extra": needs("incidents.write"), "responses": responses(404)}


@router.post("/{id}/links", response_model=IncidentAnswer, **_WRITES)
async def link_incident(call: CallDep, reference: Id, body: LinkTo) -> Response:
    """Say what it has to do with another incident, also with a closed one; that one says so, too."""
    other = await _record(call, body.incident)
    if other is None:
        raise UnknownReferenceError("incident", body.incident, "GET /v1/incidents lists them")
    this = await _record(call, reference)
    if this is None:
        raise AbsentError("incident")
    said, back = _asked(call, body), SEEN_FROM_THERE[body.relation]
    link = LinkIncident(**said, other=other.incident, other_number=other.number, relation=body.relation)
    also = LinkIncident(**said, other=this.incident, other_number=this.number, relation=back)
    return await carry(call, this.incident, link, also=(Step(INCIDENT, other.incident, also),))


@router.post("/{id}/links/{relation}/{other}:remove", response_model=IncidentAnswer, **_WRITES)
async def unlink_incident(
    call: CallDep,
    reference: Id,
    relation: Relation,
    other: Annotated[str, Path(min_length=1, max_length=64)],
    body: Why | None = None,
) -> Response:
    """It has nothing to do with another incident, nor that one with it."""
    said, there = _asked(call, body), await _record(call, other)
    if there is None:
        return await carry(call, reference, UnlinkIncident(**said, other=other, relation=relation))
    this = await find_incident(call.resources.store, reference)
    also = UnlinkIncident(**said, other=this, relation=SEEN_FROM_THERE[relation])
    unlink = UnlinkIncident(**said, other=there.incident, relation=relation)
    return await carry(call, this, unlink, also=(Step(INCIDENT, there.incident, also),))


@router.post("/{id}/deployments", response_model=IncidentAnswer, **_WRITES, dependencies=[fresh(SURROUNDINGS)])
async def link_deployment(call: CallDep, reference: Id, body: Suspicion) -> Response:
    """Say which deployment has to do with it, and whether it is suspected to be the cause."""
    found = await call.resources.views.read(deployment_named, body.deployment)
    if found is None:
        remedy = "lifecycle has not told of it; GET /v1/deployments lists them"
        raise UnknownReferenceError("deployment", body.deployment, remedy)
    service, version = found
    command = LinkDeployment(
        **_asked(call, body), deployment=body.deployment, service=service, version=version, suspected=body.suspected
    )
    return await carry(call, reference, command)


@router.post("/{id}/deployments/{deployment}:remove", response_model=IncidentAnswer, **_WRITES)
async def unlink_deployment(
    call: CallDep,
    reference: Id,
    deployment: Annotated[str, Path(min_length=1, max_length=200)],
    body: Why | None = None,
) -> Response:
    """A deployment has nothing to do with it."""
    return await carry(call, reference, UnlinkDeployment(**_asked(call, body), deployment=deployment))


@router.get(
    "/{id}/updates", response_model=UpdatesAnswer, openapi_extra=needs("incidents.read"), responses=responses(404)
)
async def list_updates(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """What who is concerned was told, the newest first, and when they hear again."""
    incident = await find_incident(resources.store, reference)
    loaded = await resources.handler.load(INCIDENT, incident)
    record = there(loaded.state).record
    recorded = await resources.store.load(INCIDENT.stream(incident)) if record.updates.posted else ()
    sent = await resources.views.read(about_incident, incident)
    posted = [(str(each.event_id), CONTRACT.decode(each)) for each in reversed(recorded)]
    items = [_update(name, event, sent) for name, event in posted if isinstance(event, IncidentUpdatePosted)]
    return answer(request, _updates(record, items))


@router.post("/{id}/updates", status_code=201, response_model=UpdateAnswer, **_WRITES)
async def post_update(call: CallDep, reference: Id, body: Update) -> Response:
    """Tell who is concerned how it stands; the next is due as the cadence says."""
    command = PostUpdate(by=call.principal.name, at=call.context.at, text=body.text, audience=body.audience)

    def posted(outcome: Outcome[Incident]) -> UpdateAnswer:
        return _update(str(call.context.event_id(0)), outcome.events[0], ())

    location = f"/v1/incidents/{reference}/updates"
    return await carry(call, reference, command, status=201, location=location, body=posted)


@router.put("/{id}/updates/cadence", response_model=IncidentAnswer, **_WRITES)
async def set_cadence(call: CallDep, reference: Id, body: CadenceSet) -> Response:
    """Say how often who is concerned hears how it stands; an update that is not posted in time is an event."""
    every = None if body.every is None else int(body.every.total_seconds() // 60)
    return await carry(call, reference, SetCadence(**_asked(call, body), every_minutes=every))


def _asked(call: Call, body: Why | None) -> dict[str, Any]:
    return {"by": call.principal.name, "reason": body.reason if body else "", "at": call.context.at}


async def _record(call: Call, reference: str) -> Record | None:
    found = (await call.resources.handler.load(INCIDENT, await find_incident(call.resources.store, reference))).state
    return found and found.record


def _update(name: str, event: Any, sent: Sequence[Any]) -> UpdateAnswer:  # noqa: ANN401  as it was posted
    return UpdateAnswer(
        id=name,
        text=event.text,
        audience=event.audience,
        told=[ToldAnswer(row["team"], row["channel"], row["state"]) for row in sent if row["event"] == name],
        author=event.by,
        at=event.at,
    )


def _updates(record: Record, items: list[UpdateAnswer]) -> UpdatesAnswer:
    updates = record.updates
    return UpdatesAnswer(
        items=items,
        every=span(updates.every_minutes),
        by_severity=updates.by_severity,
        next_due=updates.next_due,
        overdue=updates.overdue,
    )
