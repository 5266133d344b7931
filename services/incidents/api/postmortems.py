"""Postmortems: draft from an incident, write, publish."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.errors import ReservedError
from libs.events.handler import Effects
from libs.events.ids import new_id
from libs.events.store import Reservation
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.incidents.api.filters import matching
from services.incidents.api.schemas import (
    Amendment,
    Draft,
    PostmortemAnswer,
    PostmortemItem,
    PostmortemState,
    of_row,
    postmortem_answer,
)
from services.incidents.api.verbs import Id, add_verbs
from services.incidents.contract import INCIDENT, POSTMORTEM
from services.incidents.domain.errors import UnknownReferenceError
from services.incidents.domain.postmortem import commands
from services.incidents.intake import find_incident
from services.incidents.projections.postmortems import POSTMORTEMS

router = Router(prefix="/v1/postmortems", tags=["postmortems"])


@router.post("", status_code=201, response_model=PostmortemAnswer, openapi_extra=needs("postmortems.write"))
async def draft_postmortem(call: CallDep, body: Draft) -> Response:
    """Begin one for an incident, with its times and figures written down; an incident has one."""
    resources, postmortem = call.resources, str(new_id())
    incident = await find_incident(resources.store, body.incident)
    loaded = await resources.handler.load(INCIDENT, incident)
    if loaded.state is None:
        raise UnknownReferenceError("incident", body.incident, "GET /v1/incidents lists them")
    command = commands.Draft(
        postmortem=postmortem,
        incident=loaded.state.record,
        incident_version=loaded.version,
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )
    only = Reservation("incident-postmortem", incident, POSTMORTEM.stream(postmortem))
    try:
        return await call.handle(
            POSTMORTEM,
            postmortem,
            command,
            body=lambda outcome: postmortem_answer(outcome.state),
            status=201,
            location=f"/v1/postmortems/{postmortem}",
            effects=Effects(reserve=(only,)),
        )
    except ReservedError as error:
        raise _exists(body.incident, error.holder.partition("/")[2]) from error


@router.get("", openapi_extra=needs("postmortems.read"), dependencies=[fresh(POSTMORTEMS)])
async def list_postmortems(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[PostmortemState] | None, Query()] = None,
    incident: Annotated[list[str] | None, Query()] = None,
) -> Page[PostmortemItem]:
    """Postmortems in all states unless filtered, the newest first."""
    c = POSTMORTEMS.view.c
    incidents = [await find_incident(resources.store, reference) for reference in incident or ()]
    query = select(POSTMORTEMS.view).where(*matching({c.service: service, c.state: state, c.incident: incidents}))
    return await resources.views.read(
        page.fetch, query, key=c.id, item=lambda row: of_row(PostmortemItem, row), descending=True
    )


@router.get("/{id}", response_model=PostmortemAnswer, openapi_extra=needs("postmortems.read"), responses=responses(404))
async def get_postmortem(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """One postmortem whole."""
    loaded = await resources.handler.load(POSTMORTEM, reference)
    return answer(request, postmortem_answer(loaded.state), version=loaded.version)


@router.patch(
    "/{id}",
    response_model=PostmortemAnswer,
    openapi_extra=needs("postmortems.write", if_match=True),
    responses=responses(404),
)
async def amend_postmortem(call: CallDep, reference: Id, body: Amendment) -> Response:
    """A JSON merge patch of its sections and authors."""
    sent = body.model_dump(exclude_unset=True)
    authors = tuple(sent.pop("authors") or ()) if "authors" in sent else None
    sections = {name: text or "" for name, text in sent.items()}
    command = commands.Amend(sections=sections, authors=authors, by=call.principal.name, at=call.context.at)
    return await _carry(call, reference, command)


async def _carry(call: Call, reference: str, command: commands.Command) -> Response:
    return await call.handle(POSTMORTEM, reference, command, body=lambda outcome: postmortem_answer(outcome.state))


def _exists(incident: str, postmortem: str) -> Problem:
    detail = f"{incident} has the postmortem {postmortem}; amend that one"
    place = Place(detail, "/incident")
    extra = {"postmortem": postmortem}
    return Problem(409, "postmortem-exists", "The incident has a postmortem", detail, [place], extra=extra)


add_verbs(router, "postmortem", (commands.Submit, commands.Publish), _carry, answer=PostmortemAnswer)
