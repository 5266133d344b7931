"""`/v1/waivers`: a check that is not met is let through for a while, by people who answer for it."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import RowMapping, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.errors import ReservedError
from libs.events.handler import Loaded, Outcome
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf, Gates, GatesDep
from services.lifecycle.api.gates.waiver_schemas import (
    DecideWaiver,
    RenewWaiver,
    RequestWaiver,
    WaiverView,
    waiver_view,
)
from services.lifecycle.api.references import living_service
from services.lifecycle.api.views import key_of
from services.lifecycle.contract import SERVICE, WAIVER
from services.lifecycle.domain.errors import UnknownError, UnknownReferenceError
from services.lifecycle.domain.people import Actor, Approvers
from services.lifecycle.domain.service.decider import Profile
from services.lifecycle.domain.waiver.commands import Approve, Command, Renew, Revoke
from services.lifecycle.domain.waiver.commands import Request as RequestCommand
from services.lifecycle.domain.waiver.decider import Over, Waiver, WaiverStatus
from services.lifecycle.domain.waiver.errors import NotWaivableError
from services.lifecycle.domain.waiver.events import Control
from services.lifecycle.projections.waivers import WAIVERS, waiver_of
from services.lifecycle.timetable import waiving

_VIEW = WAIVERS.view
_READ, _WRITE = needs("waivers.read"), needs("waivers.write")

router = Router(prefix="/v1/waivers", tags=["waivers"])


@router.post("", status_code=201, response_model=WaiverView, openapi_extra=_WRITE, responses=responses(409, 422))
async def request_waiver(body: RequestWaiver, call: CallDep, gates: GatesDep) -> Response:
    """Ask that a check be let through for a while; it counts until another person approves."""
    await living_service(call.resources, body.service, "service")
    check = gates.policy.checks.get(body.check)
    if check is None:
        raise UnknownReferenceError("check", body.check, "check")
    if not check.waivable:
        raise NotWaivableError(body.check)
    profile = await _profile(call.resources, body.service)
    control = body.compensating_control
    waiver = str(new_id())
    command = RequestCommand(
        waiver=waiver,
        service=body.service,
        check=body.check,
        risk_owner=body.risk_owner,
        reason=body.reason,
        control=Control(control.what, str(control.url), control.implemented_at),
        expires_at=body.expires_at,
        longest=gates.policy.waivers.max_days.days_at(profile.tier),
        by=_actor(call),
        at=call.context.at,
    )
    location = f"/v1/waivers/{waiver}"
    try:
        return await call.handle(WAIVER, waiver, command, body=_shown, status=201, location=location, effects=waiving)
    except ReservedError as error:
        held = error.holder.partition("/")[2]
        detail = f"waiver {held} is for the same check of the same service; renew that one, or revoke it first"
        place = [Place(detail, "/check")]
        raise Problem(409, "waiver-exists", "There is such a waiver", detail, place, extra={"waiver": held}) from error


@router.get("", openapi_extra=_READ, dependencies=[fresh(WAIVERS)])
async def list_waivers(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    check: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[WaiverStatus] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[WaiverView]:
    """List waivers, those asked for last first.

    With `as_of` a page may hold fewer waivers than asked for, even none, while more follow.
    """
    query = select(_VIEW)
    wanted = {"service": service, "check": check, "state": None if as_of else state}
    query = query.where(*(_VIEW.c[name].in_(values) for name, values in wanted.items() if values))
    if as_of:
        query = query.where(_VIEW.c.recorded_at <= as_of)
    found = await resources.views.read(
        page.fetch,
        query,
        key=_VIEW.c.waiver,
        item=_row,
        orders={"expires_at": _VIEW.c.expires_at},
        descending=True,
    )
    if as_of:
        then = [await resources.handler.load(WAIVER, waiver.id, as_of=as_of) for waiver in found.items]
        found.items = [waiver for waiver in map(_shown, then) if not state or waiver.state in state]
    return found


@router.get("/{waiver}", response_model=WaiverView, openapi_extra=_READ, responses=responses(404))
async def get_waiver(waiver: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a waiver: who answers for what, until when, and who let it through."""
    loaded = await resources.handler.load(WAIVER, waiver, as_of=as_of)
    return etag.answer(request, _shown(loaded), version=loaded.version)


@router.post(
    "/{waiver}:approve",
    response_model=WaiverView,
    openapi_extra=_WRITE,
    responses=responses(403, 404, 409),
)
async def approve_waiver(waiver: str, body: DecideWaiver, call: CallDep, gates: GatesDep) -> Response:
    """Let it hold, as another person than the one who asked, whom the policy names for the service's tier."""
    profile, approvers = await _terms(gates, waiver)
    command = Approve(
        waiver=waiver,
        reason=body.reason,
        approvers=approvers,
        longest=gates.policy.waivers.max_days.days_at(profile.tier),
        by=_actor(call),
        at=call.context.at,
    )
    return await _do(call, command)


@router.post(
    "/{waiver}:renew",
    response_model=WaiverView,
    openapi_extra=_WRITE,
    responses=responses(403, 404, 409),
)
async def renew_waiver(waiver: str, body: RenewWaiver, call: CallDep, gates: GatesDep) -> Response:
    """Let it hold longer, once; whoever may approve it may renew it."""
    profile, approvers = await _terms(gates, waiver)
    terms = gates.policy.waivers
    command = Renew(
        waiver=waiver,
        expires_at=body.expires_at,
        reason=body.reason,
        approvers=approvers,
        longest=terms.max_days.days_at(profile.tier),
        most=int(terms.renewals.at(profile.tier)),
        by=_actor(call),
        at=call.context.at,
    )
    return await _do(call, command)


@router.post("/{waiver}:revoke", response_model=WaiverView, openapi_extra=_WRITE, responses=responses(404))
async def revoke_waiver(waiver: str, body: DecideWaiver, call: CallDep) -> Response:
    """End it, refuse it, or take it back; the check counts again at once."""
    return await _do(call, Revoke(waiver=waiver, reason=body.reason, by=_actor(call), at=call.context.at))


async def _do(call: Call, command: Command) -> Response:
    return await call.handle(WAIVER, command.waiver, command, body=_shown, effects=waiving)


async def _terms(gates: Gates, waiver: str) -> tuple[Profile, Approvers]:
    """The service that a waiver is for, and who may approve it."""
    resources = gates.resources
    state = (await resources.handler.load(WAIVER, waiver)).state
    if state is None:
        raise UnknownError("waiver", waiver)
    request = state.last.request if isinstance(state, Over) else state.request
    profile = await _profile(resources, request.service)
    roles = gates.policy.waivers.approvers[str(profile.tier or 1)]
    return profile, await gates.approvers(profile, roles)


async def _profile(resources: Resources, service: str) -> Profile:
    state = (await resources.handler.load(SERVICE, service)).state
    if state is None:
        raise UnknownReferenceError("service", service, "service")
    return state.profile


def _actor(call: Call) -> Actor:
    return Actor(call.principal.name, is_person=call.principal.kind == "person")


def _shown(found: Loaded[Waiver] | Outcome[Waiver]) -> WaiverView:
    if found.state is None:
        raise UnknownError("waiver", key_of(found))
    return waiver_view(found.state)


def _row(row: RowMapping) -> WaiverView:
    return waiver_view(waiver_of(row))
