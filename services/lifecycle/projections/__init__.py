"""What lifecycle reads in lists, and what it has heard from other services."""

from typing import Final

from services.lifecycle.projections.asked_by_incidents import ASKED_BY_INCIDENTS
from services.lifecycle.projections.capacity import CAPACITY
from services.lifecycle.projections.catalog_entities import CATALOG_ENTITIES
from services.lifecycle.projections.ci_reports import CI_REPORTS
from services.lifecycle.projections.dependencies import DEPENDENCIES, DEPENDENCIES_CONFIRMED
from services.lifecycle.projections.deployments import DEPLOYMENTS
from services.lifecycle.projections.design_work import DESIGN_WORK
from services.lifecycle.projections.engagement_items import ENGAGEMENT_ITEMS
from services.lifecycle.projections.engagements import ENGAGED_SERVICES, ENGAGEMENTS
from services.lifecycle.projections.evaluations import EVALUATIONS
from services.lifecycle.projections.evidence import EVIDENCE
from services.lifecycle.projections.facts import HEARD
from services.lifecycle.projections.gatherings import GATHERINGS
from services.lifecycle.projections.happenings import HAPPENINGS
from services.lifecycle.projections.incident_times import INCIDENT_TIMES
from services.lifecycle.projections.operational_work import OPERATIONAL_WORK
from services.lifecycle.projections.phase_risks import PHASE_RISKS
from services.lifecycle.projections.postmortem_duties import POSTMORTEM_DUTIES
from services.lifecycle.projections.readiness_reviews import READINESS_REVIEWS
from services.lifecycle.projections.review_findings import REVIEW_FINDINGS
from services.lifecycle.projections.review_templates import REVIEW_TEMPLATES
from services.lifecycle.projections.risks import RISKS
from services.lifecycle.projections.rollouts import ROLLOUTS
from services.lifecycle.projections.sdlc_checkpoints import SDLC_CHECKPOINTS
from services.lifecycle.projections.services import SERVICES
from services.lifecycle.projections.slo_days import SLO_DAYS
from services.lifecycle.projections.slo_targets import SLO_TARGETS
from services.lifecycle.projections.teams import TEAMS
from services.lifecycle.projections.waivers import WAIVERS

PROJECTIONS: Final = (
    TEAMS,
    SERVICES,
    DEPENDENCIES,
    DEPENDENCIES_CONFIRMED,
    DEPLOYMENTS,
    CI_REPORTS,
    ROLLOUTS,
    DESIGN_WORK,
    INCIDENT_TIMES,
    POSTMORTEM_DUTIES,
    ASKED_BY_INCIDENTS,
    CATALOG_ENTITIES,
    OPERATIONAL_WORK,
    EVIDENCE,
    EVALUATIONS,
    WAIVERS,
    PHASE_RISKS,
    *HEARD,
    ENGAGEMENTS,
    ENGAGED_SERVICES,
    ENGAGEMENT_ITEMS,
    GATHERINGS,
    HAPPENINGS,
    SLO_DAYS,
    READINESS_REVIEWS,
    REVIEW_FINDINGS,
    REVIEW_TEMPLATES,
    RISKS,
    CAPACITY,
    SLO_TARGETS,
    SDLC_CHECKPOINTS,
)

LISTENED: Final = (*HEARD, HAPPENINGS)
"""Where silence counts: it is noted until when these have heard everything."""

__all__ = ["LISTENED", "PROJECTIONS"]
