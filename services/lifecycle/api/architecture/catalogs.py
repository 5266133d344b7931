"""`/v1/catalogs`: what keeps services up, and what makes them fail again and again; of the program, and one's own."""

from dataclasses import astuple, dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web import etag
from libs.web.auth import needs
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.architecture.designing import DesigningDep
from services.lifecycle.domain.catalogs import Antipattern, Catalog, Group, Pattern

router = Router(prefix="/v1/catalogs", tags=["catalogs"])
_READ = needs("catalogs.read")
E = TypeVar("E", Pattern, Antipattern)
Groups = Annotated[list[Group] | None, Query(description="Those of any of these.")]
Words = Annotated[str, Query(max_length=200, description="Those in whose text this stands.")]


@dataclass(frozen=True, slots=True)
class PatternsView:
    """The catalogue of patterns, or some of it; `own` are the ids that the installation has added or replaced."""

    version: str
    items: tuple[Pattern, ...]
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AntipatternsView:
    """The catalogue of antipatterns, or some of it; an `id` is also an `outage_class` of incidents.

    `own` are the ids that the installation has added or replaced.
    """

    version: str
    items: tuple[Antipattern, ...]
    own: tuple[str, ...]


@dataclass(frozen=True)
class _Wanted(Generic[E]):
    catalog: Catalog[E]

    def of(self, groups: list[Group] | None, q: str) -> tuple[E, ...]:
        found = self.catalog.entries
        if groups:
            found = tuple(entry for entry in found if set(groups) & set(entry.groups))
        if words := q.strip().casefold():
            found = tuple(entry for entry in found if words in str(astuple(entry)).casefold())
        return found


@router.get("/patterns", response_model=PatternsView, openapi_extra=_READ)
async def list_patterns(request: Request, known: DesigningDep, group: Groups = None, q: Words = "") -> Response:
    """List the patterns that keep services up: when to use each, what it costs, how it is done and checked."""
    catalog, shipped = known.catalogs.patterns, known.shipped.patterns
    found = _Wanted(catalog).of(group, q)
    own = tuple(each.id for each in found if shipped.by_id.get(each.id) != each)
    return etag.answer(request, PatternsView(catalog.version, found, own))


@router.get("/patterns/{pattern}", response_model=Pattern, openapi_extra=_READ, responses=responses(404))
async def get_pattern(pattern: str, request: Request, known: DesigningDep) -> Response:
    """Read a pattern, by its id or what else it is called."""
    return etag.answer(request, known.catalogs.pattern(pattern))


@router.get("/antipatterns", response_model=AntipatternsView, openapi_extra=_READ)
async def list_antipatterns(request: Request, known: DesigningDep, group: Groups = None, q: Words = "") -> Response:
    """List the antipatterns: by what one recognises each, what it leads to, what to do instead, how to find it."""
    catalog, shipped = known.catalogs.antipatterns, known.shipped.antipatterns
    found = _Wanted(catalog).of(group, q)
    own = tuple(each.id for each in found if shipped.by_id.get(each.id) != each)
    return etag.answer(request, AntipatternsView(catalog.version, found, own))


@router.get("/antipatterns/{antipattern}", response_model=Antipattern, openapi_extra=_READ, responses=responses(404))
async def get_antipattern(antipattern: str, request: Request, known: DesigningDep) -> Response:
    """Read an antipattern, by its id or what else it is called."""
    return etag.answer(request, known.catalogs.antipattern(antipattern))
