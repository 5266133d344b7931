"""Action items: who does what by when, so that it does not happen again."""

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import and_, not_, select
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.handler import Step
from libs.events.ids import new_id
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.etag import strong
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.filters import matching
from services.incidents.api.schemas import ActionAnswer, ActionState, Task, action_answer, of_row
from services.incidents.api.verbs import Id, add_verbs
from services.incidents.contract import ACTION, POSTMORTEM
from services.incidents.domain.action import commands
from services.incidents.domain.action.decider import UNFINISHED, is_overdue
from services.incidents.domain.action.events import Priority
from services.incidents.domain.errors import UnknownReferenceError
from services.incidents.domain.postmortem.commands import AddAction
from services.incidents.projections.actions import ACTIONS

router = Router(prefix="/v1/actions", tags=["actions"])


@router.post("", status_code=201, response_model=ActionAnswer, openapi_extra=needs("actions.write"))
async def open_action(call: CallDep, body: Task) -> Response:
    """Open one that follows from a postmortem."""
    found = (await call.resources.handler.load(POSTMORTEM, body.postmortem)).state
    if found is None:
        raise UnknownReferenceError("postmortem", body.postmortem, "GET /v1/postmortems lists them")
    action, drafted = str(new_id()), found.content.drafted
    by, at = call.principal.name, call.context.at
    command = commands.Open(
        action=action, incident=drafted.incident, service=drafted.service, by=by, at=at, **body.model_dump()
    )
    add = Step(POSTMORTEM, body.postmortem, AddAction(action=action, by=by, at=at))
    return await _carry(call, action, command, status=201, location=f"/v1/actions/{action}", also=(add,))


@router.get("", openapi_extra=needs("actions.read"), dependencies=[fresh(ACTIONS)])
async def list_actions(  # noqa: PLR0913  each is a filter
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[ActionState] | None, Query()] = None,
    owner: Annotated[list[str] | None, Query()] = None,
    priority: Annotated[list[Priority] | None, Query()] = None,
    postmortem: Annotated[list[str] | None, Query()] = None,
    *,
    overdue: bool | None = None,
) -> Page[ActionAnswer]:
    """Action items in all states unless filtered, the newest first; `order_by=due` for what is due next."""
    c, today = ACTIONS.view.c, resources.clock.now().date()
    late = and_(c.state.in_(UNFINISHED), c.due < today)
    query = select(ACTIONS.view).where(
        *matching({c.service: service, c.state: state, c.owner: owner, c.priority: priority, c.postmortem: postmortem}),
        *([] if overdue is None else [late if overdue else not_(late)]),
    )
    return await resources.views.read(
        page.fetch,
        query,
        key=c.id,
        item=lambda row: of_row(ActionAnswer, row, overdue=is_overdue(row["state"], row["due"], today)),
        orders={"due": c.due, "priority": c.priority},
        descending=True,
    )


@router.get("/{id}", response_model=ActionAnswer, openapi_extra=needs("actions.read"), responses=responses(404))
async def get_action(resources: ResourcesDep, reference: Id) -> Response:
    """One action item as it is now."""
    loaded = await resources.handler.load(ACTION, reference)
    body = encode(action_answer(loaded.state, resources.clock.now().date()))
    # Never 304: `overdue` changes with the day, the version does not.
    return Response(body, headers={"ETag": strong(loaded.version)}, media_type="application/json")


async def _carry(
    call: Call,
    reference: str,
    command: commands.Command,
    *,
    status: int = 200,
    location: str | None = None,
    also: tuple[Step[Any, Any, Any], ...] = (),
) -> Response:
    today = call.context.at.date()
    return await call.handle(
        ACTION,
        reference,
        command,
        body=lambda outcome: action_answer(outcome.state, today),
        status=status,
        location=location,
        also=also,
    )


add_verbs(router, "action", (commands.Start, commands.Complete, commands.Drop), _carry, answer=ActionAnswer)
