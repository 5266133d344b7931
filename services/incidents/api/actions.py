"""Action items: who does what by when, so that it does not happen again."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import ColumnElement, and_, not_, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.full_text import holds
from libs.events.handler import Step
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer, strong
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.incidents.api.action_schemas import (
    ActionAnswer,
    ActionState,
    Alteration,
    Postponement,
    Reassignment,
    Task,
    action_answer,
)
from services.incidents.api.filters import matching
from services.incidents.api.postmortems import PolicyDep
from services.incidents.api.schemas import Why, of_row
from services.incidents.api.verbs import Id
from services.incidents.api.whoever import require_all_here, require_here
from services.incidents.contract import ACTION, INCIDENT, POSTMORTEM
from services.incidents.domain.action import commands
from services.incidents.domain.action.decider import UNFINISHED, is_overdue
from services.incidents.domain.action.events import Priority, SourceKind
from services.incidents.domain.errors import UnknownReferenceError
from services.incidents.domain.learning import LearningPolicy
from services.incidents.domain.postmortem.commands import AddAction
from services.incidents.domain.words import words
from services.incidents.effects import find_incident
from services.incidents.projections.actions import ACTIONS
from services.incidents.projections.follow_through import FollowThroughReport, follow_through
from services.incidents.projections.known_services import KNOWN_SERVICES, require_service
from services.incidents.timetable import acting

router = Router(prefix="/v1/actions", tags=["actions"])
_READ, _WRITE = needs("actions.read"), needs("actions.write")
_QUARTER = timedelta(days=90)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
AsOf = Annotated[Moment | None, Query(description="Answer what was known at this time.")]


@router.post(
    "",
    status_code=201,
    response_model=ActionAnswer,
    openapi_extra=_WRITE,
    responses=responses(422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def open_action(request: Request, call: CallDep, body: Task, policy: PolicyDep) -> Response:
    """Open one that follows from a postmortem, an incident, a review, a finding or an insight."""
    action, at = str(new_id()), call.context.at
    await require_here(call, body.owner)
    await require_all_here(call, body.collaborators)
    follows = await _follows_from(call.resources, body, request.app.state.settings.service_wait_s)
    command = commands.Open(
        action=action,
        **follows,
        title=body.title,
        owner=body.owner,
        collaborators=tuple(body.collaborators),
        type=body.type,
        priority=body.priority,
        due=body.due or policy.due(body.priority, at.date()),
        tracking_url=body.tracking_url,
        by=call.principal.name,
        reason=body.reason,
        at=at,
    )
    also: tuple[Step[Any, Any, Any], ...] = ()
    if command.postmortem:
        add = AddAction(action=action, by=command.by, at=at)
        also = (Step(POSTMORTEM, command.postmortem, add),)
    return await _carry(call, action, command, policy, status=201, location=f"/v1/actions/{action}", also=also)


@router.get("", openapi_extra=_READ, dependencies=[fresh(ACTIONS)])
async def list_actions(  # noqa: PLR0913, PLR0917  each is a filter
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[ActionState] | None, Query()] = None,
    owner: Annotated[list[str] | None, Query()] = None,
    priority: Annotated[list[Priority] | None, Query()] = None,
    postmortem: Annotated[list[str] | None, Query()] = None,
    source_kind: Annotated[list[SourceKind] | None, Query()] = None,
    q: Annotated[str, Query(max_length=200, description="Words; those listed say all of them.")] = "",
    *,
    overdue: bool | None = None,
) -> Page[ActionAnswer]:
    """Action items in all states unless filtered, the newest first; `order_by=due` for what is due next."""
    c, today = ACTIONS.view.c, resources.clock.now().date()
    late = and_(c.state.in_(UNFINISHED), c.due < today)
    wanted: dict[ColumnElement[Any], Sequence[object] | None] = {
        c.source_kind: source_kind,
        c.service: service,
        c.state: state,
        c.owner: owner,
        c.priority: priority,
        c.postmortem: postmortem,
    }
    query = select(ACTIONS.view).where(
        *matching(wanted),
        *((holds(c.words, said),) if (said := words(q)) else ()),
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


@router.get("/follow-through", openapi_extra=_READ, dependencies=[fresh(ACTIONS)], response_model=FollowThroughReport)
async def report_follow_through(
    request: Request,
    resources: ResourcesDep,
    since: Annotated[Moment | None, Query(description="90 days before `until`, unless given.")] = None,
    until: Annotated[Moment | None, Query(description="Now, unless given.")] = None,
    service: Annotated[list[str] | None, Query()] = None,
) -> Response:
    """What became of action items, by team, priority and type; and what people own who are not here any more."""
    now = resources.clock.now()
    end = until or now
    begin = since or max(end, _EARLIEST) - _QUARTER
    if begin > end:
        detail = f"since ({begin.isoformat()}) lies behind until ({end.isoformat()}); swap them"
        raise Problem(422, "invalid-period", "The period ends before it begins", detail, [Place(detail, "since")])
    report = await resources.views.read(follow_through, begin, end, now.date(), service or ())
    return answer(request, report)


@router.get("/{id}", response_model=ActionAnswer, openapi_extra=_READ, responses=responses(404))
async def get_action(resources: ResourcesDep, reference: Id, as_of: AsOf = None) -> Response:
    """One action item as it is now, or as it was known at a time."""
    loaded = await resources.handler.load(ACTION, reference, as_of=as_of)
    body = encode(action_answer(loaded.state, (as_of or resources.clock.now()).date()))
    # Never 304: `overdue` changes with the day, the version does not.
    return Response(body, headers={"ETag": strong(loaded.version)}, media_type="application/json")


@router.patch(
    "/{id}",
    response_model=ActionAnswer,
    openapi_extra=needs("actions.write", if_match=True),
    responses=responses(404, 409, 422),
)
async def alter_action(call: CallDep, reference: Id, body: Alteration, policy: PolicyDep) -> Response:
    """A JSON merge patch of what is to be done; its owner and its day change by verbs, with a reason.

    What becomes more urgent is due by the policy's day for its priority, counted from now, if it was due later.
    """
    await require_all_here(call, body.collaborators or ())
    sent = {name: getattr(body, name) for name in body.model_fields_set - {"reason"}}
    changes = {name: value for name, value in sent.items() if value is not None}
    for name, empty in (("tracking_url", ""), ("collaborators", [])):
        if name in sent:
            changes[name] = sent[name] or empty
    latest = policy.due(body.priority, call.context.at.date()) if body.priority else None
    return await _change(call, reference, policy, changes, body.reason, latest)


@router.post("/{id}:reassign", response_model=ActionAnswer, openapi_extra=_WRITE, responses=responses(404, 409, 422))
async def reassign_action(call: CallDep, reference: Id, body: Reassignment, policy: PolicyDep) -> Response:
    """Let somebody else own it."""
    await require_here(call, body.owner)
    return await _change(call, reference, policy, {"owner": body.owner}, body.reason)


@router.post("/{id}:reschedule", response_model=ActionAnswer, openapi_extra=_WRITE, responses=responses(404, 409))
async def reschedule_action(call: CallDep, reference: Id, body: Postponement, policy: PolicyDep) -> Response:
    """Let it be due on another day; how often it was moved is counted."""
    return await _change(call, reference, policy, {"due": body.due}, body.reason)


@router.post("/{id}:start", response_model=ActionAnswer, openapi_extra=_WRITE, responses=responses(404, 409))
async def start_action(call: CallDep, reference: Id, policy: PolicyDep, body: Why | None = None) -> Response:
    """Its owner works on it."""
    return await _carry(call, reference, commands.Start(**_asked(call, body)), policy)


@router.post("/{id}:complete", response_model=ActionAnswer, openapi_extra=_WRITE, responses=responses(404, 409))
async def complete_action(call: CallDep, reference: Id, policy: PolicyDep, body: Why | None = None) -> Response:
    """It is done."""
    return await _carry(call, reference, commands.Complete(**_asked(call, body)), policy)


@router.post("/{id}:drop", response_model=ActionAnswer, openapi_extra=_WRITE, responses=responses(404, 409))
async def drop_action(call: CallDep, reference: Id, policy: PolicyDep, body: Why | None = None) -> Response:
    """It will not be done."""
    return await _carry(call, reference, commands.Drop(**_asked(call, body)), policy)


async def _follows_from(resources: Resources, body: Task, wait_s: float) -> dict[str, Any]:
    """What an action is about, by what it follows from."""
    if body.postmortem is not None:
        paper = (await resources.handler.load(POSTMORTEM, body.postmortem)).state
        if paper is None:
            raise UnknownReferenceError("postmortem", body.postmortem, "GET /v1/postmortems lists them")
        drafted = paper.content.drafted
        return {"postmortem": body.postmortem, "incident": drafted.incident, "service": drafted.service}
    source = body.source
    if source is None:
        raise UnknownReferenceError("source", "", "say what it follows from")
    if body.service is not None:
        await require_service(resources.views, body.service, wait_s)
    found: dict[str, Any] = {"postmortem": "", "incident": "", "source_kind": source.kind, "source": source.id}
    if source.kind == "incident":
        incident = await find_incident(resources.store, source.id)
        state = (await resources.handler.load(INCIDENT, incident)).state
        if state is None:
            raise UnknownReferenceError("incident", source.id, "GET /v1/incidents lists them", "source/id")
        return found | {"incident": incident, "source": incident, "service": body.service or state.record.service}
    return found | {"service": body.service or ""}


async def _change(
    call: Call, reference: str, policy: LearningPolicy, changes: dict[str, Any], reason: str, latest: date | None = None
) -> Response:
    plain = {name: tuple(value) if name == "collaborators" else value for name, value in changes.items()}
    command = commands.Change(changes=plain, latest=latest, by=call.principal.name, reason=reason, at=call.context.at)
    return await _carry(call, reference, command, policy)


def _asked(call: Call, body: Why | None) -> dict[str, Any]:
    return {"by": call.principal.name, "reason": body.reason if body else "", "at": call.context.at}


async def _carry(  # noqa: PLR0913  each is a part of one answer
    call: Call,
    reference: str,
    command: commands.Command,
    policy: LearningPolicy,
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
        effects=acting(policy),
        also=also,
    )
