"""The read models of the slo service."""

from typing import Final

from services.slo.projections.adjustments import ADJUSTMENTS
from services.slo.projections.causes import DEPLOYMENTS, IMPACTS, INCIDENTS
from services.slo.projections.error_budget_policies import ERROR_BUDGET_POLICIES
from services.slo.projections.known_services import KNOWN_SERVICES
from services.slo.projections.lessons import LESSONS
from services.slo.projections.notification_targets import NOTIFICATION_TARGETS
from services.slo.projections.openslo_objects import OPENSLO_OBJECTS
from services.slo.projections.polled_slos import POLLED_SLOS
from services.slo.projections.slo_alerts import SLO_ALERTS
from services.slo.projections.slos import SLOS
from services.slo.projections.sources import SOURCES

PROJECTIONS: Final = (
    SLOS,
    OPENSLO_OBJECTS,
    ADJUSTMENTS,
    SLO_ALERTS,
    KNOWN_SERVICES,
    INCIDENTS,
    IMPACTS,
    DEPLOYMENTS,
    SOURCES,
    POLLED_SLOS,
    ERROR_BUDGET_POLICIES,
    LESSONS,
    NOTIFICATION_TARGETS,
)
