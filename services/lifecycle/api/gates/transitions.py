"""`/v1/services/{service}:transition` and `/v1/transitions`."""

from typing import Annotated

from fastapi import Body
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Effects, Outcome
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import Reservation
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf, GatesDep, keep
from services.lifecycle.api.schemas import DecideTransition, RequestTransition
from services.lifecycle.api.views import ServiceView, TransitionView, live, service_view, transition_view
from services.lifecycle.contract import SERVICE
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.phases import TRANSITIONS
from services.lifecycle.domain.service.commands import Actor, Approve, Decline, Transition
from services.lifecycle.domain.service.decider import Awaiting, Decided, Service, Settled
from services.lifecycle.domain.service.events import Event, TransitionRequested
from services.lifecycle.projections.facts import HEARD

_SCOPE = "transition"  # of the reservations that lead from a transition's id to its service

router = Router(tags=["transitions"])
Why = Annotated[DecideTransition, Body(default_factory=DecideTransition)]


@router.post(
    "/v1/services/{service}:transition",
    response_model=ServiceView,
    openapi_extra=needs("services.write"),
    responses=responses(404) | {202: {"model": TransitionView, "description": "Waits for another person"}},
    dependencies=[fresh(*HEARD)],
)
async def transition_service(service: str, body: RequestTransition, call: CallDep, gates: GatesDep) -> Response:
    """Move a service to another phase, or ask for it where another person must approve (202)."""
    state = live(await call.resources.handler.load(SERVICE, service))
    phase = state.profile.phase
    move = TRANSITIONS.get((phase, body.to))
    verdict = await gates.ask(state.profile, body.to, call.context.at, evaluation=body.evaluation if move else None)
    may_happen = move is not None and isinstance(state, Settled)
    evaluation, steps = keep(verdict, call.principal.name) if may_happen else ("", ())
    transition = state.pending.transition if isinstance(state, Awaiting) else str(new_id())
    pends = isinstance(state, Awaiting) or (move is not None and move.kind in gates.policy.approval.kinds)
    command = Transition(
        service=service,
        transition=transition,
        to=body.to,
        reason=body.reason,
        needs_approval=frozenset(gates.policy.approval.kinds),
        verdict=verdict,
        evaluation=evaluation,
        by=_actor(call),
        at=call.context.at,
        requesters=await gates.approvers(state.profile, gates.policy.approval.requesters),
    )

    def remembered(_: Service, events: tuple[Event, ...]) -> Effects:
        asked = any(isinstance(event, TransitionRequested) for event in events)
        return Effects(reserve=(Reservation(_SCOPE, transition, SERVICE.stream(service)),) if asked else ())

    def shown(outcome: Outcome[Service]) -> ServiceView | TransitionView:
        after = live(outcome)
        return transition_view(after.pending) if isinstance(after, Awaiting) else service_view(after)

    return await call.handle(
        SERVICE,
        service,
        command,
        body=shown,
        status=202 if pends else 200,
        location=f"/v1/transitions/{transition}" if pends else None,
        effects=remembered,
        also=steps,
    )


@router.get(
    "/v1/transitions/{transition}",
    response_model=TransitionView,
    openapi_extra=needs("services.read"),
    responses=responses(404),
)
async def get_transition(transition: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a transition that needs, or needed, approval."""
    service = await _service_of(resources, transition)
    loaded = await resources.handler.load(SERVICE, service, as_of=as_of)
    return etag.answer(request, transition_view(*_find(loaded.state, transition)), version=loaded.version)


@router.post(
    "/v1/transitions/{transition}:approve",
    response_model=TransitionView,
    openapi_extra=needs("services.write"),
    responses=responses(404),
    dependencies=[fresh(*HEARD)],
)
async def approve_transition(transition: str, call: CallDep, gates: GatesDep, body: Why) -> Response:
    """Let a pending transition happen, as a person other than the one who asked; its gates are looked at again."""
    service = await _service_of(call.resources, transition)
    state = live(await call.resources.handler.load(SERVICE, service))
    request, decided = _find(state, transition)
    named = None if decided else request.evaluation or None
    roles = gates.policy.approval.of(request.from_phase, request.to_phase)
    verdict = await gates.ask(state.profile, request.to_phase, call.context.at, evaluation=named)
    evaluation, steps = ("", ()) if decided else keep(verdict, call.principal.name)
    command = Approve(
        service=service,
        transition=transition,
        reason=body.reason,
        verdict=verdict,
        evaluation=evaluation,
        by=_actor(call),
        at=call.context.at,
        approvers=(await gates.approvers(state.profile, roles)).besides(request.by),
    )
    return await call.handle(
        SERVICE,
        service,
        command,
        body=lambda outcome: transition_view(*_find(outcome.state, transition)),
        also=steps,
    )


@router.post(
    "/v1/transitions/{transition}:decline",
    response_model=TransitionView,
    openapi_extra=needs("services.write"),
    responses=responses(404),
)
async def decline_transition(transition: str, call: CallDep, body: Why) -> Response:
    """Refuse a pending transition, or take it back."""
    service = await _service_of(call.resources, transition)
    command = Decline(service=service, transition=transition, reason=body.reason, by=_actor(call), at=call.context.at)
    return await call.handle(
        SERVICE, service, command, body=lambda outcome: transition_view(*_find(outcome.state, transition))
    )


def _actor(call: Call) -> Actor:
    return Actor(call.principal.name, is_person=call.principal.kind == "person")


async def _service_of(resources: Resources, transition: str) -> str:
    holder = await resources.store.holder(_SCOPE, transition)
    if holder is None:
        raise UnknownError("transition", transition)
    return holder.partition("/")[2]


def _find(state: Service, transition: str) -> tuple[TransitionRequested, Decided | None]:
    if isinstance(state, Awaiting) and state.pending.transition == transition:
        return state.pending, None
    for decided in state.profile.decided if state else ():
        if decided.request.transition == transition:
            return decided.request, decided
    raise UnknownError("transition", transition)
