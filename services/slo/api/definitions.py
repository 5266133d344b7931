"""SLO definitions: OpenSLO documents in, what is promised and how it stands out."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.handler import Outcome
from libs.events.resources import Resources
from libs.events.store import Answer
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import HEADER, fresh
from libs.web.documents import read_documents, write_documents
from libs.web.etag import strong
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.slo.api.data_sources import with_sources
from services.slo.api.promises import Key, Plan, Planned, load, plan, users
from services.slo.api.schemas import (
    Definition,
    Results,
    SloAnswer,
    StoredObject,
    Time,
    definition,
    promised,
    status_answer,
    stored_object,
)
from services.slo.config import SloSettings
from services.slo.contract import SLO, SOURCE
from services.slo.domain.errors import NoSuchSloError
from services.slo.domain.openslo import Definition as Promise
from services.slo.domain.openslo import Mode
from services.slo.domain.openslo.promise import without_effect
from services.slo.domain.openslo_object.decider import Object, Removed, Stored
from services.slo.domain.slo.commands import Document, End
from services.slo.domain.slo.decider import Defined, Ended, Slo, definition_of
from services.slo.domain.source.decider import Defined as Polled
from services.slo.evaluation import status
from services.slo.measurements.book import Promised
from services.slo.measurements.retention import kept
from services.slo.measurements.retention import warnings as retention_warnings
from services.slo.projections.known_services import KNOWN_SERVICES
from services.slo.prometheus.polled import not_polled, polled

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
TEXTS: Mapping[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("application/yaml", "application/json")}}
}
ModeParameter = Annotated[Mode, Query(description="Unknown fields are errors, or warnings.")]
AsOf = Annotated[Time | None, Query(description="As it was known then.")]


@router.post(
    "",
    status_code=201,
    response_model=Definition | StoredObject,
    openapi_extra={**needs("slos.write"), **DOCUMENTS},
    responses=responses(409, 422, 503) | _MANY,
    dependencies=[fresh(KNOWN_SERVICES)],
)
@retried_on_conflict
async def define_slos(
    request: Request,
    call: CallDep,
    mode: ModeParameter = "strict",
    revise: Annotated[bool, Query(description="Replace what has another definition under its name.")] = False,  # noqa: FBT002  a parameter
) -> Response:
    """Define SLOs and what they refer to by OpenSLO v1 documents of any kind.

    References are followed among the documents and into what is stored. Of several documents, those that nothing is
    wrong with are stored together. SLOs that use an edited object get a new revision.
    """
    values = read_documents(await request.body())
    made = await plan(call.resources, values, call.context.at, mode=mode, revise=revise, wait_s=wait_s(request))
    made = await _warned(request, call, await with_sources(request, call, made))
    if len(values) == 1:
        return await _store_one(call, made, 201)
    results = [_result(index, made) for index in range(len(values))]
    if not made.planned:
        return await call.run(lambda: _answer(results))
    first, *others = made.steps
    read = made.read[next(iter(made.planned.values())).sent.key]
    return await call.pinned(read).handle(
        first.decider, first.key, first.command, body=lambda _: {"items": results}, status=207, also=others
    )


@router.put(
    "/{slo}",
    response_model=Definition,
    openapi_extra={**needs("slos.write"), **DOCUMENTS},
    responses=responses(409, 422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
@retried_on_conflict
async def revise_slo(request: Request, slo: str, call: CallDep, mode: ModeParameter = "strict") -> Response:
    """Define the SLO, or make a new revision of it."""
    return await put(request, call, ("SLO", slo), mode)


@router.get("/{slo}", response_model=SloAnswer, openapi_extra=needs("slos.read"), responses=responses(404))
async def get_slo(request: Request, slo: str, resources: ResourcesDep, as_of: AsOf = None) -> Response:
    """The definition of one SLO, and how it stands: now, or as it was promised at a time."""
    loaded = await resources.handler.load(SLO, slo, as_of=as_of)
    defined = existing(loaded.state, slo)
    at = as_of or resources.clock.now()
    now = status_answer(await resources.views.read(status, promised(defined), at))
    warnings = await _warnings(request, resources, definition_of(defined), defined.promise.window)
    body = SloAnswer(**definition(defined, warnings, ended_at(loaded.state)), status=now)
    # The version is what If-Match takes; the figures move without it, so nothing is answered 304.
    return Response(encode(body), headers={"ETag": strong(loaded.version)}, media_type="application/json")


@router.delete(
    "/{slo}", response_model=Definition, openapi_extra=needs("slos.write"), responses=responses(404, 409, 503)
)
async def end_slo(slo: str, call: CallDep, reason: Annotated[str, Query(max_length=10_000)] = "") -> Response:
    """End the SLO: it is evaluated no longer, and stays readable; refused while a composite SLO needs it."""
    await refuse_used(call.resources, ("SLO", slo))

    def body(outcome: Outcome[Slo]) -> Definition:
        return Definition(**definition(existing(outcome.state, slo), [], ended_at(outcome.state)))

    return await call.handle(SLO, slo, End(slo, reason, call.context.at), body=body)


@router.get(
    "/{slo}/document",
    openapi_extra=needs("slos.read"),
    responses={**responses(404), **TEXTS},
    response_class=Response,
)
async def get_slo_document(
    request: Request,
    slo: str,
    resources: ResourcesDep,
    as_of: AsOf = None,
    references: Annotated[bool, Query(description="With all documents that it refers to.")] = False,  # noqa: FBT002  a parameter
) -> Response:
    """The document that defined the SLO, comments aside: YAML, or JSON if that is accepted before it."""
    loaded = await resources.handler.load(SLO, slo, as_of=as_of)
    promise = existing(loaded.state, slo).promise
    documents = [promise.document]
    for key in promise.uses if references else ():
        kind, _, name = key.partition("/")
        used = await load(resources, (kind, name))
        documents = [*documents, used] if used else documents
    return document_answer(request, documents, loaded.version)


def existing(state: Slo, slo: str) -> Defined:
    """The definition; of an SLO that ended, the last one.

    Raises:
        NoSuchSloError: There is none.
    """
    match state:
        case None:
            raise NoSuchSloError(slo)
        case Defined():
            return state
        case Ended(last):
            return last


def ended_at(state: Slo) -> datetime | None:
    """When the SLO ended."""
    return state.at if isinstance(state, Ended) else None


def document_answer(request: Request, documents: list[Document], version: int) -> Response:
    """*documents* as *request* accepts them."""
    headers = {"ETag": strong(version), "Vary": "Accept"}
    if request.headers.get("accept", "").startswith("application/json"):
        whole = documents if len(documents) > 1 else documents[0]
        return Response(encode(whole), headers=headers, media_type="application/json")
    return Response(write_documents(documents), headers=headers, media_type="application/yaml")


async def put(request: Request, call: Call, key: Key, mode: Mode) -> Response:
    """Store the one document of *request*, which must be the one called *key*."""
    values = read_documents(await request.body())
    if len(values) != 1:
        detail = f"PUT takes the one document of {key[1]}; POST /v1/slos takes many"
        raise Problem(422, "invalid-openslo", "One document is expected", detail, [Place(detail)])
    made = await plan(call.resources, values, call.context.at, mode=mode, revise=True, wait_s=wait_s(request))
    for planned in made.planned.values():
        if planned.sent.key != key:
            kind, name = planned.sent.key
            detail = f"the document is the {kind} {name!r}, the path the {key[0]} {key[1]!r}; a name never changes"
            raise Problem(422, "name-differs", "The names differ", detail, [Place(detail, "/metadata/name")])
    return await _store_one(call, await _warned(request, call, await with_sources(request, call, made)), 200)


async def refuse_used(resources: Resources, key: Key) -> None:
    """Refuse to end what others need.

    Raises:
        Problem: 409, it names them.
    """
    if await load(resources, key) is None:
        return  # nobody can need what is not there, and whoever ends it is told so
    needing = ["/".join(user) for user in await users(resources, [key])]
    if needing:
        detail = f"{', '.join(needing[:5])} {'refer' if len(needing) > 1 else 'refers'} to it; change or end that first"
        raise Problem(409, "in-use", f"The {key[0]} is in use", detail, extra={"used_by": needing})


async def _warned(request: Request, call: Call, made: Plan) -> Plan:
    """*made*, saying what of the SLOs has no effect here."""
    beside = [step.key for step in made.beside if step.decider is SOURCE]
    for planned in made.planned.values():
        if planned.definition is not None:
            command: Any = planned.step.command
            window: str = command.promise.window
            planned.warnings.extend(await _warnings(request, call.resources, planned.definition, window, beside))
    return made


async def _warnings(
    request: Request, resources: Resources, definition: Promise, window: str, sources: Collection[str] = ()
) -> list[str]:
    """What of *definition* has no effect here; *sources* are being defined."""
    settings: SloSettings = request.app.state.settings
    judged = Promised.defined(definition.name, definition.service, 0, window, definition)
    return [
        *without_effect(definition),
        *not_polled(definition),
        *await _unasked(resources, {each.source for each in polled(definition).values()}.difference(sources)),
        *retention_warnings(judged, kept(settings)),
    ]


async def _unasked(resources: Resources, sources: Collection[str]) -> list[str]:
    """What is said of *sources* that are documents only, and not polled."""
    states = {source: (await resources.handler.load(SOURCE, source)).state for source in sorted(sources)}
    return [
        f"nothing polls {source!r}: PUT /v1/sources/{source} says how it is asked"
        for source, state in states.items()
        if not isinstance(state, Polled)
    ]


async def _store_one(call: Call, made: Plan, status: int) -> Response:
    for problem in made.refused.values():
        raise problem
    planned = made.planned[0]
    kind, name = planned.sent.key

    def body(outcome: Outcome[Any]) -> Definition | StoredObject:
        return _body(planned, outcome.state)

    return await call.pinned(made.read[planned.sent.key]).handle(
        planned.step.decider,
        planned.step.key,
        planned.step.command,
        body=body,
        status=status,
        location=(f"/v1/slos/{name}" if kind == "SLO" else f"/v1/openslo/{kind}/{name}") if status == 201 else None,  # noqa: PLR2004
        also=made.beside,
    )


def _body(planned: Planned, state: Slo | Object) -> Definition | StoredObject:
    match state:
        case Stored() | Removed():
            return stored_object(state, planned.warnings)
        case _:
            return Definition(**definition(existing(state, planned.sent.key[1]), planned.warnings))


def _result(index: int, made: Plan) -> dict[str, Any]:
    """What becomes of one document of several."""
    problem = made.refused.get(index)
    if problem is not None:
        said = {"code": problem.code, "title": problem.title, "detail": problem.detail, "errors": problem.errors}
        return {"document": index, "status": problem.status, "problem": said | dict(problem.extra)}
    planned = made.planned[index]
    kind, name = planned.sent.key
    return {
        "document": index,
        "kind": kind,
        "name": name,
        "status": 201,
        "revision": planned.revision,
        "warnings": planned.warnings,
    }


async def _answer(results: list[dict[str, Any]]) -> Answer:
    return Answer(207, encode({"items": results}))


def wait_s(request: Request) -> float:
    """How long a service is waited for; no time for a caller that brought a token: what it names is applied."""
    settings: SloSettings = request.app.state.settings
    return 0.0 if HEADER in request.headers else settings.service_wait_s
