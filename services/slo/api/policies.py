"""Error-budget policies: written, signed by both sides, and what is granted, broken and disputed under them."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.handler import NO_EFFECTS, Effects, Outcome
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.slo.api.policy_schemas import (
    BreakGlassBody,
    DisagreeBody,
    ExemptBody,
    FulfilBody,
    NewPolicy,
    PolicyAnswer,
    PolicyDocument,
    PolicyItem,
    RevokeBody,
    SettleBody,
    SignBody,
    UseGlassBody,
    policy_answer,
    policy_item,
)
from services.slo.api.promises import unknown_after
from services.slo.api.schemas import Time
from services.slo.config import SloSettings
from services.slo.contract import POLICY
from services.slo.domain.policy.commands import (
    BreakGlass,
    Command,
    Disagree,
    Exempt,
    Fulfil,
    Revoke,
    Settle,
    Sign,
    UseGlass,
    Write,
)
from services.slo.domain.policy.errors import NoSuchPolicyError, NotFrozenError
from services.slo.domain.policy.events import Event, ExemptionGranted, GlassBroken, PolicySigned
from services.slo.domain.policy.standing import SloBudget, Standing
from services.slo.domain.policy.state import Due, InForce, Policy, Unsigned, standing_at, timetable
from services.slo.domain.signing import Actor
from services.slo.projections.error_budget_policies import ERROR_BUDGET_POLICIES, policies
from services.slo.projections.known_services import KNOWN_SERVICES
from services.slo.projections.slos import SLOS, budgets_of

router = Router(prefix="/v1/error-budget-policies", tags=["error-budget-policies"])

AsOf = Annotated[Time | None, Query(description="Answer what was known at this time.")]
_READ, _WRITE = needs("error-budget-policies.read"), needs("error-budget-policies.write")
_VERB: dict[str, Any] = {"response_model": PolicyAnswer, "openapi_extra": _WRITE, "dependencies": [fresh(SLOS)]}


@router.post(
    "",
    status_code=201,
    response_model=PolicyAnswer,
    openapi_extra=_WRITE,
    responses=responses(409, 422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
@retried_on_conflict
async def write_policy(request: Request, body: NewPolicy, call: CallDep) -> Response:
    """Write the error-budget policy of a service; it binds nobody before development and SRE have signed it."""
    await _refuse_unknown(request, call.resources, body.service)
    loaded = await call.resources.handler.load(POLICY, body.service)
    held = loaded.state
    if held is not None and held.newest.document != body.document:
        detail = f"{body.service} has a policy; PUT /v1/error-budget-policies/{body.service} writes a new version of it"
        raise Problem(409, "policy-exists", "There is a policy already", detail, [Place(detail, "/service")])
    command = _write(call, body.service, body)
    location = f"/v1/error-budget-policies/{body.service}"
    return await call.pinned(loaded).handle(
        POLICY, body.service, command, body=_shown(body.service), status=201, location=location
    )


@router.put(
    "/{service}",
    response_model=PolicyAnswer,
    openapi_extra=_WRITE,
    responses=responses(422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def rewrite_policy(request: Request, service: str, body: PolicyDocument, call: CallDep) -> Response:
    """Write a new version; the one in force stays so until both sides have signed the new one."""
    await _refuse_unknown(request, call.resources, service)
    return await _do(call, service, _write(call, service, body))


@router.get("", openapi_extra=_READ, dependencies=[fresh(ERROR_BUDGET_POLICIES)])
async def list_policies(
    resources: ResourcesDep,
    page: PageDep,
    state: Annotated[list[Standing] | None, Query()] = None,
    *,
    in_force: Annotated[bool | None, Query(description="Whether both sides have signed.")] = None,
) -> Page[PolicyItem]:
    """All policies and where their services stand, by service."""
    return await resources.views.read(
        page.fetch,
        policies(state or [], in_force=in_force),
        key=ERROR_BUDGET_POLICIES.view.c.service,
        item=policy_item,
    )


@router.get("/{service}", response_model=PolicyAnswer, openapi_extra=_READ, responses=responses(404))
async def get_policy(request: Request, service: str, resources: ResourcesDep, as_of: AsOf = None) -> Response:
    """The policy of one service, with everything that happened under it."""
    loaded = await resources.handler.load(POLICY, service, as_of=as_of)
    return etag.answer(request, policy_answer(_existing(loaded.state, service)), version=loaded.version)


@router.post("/{service}:sign", **_VERB, responses=responses(404, 409))
async def sign_policy(service: str, body: SignBody, call: CallDep) -> Response:
    """Sign for one side the version that was read; with both signatures it is in force, and may freeze at once."""
    return await _do(call, service, Sign(**await _asked(call, service), **body.model_dump()))


@router.post("/{service}:exempt", **_VERB, responses=responses(404, 422))
async def exempt_service(service: str, body: ExemptBody, call: CallDep) -> Response:
    """Grant an exemption that another person asked for."""
    asked = await _asked(call, service)
    known = {budget.slo for budget in asked["budgets"]}
    places = [
        Place(f"{slo!r} is no SLO of {service}; leave slos out to cover all", f"/slos/{index}")
        for index, slo in enumerate(body.slos)
        if slo not in known
    ]
    if places:
        raise Problem(422, "unknown-slo", "The service has no such SLO", places[0].detail, places)
    return await _do(call, service, Exempt(exemption=str(new_id()), **asked, **body.model_dump()))


@router.post("/{service}:revoke", **_VERB, responses=responses(404))
async def revoke_exemption(service: str, body: RevokeBody, call: CallDep) -> Response:
    """End an exemption early."""
    return await _do(call, service, Revoke(**await _asked(call, service), **body.model_dump()))


@router.post("/{service}:break-glass", **_VERB, responses=responses(404, 409, 422))
async def break_glass(service: str, body: BreakGlassBody, call: CallDep) -> Response:
    """Let one deployment through a freeze; it is on record who did, and what follows."""
    asked = await _asked(call, service)
    return await _do(call, service, BreakGlass(glass=str(new_id()), **asked, **body.model_dump()))


@router.post(
    "/{service}:use-glass",
    response_model=PolicyAnswer,
    openapi_extra=needs("release-gate.write"),
    responses=responses(404, 409),
    dependencies=[fresh(SLOS)],
)
async def use_glass(service: str, body: UseGlassBody, call: CallDep) -> Response:
    """Say that a deployment went through a broken glass; glass broken for no deployment by name is then its own."""
    policy = _existing((await call.resources.handler.load(POLICY, service)).state, service)
    standing = standing_at(policy, await _budgets(call.resources, service), call.context.at)
    if standing != "frozen":
        raise NotFrozenError(service, standing)
    return await _do(call, service, UseGlass(**_said(call, service), **body.model_dump()))


@router.post("/{service}:disagree", **_VERB, responses=responses(404, 422))
async def raise_disagreement(service: str, body: DisagreeBody, call: CallDep) -> Response:
    """Take a disagreement about the figures, or about what follows from them, to the executive."""
    asked = _said(call, service) | {"by": _actor(call)}
    return await _do(call, service, Disagree(disagreement=str(new_id()), **asked, **body.model_dump()))


@router.post("/{service}:settle", **_VERB, responses=responses(404, 409, 422))
async def settle_disagreement(service: str, body: SettleBody, call: CallDep) -> Response:
    """Decide a disagreement, as the executive: the policy stands, or releases go on until a day."""
    return await _do(call, service, Settle(**await _asked(call, service), **body.model_dump()))


@router.post("/{service}:fulfil", **_VERB, responses=responses(404, 422))
async def fulfil_obligation(service: str, body: FulfilBody, call: CallDep) -> Response:
    """Show that something owed was done; a postmortem that is published here with a P0 action does so by itself."""
    return await _do(call, service, Fulfil(**_said(call, service), **body.model_dump()))


def _said(call: Call, service: str) -> dict[str, Any]:
    """What every command says beside its body: of which policy, by whom, when."""
    return {"service": service, "by": call.principal.name, "at": call.context.at}


async def _asked(call: Call, service: str) -> dict[str, Any]:
    """As `_said`, of a command that needs somebody's right to send it, and may move where the service stands."""
    return _said(call, service) | {"by": _actor(call), "budgets": await _budgets(call.resources, service)}


async def _do(call: Call, service: str, command: Command) -> Response:
    return await call.handle(POLICY, service, command, body=_shown(service), effects=_timers)


def _shown(service: str) -> Callable[[Outcome[Policy]], PolicyAnswer]:
    return lambda outcome: policy_answer(_existing(outcome.state, service))


def _write(call: Call, service: str, body: PolicyDocument) -> Write:
    return Write(document=body.document, reason=body.reason, **_said(call, service))


def _timers(policy: Policy, events: tuple[Event, ...]) -> Effects:
    """What falls due because of *events*; a broken glass ends at the gate by itself."""
    new: set[tuple[str, str]] = set()
    for event in events:
        match event:
            case ExemptionGranted(exemption=exemption):
                new.add(("exemption-expires", exemption))
            case GlassBroken(glass=glass):
                new.add(("follow-up", glass))
            case PolicySigned(version=version, missing=()):
                new.add(("revisit", str(version)))
            case _:
                pass
    if policy is None or not new:
        return NO_EFFECTS
    service = policy.record.service

    def timer(due: Due) -> Timer:
        payload = {"service": service, "kind": due.kind, "key": due.key}
        return Timer(f"{POLICY.stream(service)}/{due.key}", due.at, POLICY.category, codec.encode(payload))

    return Effects(schedule=tuple(timer(due) for due in timetable(policy) if (due.kind, due.key) in new))


async def _budgets(resources: Resources, service: str) -> tuple[SloBudget, ...]:
    return await resources.views.read(budgets_of, service)


def _actor(call: Call) -> Actor:
    return Actor(call.principal.name, is_person=call.principal.kind == "person")


def _existing(policy: Policy, service: str) -> Unsigned | InForce:
    if policy is None:
        raise NoSuchPolicyError(service)
    return policy


async def _refuse_unknown(request: Request, resources: Resources, service: str) -> None:
    settings: SloSettings = request.app.state.settings
    if await unknown_after(resources, {service}, settings.service_wait_s):
        detail = f"there is no service {service!r}; register it (POST /v1/services), or correct its name"
        raise Problem(422, "unknown-service", "The service is unknown", detail, [Place(detail, "/service")])
