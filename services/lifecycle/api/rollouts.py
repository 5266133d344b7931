"""`/v1/rollouts`."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Loaded, Outcome, Step
from libs.events.ids import new_id
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.deployment_schemas import (
    AdvanceRollout,
    CancelRollout,
    Note,
    PlanRollout,
    RollBackRollout,
    RolloutView,
    rollout_row,
    rollout_view,
)
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
from services.lifecycle.projections.rollouts import ROLLOUTS

router = Router(prefix="/v1/rollouts", tags=["rollouts"])
_READ, _WRITE = needs("rollouts.read"), needs("rollouts.write")


@router.post("", status_code=201, response_model=RolloutView, openapi_extra=_WRITE, responses=responses(409))
async def plan_rollout(body: PlanRollout, call: CallDep) -> Response:
    """Plan how a version goes out: growing shares of the users, and what takes it back; another person reviews it."""
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
    command = RollBack(
        rollout=rollout,
        automatic=body.automatic,
        reason=body.reason,
        by=call.principal.name,
        at=call.context.at,
    )
    state = (await call.resources.handler.load(ROLLOUT, rollout)).state
    also: list[Step[Any, Any, Any]] = []
    if state and state.plan.deployment:
        with_it = RollBackDeployment(
            deployment=state.plan.deployment,
            automatic=body.automatic,
            to_version="",
            reason=body.reason,
            by=call.principal.name,
            at=call.context.at,
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
