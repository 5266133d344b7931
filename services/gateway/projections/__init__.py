"""What the gateway knows: read models built from the events of all services."""

from typing import Final

from services.gateway.projections.actions import OPEN_ACTIONS
from services.gateway.projections.api_keys import API_KEYS
from services.gateway.projections.engagements import ENGAGEMENTS
from services.gateway.projections.gates import GATES
from services.gateway.projections.incidents import INCIDENTS
from services.gateway.projections.journal import JOURNAL
from services.gateway.projections.on_call import ON_CALL
from services.gateway.projections.policies import POLICIES
from services.gateway.projections.services import SERVICES
from services.gateway.projections.slos import SLOS

PROJECTIONS: Final = (SERVICES, ENGAGEMENTS, GATES, SLOS, POLICIES, INCIDENTS, OPEN_ACTIONS, ON_CALL, JOURNAL, API_KEYS)
