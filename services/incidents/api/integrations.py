"""`/v1/integrations`: who may send alerts, with which key, and how their alerts are sorted."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Path, Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Effects, Outcome
from libs.events.store import Reservation
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.filters import matching
from services.incidents.api.integration_schemas import (
    ChangeIntegration,
    IntegrationAnswer,
    IntegrationWithKey,
    KeyRotation,
    MappingPreview,
    MappingSample,
    NewIntegration,
    integration_answer,
    integration_item,
    patched,
    profile,
)
from services.incidents.contract import INTEGRATION
from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.integration.commands import Add, Change, End, Rotate
from services.incidents.domain.integration.decider import Active, Ended, Integration
from services.incidents.domain.integration.events import Kind, Profile
from services.incidents.domain.matchers import check_matchers
from services.incidents.projections.integrations import INTEGRATIONS
from services.incidents.projections.known_services import KNOWN_SERVICES, known_of, require_service
from services.incidents.senders.keys import KEY, Senders, hash_of, new_key
from services.incidents.senders.mapped import MappingError, check, read_mapped
from services.incidents.senders.sorting import sort

_READ, _WRITE = needs("integrations.read"), needs("integrations.write")

router = Router(prefix="/v1/integrations", tags=["integrations"])
Name = Annotated[str, Path(alias="integration", min_length=1, max_length=63)]


@router.post(
    "",
    status_code=201,
    response_model=IntegrationWithKey,
    openapi_extra=_WRITE,
    responses=responses(409, 422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def add_integration(request: Request, body: NewIntegration, call: CallDep) -> Response:
    """Let a sender send alerts of a service. Its key is in this answer and nowhere else."""
    await require_service(call.resources.views, body.service, request.app.state.settings.service_wait_s)
    _check_kind(body.kind, body.mapping)
    asked = _checked(profile(body, body.service))
    key = new_key()
    command = Add(
        integration=body.name, kind=body.kind, profile=asked, key_hash=hash_of(key), **_who(call, body.reason)
    )
    return await _with_key(request, call, body.name, command, key, status=201)


@router.get("", openapi_extra=_READ, dependencies=[fresh(INTEGRATIONS)])
async def list_integrations(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    state: Annotated[list[Literal["active", "ended"]] | None, Query()] = None,
) -> Page[IntegrationAnswer]:
    """List the integrations by name, those that have ended too."""
    c = INTEGRATIONS.view.c
    query = select(INTEGRATIONS.view).where(*matching({c.service: service, c.kind: kind, c.state: state}))
    return await resources.views.read(page.fetch, query, key=c.id, item=lambda row: integration_item(dict(row)))


@router.get("/{integration}", response_model=IntegrationAnswer, openapi_extra=_READ, responses=responses(404))
async def get_integration(request: Request, resources: ResourcesDep, integration: Name) -> Response:
    """Read one integration; no answer shows its key again."""
    loaded = await resources.handler.load(INTEGRATION, integration)
    return answer(request, integration_answer(loaded.state), version=loaded.version)


@router.patch(
    "/{integration}",
    response_model=IntegrationAnswer,
    openapi_extra=needs("integrations.write", if_match=True),
    responses=responses(404, 409, 412, 422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
@retried_on_conflict
async def change_integration(request: Request, integration: Name, body: ChangeIntegration, call: CallDep) -> Response:
    """Change how its alerts are sorted, by a merge patch; open alerts and incidents stay as they are."""
    loaded = await call.resources.handler.load(INTEGRATION, integration)
    known = _active(loaded.state, "change")
    _check_kind(known.kind, body.mapping)
    before = known.profile
    after = _checked(patched(before, body))
    if after.service != before.service:
        await require_service(call.resources.views, after.service, request.app.state.settings.service_wait_s)
    return await _carry(request, call.pinned(loaded), integration, Change(profile=after, **_who(call, body.reason)))


@router.post(
    "/{integration}:rotate",
    response_model=IntegrationWithKey,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
)
async def rotate_integration(
    request: Request, integration: Name, call: CallDep, body: KeyRotation | None = None
) -> Response:
    """Make another key; it is in this answer and nowhere else."""
    asked, key = body or KeyRotation(), new_key()
    command = Rotate(key_hash=hash_of(key), until=call.context.at + asked.overlap, **_who(call, asked.reason))
    return await _with_key(request, call, integration, command, key)


@router.delete("/{integration}", response_model=IntegrationAnswer, openapi_extra=_WRITE, responses=responses(404))
async def end_integration(request: Request, integration: Name, call: CallDep) -> Response:
    """Let it send no more; its key is good for nothing from now on, and its open alerts stay open."""
    return await _carry(request, call, integration, End(**_who(call, "")))


@router.post("/{integration}:preview", openapi_extra=_WRITE, responses=responses(404, 409, 422))
async def preview_integration(integration: Name, body: MappingSample, call: CallDep) -> MappingPreview:
    """Say what would be made of a body, with its own mapping or another one; nothing is stored."""
    resources = call.resources
    state = _active((await resources.handler.load(INTEGRATION, integration)).state, "preview")
    _check_kind(state.kind, body)
    mapping = body.mapping.mapped if body.mapping else state.profile.mapping
    if mapping:
        check(mapping)
    event = read_mapped(mapping, body.sample, "(made for each)", call.context.at)
    shown: dict[str, Any] = {"action": event.action, "dedup_key": event.dedup_key}
    if event.said is None:
        nothing: dict[str, Any] = {"urgency": None, "group": "", "labels": {}, "fired": None}
        return MappingPreview(**shown, service=state.profile.service, summary="", severity="", **nothing)
    signal = sort(state, event.said, await resources.views.read(known_of, event.said.labels.values()))
    return MappingPreview(
        **shown,
        service=signal.service,
        summary=signal.summary,
        severity=event.said.severity,
        urgency=signal.urgency,
        group=signal.group,
        labels=signal.labels,
        fired=signal.fired,
    )


def _check_kind(kind: Kind, mapping: object) -> None:
    if mapping is not None and kind not in {"generic", "cloudevents"}:
        detail = f"what {kind} sends is known, and mapped by nobody; leave it out, or add one of the kind generic"
        raise MappingError(("/mapping", detail))


def _checked(asked: Profile) -> Profile:
    """*asked*, whose conditions and expressions can be read."""
    for index, rule in enumerate(asked.urgencies):
        check_matchers(rule.matchers, f"urgencies/{index}/matchers")
    if asked.mapping:
        check(asked.mapping)
    return asked


def _active(state: Integration, verb: str) -> Active:
    match state:
        case None:
            raise AbsentError("integration")
        case Ended():
            raise IllegalTransitionError("integration", state.name, verb, ())
        case Active():
            return state


def _who(call: Call, reason: str) -> dict[str, Any]:
    return {"by": call.principal.name, "reason": reason, "at": call.context.at}


async def _carry(  # noqa: PLR0913  each is a part of one request
    request: Request,
    call: Call,
    integration: str,
    command: Add | Change | Rotate | End,
    *,
    body: Any = None,  # noqa: ANN401  makes any JSON
    status: int = 200,
    effects: Effects | None = None,
) -> Response:
    senders: Senders = request.app.state.senders
    response = await call.handle(
        INTEGRATION,
        integration,
        command,
        body=body or (lambda outcome: integration_answer(outcome.state)),
        status=status,
        location=f"/v1/integrations/{integration}" if status == 201 else None,  # noqa: PLR2004  created
        effects=effects or Effects(),
    )
    senders.forget()
    return response


async def _with_key(
    request: Request, call: Call, integration: str, command: Add | Rotate, key: str, *, status: int = 200
) -> Response:
    def shown(outcome: Outcome[Integration]) -> dict[str, Any]:
        # The answer may be kept under an Idempotency-Key, and the key must not be kept anywhere.
        return {**asdict(integration_answer(outcome.state)), "routing_key": None, "key": None}

    name = Reservation(KEY, command.key_hash, INTEGRATION.stream(integration))
    response = await _carry(
        request, call, integration, command, body=shown, status=status, effects=Effects(reserve=(name,))
    )
    said = msgspec.json.decode(response.body)
    said["routing_key" if said["kind"] == "pagerduty" else "key"] = key
    del response.headers["content-length"]
    return Response(msgspec.json.encode(said), status, response.headers)
