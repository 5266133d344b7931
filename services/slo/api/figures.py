"""What the measurements of an SLO mean, now or at any time."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.etag import answer
from libs.web.problems import responses
from libs.web.routing import Router
from services.slo.api.definitions import existing
from services.slo.api.schemas import StatusAnswer, Time, promised, status_answer
from services.slo.api.terms import in_force, revisions
from services.slo.contract import SLO
from services.slo.evaluation import status

router = Router(prefix="/v1/slos/{slo}", tags=["slos"])


@router.get("/status", response_model=StatusAnswer, openapi_extra=needs("slos.read"), responses=responses(404))
async def get_slo_status(
    request: Request, slo: str, resources: ResourcesDep, at: Annotated[Time | None, Query()] = None
) -> Response:
    """SLI, error budget and burn rates of the window that ends at *at* (now unless given), as promised then."""
    if at is None:
        defined = existing((await resources.handler.load(SLO, slo)).state, slo)
    else:
        defined = in_force(await revisions(resources, slo), at)
    found = await resources.views.read(status, promised(defined), at or resources.clock.now())
    return answer(request, status_answer(found))
