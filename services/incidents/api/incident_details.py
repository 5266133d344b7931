"""What people say of an incident: what it is, how bad, whom it concerns; whole, or one thing at a time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.incidents.api.incident_calls import carry
from services.incidents.api.incident_fields import check_fields
from services.incidents.api.incident_schemas import (
    MOST_TAGS,
    Affecting,
    IncidentAnswer,
    IncidentPatch,
    patched,
    there,
)
from services.incidents.api.schemas import Why
from services.incidents.api.verbs import Id
from services.incidents.contract import INCIDENT
from services.incidents.domain.incident.state import Details, Record
from services.incidents.domain.incident.terms import Affected
from services.incidents.domain.incident.work_commands import Amend
from services.incidents.effects import find_incident
from services.incidents.projections.known_services import KNOWN_SERVICES, require_service

router = Router(prefix="/v1/incidents", tags=["incidents"])

_WRITES: Final[dict[str, Any]] = {"openapi_extra": needs("incidents.write"), "responses": responses(404)}
ServiceName = Annotated[str, Path(alias="service", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Tag = Annotated[str, Path(alias="tag", pattern=r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")]


@router.patch(
    "/{id}",
    response_model=IncidentAnswer,
    openapi_extra=needs("incidents.write", if_match=True),
    responses=responses(404),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def amend_incident(request: Request, call: CallDep, reference: Id, body: IncidentPatch) -> Response:
    """Say otherwise what it is, how bad, and whom it concerns; each change is an event with its reason."""
    for each in body.affected_services or ():
        await require_service(call.resources.views, each.service, request.app.state.settings.service_wait_s)
    given = {name: value for name, value in (body.fields or {}).items() if value is not None}
    await check_fields(call.resources.handler, given)

    def amended(record: Record) -> dict[str, Any]:
        details, affected = patched(body, record)
        every = request.app.state.updates.every_minutes(body.severity) if body.severity else None
        return {"details": details, "severity": body.severity, "affected": affected, "update_every_minutes": every}

    return await _amend(call, reference, body, amended)


@router.put(
    "/{id}/affected-services/{service}",
    response_model=IncidentAnswer,
    **_WRITES,
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def affect_service(
    request: Request, call: CallDep, reference: Id, service: ServiceName, body: Affecting | None = None
) -> Response:
    """One more service that its users feel it in, or since when and how many of them."""
    await require_service(call.resources.views, service, request.app.state.settings.service_wait_s)
    asked = body or Affecting()
    said = Affected(service=service, **asked.model_dump(exclude={"reason"}))

    def affected(record: Record) -> dict[str, Any]:
        known = {each.service: each for each in record.affected} | {service: said}
        return {"affected": tuple(known.values())}

    return await _amend(call, reference, asked, affected)


@router.post("/{id}/affected-services/{service}:remove", response_model=IncidentAnswer, **_WRITES)
async def spare_service(call: CallDep, reference: Id, service: ServiceName, body: Why | None = None) -> Response:
    """Its users do not feel it in this service after all."""

    def spared(record: Record) -> dict[str, Any]:
        return {"affected": tuple(each for each in record.affected if each.service != service)}

    return await _amend(call, reference, body, spared)


@router.put("/{id}/tags/{tag}", response_model=IncidentAnswer, **_WRITES)
async def tag_incident(call: CallDep, reference: Id, tag: Tag, body: Why | None = None) -> Response:
    """One more tag."""

    def tagged(details: Details) -> tuple[str, ...]:
        tags = tuple(dict.fromkeys((*details.tags, tag)))
        if len(tags) > MOST_TAGS:
            detail = f"an incident has at most {MOST_TAGS} tags; remove one first"
            raise Problem(422, "too-many-tags", "There are too many tags", detail, [Place(detail, "/tag")])
        return tags

    return await _amend(call, reference, body, _with_tags(tagged))


@router.post("/{id}/tags/{tag}:remove", response_model=IncidentAnswer, **_WRITES)
async def untag_incident(call: CallDep, reference: Id, tag: Tag, body: Why | None = None) -> Response:
    """One tag fewer."""
    untagged = _with_tags(lambda details: tuple(each for each in details.tags if each != tag))
    return await _amend(call, reference, body, untagged)


def _with_tags(tags: Callable[[Details], tuple[str, ...]]) -> Callable[[Record], dict[str, Any]]:
    return lambda record: {"details": replace(record.details, tags=tags(record.details))}


@retried_on_conflict
async def _amend(call: Call, reference: str, why: Why | None, said: Callable[[Record], dict[str, Any]]) -> Response:
    """Amend the incident by what *said* makes of what is known of it."""
    asked: dict[str, Any] = {"by": call.principal.name, "reason": why.reason if why else "", "at": call.context.at}
    incident = await find_incident(call.resources.store, reference)
    loaded = await call.resources.handler.load(INCIDENT, incident)
    command = Amend(**asked, **said(there(loaded.state).record))
    return await carry(call.pinned(loaded), incident, command)
