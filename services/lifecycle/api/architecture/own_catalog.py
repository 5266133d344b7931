"""`/v1/catalogs/own`: entries of the installation beside those of the program, YAML in and out, version by version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Loaded, Outcome
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.problems import Problem, responses
from libs.web.routing import Router
from libs.web.shapes import FaultyDocumentError
from services.lifecycle.api.architecture.designing import DesigningDep
from services.lifecycle.api.asked import AsOf
from services.lifecycle.contract import INSTALLATION, OWN_CATALOG
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.own_catalog.commands import Publish
from services.lifecycle.domain.own_catalog.decider import Published
from services.lifecycle.domain.own_catalog.events import CatalogPublished, OwnCatalog
from services.lifecycle.exchange.catalogs import read_catalog, write_catalog

router = Router(prefix="/v1/catalogs/own", tags=["catalogs"])
_READ, _WRITE = needs("catalogs.read"), needs("catalogs.write")
_ENTRY = {
    "id": "shared-cron-host",
    "name": "Shared cron host",
    "aliases": ["cron-host"],
    "symptom": "Jobs of many teams run on one host, and nobody knows whose.",
    "consequence": "One job that fills the disk stops all of them.",
    "remedy": "Run each job where its service runs.",
    "how_to_check": "List the owners of the jobs of each host.",
    "groups": ["cloud-native"],
    "patterns": ["bulkhead"],
    "sources": ["our postmortems of 2026"],
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "All entries of the installation, as YAML or JSON; change the document that GET answers.",
        "content": {
            kind: {"schema": {"type": ["object", "string"]}, "example": {"version": 0, "antipatterns": [_ENTRY]}}
            for kind in ("application/yaml", "application/json")
        },
    }
}
_TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}}
Version = Annotated[int | None, Query(ge=1, description="The newest, unless given.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCatalogView(OwnCatalog):
    """A version of the installation's entries; 0 and empty while there are none."""

    version: int
    published_by: str | None
    published_at: datetime | None
    reason: str


@router.get("", response_model=OwnCatalogView, openapi_extra=_READ, responses=responses(404))
async def get_own_catalog(
    request: Request, resources: ResourcesDep, version: Version = None, as_of: AsOf = None
) -> Response:
    """Read the entries of the installation; the lists of patterns and antipatterns hold them, too."""
    loaded = await resources.handler.load(OWN_CATALOG, INSTALLATION, as_of=as_of)
    return etag.answer(request, _view(_version(loaded.state, version)), version=None if version else loaded.version)


@router.get("/document", openapi_extra=_READ, responses={**responses(404), **_TEXT}, response_class=Response)
async def get_own_catalog_document(resources: ResourcesDep, version: Version = None, as_of: AsOf = None) -> Response:
    """Export them as YAML; imported again it changes nothing."""
    found = _version((await resources.handler.load(OWN_CATALOG, INSTALLATION, as_of=as_of)).state, version)
    if found is None:
        raise UnknownError("catalogue of the", INSTALLATION)
    return Response(write_catalog(found), media_type="application/yaml")


@router.put("", response_model=OwnCatalogView, openapi_extra=_WRITE | _BODY, responses=responses(409, 422))
async def publish_own_catalog(
    request: Request,
    call: CallDep,
    known: DesigningDep,
    reason: Annotated[str, Query(max_length=10_000, description="Why; kept with the version.")] = "",
) -> Response:
    """Publish the entries of the installation, all of them; `replaces` names what they stand in the place of.

    An entry that is called as one of the program, and does not say that it replaces that, is refused.
    """
    try:
        document = read_catalog(await request.body())
    except FaultyDocumentError as error:
        raise Problem(422, "invalid-catalog", "The catalogue cannot be used", str(error), error.places) from error
    command = Publish(
        catalog=document.catalog,
        based_on=document.version,
        shipped=known.shipped,
        reason=reason,
        by=call.principal.name,
        at=call.context.at,
    )

    def shown(outcome: Outcome[Published] | Loaded[Published]) -> OwnCatalogView:
        return _view(_version(outcome.state, None))

    return await call.handle(OWN_CATALOG, INSTALLATION, command, body=shown)


def _version(published: Published, number: int | None) -> CatalogPublished | None:
    """One version; the newest, if there is one, when *number* is None.

    Raises:
        UnknownError: There is no such version.
    """
    if number is None:
        return published[-1] if published else None
    for each in published:
        if each.version == number:
            return each
    raise UnknownError("version of the catalogue", str(number))


def _view(found: CatalogPublished | None) -> OwnCatalogView:
    if found is None:
        return OwnCatalogView(version=0, published_by=None, published_at=None, reason="")
    catalog = found.catalog
    return OwnCatalogView(
        patterns=catalog.patterns,
        antipatterns=catalog.antipatterns,
        replaces=catalog.replaces,
        version=found.version,
        published_by=found.by,
        published_at=found.at,
        reason=found.reason,
    )
