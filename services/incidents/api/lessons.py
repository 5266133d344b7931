"""What was learned before: search, "have we seen this before", and causes that come again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.incidents.api.postmortem_schemas import PostmortemState
from services.incidents.contract import INCIDENT
from services.incidents.domain.errors import UnknownReferenceError
from services.incidents.effects import find_incident
from services.incidents.projections.actions import ACTIONS
from services.incidents.projections.lessons import (
    Lesson,
    RecurringCause,
    found_by_words,
    recurring_causes,
    seen_before,
)
from services.incidents.projections.postmortems import POSTMORTEMS

router = Router(prefix="/v1/postmortems", tags=["postmortems"])  # before `/{id}`
_READ = needs("postmortems.read")
_YEAR, _EARLIEST = timedelta(days=365), datetime(1971, 1, 1, tzinfo=UTC)
Most = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Services = Annotated[list[str] | None, Query()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Postmortems that were found, the nearest first; one page holds them."""

    items: list[Lesson]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringCauses:
    """Causes that come again, the most frequent first; one page holds them."""

    since: datetime
    until: datetime
    items: list[RecurringCause]
    next_page_token: str = ""


@router.get("/search", response_model=Lessons, openapi_extra=_READ, dependencies=[fresh(POSTMORTEMS, ACTIONS)])
async def search_postmortems(
    request: Request,
    resources: ResourcesDep,
    q: Annotated[str, Query(min_length=1, max_length=200, description="Words; those found hold all of them.")],
    service: Services = None,
    state: Annotated[list[PostmortemState] | None, Query()] = None,
    limit: Most = 20,
) -> Response:
    """Postmortems in which all words stand, or in action items that follow from them; one in the title counts twice."""
    found = await resources.views.read_long(found_by_words, q, service or (), state or (), limit)
    return answer(request, Lessons(items=found))


@router.get(
    "/seen-before",
    response_model=Lessons,
    openapi_extra=_READ,
    responses=responses(422),
    dependencies=[fresh(POSTMORTEMS, ACTIONS)],
)
async def find_seen_before(
    request: Request,
    resources: ResourcesDep,
    incident: Annotated[str, Query(min_length=1, max_length=64, description="Its number or its id.")],
    limit: Most = 10,
) -> Response:
    """Whether something like this incident was seen before: why it is like it, and what of it is not done yet."""
    key = await find_incident(resources.store, incident)
    state = (await resources.handler.load(INCIDENT, key)).state
    if state is None:
        raise UnknownReferenceError("incident", incident, "GET /v1/incidents lists them")
    return answer(request, Lessons(items=await resources.views.read_long(seen_before, state.record, limit)))


@router.get(
    "/recurring-causes",
    response_model=RecurringCauses,
    openapi_extra=_READ,
    responses=responses(422),
    dependencies=[fresh(POSTMORTEMS)],
)
async def list_recurring_causes(
    request: Request,
    resources: ResourcesDep,
    since: Annotated[Moment | None, Query(description="A year before `until`, unless given.")] = None,
    until: Annotated[Moment | None, Query(description="Now, unless given.")] = None,
    service: Services = None,
    at_least: Annotated[int, Query(ge=1, le=1000, description="How many postmortems must name it.")] = 2,
) -> Response:
    """Antipatterns that published postmortems name again and again, with where and when."""
    end = until or resources.clock.now()
    begin = since or max(end, _EARLIEST) - _YEAR
    if begin > end:
        detail = f"since ({begin.isoformat()}) lies behind until ({end.isoformat()}); swap them"
        raise Problem(422, "invalid-period", "The period ends before it begins", detail, [Place(detail, "since")])
    found = await resources.views.read(recurring_causes, begin, end, service or (), at_least)
    return answer(request, RecurringCauses(since=begin, until=end, items=found))
