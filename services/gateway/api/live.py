"""Incidents and alerts as they happen: the event stream, of one incident, or of alerts alone."""

from typing import Annotated, Final

from fastapi import Depends, Query
from starlette.responses import Response, StreamingResponse

from libs.web.app import ResourcesDep
from libs.web.auth import PrincipalDep, needs
from libs.web.consistency import fresh
from libs.web.health import DrainingDep
from libs.web.problems import Problem, responses
from libs.web.routing import Router
from services.gateway.api.dependencies import KeysDep, SettingsDep
from services.gateway.api.stream import STREAMED, Reader, Wanted, open_reader, streamed, tell
from services.gateway.projections.incidents import INCIDENTS, incident_named

router = Router(prefix="/v1")

_FAMILY: Final = "io.concordat.incidents."


@router.get(
    "/incidents/{id}/timeline/stream",
    tags=["incidents"],
    response_class=StreamingResponse,
    openapi_extra=needs("incidents.read"),
    responses=STREAMED | responses(404, 409),
    dependencies=[fresh(INCIDENTS)],
)
async def stream_incident(  # noqa: PLR0913  each is a part of one request
    id: str,  # noqa: A002  as the path of the incident calls it
    resources: ResourcesDep,
    reader: Annotated[Reader, Depends(open_reader)],
    keys: KeysDep,
    principal: PrincipalDep,
    settings: SettingsDep,
    draining: DrainingDep,
) -> Response:
    """Stream what happens to an incident, by its number or id: what stands in its timeline, and who is called.

    Of its own service and of those that it affects also deployments and what is left of error budgets.
    """
    found = await resources.views.read(incident_named, id)
    if found is None:
        detail = f"nothing was heard of an incident {id!r}; GET /v1/incidents lists them"
        raise Problem(404, "not-found", "There is no such incident", detail)
    incident, around = found
    wanted = Wanted(family=_FAMILY, incident=incident, around=around)
    return streamed(tell(reader, wanted, keys, principal.client, draining, settings.stream_keep_alive_s))


@router.get(
    "/alerts/stream",
    tags=["alerts"],
    response_class=StreamingResponse,
    openapi_extra=needs("alerts.read"),
    responses=STREAMED | responses(409),
)
async def stream_alerts(
    reader: Annotated[Reader, Depends(open_reader)],
    keys: KeysDep,
    principal: PrincipalDep,
    settings: SettingsDep,
    draining: DrainingDep,
    services: Annotated[list[str] | None, Query(alias="service", description="Repeated: any of them.")] = None,
) -> Response:
    """Stream alerts as they fire, are acknowledged, move and end."""
    wanted = Wanted(services=frozenset(services or ()), family=f"{_FAMILY}alert.")
    return streamed(tell(reader, wanted, keys, principal.client, draining, settings.stream_keep_alive_s))
