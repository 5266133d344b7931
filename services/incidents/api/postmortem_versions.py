"""What a postmortem says, version by version: its history, how two differ, a document to print, and advice on it."""

from asyncio import to_thread  # a long text takes a third of a second, Markdown that is made for it seconds
from datetime import datetime
from difflib import unified_diff
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.etag import answer
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.incidents.api.postmortem_schemas import PostmortemAdvice, PostmortemDifference, PostmortemVersions
from services.incidents.api.verbs import Id
from services.incidents.contract import ACTION, POSTMORTEM
from services.incidents.domain.blameless import lint
from services.incidents.domain.blameless_rules import Rules
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.postmortem.state import Known
from services.incidents.exchange.postmortem_file import paper_of
from services.incidents.exchange.postmortem_page import HEADERS, page
from services.incidents.exchange.postmortems import markdown
from services.incidents.looking_back import History
from services.incidents.projections.known_services import service_names

router = Router(prefix="/v1/postmortems", tags=["postmortems"])
_READ = needs("postmortems.read")
AsOf = Annotated[Moment | None, Query(description="Answer what was known at this time.")]
Version = Annotated[int | None, Query(ge=1, description="One of `/versions`; the newest, unless given.")]
Format = Annotated[Literal["markdown", "html"], Query(alias="format")]
_DOCUMENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("text/markdown", "text/html")}}
}


@router.get("/{id}/versions", response_model=PostmortemVersions, openapi_extra=_READ, responses=responses(404))
async def get_postmortem_versions(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """Its history: who changed what, when and why."""
    history = await History.of(resources, reference)
    return answer(request, PostmortemVersions(items=list(history.versions())))


@router.get("/{id}/diff", response_model=PostmortemDifference, openapi_extra=_READ, responses=responses(404))
async def compare_postmortem(
    request: Request,
    resources: ResourcesDep,
    reference: Id,
    before: Annotated[int, Query(ge=1, alias="from", description="One of `/versions`.")] = 1,
    after: Annotated[int | None, Query(ge=1, alias="to", description="The newest, unless given.")] = None,
) -> Response:
    """How one version differs from another, line by line; action items are compared as they are now."""
    history = await History.of(resources, reference)
    newest = after or history.newest
    texts = [
        markdown(state, await _actions(resources, state)).splitlines(keepends=True)
        for state in (history.at(before), history.at(newest))
    ]
    diff = "".join(unified_diff(*texts, fromfile=f"version {before}", tofile=f"version {newest}"))
    return answer(request, PostmortemDifference(before=before, after=newest, diff=diff))


@router.get("/{id}/export", openapi_extra=_READ, responses={**responses(404), **_DOCUMENTS}, response_class=Response)
async def export_postmortem(
    resources: ResourcesDep,
    reference: Id,
    format_: Format = "markdown",
    as_of: AsOf = None,
    version: Version = None,
) -> Response:
    """One document: Markdown, or a page to read and print, in which nothing that people typed is carried out."""
    state = await _known(resources, reference, version, as_of)
    actions = await _actions(resources, state)
    if format_ == "markdown":
        return Response(markdown(state, actions), media_type="text/markdown; charset=utf-8")
    shown = await to_thread(page, state, actions)
    return Response(shown, media_type="text/html; charset=utf-8", headers=HEADERS)


@router.get("/{id}/lint", response_model=PostmortemAdvice, openapi_extra=_READ, responses=responses(404))
async def lint_postmortem(
    request: Request, resources: ResourcesDep, reference: Id, version: Version = None
) -> Response:
    """Advice: sentences that blame, numbers and follow-ups that are missing. Nothing is refused because of it."""
    state = await _known(resources, reference, version)
    rules: Rules = request.app.state.blameless
    services = await resources.views.read(service_names)
    found = await to_thread(lint, paper_of(state, await _actions(resources, state), services), rules)
    return answer(request, PostmortemAdvice(rules=rules.version, items=found))


async def _known(resources: ResourcesDep, reference: str, version: int | None, as_of: datetime | None = None) -> Known:
    if version is not None:
        return (await History.of(resources, reference)).at(version)
    state = (await resources.handler.load(POSTMORTEM, reference, as_of=as_of)).state
    if state is None:
        raise AbsentError("postmortem")
    return state


async def _actions(resources: ResourcesDep, state: Known) -> list[Any]:
    """The action items that follow from it, as they are now."""
    found = [(await resources.handler.load(ACTION, action)).state for action in state.content.actions]
    return [each for each in found if each is not None]
