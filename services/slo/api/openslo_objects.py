"""OpenSLO objects that SLOs refer to: SLIs, services, data sources, and what alerts are made of."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.slo.api.definitions import DOCUMENTS, TEXTS, AsOf, ModeParameter, document_answer, put, refuse_used
from services.slo.api.schemas import StoredObject, stored_object
from services.slo.contract import OBJECT
from services.slo.domain.errors import NoSuchObjectError
from services.slo.domain.openslo_object.commands import Remove
from services.slo.domain.openslo_object.decider import Object, Removed, Stored
from services.slo.projections.known_services import KNOWN_SERVICES
from services.slo.projections.openslo_objects import OPENSLO_OBJECTS, objects

router = Router(prefix="/v1/openslo", tags=["slos"])
Kind = Literal["SLI", "Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"]


@router.get("/{kind}", openapi_extra=needs("slos.read"), dependencies=[fresh(OPENSLO_OBJECTS)])
async def list_openslo_objects(kind: Kind, resources: ResourcesDep, page: PageDep) -> Page[StoredObject]:
    """All objects of one kind."""
    return await resources.views.read(page.fetch, objects(kind), key=OPENSLO_OBJECTS.view.c.name, item=_item)


@router.put(
    "/{kind}/{name}",
    response_model=StoredObject,
    openapi_extra={**needs("slos.write"), **DOCUMENTS},
    responses=responses(409, 422, 503),
    dependencies=[fresh(KNOWN_SERVICES)],
)
@retried_on_conflict
async def put_openslo_object(
    request: Request, kind: Kind, name: str, call: CallDep, mode: ModeParameter = "strict"
) -> Response:
    """Store or edit an object; every SLO that uses it gets a new revision, or the edit is refused."""
    return await put(request, call, (kind, name), mode)


@router.get("/{kind}/{name}", response_model=StoredObject, openapi_extra=needs("slos.read"), responses=responses(404))
async def get_openslo_object(
    request: Request, kind: Kind, name: str, resources: ResourcesDep, as_of: AsOf = None
) -> Response:
    """One object, now or as it was known at a time; one that was removed stays readable."""
    loaded = await resources.handler.load(OBJECT, f"{kind}/{name}", as_of=as_of)
    return answer(request, stored_object(_existing(loaded.state, kind, name), []), version=loaded.version)


@router.get(
    "/{kind}/{name}/document",
    openapi_extra=needs("slos.read"),
    responses={**responses(404), **TEXTS},
    response_class=Response,
)
async def get_openslo_object_document(
    request: Request, kind: Kind, name: str, resources: ResourcesDep, as_of: AsOf = None
) -> Response:
    """The document that came in, comments aside: YAML, or JSON if that is accepted before it."""
    loaded = await resources.handler.load(OBJECT, f"{kind}/{name}", as_of=as_of)
    return document_answer(request, [_existing(loaded.state, kind, name).last.document], loaded.version)


@router.delete(
    "/{kind}/{name}",
    response_model=StoredObject,
    openapi_extra=needs("slos.write"),
    responses=responses(404, 409, 503),
)
async def remove_openslo_object(
    kind: Kind, name: str, call: CallDep, reason: Annotated[str, Query(max_length=10_000)] = ""
) -> Response:
    """Remove an object; refused while anything refers to it."""
    await refuse_used(call.resources, (kind, name))
    return await call.handle(
        OBJECT,
        f"{kind}/{name}",
        Remove(kind, name, reason, call.context.at),
        body=lambda outcome: stored_object(_existing(outcome.state, kind, name), []),
    )


def _existing(state: Object, kind: str, name: str) -> Stored | Removed:
    if state is None:
        raise NoSuchObjectError(kind, name)
    return state


def _item(row: Mapping[Any, Any]) -> StoredObject:
    held = {name: row[name] for name in ("kind", "name", "revision", "stored_at", "document", "removed_at")}
    return StoredObject(**held, warnings=[])
