"""Prometheus rules of OpenSLO and Sloth documents, and of SLOs that are stored."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.documents import read_documents
from libs.web.problems import Problem, responses
from libs.web.routing import Router
from services.slo.api.definitions import DOCUMENTS, AsOf, existing
from services.slo.api.promises import fault_answer, load
from services.slo.contract import SLO
from services.slo.exchange import Options, Refusal, RefusedError, generate, minutes, to_yaml

router = Router(prefix="/v1", tags=["slos"])

Period = Annotated[
    str,
    Query(pattern=r"^[1-9][0-9]{0,4}[mhdw]$", description="Of SLOs whose document names none."),
]
EventWeighted = Annotated[
    bool, Query(description="Count every event of the period once, rather than every moment once as Sloth does.")
]
_YAML: dict[int | str, dict[str, Any]] = {200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}}


@router.post(
    "/prometheus-rules:generate",
    openapi_extra={**needs("slos.read"), **DOCUMENTS},
    responses={**responses(422), **_YAML},
    response_class=Response,
)
async def generate_prometheus_rules(
    request: Request,
    period: Period = "30d",
    event_weighted: EventWeighted = False,  # noqa: FBT002  a parameter
) -> Response:
    """Recording and alerting rules with Sloth's names and labels; nothing is stored.

    Takes OpenSLO v1 and v1alpha, Sloth's `prometheus/v1` and `sloth.slok.dev/v1` (which gives `PrometheusRule`s).
    """
    return await _rules(read_documents(await request.body()), period, event_weighted)


@router.get(
    "/slos/{slo}/prometheus-rules",
    openapi_extra=needs("slos.read"),
    responses={**responses(404, 422), **_YAML},
    response_class=Response,
)
async def get_slo_prometheus_rules(
    slo: str,
    resources: ResourcesDep,
    as_of: AsOf = None,
    event_weighted: EventWeighted = False,  # noqa: FBT002  a parameter
) -> Response:
    """Recording and alerting rules of an SLO whose metrics are in a Prometheus."""
    promise = existing((await resources.handler.load(SLO, slo, as_of=as_of)).state, slo).promise
    documents: list[object] = [promise.document]
    for key in promise.uses:
        kind, _, name = key.partition("/")
        used = await load(resources, (kind, name)) if kind != "SLO" else None
        documents = [*documents, used] if used else documents
    return await _rules(documents, "30d", event_weighted)


async def _rules(documents: Sequence[object], period: str, event_weighted: bool) -> Response:  # noqa: FBT001  a parameter
    options = Options(period_min=minutes(period), event_weighted=event_weighted, made_by="api")
    try:
        files, _ = await asyncio.to_thread(generate, documents, options)
    except RefusedError as error:
        raise _refused(error.refusals) from error
    return Response(to_yaml((each.body, each.comment) for each in files), media_type="application/yaml")


def _refused(refusals: Sequence[Refusal]) -> Problem:
    errors = [
        fault_answer(each.fault) | {"pointer": each.fault.path.pointer, "document": each.document} for each in refusals
    ]
    said = "; ".join(f"{each.fault.path or 'the document'}: {each.fault.detail}" for each in refusals[:3])
    return Problem(422, "no-rules", "No rules can be made of the documents", said, extra={"errors": errors})
