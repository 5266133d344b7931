"""What happened to an incident and when: its timeline, and the times that figures are made of."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.incident_calls import carry
from services.incidents.api.incident_schemas import IncidentAnswer, there
from services.incidents.api.incident_work_schemas import (
    Entry,
    EntryAnswer,
    MilestoneAnswer,
    MilestonesAnswer,
    Timeline,
    Times,
)
from services.incidents.api.timeline_of_calls import told_of_calls
from services.incidents.api.verbs import Id
from services.incidents.contract import CONTRACT, INCIDENT
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.incident.commands import CorrectMilestones, Note
from services.incidents.domain.incident.events import IncidentNoted
from services.incidents.domain.incident.state import Known as KnownIncident
from services.incidents.domain.incident.state import Record, over_since
from services.incidents.domain.incident.terms import Attachment
from services.incidents.domain.milestones import MILESTONES, Milestone
from services.incidents.domain.timeline import describe, surrounding
from services.incidents.effects import find_incident
from services.incidents.projections.notifications import NOTIFICATIONS
from services.incidents.projections.surroundings import BEFORE, SURROUNDINGS, Known, known_between

router = Router(prefix="/v1/incidents", tags=["incidents"])


@router.get(
    "/{id}/milestones", response_model=MilestonesAnswer, openapi_extra=needs("incidents.read"), responses=responses(404)
)
async def get_milestones(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """Every time of an incident with its source, its editor and the reason; null: not reached."""
    loaded = await resources.handler.load(INCIDENT, await find_incident(resources.store, reference))
    record = there(loaded.state).record
    items: list[MilestoneAnswer] = []
    for name in MILESTONES:
        origin = record.origins.get(name)
        items.append(
            MilestoneAnswer(
                milestone=name,
                time=getattr(record.milestones, name),
                source=origin.source if origin else None,
                editor=origin.editor if origin else "",
                reason=origin.reason if origin else "",
                written_at=origin.written_at if origin else None,
            )
        )
    return answer(request, MilestonesAnswer(items=items), version=loaded.version)


@router.patch(
    "/{id}/milestones",
    response_model=IncidentAnswer,
    openapi_extra=needs("incidents.write", if_match=True),
    responses=responses(404),
)
async def correct_milestones(call: CallDep, reference: Id, body: Times) -> Response:
    """Correct times, and enter those that nobody wrote down before it was over; each is an event with its reason."""
    times: dict[Milestone, datetime] = {name: time for name in MILESTONES if (time := getattr(body, name)) is not None}
    command = CorrectMilestones(times=times, by=call.principal.name, reason=body.reason, at=call.context.at)
    return await carry(call, reference, command)


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
        attachments=tuple(Attachment(**each.model_dump()) for each in body.attachments),
        by=call.principal.name,
        at=at,
    )
    return await carry(
        call,
        reference,
        command,
        body=lambda outcome: _entry(call.context.event_id(0), outcome.events[0]),
        status=201,
        location=f"/v1/incidents/{reference}/timeline",
    )


@router.get(
    "/{id}/timeline",
    response_model=Timeline,
    openapi_extra=needs("incidents.read"),
    responses=responses(404),
    dependencies=[fresh(SURROUNDINGS, NOTIFICATIONS)],
)
async def get_timeline(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """All that happened to an incident and its services meanwhile, who was called, and what people wrote, in order."""
    incident = await find_incident(resources.store, reference)
    recorded = await resources.store.load(INCIDENT.stream(incident))
    if not recorded:
        raise AbsentError("incident")
    events = [CONTRACT.decode(each) for each in recorded]
    state = there(INCIDENT.fold(None, events))
    known = await resources.views.read(_meanwhile, state, resources.clock.now())
    entries = [_entry(each.event_id, event) for each, event in zip(recorded, events, strict=True)]
    entries += [entry for each in known for entry in _told(each, state.record)]
    entries += await told_of_calls(resources, incident)
    entries.sort(key=lambda entry: entry.occurred_at)
    return answer(request, Timeline(items=entries))


def _meanwhile(connection: Connection, state: KnownIncident, now: datetime) -> list[Known]:
    """What was deployed to its services, and what was left of their budgets, while it lasted and an hour before."""
    record = state.record
    services = [record.service, *(each.service for each in record.affected)]
    since, until = record.milestones.impact_started - BEFORE, over_since(state) or now
    return known_between(connection, services, ("deployment", "budget"), since, until)


def _told(known: Known, record: Record) -> list[EntryAnswer]:
    entry = EntryAnswer(
        id=f"{known.kind}/{known.subject}/{known.at.isoformat()}",
        kind=known.kind,
        text=surrounding(known.kind, known.subject, known.data),
        author=known.data.get("by", "") or "slo",
        source="system",
        starred=any(each.deployment == known.subject and each.suspected for each in record.deployments),
        attachments=[Attachment(title=known.subject, url=url)] if (url := known.data.get("url")) else [],
        occurred_at=known.at,
        written_at=known.at,
    )
    taken_back = known.data.get("rolled_back_at")
    if not taken_back:
        return [entry]
    at = datetime.fromisoformat(taken_back)
    text = f"deployment {known.subject} rolled back" + (f": {why}" if (why := known.data.get("reason")) else "")
    again = {"id": f"{entry.id}/rolled-back", "text": text, "occurred_at": at, "written_at": at}
    return [entry, replace(entry, **again)]


def _entry(event_id: UUID, event: Any) -> EntryAnswer:  # noqa: ANN401  any event of an incident
    noted = event if isinstance(event, IncidentNoted) else None
    return EntryAnswer(
        id=str(event_id),
        kind=noted.kind if noted else CONTRACT.name_of(type(event)).split(".")[4],
        text=describe(event),
        author=event.by,
        source="person" if noted else "system",
        starred=noted.starred if noted else False,
        attachments=list(noted.attachments) if noted else [],
        occurred_at=noted.occurred_at if noted else event.at,
        written_at=event.at,
    )
