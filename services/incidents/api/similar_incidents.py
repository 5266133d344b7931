"""Whether something like an incident happened before."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.incident_schemas import there
from services.incidents.api.verbs import Id
from services.incidents.contract import INCIDENT
from services.incidents.effects import find_incident
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.similar import SimilarIncident, similar_to

router = Router(prefix="/v1/incidents", tags=["incidents"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarIncidents:
    """Incidents that are like one, the nearest first; one page holds them."""

    items: list[SimilarIncident]
    next_page_token: str = ""


@router.get(
    "/{id}/similar",
    response_model=SimilarIncidents,
    openapi_extra=needs("incidents.read"),
    responses=responses(404),
    dependencies=[fresh(INCIDENTS)],
)
async def list_similar_incidents(
    request: Request,
    resources: ResourcesDep,
    reference: Id,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most.")] = 10,
) -> Response:
    """Incidents of the same alerts, class or service, or told in the same words, each with why it is like this one."""
    loaded = await resources.handler.load(INCIDENT, await find_incident(resources.store, reference))
    record = there(loaded.state).record
    return answer(request, SimilarIncidents(items=await resources.views.read_long(similar_to, record, limit)))
