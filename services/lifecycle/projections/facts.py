"""All that lifecycle knows about a service when one of its gates is evaluated, as of one moment."""

from libs.events.views import Views
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.service.decider import Profile
from services.lifecycle.projections.evidence import latest_evidence
from services.lifecycle.projections.facts_incidents import open_incidents_of
from services.lifecycle.projections.facts_slo import slos_of


async def facts_about(views: Views, profile: Profile) -> Facts:
    """The service's own record, its evidence, and what slo and incidents have said about it."""
    async with views.connect() as connection:
        return Facts(
            service=profile.service,
            phase=profile.phase,
            phase_since=profile.stay.since,
            owner_team=profile.owner_team,
            tier=profile.tier,
            grandfathered=profile.grandfathered,
            slos=await slos_of(connection, profile.service),
            incidents=await open_incidents_of(connection, profile.service),
            attestations=await latest_evidence(connection, profile.service),
        )
