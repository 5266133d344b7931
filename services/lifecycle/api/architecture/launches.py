"""`/v1/launches`: a feature or change of a live service, and what it has to show before it reaches its users."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from libs.events import codec
from libs.events.handler import Loaded, Outcome
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.web import etag
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.architecture.designing import DesigningDep
from services.lifecycle.api.architecture.launch_schemas import (
    ChangeLaunchBody,
    CheckpointBody,
    LaunchView,
    PlanLaunchBody,
    RecordBody,
    launch_view,
)
from services.lifecycle.api.asked import AsOf, Gates, GatesDep
from services.lifecycle.api.references import living_service
from services.lifecycle.api.reviews.reviewing import Reason, actor
from services.lifecycle.api.views import key_of, live
from services.lifecycle.contract import CHECKPOINT, DEPLOYMENT, DESIGN_REVIEW, LAUNCH, ROLLOUT, SERVICE
from services.lifecycle.domain.errors import UnknownError, UnknownReferenceError
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.launch import proof
from services.lifecycle.domain.launch.commands import (
    Cancel,
    ChangeLaunch,
    Command,
    Launch,
    MakeReady,
    NameRecord,
    PlanLaunch,
    RecordCheckpoint,
)
from services.lifecycle.domain.launch.errors import CheckpointError
from services.lifecycle.domain.launch.events import Plan
from services.lifecycle.domain.launch.proof import Proof
from services.lifecycle.domain.launch.state import Coming, LaunchState, State
from services.lifecycle.projections.design_work import DESIGN_WORK

router = Router(prefix="/v1/launches", tags=["launches"])
_READ, _WRITE = needs("launches.read"), needs("launches.write")


@router.post("", status_code=201, response_model=LaunchView, openapi_extra=_WRITE, responses=responses(409, 422))
async def plan_launch(body: PlanLaunchBody, call: CallDep, known: DesigningDep, gates: GatesDep) -> Response:
    """Plan that a feature or change reaches the users of a live service; the answer says what it has to show."""
    await living_service(call.resources, body.service, "service")
    profile = await known.profile(body.service)
    launch = body.id or str(new_id())
    command = PlanLaunch(
        launch=launch,
        service=body.service,
        owner_team=profile.owner_team,
        tier=profile.tier,
        phase=profile.phase,
        plan=Plan(title=body.title, text=body.text, url=str(body.url or ""), planned_for=body.planned_for),
        policy=known.policy,
        by=actor(call),
        at=call.context.at,
    )
    names = [each.check for each in known.policy.checkpoints if each.check]
    checks = await gates.look(profile, names, call.context.at)
    return await _do(call, command, checks, status=201, location=f"/v1/launches/{launch}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(DESIGN_WORK)])
async def list_launches(
    known: DesigningDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[State] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[LaunchView]:
    """List launches, those planned last first; what is measured is of when each was last said to be ready.

    A page may hold fewer of them than asked for, even none, while more follow.
    """

    async def load(_: str, launch: str) -> LaunchView:
        coming = _there(await known.resources.handler.load(LAUNCH, launch, as_of=as_of))
        return launch_view(coming, coming.checks, as_of or known.resources.clock.now())

    return await known.listed(page, "launch", service, state, as_of, load)


@router.get("/{launch}", response_model=LaunchView, openapi_extra=_READ, responses=responses(404))
async def get_launch(launch: str, known: DesigningDep, gates: GatesDep, as_of: AsOf = None) -> Response:
    """Read a launch: what it has to show, what is open, who must do what next; measured now, unless it is over."""
    loaded = await known.resources.handler.load(LAUNCH, launch, as_of=as_of)
    coming, at = _there(loaded), as_of or known.resources.clock.now()
    checks = coming.checks if as_of or coming.ended else await _measured(gates, coming, at)
    body = codec.encode(launch_view(coming, checks, at))
    # The version is what If-Match takes; what is measured moves without it, so nothing is answered 304.
    return Response(body, headers={"ETag": etag.strong(loaded.version)}, media_type="application/json")


@router.patch("/{launch}", response_model=LaunchView, openapi_extra=_WRITE, responses=responses(404, 409, 422))
@retried_on_conflict
async def change_launch(launch: str, body: ChangeLaunchBody, call: CallDep, gates: GatesDep) -> Response:
    """Plan it otherwise, such as for another day (JSON merge patch)."""
    loaded = await call.resources.handler.load(LAUNCH, launch)
    coming = _there(loaded)
    sent = body.model_dump(exclude_unset=True, exclude={"reason"})
    was = coming.plan
    plan = Plan(
        title=body.title or was.title,
        text=was.text if "text" not in sent else body.text or "",
        url=was.url if "url" not in sent else str(body.url or ""),
        planned_for=body.planned_for or was.planned_for,
    )
    command = ChangeLaunch(launch=launch, plan=plan, by=actor(call), reason=body.reason, at=call.context.at)
    return await _do(call.pinned(loaded), command, await _measured(gates, coming, call.context.at))


@router.put(
    "/{launch}/checkpoints/{checkpoint}",
    response_model=LaunchView,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
)
async def record_checkpoint(
    launch: str, checkpoint: str, body: CheckpointBody, call: CallDep, gates: GatesDep
) -> Response:
    """Show what a checkpoint asks for, by a record of the service or by a link; the last evidence counts."""
    coming = _there(await call.resources.handler.load(LAUNCH, launch))
    command = await _evidence(call, launch, checkpoint, body)
    return await _do(call, command, await _measured(gates, coming, call.context.at))


@router.post(
    "/{launch}:ready", response_model=LaunchView, openapi_extra=_WRITE, responses=responses(403, 404, 409, 422)
)
async def make_launch_ready(launch: str, body: Reason, call: CallDep, gates: GatesDep) -> Response:
    """Say that nothing blocks it; refused while a blocking checkpoint is open. Of tiers 1 and 2 another person does."""
    checks = await _measured(gates, _there(await call.resources.handler.load(LAUNCH, launch)), call.context.at)
    command = MakeReady(launch=launch, checks=checks, by=actor(call), reason=body.reason, at=call.context.at)
    return await _do(call, command, checks)


@router.post("/{launch}:launch", response_model=LaunchView, openapi_extra=_WRITE, responses=responses(404, 409, 422))
async def launch_it(launch: str, body: Reason, call: CallDep, gates: GatesDep) -> Response:
    """Say that it has reached its users; refused while a blocking checkpoint is open, which is looked at once more."""
    checks = await _measured(gates, _there(await call.resources.handler.load(LAUNCH, launch)), call.context.at)
    command = Launch(launch=launch, checks=checks, by=actor(call), reason=body.reason, at=call.context.at)
    return await _do(call, command, checks)


@router.post("/{launch}:cancel", response_model=LaunchView, openapi_extra=_WRITE, responses=responses(404, 409))
async def cancel_launch(launch: str, body: Reason, call: CallDep) -> Response:
    """Do not launch it."""
    coming = _there(await call.resources.handler.load(LAUNCH, launch))
    command = Cancel(launch=launch, by=actor(call), reason=body.reason, at=call.context.at)
    return await _do(call, command, coming.checks)


async def _evidence(call: Call, launch: str, checkpoint: str, body: CheckpointBody) -> RecordCheckpoint | NameRecord:
    if body.record is not None:
        for name in ("outcome", "url", "done_at"):
            if getattr(body, name) is not None:
                detail = f"{name} follows from the record; leave it out"
                raise CheckpointError(detail, f"/{name}")
        return NameRecord(
            launch=launch,
            checkpoint=checkpoint,
            proof=await _proof(call.resources, body.record),
            note=body.note,
            by=actor(call),
            at=call.context.at,
        )
    if body.outcome is None:
        raise CheckpointError("name a record of the service, or say what came out", "/outcome")
    return RecordCheckpoint(
        launch=launch,
        checkpoint=checkpoint,
        outcome=body.outcome,
        url=str(body.url or ""),
        note=body.note,
        done_at=body.done_at or call.context.at,
        by=actor(call),
        at=call.context.at,
    )


async def _proof(resources: Resources, record: RecordBody) -> Proof:
    """What the record shows.

    Raises:
        UnknownReferenceError: There is no such record.
    """
    load, found = resources.handler.load, None
    match record.kind:
        case "checkpoint":
            if (known := (await load(CHECKPOINT, record.id)).state) is not None:
                found = proof.of_checkpoint(known)
        case "rollout":
            if (going := (await load(ROLLOUT, record.id)).state) is not None:
                found = proof.of_rollout(going)
        case "deployment":
            if (deployed := (await load(DEPLOYMENT, record.id)).state) is not None:
                found = proof.of_deployment(deployed)
        case "design_review":
            if (review := (await load(DESIGN_REVIEW, record.id)).state) is not None:
                found = proof.of_design(review)
    if found is None:
        raise UnknownReferenceError(record.kind.replace("_", " "), record.id, "record/id")
    return found


async def _measured(gates: Gates, coming: Coming, at: datetime) -> tuple[CheckResult, ...]:
    """What the platform measures now of what the launch has to show."""
    service = live(await gates.resources.handler.load(SERVICE, coming.planned.service)).profile
    return await gates.look(service, [each.check for each in coming.planned.checkpoints if each.check], at)


async def _do(
    call: Call,
    command: Command,
    checks: tuple[CheckResult, ...],
    *,
    status: int = 200,
    location: str | None = None,
) -> Response:
    def shown(outcome: Outcome[LaunchState]) -> LaunchView:
        coming = _there(outcome)
        return launch_view(coming, coming.checks if coming.ended else checks, call.context.at)

    return await call.handle(LAUNCH, command.launch, command, body=shown, status=status, location=location)


def _there(found: Loaded[LaunchState] | Outcome[LaunchState]) -> Coming:
    if found.state is None:
        raise UnknownError("launch", key_of(found))
    return found.state
