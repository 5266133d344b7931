"""`/v1/services/{service}/evidence`."""

from typing import Annotated

from fastapi import Query
from sqlalchemy import RowMapping, select
from starlette.requests import Request
from starlette.responses import Response

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
from services.lifecycle.api.schemas import EvidenceKind, RecordEvidence
from services.lifecycle.api.views import EvidenceView, evidence_view, key_of, live
from services.lifecycle.contract import EVIDENCE, SERVICE
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.evidence.commands import Record
from services.lifecycle.domain.evidence.decider import Evidence
from services.lifecycle.domain.policy import Policy
from services.lifecycle.projections import evidence as read_model

_VIEW = read_model.EVIDENCE.view

router = Router(prefix="/v1/services/{service}/evidence", tags=["evidence"])


@router.post(
    "",
    status_code=201,
    response_model=EvidenceView,
    openapi_extra=needs("evidence.write"),
    responses=responses(404),
)
async def record_evidence(service: str, body: RecordEvidence, call: CallDep, gates: GatesDep) -> Response:
    """Record that something was done for a service; gates count it until it is stale."""
    live(await call.resources.handler.load(SERVICE, service))
    evidence = str(new_id())
    command = Record(
        evidence=evidence,
        service=service,
        kind=body.kind,
        done_at=body.at,
        url=str(body.url),
        by=body.by or call.principal.name,
        at=call.context.at,
        outcome=body.outcome,
        figures=body.figures,
    )
    return await call.handle(
        EVIDENCE,
        evidence,
        command,
        body=lambda outcome: _shown(outcome, gates.policy),
        status=201,
        location=f"/v1/services/{service}/evidence/{evidence}",
    )


@router.get(
    "",
    openapi_extra=needs("evidence.read"),
    responses=responses(404),
    dependencies=[fresh(read_model.EVIDENCE)],
)
async def list_evidence(
    service: str,
    resources: ResourcesDep,
    gates: GatesDep,
    page: PageDep,
    kind: Annotated[list[EvidenceKind] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[EvidenceView]:
    """List a service's evidence, recorded last first."""
    live(await resources.handler.load(SERVICE, service, as_of=as_of))
    query = select(_VIEW).where(_VIEW.c.service == service)
    if kind:
        query = query.where(_VIEW.c.kind.in_(kind))
    if as_of:
        query = query.where(_VIEW.c.recorded_at <= as_of)

    def item(row: RowMapping) -> EvidenceView:
        return evidence_view(read_model.evidence_of(row), gates.policy)

    return await resources.views.read(
        page.fetch, query, key=_VIEW.c.evidence, orders={"at": _VIEW.c.at}, item=item, descending=True
    )


@router.get("/{evidence}", response_model=EvidenceView, openapi_extra=needs("evidence.read"), responses=responses(404))
async def get_evidence(
    service: str, evidence: str, resources: ResourcesDep, gates: GatesDep, request: Request, as_of: AsOf = None
) -> Response:
    """Read one piece of evidence."""
    loaded = await resources.handler.load(EVIDENCE, evidence, as_of=as_of)
    shown = _shown(loaded, gates.policy)
    if shown.service != service:
        raise UnknownError("evidence", evidence)
    return etag.answer(request, shown, version=loaded.version)


def _shown(found: Loaded[Evidence] | Outcome[Evidence], policy: Policy) -> EvidenceView:
    if found.state is None:
        raise UnknownError("evidence", key_of(found))
    return evidence_view(found.state, policy)
