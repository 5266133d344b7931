"""`/v1/escalation-policies` and `/v1/services/{service}/escalation`: who is called, and what a trial says of it."""

from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.errors import ReservedError
from libs.events.handler import NO_EFFECTS, Effects
from libs.events.resources import Resources
from libs.events.store import Reservation
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Name
from services.incidents.api.escalation_policy_schemas import (
    CallAnswer,
    DryRun,
    DryRunAnswer,
    NamedAnswer,
    PolicyAnswer,
    PolicyBody,
    PolicyItem,
    PolicyPatch,
    ServicePagingAnswer,
    ServicePolicies,
    SideAnswer,
    policy_answer,
)
from services.incidents.api.filters import matching
from services.incidents.contract import ESCALATION_POLICY, SCHEDULE, SERVICE_PAGING
from services.incidents.domain.errors import AbsentError, UnknownReferenceError
from services.incidents.domain.escalation.errors import DefaultTakenError, EndedError, FaultyPolicyError
from services.incidents.domain.escalation_policy.commands import ChangePolicy, Command, EndPolicy, WritePolicy
from services.incidents.domain.escalation_policy.decider import KIND, EscalationPolicy, Policy
from services.incidents.domain.escalation_policy.events import Event
from services.incidents.domain.escalation_policy.steps import Content, Target
from services.incidents.domain.service_paging.commands import NamePolicies
from services.incidents.paging.calling import channels_of
from services.incidents.paging.plans import DEFAULT, Plan, fallback_of, plan_of, policies_from
from services.incidents.paging.rehearsal import Moment, rehearse
from services.incidents.paging.taking import last_resort
from services.incidents.projections.escalation_policies import ESCALATION_POLICIES, needed_by
from services.incidents.projections.known_services import KNOWN_SERVICES, require_service
from services.incidents.projections.known_teams import KNOWN_TEAMS, knows_team
from services.incidents.projections.people import PEOPLE, person_of
from services.incidents.projections.schedules import ROTATIONS, SCHEDULES

_READ, _WRITE = needs("escalation-policies.read"), needs("escalation-policies.write")
_PATH = "/v1/escalation-policies"

router = Router(prefix="/v1", tags=["escalation policies"])


@router.post(
    "/escalation-policies",
    status_code=201,
    response_model=PolicyAnswer,
    openapi_extra=_WRITE,
    responses=responses(409, 422),
    dependencies=[fresh(KNOWN_TEAMS, PEOPLE)],
)
async def write_escalation_policy(body: PolicyBody, call: CallDep) -> Response:
    """Say who is called for the incidents of a team's services."""
    await _check(call.resources, body.name, body.content)
    command = WritePolicy(
        policy=body.name, content=body.content, by=call.principal.name, reason=body.reason, at=call.context.at
    )
    return await _carry(call, body.name, command, body.team, status=201, location=f"{_PATH}/{body.name}")


@router.get("/escalation-policies", openapi_extra=_READ, dependencies=[fresh(ESCALATION_POLICIES)])
async def list_escalation_policies(
    resources: ResourcesDep,
    page: PageDep,
    team: Annotated[list[str] | None, Query()] = None,
    ended: Annotated[list[bool] | None, Query()] = None,
) -> Page[PolicyItem]:
    """All escalation policies, by name."""
    c = ESCALATION_POLICIES.view.c
    query = select(ESCALATION_POLICIES.view).where(*matching({c.team: team, c.ended: ended}))
    return await resources.views.read(page.fetch, query, key=c.id, item=_item)


@router.get("/escalation-policies/{name}", response_model=PolicyAnswer, openapi_extra=_READ, responses=responses(404))
async def get_escalation_policy(request: Request, name: Name, resources: ResourcesDep) -> Response:
    """One escalation policy."""
    loaded = await resources.handler.load(ESCALATION_POLICY, name)
    return etag.answer(request, policy_answer(loaded.state), version=loaded.version)


@router.patch(
    "/escalation-policies/{name}",
    response_model=PolicyAnswer,
    openapi_extra=needs("escalation-policies.write", if_match=True),
    responses=responses(404),
    dependencies=[fresh(KNOWN_TEAMS, PEOPLE)],
)
@retried_on_conflict
async def change_escalation_policy(name: Name, body: PolicyPatch, call: CallDep) -> Response:
    """Have it say something else; incidents that page already go on as they began."""
    loaded = await call.resources.handler.load(ESCALATION_POLICY, name)
    content = body.over(_living(loaded.state).content)
    await _check(call.resources, name, content)
    command = ChangePolicy(content=content, by=call.principal.name, reason=body.reason, at=call.context.at)
    return await _carry(call.pinned(loaded), name, command, content.team)


@router.delete(
    "/escalation-policies/{name}",
    response_model=PolicyAnswer,
    openapi_extra=_WRITE,
    responses=responses(404),
    dependencies=[fresh(ESCALATION_POLICIES)],
)
async def end_escalation_policy(name: Name, call: CallDep) -> Response:
    """Use it no more; refused while services or other policies name it."""
    by = tuple(await call.resources.views.read(needed_by, name))
    command = EndPolicy(needed_by=by, by=call.principal.name, at=call.context.at)
    return await _carry(call, name, command, "")


@router.post(
    "/escalation-policies:dry-run",
    response_model=DryRunAnswer,
    openapi_extra=_READ,
    responses=responses(422),
    dependencies=[fresh(KNOWN_SERVICES, PEOPLE, SCHEDULES, ROTATIONS)],
)
async def try_escalation(request: Request, body: DryRun, resources: ResourcesDep) -> Response:
    """Say who would be called when, if nobody took an incident on; nothing is stored or sent."""
    await require_service(resources.views, body.service, request.app.state.settings.service_wait_s)
    at = body.at or resources.clock.now()
    plan = await plan_of(resources, body.service, body.severity)
    fallback = await fallback_of(resources, request.app.state.settings.paging_fallback)

    def tried(connection: Connection) -> DryRunAnswer:
        moments = rehearse(connection, plan, at)
        unassigned = moments[0].climbed.fruitless
        return DryRunAnswer(
            service=body.service,
            severity=body.severity,
            at=at,
            quiet=plan.order.quiet,
            why=plan.why,
            unassigned=unassigned,
            told=last_resort(connection, plan.known, fallback, at) if unassigned and plan.order.sides else [],
            calls=[call for moment in moments for call in _calls(connection, moment, plan)],
        )

    return etag.answer(request, await resources.views.read_long(tried))


@router.get(
    "/services/{service}/escalation",
    response_model=ServicePagingAnswer,
    openapi_extra=_READ,
    responses=responses(422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def get_service_escalation(request: Request, service: Name, resources: ResourcesDep) -> Response:
    """Who is paged for a service as it stands: which sides by its phase, and by which policies."""
    await require_service(resources.views, service, request.app.state.settings.service_wait_s)
    version = (await resources.handler.load(SERVICE_PAGING, service)).version
    answer = _service_answer(await plan_of(resources, service, "sev2"))
    response = etag.answer(request, answer)
    response.headers["ETag"] = etag.strong(version)  # what a PUT is compared with
    return response


@router.put(
    "/services/{service}/escalation",
    response_model=NamedAnswer,
    openapi_extra=_WRITE,
    responses=responses(422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def name_service_policies(request: Request, service: Name, body: ServicePolicies, call: CallDep) -> Response:
    """Page a side of a service by a policy of its own, in place of its team's default."""
    await require_service(call.resources.views, service, request.app.state.settings.service_wait_s)
    for field, policy in (("dev", body.dev), ("sre", body.sre)):
        if policy and not await policies_from(call.resources, policy):
            raise UnknownReferenceError("escalation policy", policy, f"POST {_PATH} first", field)
    command = NamePolicies(
        service=service,
        dev=body.dev or "",
        sre=body.sre or "",
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )

    return await call.handle(
        SERVICE_PAGING,
        service,
        command,
        body=lambda outcome: NamedAnswer(service=service, dev=outcome.state.dev or None, sre=outcome.state.sre or None),
    )


async def _check(resources: Resources, name: str, content: Content) -> None:
    """Refuse a policy that calls, or goes on with, what does not exist, or comes back to itself.

    Raises:
        UnknownReferenceError, FaultyPolicyError: Likewise; each says where.
    """
    if not await resources.views.read(knows_team, content.team):
        raise UnknownReferenceError("team", content.team, "register it first (POST /v1/teams)")
    for index, step in enumerate(content.steps):
        for number, target in enumerate(step.targets):
            if remedy := await _unknown(resources, target):
                place = f"steps/{index}/targets/{number}/name"
                raise UnknownReferenceError(target.kind, target.name, remedy, place)
    if content.then:
        chain = await policies_from(resources, content.then)
        if not chain and content.then != name:
            raise UnknownReferenceError("escalation policy", content.then, f"POST {_PATH} first", "then")
        if name in {policy for policy, _ in chain} | {further.then for _, further in chain}:
            way = " > ".join([name, *(policy for policy, _ in chain if policy != name), name])
            raise FaultyPolicyError([("/then", f"it would go round in circles: {way}; end it somewhere")])


async def _unknown(resources: Resources, target: Target) -> str:
    """What helps, where there is no such target; empty: there is."""
    match target.kind:
        case "person":
            person = await resources.views.read(person_of, target.name)
            return "" if person and person.active else "register them first (POST /v1/people)"
        case "team":
            known = await resources.views.read(knows_team, target.name)
            return "" if known else "register it first (POST /v1/teams)"
        case "schedule":
            schedule = (await resources.handler.load(SCHEDULE, target.name)).state
            return "" if schedule and not schedule.ended else "make it first (POST /v1/schedules)"


async def _carry(
    call: Call, name: str, command: Command, team: str, *, status: int = 200, location: str | None = None
) -> Response:
    try:
        return await call.handle(
            ESCALATION_POLICY,
            name,
            command,
            body=lambda outcome: policy_answer(outcome.state),
            status=status,
            location=location,
            effects=_default,
        )
    except ReservedError as error:
        raise DefaultTakenError(team, error.holder.partition("/")[2]) from error


def _default(state: EscalationPolicy, events: tuple[Event, ...]) -> Effects:
    """One policy at a time is the default of its team."""
    if state is None or not events:
        return NO_EFFECTS
    place = Reservation(DEFAULT, state.content.team, ESCALATION_POLICY.stream(state.name))
    if state.content.default and not state.ended:
        return Effects(reserve=(place,))
    return Effects(release=(place,))


def _living(state: EscalationPolicy) -> Policy:
    if state is None:
        raise AbsentError(KIND, _PATH)
    if state.ended:
        raise EndedError(KIND, state.name)
    return state


def _item(row: Any) -> PolicyItem:  # noqa: ANN401  a row
    return PolicyItem(
        name=row["id"],
        display_name=row["display_name"],
        team=row["team"],
        default=row["is_default"],
        ended=row["ended"],
        targets=row["targets"],
        services=row["services"],
    )


def _service_answer(plan: Plan) -> ServicePagingAnswer:
    return ServicePagingAnswer(
        service=plan.known.service,
        phase=plan.known.phase,
        dev=plan.named.dev or None,
        sre=plan.named.sre or None,
        quiet=plan.order.quiet,
        why=plan.why,
        sides=[
            SideAnswer(side=each.side, team=each.team, policies=[name for name, _ in each.chain], why=each.why)
            for each in plan.sides
        ],
    )


def _calls(connection: Connection, moment: Moment, plan: Plan) -> list[CallAnswer]:
    urgency = "low" if plan.order.quiet else "high"
    where: dict[str, Any] = {"at": moment.at, "round": moment.climbed.round}
    nobody: dict[str, Any] = {"side": None, "person": "", "schedule": "", "shift": "", "channels": []}
    return [
        *(CallAnswer(**where, **nobody, policy=each.policy, step=each.step, why=each.why) for each in moment.passed),
        *(
            CallAnswer(
                **where,
                side=each.side,
                policy=each.policy,
                step=each.step,
                person=each.person,
                schedule=each.schedule,
                shift=each.shift,
                channels=list(channels_of(connection, each.person, urgency)),
                why="",
            )
            for each in moment.people
        ),
    ]
