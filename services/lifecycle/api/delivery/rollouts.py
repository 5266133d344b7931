"""`/v1/rollouts`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.handler import Loaded, Outcome, Step
from libs.events.ids import new_id
from libs.events.store import Answer
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.limits import parse_json
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.delivery.deployment_schemas import (
    AdvanceRollout,
    CancelRollout,
    Note,
    PlanRollout,
    ReceivedView,
    RollBackRollout,
    RolloutView,
    rollout_row,
    rollout_view,
)
from services.lifecycle.api.delivery.sent_events import M, cdevent_in, unwrapped, validated
from services.lifecycle.api.references import living_service
from services.lifecycle.contract import DEPLOYMENT, ROLLOUT
from services.lifecycle.domain.deployment.commands import RollBack as RollBackDeployment
from services.lifecycle.domain.errors import UnknownError, UnknownReferenceError
from services.lifecycle.domain.rollout.commands import (
    Advance,
    Cancel,
    Command,
    Finish,
    Plan,
    Review,
    RollBack,
    Start,
)
from services.lifecycle.domain.rollout.decider import Going, Rollout, State
from services.lifecycle.domain.rollout.events import RolloutPlanned, RolloutStep
from services.lifecycle.exchange.cdevents import CdEvent
from services.lifecycle.projections.rollouts import ROLLOUTS

router = Router(prefix="/v1/rollouts", tags=["rollouts"])
_READ, _WRITE = needs("rollouts.read"), needs("rollouts.write")
_CDEVENT: dict[str, Any] = {
    "context": {
        "version": "0.4.1",
        "id": "271069a8-fc18-44f1-b38f-9d70a1695820",
        "source": "/ci/checkout",
        "type": "dev.cdeventsx.argo-rollout.advanced.0.1.0",
        "timestamp": "2026-11-21T09:30:00Z",
    },
    "subject": {"id": "rollout/run-4711", "type": "argo-rollout", "content": {}},
    "customData": {"step": 1},
}
_SCHEMA = PlanRollout.model_json_schema()
_SCHEMA["properties"]["steps"]["items"] = _SCHEMA.pop("$defs")["StepBody"]  # it is no component of the API
_BODIES: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _SCHEMA, "example": _SCHEMA["examples"][0]},
            "application/cdevents+json": {"schema": {"type": "object"}, "example": _CDEVENT},
            "application/cloudevents+json": {
                "schema": {"type": "object"},
                "example": {"specversion": "1.0", "type": _CDEVENT["context"]["type"], "data": _CDEVENT},
            },
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=RolloutView | ReceivedView,
    openapi_extra={**_WRITE, **_BODIES},
    responses={200: {"description": "It went on, or nothing is about a roll-out.", "model": RolloutView | ReceivedView}}
    | responses(409, 422),
)
async def plan_rollout(request: Request, call: CallDep) -> Response:
    """Plan how a version goes out: growing shares of the users, and what takes it back; another person reviews it.

    Or take a CDEvent of a tool as it is, in a CloudEvent or bare: `dev.cdeventsx.<tool>-rollout.planned`, `started`,
    `advanced`, `finished`, `rolledback` and `cancelled`. The last part of its subject is the roll-out's id; what else
    the request or the verb would take stands in its `customData`. All others are received and ignored.
    """
    value, pointer = unwrapped(parse_json(await request.body()))
    if event := cdevent_in(value, pointer):
        return await _take(event, call)
    return await _plan(validated(PlanRollout, value, {}), call)


async def _take(event: CdEvent, call: Call) -> Response:  # noqa: PLR0911  a table, one line a kind
    """What an event of a tool changes here."""
    said: dict[str, Any] = {"rollout": event.name, "by": call.principal.name, "at": event.at}
    match event.kind:
        case "rollout.planned":
            return await _plan(_custom(PlanRollout, event), call)
        case "rollout.started":
            return await _do(call, event.name, Start(**said))
        case "rollout.advanced":
            return await _do(call, event.name, Advance(**said, step=_custom(AdvanceRollout, event).step))
        case "rollout.finished":
            return await _do(call, event.name, Finish(**said))
        case "rollout.rolledback":
            return await _roll_back(call, event.name, _custom(RollBackRollout, event), event.at)
        case "rollout.cancelled":
            return await _do(call, event.name, Cancel(**said, reason=_custom(CancelRollout, event).reason))
        case _:
            ignored = ReceivedView(event.type, "ignored", "it says nothing about a roll-out")
            return await call.run(partial(_answer, ignored))


def _custom(model: type[M], event: CdEvent) -> M:
    """What the sender added, as far as it is asked for; a plan's id is the subject's."""
    told = {name: value for name, value in event.custom.items() if name in model.model_fields}
    return validated(model, told | ({"id": event.name} if "id" in model.model_fields else {}), {})


async def _answer(received: ReceivedView) -> Answer:
    return Answer(200, encode(received))


async def _plan(body: PlanRollout, call: Call) -> Response:
    await living_service(call.resources, body.service, "service")
    if body.deployment and (await call.resources.handler.load(DEPLOYMENT, body.deployment)).state is None:
        raise UnknownReferenceError("deployment", body.deployment, "deployment")
    rollout = body.id or str(new_id())
    what = RolloutPlanned(
        rollout=rollout,
        service=body.service,
        version=body.version,
        strategy=body.strategy,
        steps=tuple(RolloutStep(step.percent, step.cohort, step.watch) for step in body.steps),
        rollback_when=body.rollback_when,
        deployment=body.deployment or "",
        by=call.principal.name,
        at=call.context.at,
    )
    return await _do(call, rollout, Plan(what), status=201, location=f"/v1/rollouts/{rollout}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(ROLLOUTS)])
async def list_rollouts(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[State] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[RolloutView]:
    """List roll-outs, planned last first.

    With `as_of` a page may hold fewer of them than asked for, even none, while more follow.
    """
    view = ROLLOUTS.view
    query = select(view)
    if service:
        query = query.where(view.c.service.in_(service))
    if state and not as_of:
        query = query.where(view.c.state.in_(state))
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    found = await resources.views.read(
        page.fetch,
        query,
        key=view.c.rollout,
        orders={"planned_at": view.c.planned_at},
        item=rollout_row,
        descending=True,
    )
    if as_of:
        then = [_known(await resources.handler.load(ROLLOUT, one.id, as_of=as_of)) for one in found.items]
        found.items = [rollout_view(going) for going in then if not state or going.state in state]
    return found


@router.get("/{rollout}", response_model=RolloutView, openapi_extra=_READ, responses=responses(404))
async def get_rollout(rollout: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a roll-out: its plan, how far it has come, and what may be done with it next."""
    loaded = await resources.handler.load(ROLLOUT, rollout, as_of=as_of)
    return etag.answer(request, rollout_view(_known(loaded)), version=loaded.version)


@router.post("/{rollout}:review", response_model=RolloutView, openapi_extra=_WRITE, responses=responses(403, 404))
async def review_rollout(rollout: str, body: Note, call: CallDep) -> Response:
    """Say, for the SRE side, that the plan is fine; nobody reviews their own."""
    is_person = call.principal.kind == "person"
    command = Review(rollout=rollout, notes=body.notes, is_person=is_person, by=call.principal.name, at=call.context.at)
    return await _do(call, rollout, command)


@router.post("/{rollout}:start", response_model=RolloutView, openapi_extra=_WRITE, responses=responses(404))
async def start_rollout(rollout: str, call: CallDep) -> Response:
    """Say that the first step serves."""
    return await _do(call, rollout, Start(rollout=rollout, by=call.principal.name, at=call.context.at))


@router.post("/{rollout}:advance", response_model=RolloutView, openapi_extra=_WRITE, responses=responses(404))
async def advance_rollout(rollout: str, body: AdvanceRollout, call: CallDep) -> Response:
    """Say that the next step serves."""
    command = Advance(rollout=rollout, step=body.step, by=call.principal.name, at=call.context.at)
    return await _do(call, rollout, command)


@router.post("/{rollout}:finish", response_model=RolloutView, openapi_extra=_WRITE, responses=responses(404))
async def finish_rollout(rollout: str, call: CallDep) -> Response:
    """Say that the last step was watched long enough, and nothing was wrong."""
    return await _do(call, rollout, Finish(rollout=rollout, by=call.principal.name, at=call.context.at))


@router.post("/{rollout}:rollback", response_model=RolloutView, openapi_extra=_WRITE, responses=responses(404))
async def roll_back_rollout(rollout: str, body: RollBackRollout, call: CallDep) -> Response:
    """Say that a roll-out was taken back; the deployment that it is, is taken back with it."""
    return await _roll_back(call, rollout, body, call.context.at)


async def _roll_back(call: Call, rollout: str, body: RollBackRollout, at: datetime) -> Response:
    command = RollBack(rollout=rollout, automatic=body.automatic, reason=body.reason, by=call.principal.name, at=at)
    state = (await call.resources.handler.load(ROLLOUT, rollout)).state
    also: list[Step[Any, Any, Any]] = []
    if state and state.plan.deployment:
        with_it = RollBackDeployment(
            deployment=state.plan.deployment,
            automatic=body.automatic,
            to_version="",
            reason=body.reason,
            by=call.principal.name,
            at=at,
        )
        also = [Step(DEPLOYMENT, state.plan.deployment, with_it)]
    return await _do(call, rollout, command, also=also)


@router.post("/{rollout}:cancel", response_model=RolloutView, openapi_extra=_WRITE, responses=responses(404))
async def cancel_rollout(rollout: str, body: CancelRollout, call: CallDep) -> Response:
    """Do not begin a roll-out that was planned."""
    command = Cancel(rollout=rollout, reason=body.reason, by=call.principal.name, at=call.context.at)
    return await _do(call, rollout, command)


async def _do(
    call: Call,
    rollout: str,
    command: Command,
    *,
    status: int = 200,
    location: str | None = None,
    also: Sequence[Step[Any, Any, Any]] = (),
) -> Response:
    def shown(outcome: Outcome[Rollout]) -> RolloutView:
        return rollout_view(_known(outcome))

    return await call.handle(ROLLOUT, rollout, command, body=shown, status=status, location=location, also=also)


def _known(found: Loaded[Rollout] | Outcome[Rollout]) -> Going:
    if found.state is None:
        raise UnknownError("roll-out", found.stream.partition("/")[2])
    return found.state
