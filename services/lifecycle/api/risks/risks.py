"""`/v1/risks` and `/v1/services/{service}/risk-budget`: what could go wrong, and what the SLO leaves room for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.handler import Effects, Outcome
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import Reservation
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf, Gates, GatesDep
from services.lifecycle.api.references import WaitDep, heard_incident, living_service
from services.lifecycle.api.reviews.reviewing import actor
from services.lifecycle.api.risks.risk_schemas import (
    AcceptRisk,
    AssessRisk,
    EliminateRisk,
    MitigateRisk,
    ProposeRisk,
    RealiseRisk,
    RiskBudgetView,
    RiskView,
    Surroundings,
    TransferRisk,
    risk_budget_view,
    risk_view,
)
from services.lifecycle.api.views import live
from services.lifecycle.contract import RISK_REGISTER, SERVICE
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.people import Approvers
from services.lifecycle.domain.risk_register.arithmetic import Systemic
from services.lifecycle.domain.risk_register.commands import (
    Accept,
    Assess,
    Command,
    Eliminate,
    Mitigate,
    Propose,
    Realise,
    Reestimate,
    Transfer,
)
from services.lifecycle.domain.risk_register.events import RiskState
from services.lifecycle.domain.risk_register.policy import RiskPolicy
from services.lifecycle.domain.risk_register.state import Register
from services.lifecycle.projections.risks import RISKS, took_of
from services.lifecycle.projections.risks import risks as known_risks
from services.lifecycle.projections.slo_targets import SLO_TARGETS, strictest_of
from services.lifecycle.timetable import accepting

_SCOPE = "risk"  # of the reservations that lead from a risk's id to its service
_READ, _WRITE = needs("risks.read"), needs("risks.write")

router = Router(prefix="/v1", tags=["risks"])


@dataclass(frozen=True, slots=True)
class Risks:
    """The risks of this installation, and what may be accepted."""

    resources: Resources
    policy: RiskPolicy

    async def service_of(self, risk: str) -> str:
        """Whose risk it is.

        Raises:
            UnknownError: There is no such risk.
        """
        holder = await self.resources.store.holder(_SCOPE, risk)
        if holder is None:
            raise UnknownError("risk", risk)
        return holder.partition("/")[2]

    async def around(self, service: str, as_of: datetime | None = None) -> Surroundings:
        """What a risk of *service* is looked at against."""
        profile = live(await self.resources.handler.load(SERVICE, service, as_of=as_of)).profile
        promise = await self.resources.views.read(strictest_of, service, as_of)
        return Surroundings(profile.owner_team, promise, self.policy, as_of or self.resources.clock.now())

    async def deciders(self, gates: Gates, service: str) -> Approvers:
        """Who may decide about its risks."""
        return await gates.approvers(
            live(await self.resources.handler.load(SERVICE, service)).profile, self.policy.deciders
        )


async def _risks(request: Request) -> Risks:
    return Risks(request.app.state.resources, request.app.state.policies.risks)


RisksDep = Annotated[Risks, Depends(_risks)]


@router.post(
    "/risks",
    status_code=201,
    response_model=RiskView,
    openapi_extra=_WRITE,
    responses=responses(409, 422),
    dependencies=[fresh(SLO_TARGETS)],
)
async def propose_risk(body: ProposeRisk, call: CallDep, known: RisksDep) -> Response:
    """Say what could go wrong with a service, and how bad it is if that is known."""
    await living_service(call.resources, body.service, "service")
    risk = str(new_id())
    command = Propose(
        service=body.service,
        risk=risk,
        title=body.title,
        text=body.text,
        cause=body.cause,
        estimate=body.estimate.estimate if body.estimate else None,
        basis=body.basis,
        by=actor(call),
        at=call.context.at,
    )
    around = await known.around(body.service)
    place = Reservation(_SCOPE, risk, RISK_REGISTER.stream(body.service))
    return await call.handle(
        RISK_REGISTER,
        body.service,
        command,
        body=lambda outcome: risk_view(outcome.state[risk], around),
        status=201,
        location=f"/v1/risks/{risk}",
        effects=Effects(reserve=(place,)),
    )


@router.get("/risks", openapi_extra=_READ, dependencies=[fresh(RISKS, SLO_TARGETS)])
async def list_risks(
    known: RisksDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[RiskState] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[RiskView]:
    """List risks, those proposed last first.

    With `as_of` a page may hold fewer risks than asked for, even none, while more follow.
    """
    view = RISKS.view
    found = await known.resources.views.read(
        page.fetch,
        known_risks(service or [], state or [], as_of),
        key=view.c.risk,
        orders={"proposed_at": view.c.proposed_at},
        item=lambda row: (str(row["service"]), str(row["risk"])),
        descending=True,
    )
    around = {name: await known.around(name, as_of) for name in dict.fromkeys(name for name, _ in found.items)}
    items: list[RiskView] = []
    for name, risk in found.items:
        register = (await known.resources.handler.load(RISK_REGISTER, name, as_of=as_of)).state
        if not state or register[risk].state in state:
            items.append(risk_view(register[risk], around[name]))
    return Page(items=items, next_page_token=found.next_page_token)


@router.get(
    "/risks/{risk}",
    response_model=RiskView,
    openapi_extra=_READ,
    responses=responses(404),
    dependencies=[fresh(SLO_TARGETS)],
)
async def get_risk(risk: str, resources: ResourcesDep, known: RisksDep, as_of: AsOf = None) -> Response:
    """Read a risk: how bad it is, what was decided, which incidents it was, who must do what next."""
    service = await known.service_of(risk)
    loaded = await resources.handler.load(RISK_REGISTER, service, as_of=as_of)
    if risk not in loaded.state:
        raise UnknownError("risk", risk)
    body = codec.encode(risk_view(loaded.state[risk], await known.around(service, as_of)))
    # The version is what If-Match takes; the share moves with the SLO, so nothing is answered 304.
    return Response(body, headers={"ETag": etag.strong(loaded.version)}, media_type="application/json")


@router.post(
    "/risks/{risk}:assess",
    response_model=RiskView,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
    dependencies=[fresh(SLO_TARGETS)],
)
async def assess_risk(risk: str, body: AssessRisk, call: CallDep, known: RisksDep) -> Response:
    """Say how bad a risk is; if it is accepted and does not fit any more, that ends."""
    service = await known.service_of(risk)
    around = await known.around(service)
    command = Assess(
        service=service,
        risk=risk,
        estimate=body.estimate,
        basis=body.basis,
        promise=around.promise,
        policy=known.policy,
        by=actor(call),
        at=call.context.at,
    )
    return await _do(call, risk, command, around)


@router.post(
    "/risks/{risk}:accept",
    response_model=RiskView,
    openapi_extra=_WRITE,
    responses=responses(403, 404, 409, 422),
    dependencies=[fresh(SLO_TARGETS)],
)
async def accept_risk(risk: str, body: AcceptRisk, call: CallDep, known: RisksDep, gates: GatesDep) -> Response:
    """Live with a risk until a time, as somebody else than who proposed it, while unallocated budget covers it."""
    service = await known.service_of(risk)
    around = await known.around(service)
    command = Accept(
        service=service,
        risk=risk,
        until=body.until,
        promise=around.promise,
        policy=known.policy,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
        deciders=await known.deciders(gates, service),
    )
    return await _do(call, risk, command, around)


@router.post(
    "/risks/{risk}:mitigate", response_model=RiskView, openapi_extra=_WRITE, responses=responses(404, 409, 422)
)
async def mitigate_risk(risk: str, body: MitigateRisk, call: CallDep, known: RisksDep) -> Response:
    """Give a risk to somebody who makes it smaller, until a day; then it is assessed anew."""
    service = await known.service_of(risk)
    command = Mitigate(
        service=service,
        risk=risk,
        plan=body.plan,
        owner=body.owner,
        due=body.due,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await _do(call, risk, command, await known.around(service))


@router.post(
    "/risks/{risk}:eliminate",
    response_model=RiskView,
    openapi_extra=_WRITE,
    responses=responses(403, 404, 409),
)
async def eliminate_risk(risk: str, body: EliminateRisk, call: CallDep, known: RisksDep, gates: GatesDep) -> Response:
    """Say that it cannot happen any more, and where that can be seen."""
    service = await known.service_of(risk)
    command = Eliminate(
        service=service,
        risk=risk,
        url=str(body.url),
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
        deciders=await known.deciders(gates, service),
    )
    return await _do(call, risk, command, await known.around(service))


@router.post(
    "/risks/{risk}:transfer",
    response_model=RiskView,
    openapi_extra=_WRITE,
    responses=responses(403, 404, 409),
)
async def transfer_risk(risk: str, body: TransferRisk, call: CallDep, known: RisksDep, gates: GatesDep) -> Response:
    """Say that somebody else bears it."""
    service = await known.service_of(risk)
    command = Transfer(
        service=service,
        risk=risk,
        to=body.to,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
        deciders=await known.deciders(gates, service),
    )
    return await _do(call, risk, command, await known.around(service))


@router.post(
    "/risks/{risk}:reestimate",
    response_model=RiskView,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
    dependencies=[fresh(SLO_TARGETS)],
)
async def reestimate_risk(risk: str, call: CallDep, known: RisksDep) -> Response:
    """Assess a risk by what its incidents say (`observed`); if it is accepted and does not fit any more, that ends."""
    service = await known.service_of(risk)
    around = await known.around(service)
    command = Reestimate(
        service=service, risk=risk, promise=around.promise, policy=known.policy, by=actor(call), at=call.context.at
    )
    return await _do(call, risk, command, around)


@router.post("/risks/{risk}:realise", response_model=RiskView, openapi_extra=_WRITE, responses=responses(404, 422))
async def realise_risk(risk: str, body: RealiseRisk, call: CallDep, known: RisksDep, wait_s: WaitDep) -> Response:
    """Say that an incident was this risk; one that is classified by the risk's cause is counted by itself.

    The incident, by number or id, must be known here: what incidents has just said arrives in a moment. What is left
    out of its times is what they tell. What was eliminated or transferred, and happens all the same, is proposed again.
    """
    service = await known.service_of(risk)
    incident = await heard_incident(call.resources, body.incident, "incident", wait_s)
    command = Realise(
        service=service,
        risk=risk,
        incident=incident,
        took=await known.resources.views.read(took_of, incident),
        ttd_minutes=body.ttd_minutes,
        ttr_minutes=body.ttr_minutes,
        users_fraction=body.users_fraction,
        by=call.principal.name,
        at=call.context.at,
    )
    return await _do(call, risk, command, await known.around(service))


@router.get(
    "/services/{service}/risk-budget",
    response_model=RiskBudgetView,
    openapi_extra=_READ,
    responses=responses(404),
    dependencies=[fresh(SLO_TARGETS)],
)
async def get_risk_budget(  # noqa: PLR0913  each is a parameter of the route
    service: str,
    request: Request,
    known: RisksDep,
    more_often: Annotated[
        float, Query(ge=0, le=100, description="What if every risk came more often by this share?")
    ] = 0,
    ttd_minutes: Annotated[float, Query(ge=0, le=525_960, description="... were noticed later by so much?")] = 0,
    ttr_minutes: Annotated[float, Query(ge=0, le=525_960, description="... were mended later by so much?")] = 0,
    as_of: AsOf = None,
) -> Response:
    """Read the error budget of a service's strictest SLO as bad minutes a year, and what known risks take of it."""
    around = await known.around(service, as_of)
    register = (await known.resources.handler.load(RISK_REGISTER, service, as_of=as_of)).state
    systemic = Systemic(more_often, ttd_minutes, ttr_minutes)
    return etag.answer(request, risk_budget_view(service, list(register.values()), around, systemic))


async def _do(call: Call, risk: str, command: Command, around: Surroundings) -> Response:
    def shown(outcome: Outcome[Register]) -> RiskView:
        return risk_view(outcome.state[risk], around)

    return await call.handle(RISK_REGISTER, command.service, command, body=shown, effects=accepting)
