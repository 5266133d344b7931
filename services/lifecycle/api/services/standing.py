"""`/v1/services/{service}/standing`: whether a service still shows what its phase asks for."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import Gates, GatesDep
from services.lifecycle.api.views import live
from services.lifecycle.contract import PHASE_RISK, SERVICE
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.gates import demotion, keeping, remaining
from services.lifecycle.domain.phase_risk.decider import PhaseRisks, open_item
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.simulation import at_risk
from services.lifecycle.evaluation import found, noted
from services.lifecycle.projections.facts import HEARD, facts_about

router = Router(tags=["gates"])


@dataclass(frozen=True, slots=True)
class StandingView:
    """How a service stands in its phase now; nothing of this moves it, people decide.

    `keeps` is what the phase asks it to go on showing, `at_risk` whether something blocking is missing. `suggests` is
    the phase to consider going back to, and `because` says why. `left_to_remove` is the work that phase 7 is. `item`
    is the one of `/v1/phase-at-risk` that is open: it says since when, and who must do what.
    """

    service: str
    phase: Phase
    policy_version: str
    at_risk: bool
    keeps: tuple[CheckResult, ...]
    suggests: Phase | None
    because: tuple[CheckResult, ...]
    left_to_remove: tuple[CheckResult, ...]
    item: str | None


@router.get(
    "/v1/services/{service}/standing",
    response_model=StandingView,
    openapi_extra=needs("services.read"),
    responses=responses(404),
    dependencies=[fresh(*HEARD)],
)
async def read_standing(service: str, resources: ResourcesDep, gates: GatesDep, request: Request) -> Response:
    """Read whether a service still shows what its phase asks for; nothing is stored."""
    facts = await _facts(resources, gates, service, resources.clock.now())
    items = (await resources.handler.load(PHASE_RISK, service)).state
    return etag.answer(request, _view(gates, facts, items, resources.clock.now()))


@router.post(
    "/v1/services/{service}/standing:evaluate",
    response_model=StandingView,
    openapi_extra=needs("services.write"),
    responses=responses(404),
    dependencies=[fresh(*HEARD)],
)
async def evaluate_standing(service: str, call: CallDep, gates: GatesDep) -> Response:
    """Look at once, rather than on the next day, what a service lacks; its item is opened, changed or closed."""
    at = call.context.at
    facts = await _facts(call.resources, gates, service, at)
    command = found(gates.policy, facts, str(new_id()), at)
    return await call.handle(
        PHASE_RISK,
        service,
        command,
        body=lambda outcome: _view(gates, facts, outcome.state, at),
        effects=noted,
    )


async def _facts(resources: Resources, gates: Gates, service: str, at: datetime) -> Facts:
    profile = live(await resources.handler.load(SERVICE, service)).profile
    await gates.caught_up()
    return await facts_about(resources.views, profile, at)


def _view(gates: Gates, facts: Facts, items: PhaseRisks, at: datetime) -> StandingView:
    keeps = keeping(gates.policy, facts, at)
    because = tuple(check for check in demotion(gates.policy, facts, at) if check.result == "fail")
    left = remaining(gates.policy, facts, at).failed if facts.phase is Phase.UNSUPPORTED else ()
    item = open_item(items)
    return StandingView(
        service=facts.service,
        phase=facts.phase,
        policy_version=gates.policy.version,
        at_risk=bool(at_risk(keeps)),
        keeps=keeps,
        suggests=Phase.LIMITED_AVAILABILITY if because else None,
        because=because,
        left_to_remove=left,
        item=item.opened.item if item else None,
    )
