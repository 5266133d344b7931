"""`/v1/services/{service}:decommission`: the end of the work that phase 7 is."""

from starlette.responses import Response

from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import GatesDep, keep
from services.lifecycle.api.gates.transitions import Why
from services.lifecycle.api.views import ServiceView, live, service_view
from services.lifecycle.contract import SERVICE
from services.lifecycle.domain.gates import remaining
from services.lifecycle.domain.service.commands import Decommission
from services.lifecycle.domain.service.decider import Unsupported
from services.lifecycle.projections.facts import HEARD, facts_about

router = Router(tags=["services"])


@router.post(
    "/v1/services/{service}:decommission",
    response_model=ServiceView,
    openapi_extra=needs("services.write"),
    responses=responses(404, 409, 422),
    dependencies=[fresh(*HEARD)],
)
async def decommission_service(service: str, call: CallDep, gates: GatesDep, body: Why) -> Response:
    """Say that nothing of an unsupported service is left; refused with what is, and how to remove it."""
    state, at = live(await call.resources.handler.load(SERVICE, service)), call.context.at
    await gates.caught_up()
    verdict = remaining(gates.policy, await facts_about(call.resources.views, state.profile, at), at)
    ends = isinstance(state, Unsupported) and verdict.passed
    evaluation, steps = keep(verdict, call.principal.name) if ends else ("", ())
    command = Decommission(
        service=service,
        reason=body.reason,
        verdict=verdict,
        evaluation=evaluation,
        by=call.principal.name,
        at=at,
    )
    return await call.handle(SERVICE, service, command, body=lambda outcome: service_view(live(outcome)), also=steps)
