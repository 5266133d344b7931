"""SLO definitions: OpenSLO documents in, what is promised and how it stands out."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.envelope import Context
from libs.events.errors import ConflictError
from libs.events.handler import Outcome
from libs.events.resources import Resources
from libs.events.store import Answer
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import HEADER, fresh
from libs.web.etag import strong
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.slo.api.documents import read_documents
from services.slo.api.errors import ERRORS
from services.slo.api.promises import read_promise, unknown_after, unknown_service
from services.slo.api.schemas import (
    Definition,
    Results,
    SloAnswer,
    definition,
    promised,
    status_answer,
)
from services.slo.config import SloSettings
from services.slo.contract import SLO
from services.slo.domain.errors import NoSuchSloError, SloExistsError
from services.slo.domain.slo.commands import Define, Promise, Revise
from services.slo.domain.slo.decider import Defined, Slo
from services.slo.evaluation import status
from services.slo.projections.known_services import KNOWN_SERVICES

router = Router(prefix="/v1/slos", tags=["slos"])

_PUSHED: Mapping[str, Any] = {"metricSource": {"type": "concordat", "spec": {"query": "push"}}}
_EXAMPLE: Mapping[str, Any] = {
    "apiVersion": "openslo/v1",
    "kind": "SLO",
    "metadata": {"name": "checkout-availability", "displayName": "Checkout answers"},
    "spec": {
        "service": "checkout-api",
        "indicator": {
            "metadata": {"name": "checkout-answers"},
            "spec": {"ratioMetric": {"counter": True, "good": _PUSHED, "total": _PUSHED}},
        },
        "timeWindow": [{"duration": "28d", "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"displayName": "Good", "target": 0.99}],
    },
}
DOCUMENTS: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "OpenSLO v1; YAML may hold several documents, JSON a list of them.",
        "content": {
            kind: {"schema": {"type": ["object", "array", "string"]}, "example": _EXAMPLE}
            for kind in ("application/yaml", "application/json")
        },
    }
}
_MANY = {207: {"model": Results, "description": "Several documents: one result each"}}


@router.post(
    "",
    status_code=201,
    response_model=Definition,
    openapi_extra={**needs("slos.write"), **DOCUMENTS},
    responses=responses(409, 422) | _MANY,
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def define_slos(request: Request, call: CallDep) -> Response:
    """Define SLOs by OpenSLO v1 documents; those that are defined so already stay as they are."""
    values = read_documents(await request.body())
    if len(values) == 1:
        return await _define(request, call, values[0])

    async def work() -> Answer:
        return Answer(207, encode({"items": await _define_each(request, call, values)}))

    return await call.run(work)


@router.put(
    "/{slo}",
    response_model=Definition,
    openapi_extra={**needs("slos.write"), **DOCUMENTS},
    responses=responses(422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def revise_slo(request: Request, slo: str, call: CallDep) -> Response:
    """Define the SLO, or make a new revision of it."""
    values = read_documents(await request.body())
    if len(values) != 1:
        detail = f"PUT takes the one document of {slo}; POST /v1/slos takes many"
        raise Problem(422, "invalid-openslo", "One document is expected", detail, [Place(detail)])
    promise, warnings = read_promise(values[0])
    if promise.slo != slo:
        detail = f"the document names {promise.slo!r}, the path {slo!r}; a name never changes"
        raise Problem(422, "name-differs", "The names differ", detail, [Place(detail, "/metadata/name")])
    await _refuse_unknown(request, call.resources, promise)
    return await call.handle(SLO, slo, Revise(promise, call.context.at), body=lambda out: _body(out, warnings))


@router.get("/{slo}", response_model=SloAnswer, openapi_extra=needs("slos.read"), responses=responses(404))
async def get_slo(slo: str, resources: ResourcesDep) -> Response:
    """The definition of one SLO, and how it stands now."""
    loaded = await resources.handler.load(SLO, slo)
    defined = existing(loaded.state, slo)
    now = status_answer(await resources.views.read(status, promised(defined), resources.clock.now()))
    body = SloAnswer(**definition(defined, []), status=now)
    # The version is what If-Match takes; the figures move without it, so nothing is answered 304.
    return Response(encode(body), headers={"ETag": strong(loaded.version)}, media_type="application/json")


def existing(state: Slo, slo: str) -> Defined:
    """The definition.

    Raises:
        NoSuchSloError: There is none.
    """
    if state is None:
        raise NoSuchSloError(slo)
    return state


async def _define(request: Request, call: Call, value: object) -> Response:
    promise, warnings = read_promise(value)
    await _refuse_unknown(request, call.resources, promise)
    return await call.handle(
        SLO,
        promise.slo,
        Define(promise, call.context.at),
        body=lambda outcome: _body(outcome, warnings),
        status=201,
        location=f"/v1/slos/{promise.slo}",
    )


async def _define_each(request: Request, call: Call, values: list[object]) -> list[dict[str, Any]]:
    """One result per document; a refused one does not keep the others out."""
    read: list[tuple[Promise, tuple[str, ...]] | Problem] = []
    for value in values:
        try:
            read.append(read_promise(value))
        except Problem as problem:
            read.append(problem)
    services = {item[0].service for item in read if not isinstance(item, Problem)}
    unknown = await unknown_after(call.resources, services, _wait_s(request)) if services else set[str]()
    results: list[dict[str, Any]] = []
    for index, item in enumerate(read):
        if not isinstance(item, Problem) and item[0].service in unknown:
            item = unknown_service(item[0].service)  # noqa: PLW2901  what becomes of it
        results.append(
            {"document": index} | (_refused(item) if isinstance(item, Problem) else await _kept(call, *item))
        )
    return results


async def _kept(call: Call, promise: Promise, warnings: tuple[str, ...]) -> dict[str, Any]:
    context = Context.of_request(call.context.at, call.context.metadata)  # each command's events have ids of their own
    try:
        outcome = await call.resources.handler.handle(SLO, promise.slo, Define(promise, context.at), context)
    except (SloExistsError, ConflictError) as error:
        kind = ERRORS.get(type(error))
        detail = "others changed it at the same moment; send it again"
        problem = kind.problem(error) if kind else Problem(409, "conflict", "Another request was first", detail)
        return {"name": promise.slo} | _refused(problem)
    revision = existing(outcome.state, promise.slo).revision
    return {"name": promise.slo, "status": 201, "revision": revision, "warnings": list(warnings)}


def _refused(problem: Problem) -> dict[str, Any]:
    said = {"code": problem.code, "title": problem.title, "detail": problem.detail, "errors": problem.errors}
    return {"status": problem.status, "problem": said | dict(problem.extra)}


def _body(outcome: Outcome[Slo], warnings: tuple[str, ...]) -> Definition:
    defined = existing(outcome.state, outcome.stream)
    return Definition(**definition(defined, list(warnings)))


async def _refuse_unknown(request: Request, resources: Resources, promise: Promise) -> None:
    if await unknown_after(resources, {promise.service}, _wait_s(request)):
        raise unknown_service(promise.service)


def _wait_s(request: Request) -> float:
    """No time for a caller that brought a token: what it names is applied."""
    settings: SloSettings = request.app.state.settings
    return 0.0 if HEADER in request.headers else settings.service_wait_s
