"""The read models of incidents."""

from services.incidents.projections.actions import ACTIONS
from services.incidents.projections.alerts import ALERTS
from services.incidents.projections.calls import CALLS
from services.incidents.projections.changes import CHANGES
from services.incidents.projections.channels import CHANNELS
from services.incidents.projections.escalation_policies import ESCALATION_POLICIES
from services.incidents.projections.incident_fields import INCIDENT_FIELDS
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.integrations import INTEGRATIONS
from services.incidents.projections.known_services import KNOWN_SERVICES
from services.incidents.projections.known_teams import KNOWN_TEAMS
from services.incidents.projections.notifications import NOTIFICATIONS
from services.incidents.projections.people import PEOPLE
from services.incidents.projections.postmortem_duties import POSTMORTEM_DUTIES
from services.incidents.projections.postmortems import POSTMORTEMS
from services.incidents.projections.schedules import ROTATIONS, SCHEDULES
from services.incidents.projections.shifts import PAGES, SHIFTS
from services.incidents.projections.silences import SILENCES
from services.incidents.projections.surroundings import SURROUNDINGS

PROJECTIONS = (
    ALERTS,
    INCIDENTS,
    INCIDENT_FIELDS,
    POSTMORTEMS,
    POSTMORTEM_DUTIES,
    ACTIONS,
    KNOWN_SERVICES,
    KNOWN_TEAMS,
    PEOPLE,
    ESCALATION_POLICIES,
    CHANNELS,
    ROTATIONS,
    SCHEDULES,
    INTEGRATIONS,
    SILENCES,
    CHANGES,
    SURROUNDINGS,
    SHIFTS,
    PAGES,
    NOTIFICATIONS,
    CALLS,
)
