"""May this be released now (`docs/release-gate.md`), and where a service stands with its error budgets."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.slo.api.policies import AsOf
from services.slo.api.policy_schemas import ErrorBudgetAnswer, error_budget_answer
from services.slo.contract import BUDGET, POLICY, SLO
from services.slo.domain.policy.document import Change
from services.slo.domain.policy.standing import SloBudget
from services.slo.domain.policy.state import Policy
from services.slo.domain.release_gate import Decision, decide
from services.slo.domain.slo.decider import Defined
from services.slo.projections.known_services import KNOWN_SERVICES, unknown_services
from services.slo.projections.slos import SLOS, budgets_of, slos_ever_of

router = Router(prefix="/v1", tags=["release-gate"])


@router.get(
    "/release-gate/{service}",
    response_model=Decision,
    openapi_extra=needs("release-gate.read"),
    responses=responses(404),
    dependencies=[fresh(SLOS, KNOWN_SERVICES)],
)
async def ask_release_gate(
    service: str,
    resources: ResourcesDep,
    change: Annotated[Change, Query(description="What kind of change is to be released.")] = "normal",
    deployment: Annotated[
        str, Query(max_length=200, description="What is deployed, as named when glass was broken for it.")
    ] = "",
) -> Response:
    """May this change be released now? A `deny` is an answer like `allow`: both are status 200, with the reasons."""
    policy, budgets = await _known(resources, service)
    decision = decide(change, policy, budgets, resources.clock.now(), deployment=deployment)
    return Response(codec.encode(decision), media_type="application/json")


@router.get(
    "/services/{service}/error-budget",
    response_model=ErrorBudgetAnswer,
    openapi_extra=needs("error-budget-policies.read"),
    responses=responses(404),
    dependencies=[fresh(SLOS, KNOWN_SERVICES)],
)
async def get_error_budget(request: Request, service: str, resources: ResourcesDep, as_of: AsOf = None) -> Response:
    """Where the service stands: budgets, policy state, freeze, exemptions, what is owed, who has to sign."""
    policy, budgets = await _known(resources, service)
    if as_of is not None:
        policy = (await resources.handler.load(POLICY, service, as_of=as_of)).state
        slos = await resources.views.read(slos_ever_of, service)
        then = [await _budget_then(resources, service, slo, as_of) for slo in slos]
        budgets = tuple(budget for budget in then if budget is not None)
    decision = decide("normal", policy, budgets, as_of or resources.clock.now())
    return etag.answer(request, error_budget_answer(service, policy, decision))


async def _known(resources: Resources, service: str) -> tuple[Policy, tuple[SloBudget, ...]]:
    """The policy and the budgets of *service*.

    Raises:
        Problem: 404, nobody has ever told of such a service; a mistyped name must not pass for one without a policy.
    """
    policy = (await resources.handler.load(POLICY, service)).state
    budgets = await resources.views.read(budgets_of, service)
    if policy is None and not budgets and await resources.views.read(unknown_services, {service}):
        detail = f"there is no service {service!r}; register it (POST /v1/services), or correct its name"
        raise Problem(404, "unknown-service", "The service is unknown", detail, [Place(detail, "service")])
    return policy, budgets


async def _budget_then(resources: Resources, service: str, slo: str, as_of: datetime) -> SloBudget | None:
    """The budget of *slo* as it was known at *as_of*; None if *service* had no such SLO then."""
    defined = (await resources.handler.load(SLO, slo, as_of=as_of)).state
    if not isinstance(defined, Defined) or defined.promise.service != service:
        return None
    assessed = (await resources.handler.load(BUDGET, slo, as_of=as_of)).state.assessed
    return SloBudget.of(assessed) if assessed else SloBudget(slo, "undefined", window=defined.promise.window)
