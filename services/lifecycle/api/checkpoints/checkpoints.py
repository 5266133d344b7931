"""`/v1/checkpoints`: experiments, tests, drills and reports; and what a service has shown, kind by kind."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.handler import Step
from libs.events.ids import new_id
from libs.web import etag
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.checkpoints.checkpoint_reading import READ, WRITE, Checkpoints, CheckpointsDep, shown, there
from services.lifecycle.api.checkpoints.checkpoint_result_schemas import seen
from services.lifecycle.api.checkpoints.checkpoint_schemas import (
    AbortCheckpoint,
    CancelCheckpoint,
    ChangeCheckpoint,
    Conclusion,
    PlanCheckpoint,
    ReportObservability,
    weak_points,
)
from services.lifecycle.api.checkpoints.checkpoint_views import (
    CheckpointsView,
    CheckpointView,
    checkpoint_view,
    checkpoints_view,
)
from services.lifecycle.api.references import living_service
from services.lifecycle.api.reviews.reviewing import actor
from services.lifecycle.contract import ARCHITECTURE, CHECKPOINT, DEPENDENCIES
from services.lifecycle.domain.architecture.commands import Discover, Discovery
from services.lifecycle.domain.checkpoint.commands import (
    Abort,
    Cancel,
    Change,
    Command,
    Conclude,
    Performed,
    Schedule,
    Start,
)
from services.lifecycle.domain.checkpoint.decider import State
from services.lifecycle.domain.checkpoint.events import CheckpointAborted, CheckpointConcluded
from services.lifecycle.domain.checkpoint.plans import Kind, ObservabilityReport
from services.lifecycle.projections.sdlc_checkpoints import (
    SDLC_CHECKPOINTS,
    checkpoints_of,
    sdlc_checkpoints,
)

router = Router(prefix="/v1", tags=["checkpoints"])


@router.post(
    "/checkpoints",
    status_code=201,
    response_model=CheckpointView,
    openapi_extra=WRITE,
    responses=responses(409, 422),
)
async def plan_checkpoint(body: PlanCheckpoint, call: CallDep, known: CheckpointsDep) -> Response:
    """Plan an experiment, a test or a drill; or report one that was carried out, with its conclusion."""
    await living_service(call.resources, body.service, "service")
    around = await known.behind(body.service, body.plan)
    performed = body.conclusion.performed(call.principal.name, call.context.at) if body.conclusion else None
    command = Schedule(
        checkpoint=body.id or str(new_id()),
        service=body.service,
        title=body.title,
        content=body.plan.content(around),
        policy=known.policy,
        performed=performed,
        by=actor(call),
        at=call.context.at,
    )
    return await _create(call, known, command)


@router.post(
    "/services/{service}/observability-reports",
    status_code=201,
    response_model=CheckpointView,
    openapi_extra=WRITE,
    responses=responses(404, 409, 422),
)
async def report_observability(
    service: str, body: ReportObservability, call: CallDep, known: CheckpointsDep
) -> Response:
    """Report, from CI, what can be seen of a build: a checkpoint of its own, which fails if a signal is missing."""
    await known.around(service)
    await living_service(call.resources, service, "service")
    command = Schedule(
        checkpoint=body.id or str(new_id()),
        service=service,
        title=f"what can be seen of {body.commit}",
        content=ObservabilityReport(commit=body.commit),
        policy=known.policy,
        performed=Performed(
            result=seen(body.signals),
            at=body.at or call.context.at,
            by=call.principal.name,
            evidence=(str(body.url),),
            weak_points=(),
        ),
        by=actor(call),
        at=call.context.at,
    )
    return await _create(call, known, command)


@router.get("/checkpoints", openapi_extra=READ, dependencies=[fresh(SDLC_CHECKPOINTS)])
async def list_checkpoints(  # noqa: PLR0913  each is a parameter of the route
    known: CheckpointsDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    state: Annotated[list[State] | None, Query()] = None,
    depends_on: Annotated[list[str] | None, Query(description="The dependency that was taken away.")] = None,
    as_of: AsOf = None,
) -> Page[CheckpointView]:
    """List checkpoints, planned last first.

    With `as_of` a page may hold fewer of them than asked for, even none, while more follow.
    """
    view = SDLC_CHECKPOINTS.view
    found = await known.resources.views.read(
        page.fetch,
        sdlc_checkpoints(service or [], kind or [], state or [], depends_on or [], as_of),
        key=view.c.checkpoint,
        orders={"planned_at": view.c.planned_at},
        item=lambda row: (str(row["service"]), str(row["checkpoint"])),
        descending=True,
    )
    around = {name: await known.around(name, as_of) for name in dict.fromkeys(name for name, _ in found.items)}
    items: list[CheckpointView] = []
    for name, checkpoint in found.items:
        one, _ = await known.load(checkpoint, as_of)
        if not state or one.state in state:
            items.append(checkpoint_view(one, around[name]))
    return Page(items=items, next_page_token=found.next_page_token)


@router.get("/checkpoints/{checkpoint}", response_model=CheckpointView, openapi_extra=READ, responses=responses(404))
async def get_checkpoint(checkpoint: str, known: CheckpointsDep, as_of: AsOf = None) -> Response:
    """Read a checkpoint: what it was to show, what it showed criterion by criterion, and who must do what next."""
    found, version = await known.load(checkpoint, as_of)
    body = codec.encode(checkpoint_view(found, await known.around(found.planned.service, as_of)))
    # The version is what If-Match takes; what is to be done moves with time and policy, so nothing is answered 304.
    return Response(body, headers={"ETag": etag.strong(version)}, media_type="application/json")


@router.patch(
    "/checkpoints/{checkpoint}",
    response_model=CheckpointView,
    openapi_extra=WRITE,
    responses=responses(404, 409, 422),
)
@retried_on_conflict
async def change_checkpoint(checkpoint: str, body: ChangeCheckpoint, call: CallDep, known: CheckpointsDep) -> Response:
    """Set out to show it otherwise, while nothing came out: another title, or another plan of the same kind."""
    loaded = await call.resources.handler.load(CHECKPOINT, checkpoint)
    was = there(loaded).planned
    command = Change(
        checkpoint=checkpoint,
        title=body.title or was.title,
        content=body.plan.content(await known.behind(was.service, body.plan)) if body.plan else was.plan.content,
        reason=body.reason,
        by=actor(call),
        at=call.context.at,
    )
    return await _carry_out(call.pinned(loaded), known, command, was.service)


@router.post(
    "/checkpoints/{checkpoint}:start",
    response_model=CheckpointView,
    openapi_extra=WRITE,
    responses=responses(404, 409),
)
async def start_checkpoint(checkpoint: str, call: CallDep, known: CheckpointsDep) -> Response:
    """Say that it runs."""
    return await _do(call, known, Start(checkpoint=checkpoint, by=actor(call), at=call.context.at))


@router.post(
    "/checkpoints/{checkpoint}:conclude",
    response_model=CheckpointView,
    openapi_extra=WRITE,
    responses=responses(404, 409, 422),
)
async def conclude_checkpoint(checkpoint: str, body: Conclusion, call: CallDep, known: CheckpointsDep) -> Response:
    """Say what came out: whether it passed is worked out, and every weak point becomes a finding."""
    command = Conclude(
        checkpoint=checkpoint,
        performed=body.performed(call.principal.name, call.context.at),
        policy=known.policy,
        by=actor(call),
        at=call.context.at,
    )
    return await _do(call, known, command)


@router.post(
    "/checkpoints/{checkpoint}:abort",
    response_model=CheckpointView,
    openapi_extra=WRITE,
    responses=responses(404, 409),
)
async def abort_checkpoint(checkpoint: str, body: AbortCheckpoint, call: CallDep, known: CheckpointsDep) -> Response:
    """Stop it, such as because its abort condition came true; what that showed becomes findings."""
    command = Abort(
        checkpoint=checkpoint,
        reason=body.reason,
        weak_points=weak_points(body.weak_points),
        by=actor(call),
        at=call.context.at,
    )
    return await _do(call, known, command)


@router.post(
    "/checkpoints/{checkpoint}:cancel",
    response_model=CheckpointView,
    openapi_extra=WRITE,
    responses=responses(404, 409),
)
async def cancel_checkpoint(checkpoint: str, body: CancelCheckpoint, call: CallDep, known: CheckpointsDep) -> Response:
    """Do not begin what was planned."""
    command = Cancel(checkpoint=checkpoint, reason=body.reason, by=actor(call), at=call.context.at)
    return await _do(call, known, command)


@router.get(
    "/services/{service}/checkpoints",
    response_model=CheckpointsView,
    openapi_extra=READ,
    responses=responses(404),
    dependencies=[fresh(SDLC_CHECKPOINTS)],
)
async def get_service_checkpoints(
    service: str, request: Request, known: CheckpointsDep, as_of: AsOf = None
) -> Response:
    """Read what a service has shown, kind by kind: the newest, whether it still speaks, and what to show again."""
    around = await known.around(service, as_of)
    resources = known.resources
    facts = await resources.views.read(checkpoints_of, service, as_of)
    needed = (await resources.handler.load(DEPENDENCIES, service, as_of=as_of)).state.on
    hard = sorted(name for name, one in needed.items() if one.criticality == "hard")
    return etag.answer(request, checkpoints_view(service, facts, hard, around))


async def _create(call: Call, known: Checkpoints, command: Schedule) -> Response:
    location = f"/v1/checkpoints/{command.checkpoint}"
    return await _carry_out(call, known, command, command.service, status=201, location=location)


async def _do(call: Call, known: Checkpoints, command: Command) -> Response:
    found, _ = await known.load(command.checkpoint)
    return await _carry_out(call, known, command, found.planned.service)


async def _carry_out(
    call: Call, known: Checkpoints, command: Command, service: str, *, status: int = 200, location: str | None = None
) -> Response:
    """Carry out *command*, and open a finding of the service's architecture for each weak point that it shows."""
    around, discover = await known.around(service), await _discover(call, command, service)
    also: Sequence[Step[Any, Any, Any]] = ()
    if discover is not None:
        also = (Step(ARCHITECTURE, service, discover),)
        opened = ARCHITECTURE.fold(around.findings, ARCHITECTURE.decide(discover, around.findings))
        around = replace(around, findings=opened)
    return await call.handle(
        CHECKPOINT, command.checkpoint, command, body=shown(around), status=status, location=location, also=also
    )


async def _discover(call: Call, command: Command, service: str) -> Discover | None:
    """What follows from the weak points that *command* shows; what is known already is not opened twice."""
    state = (await call.resources.handler.load(CHECKPOINT, command.checkpoint)).state
    found = tuple(
        Discovery(
            finding=str(new_id()),
            item="",
            title=weak.title,
            text=weak.text,
            severity=weak.severity,
            source=f"/v1/checkpoints/{command.checkpoint}",
        )
        for event in CHECKPOINT.decide(command, state)
        if isinstance(event, CheckpointConcluded | CheckpointAborted)
        for weak in event.weak_points
    )
    if not found:
        return None
    return Discover(service=service, review="", discoveries=found, by=call.principal.name, at=call.context.at)
