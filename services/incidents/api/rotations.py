"""`/v1/rotations`: who takes turns, from when on, and a preview of it."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.filters import matching
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
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.rotation.commands import Change, Command, Define, End
from services.incidents.domain.rotation.decider import Known, Rotation
from services.incidents.on_call.changes import changing
from services.incidents.projections.schedules import ROTATIONS, SCHEDULES, schedules_with

_READ, _WRITE = needs("rotations.read"), needs("rotations.write")

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
    return await _carry(call, body.name, command, status=201, location=f"/v1/rotations/{body.name}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(ROTATIONS)])
async def list_rotations(
    resources: ResourcesDep,
    page: PageDep,
    participant: Annotated[str | None, Query(max_length=63)] = None,
    ended: Annotated[list[bool] | None, Query()] = None,
) -> Page[RotationAnswer]:
    """List rotations by name, those of a participant where one is named."""
    c = ROTATIONS.view.c
    query = select(ROTATIONS.view).where(*matching({c.ended: ended}))
    if participant is not None:
        query = query.where(c.participants.contains(f" {participant} ", autoescape=True))

    def item(row: object) -> RotationAnswer:
        return rotation_answer(codec.convert(row["state"], Known))  # pyright: ignore[reportIndexIssue]  a row

    return await resources.views.read(page.fetch, query, key=c.name, item=item)


@router.get("/{rotation}", response_model=RotationAnswer, openapi_extra=_READ, responses=responses(404))
async def get_rotation(rotation: str, request: Request, resources: ResourcesDep) -> Response:
    """Read a rotation, with what it was and what is planned."""
    loaded = await resources.handler.load(ROTATION, rotation)
    return etag.answer(request, rotation_answer(_known(loaded.state)), version=loaded.version)


@router.patch(
    "/{rotation}",
    response_model=RotationAnswer,
    openapi_extra=needs("rotations.write", if_match=True),
    responses=responses(404, 409, 412, 422),
)
async def change_rotation(rotation: str, body: ChangeRotation, call: CallDep) -> Response:
    """Change a rotation from now on or later, by a merge patch; what was stays as it was."""
    known = _known((await call.resources.handler.load(ROTATION, rotation)).state)
    wanted = patched(known, body)
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
    return await _carry(call, rotation, command)


@router.delete(
    "/{rotation}",
    response_model=RotationAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
    dependencies=[fresh(SCHEDULES)],
)
async def end_rotation(rotation: str, call: CallDep) -> Response:
    """End a rotation that no schedule needs; it stays readable."""
    schedules = await call.resources.views.read(schedules_with, rotation)
    command = End(schedules=tuple(schedules), by=call.principal.name, at=call.context.at)
    return await _carry(call, rotation, command)


async def _carry(
    call: Call, rotation: str, command: Command, *, status: int = 200, location: str | None = None
) -> Response:
    return await call.handle(
        ROTATION,
        rotation,
        command,
        body=lambda outcome: rotation_answer(_known(outcome.state)),
        status=status,
        location=location,
        effects=changing,
    )


def _known(state: Rotation) -> Known:
    if state is None:
        raise AbsentError("rotation")
    return state
