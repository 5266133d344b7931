"""All that lifecycle knows about a service when one of its gates is evaluated, as of one moment."""

from sqlalchemy import Connection

from libs.events.views import Views
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.service.decider import Profile
from services.lifecycle.projections.evidence import latest_evidence
from services.lifecycle.projections.facts_freezes import freeze_of
from services.lifecycle.projections.facts_incidents import open_incidents_of
from services.lifecycle.projections.facts_slo import slos_of


async def facts_about(views: Views, profile: Profile) -> Facts:
    """The service's own record, its evidence, and what slo and incidents have said about it."""
    return await views.read(_facts_about, profile)


def _facts_about(connection: Connection, profile: Profile) -> Facts:
    return Facts(
        service=profile.service,
        phase=profile.phase,
        phase_since=profile.stay.since,
        owner_team=profile.owner_team,
        tier=profile.tier,
        grandfathered=profile.grandfathered,
        slos=slos_of(connection, profile.service),
        freeze=freeze_of(connection, profile.service),
        incidents=open_incidents_of(connection, profile.service),
        attestations=latest_evidence(connection, profile.service),
    )
