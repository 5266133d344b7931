"""`/v1/services/{service}/standing`: whether a service still shows what its phase asks for."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import GatesDep
from services.lifecycle.api.views import live
from services.lifecycle.contract import SERVICE
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.gates import demotion, keeping, remaining
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.simulation import at_risk
from services.lifecycle.projections.facts import HEARD, facts_about

router = Router(tags=["gates"])


@dataclass(frozen=True, slots=True)
class StandingView:
    """How a service stands in its phase now; nothing of this moves it, people decide.

    `keeps` is what the phase asks it to go on showing, `at_risk` whether something blocking is missing. `suggests` is
    the phase to consider going back to, and `because` says why. `left_to_remove` is the work that phase 7 is.
    """

    service: str
    phase: Phase
    policy_version: str
    at_risk: bool
    keeps: tuple[CheckResult, ...]
    suggests: Phase | None
    because: tuple[CheckResult, ...]
    left_to_remove: tuple[CheckResult, ...]


@router.get(
    "/v1/services/{service}/standing",
    response_model=StandingView,
    openapi_extra=needs("services.read"),
    responses=responses(404),
    dependencies=[fresh(*HEARD)],
)
async def read_standing(service: str, resources: ResourcesDep, gates: GatesDep, request: Request) -> Response:
    """Read whether a service still shows what its phase asks for; nothing is stored."""
    profile = live(await resources.handler.load(SERVICE, service)).profile
    await gates.caught_up()
    at = resources.clock.now()
    facts = await facts_about(resources.views, profile, at)
    keeps = keeping(gates.policy, facts, at)
    because = tuple(check for check in demotion(gates.policy, facts, at) if check.result == "fail")
    left = remaining(gates.policy, facts, at).failed if profile.phase is Phase.UNSUPPORTED else ()
    view = StandingView(
        service=service,
        phase=profile.phase,
        policy_version=gates.policy.version,
        at_risk=bool(at_risk(keeps)),
        keeps=keeps,
        suggests=Phase.LIMITED_AVAILABILITY if because else None,
        because=because,
        left_to_remove=left,
    )
    return etag.answer(request, view)
