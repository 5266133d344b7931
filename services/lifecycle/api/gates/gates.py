"""`/v1/services/{service}/gates` and `/v1/evaluations`."""

from dataclasses import fields

from sqlalchemy import RowMapping, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import convert
from libs.events.handler import Loaded, Outcome
from libs.events.ids import new_id
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf, GatesDep
from services.lifecycle.api.views import EvaluationView, GateView, evaluation_view, gate_view, key_of, live
from services.lifecycle.contract import EVALUATION, SERVICE
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.evaluation.commands import Keep
from services.lifecycle.domain.evaluation.decider import Evaluation
from services.lifecycle.domain.evaluation.events import GateEvaluated
from services.lifecycle.domain.phases import Phase
from services.lifecycle.projections.evaluations import EVALUATIONS
from services.lifecycle.projections.facts import HEARD

_GATE = "/v1/services/{service}/gates/{phase}"
_FACTS = fresh(*HEARD)

router = Router(tags=["gates"])


@router.get(
    _GATE,
    response_model=GateView,
    openapi_extra=needs("services.read"),
    responses=responses(404),
    dependencies=[_FACTS],
)
async def read_gate(service: str, phase: Phase, resources: ResourcesDep, gates: GatesDep, request: Request) -> Response:
    """Read what a service would need now to enter a phase; nothing is stored."""
    profile = live(await resources.handler.load(SERVICE, service)).profile
    verdict = await gates.ask(profile, phase, resources.clock.now())
    return etag.answer(request, gate_view(verdict, profile, gates.policy))


@router.post(
    f"{_GATE}:evaluate",
    status_code=201,
    response_model=EvaluationView,
    openapi_extra=needs("services.write"),
    responses=responses(404),
    dependencies=[_FACTS],
)
async def evaluate_gate(service: str, phase: Phase, call: CallDep, gates: GatesDep) -> Response:
    """Evaluate a gate and store the evaluation, which a transition may name while it is valid."""
    profile = live(await call.resources.handler.load(SERVICE, service)).profile
    verdict = await gates.ask(profile, phase, call.context.at)
    evaluation = str(new_id())
    return await call.handle(
        EVALUATION,
        evaluation,
        Keep(evaluation, verdict, call.principal.name),
        body=_shown,
        status=201,
        location=f"/v1/evaluations/{evaluation}",
    )


@router.get(
    f"{_GATE}/evaluations",
    openapi_extra=needs("services.read"),
    responses=responses(404),
    dependencies=[fresh(EVALUATIONS)],
)
async def list_evaluations(
    service: str, phase: Phase, resources: ResourcesDep, page: PageDep, as_of: AsOf = None
) -> Page[EvaluationView]:
    """List the stored evaluations of a gate, newest first."""
    live(await resources.handler.load(SERVICE, service, as_of=as_of))
    view = EVALUATIONS.view
    query = select(view).where(view.c.service == service, view.c.phase == phase.value)
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    return await resources.views.read(page.fetch, query, key=view.c.evaluation, item=_row, descending=True)


@router.get(
    "/v1/evaluations/{evaluation}",
    response_model=EvaluationView,
    openapi_extra=needs("services.read"),
    responses=responses(404),
)
async def get_evaluation(evaluation: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a stored gate evaluation: why a service could, or could not, move."""
    loaded = await resources.handler.load(EVALUATION, evaluation, as_of=as_of)
    return etag.answer(request, _shown(loaded), version=loaded.version)


def _shown(found: Loaded[Evaluation] | Outcome[Evaluation]) -> EvaluationView:
    if found.state is None:
        raise UnknownError("evaluation", key_of(found))
    return evaluation_view(found.state)


def _row(row: RowMapping) -> EvaluationView:
    return evaluation_view(convert({field.name: row[field.name] for field in fields(GateEvaluated)}, GateEvaluated))
