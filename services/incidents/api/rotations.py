"""`/v1/rotations`: who takes turns, from when on, and a preview of it."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.defined import Defined
from services.incidents.api.rosters import sides_of
from services.incidents.api.rotation_schemas import (
    ChangeRotation,
    DefineRotation,
    Preview,
    PreviewRotation,
    RotationAnswer,
    patched,
    preview_of,
    rotation_answer,
)
from services.incidents.contract import ROTATION
from services.incidents.domain.rotation.commands import Change, Define, End
from services.incidents.domain.rotation.decider import Known
from services.incidents.projections.schedules import ROTATIONS, SCHEDULES, schedules_with

_READ, _WRITE = needs("rotations.read"), needs("rotations.write")

_ROTATIONS = Defined(ROTATION, ROTATIONS, Known, rotation_answer)

router = Router(prefix="/v1/rotations", tags=["rotations"])


@router.post(":preview", openapi_extra=_READ, responses=responses(422))
async def preview_rotation(body: PreviewRotation) -> Preview:
    """Compute the shifts of a rotation that is not stored: those that touch the time between `from` and `until`."""
    return preview_of(body)


@router.post("", status_code=201, response_model=RotationAnswer, openapi_extra=_WRITE, responses=responses(409, 422))
async def define_rotation(body: DefineRotation, call: CallDep) -> Response:
    """Define who takes turns; from now on, or from a moment to come."""
    command = Define(
        rotation=body.name,
        display_name=body.display_name or body.name,
        rota=body.rota,
        sides=body.sides,
        people=await sides_of(call.resources, body.participants),
        effective_from=body.effective_from or call.context.at,
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )
    return await _ROTATIONS.carry(call, body.name, command, at=f"/v1/rotations/{body.name}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(ROTATIONS)])
async def list_rotations(
    resources: ResourcesDep,
    page: PageDep,
    participant: Annotated[str | None, Query(max_length=63)] = None,
    ended: Annotated[list[bool] | None, Query()] = None,
) -> Page[RotationAnswer]:
    """List rotations by name, those of a participant where one is named."""
    return await _ROTATIONS.page(resources, page, ROTATIONS.view.c.participants, participant, ended)


@router.get("/{rotation}", response_model=RotationAnswer, openapi_extra=_READ, responses=responses(404))
async def get_rotation(rotation: str, request: Request, resources: ResourcesDep) -> Response:
    """Read a rotation, with what it was and what is planned."""
    return await _ROTATIONS.get(request, resources, rotation)


@router.patch(
    "/{rotation}",
    response_model=RotationAnswer,
    openapi_extra=needs("rotations.write", if_match=True),
    responses=responses(404, 409, 412, 422),
)
@retried_on_conflict
async def change_rotation(rotation: str, body: ChangeRotation, call: CallDep) -> Response:
    """Change a rotation from now on or later, by a merge patch; what was stays as it was."""
    call, known = await _ROTATIONS.pin(call, rotation)
    wanted = patched(known, body, call.context.at)
    command = Change(
        display_name=wanted.display_name or rotation,
        rota=wanted.rota,
        sides=wanted.sides,
        people=await sides_of(call.resources, wanted.participants),
        effective_from=wanted.effective_from or call.context.at,
        by=call.principal.name,
        reason=wanted.reason,
        at=call.context.at,
    )
    return await _ROTATIONS.carry(call, rotation, command)


@router.delete(
    "/{rotation}",
    response_model=RotationAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
    dependencies=[fresh(SCHEDULES)],
)
async def end_rotation(rotation: str, call: CallDep) -> Response:
    """End a rotation that no schedule needs; it stays readable."""
    schedules = await call.resources.views.read(schedules_with, rotation, call.context.at)
    command = End(schedules=tuple(schedules), by=call.principal.name, at=call.context.at)
    return await _ROTATIONS.carry(call, rotation, command)
