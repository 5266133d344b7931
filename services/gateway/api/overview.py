"""All services at a glance."""

from collections import defaultdict
from datetime import date
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.routing import Router
from services.gateway.api.schemas import Overview, ServiceAtRisk
from services.gateway.projections.actions import OPEN_ACTIONS, count_overdue
from services.gateway.projections.incidents import INCIDENTS, count_open_by_severity, severe_incidents
from services.gateway.projections.policies import POLICIES, count_by_policy_state, frozen_services
from services.gateway.projections.services import SERVICES, count_by_phase
from services.gateway.projections.slos import SLOS, count_by_state, slos_in_danger

router = Router(prefix="/v1", tags=["overview"])

_MOST_AT_RISK: Final = 100


@router.get(
    "/overview",
    response_model=Overview,
    openapi_extra=needs("services.read"),
    dependencies=[fresh(SERVICES, SLOS, POLICIES, INCIDENTS, OPEN_ACTIONS)],
)
async def get_overview(resources: ResourcesDep, request: Request, response: Response) -> Response:
    """Count services by phase, SLOs by state and open incidents; name the services at risk."""
    overview = await resources.views.read(_overview, resources.clock.now().date())
    answer = etag.answer(request, overview.model_dump())
    answer.headers.update(response.headers)
    return answer


def _overview(connection: Connection, today: date) -> Overview:
    phases = count_by_phase(connection)
    policies = count_by_policy_state(connection)
    incidents = count_open_by_severity(connection)
    return Overview(
        services=sum(phases.values()),
        services_by_phase=phases,
        slos_by_state=count_by_state(connection),
        services_by_error_budget=policies,
        frozen_services=policies.get("frozen", 0),
        open_incidents=sum(incidents.values()),
        open_incidents_by_severity=incidents,
        overdue_actions=count_overdue(connection, today),
        services_at_risk=_at_risk(connection),
    )


def _at_risk(connection: Connection) -> list[ServiceAtRisk]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for row in frozen_services(connection, _MOST_AT_RISK):
        reasons[row["service"]].append(f"releases are frozen since {row['frozen_since'].date().isoformat()}")
    for row in slos_in_danger(connection, _MOST_AT_RISK):
        reasons[row["service"]].append(f"SLO {row['slo']} is {row['state']}")
    for row in severe_incidents(connection, _MOST_AT_RISK):
        reasons[row["service"]].append(f"{row['number']} is open ({row['severity']})")
    named = sorted(reasons.items())[:_MOST_AT_RISK]
    return [ServiceAtRisk(service=service, reasons=why) for service, why in named]
