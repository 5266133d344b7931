"""The API role of lifecycle."""

from fastapi import FastAPI

from libs.events.resources import Resources
from libs.web.app import create_service_app
from services.lifecycle.api.architecture import (
    architecture_findings,
    architecture_reviews,
    catalogs,
    design_reviews,
    launches,
    own_catalog,
)
from services.lifecycle.api.capacity import capacity, capacity_demand, capacity_metrics, capacity_orders
from services.lifecycle.api.checkpoints import checkpoints
from services.lifecycle.api.delivery import ci_reports, deployments, rollouts
from services.lifecycle.api.engagements import (
    agreement_templates,
    engagement_charter,
    engagement_health,
    engagement_items,
    engagement_rules,
    engagements,
    gatherings,
    handback,
)
from services.lifecycle.api.errors import ERRORS
from services.lifecycle.api.gates import evidence, gate_policies, gates, phase_risks, transitions, waivers
from services.lifecycle.api.inbox import digests, inbox
from services.lifecycle.api.reviews import (
    findings,
    readiness_reviews,
    review_answers,
    review_findings,
    review_templates,
)
from services.lifecycle.api.reviews.review_template_schemas import shipped_templates
from services.lifecycle.api.risks import risks
from services.lifecycle.api.services import code_owners, decommissioning, dependencies, imports, services, standing
from services.lifecycle.api.teams import metric_weeks, metrics, operational_work, team_load, teams
from services.lifecycle.config import (
    LifecycleSettings,
    load_catalogs,
    load_policies,
)


def create_app(resources: Resources, settings: LifecycleSettings) -> FastAPI:
    """The app that answers for teams, services, their phases, gates and evidence, and engagements.

    Raises:
        SetupError: A policy cannot be used.
    """
    app = create_service_app(
        resources=resources,
        title="Concordat lifecycle",
        description="Teams, services, their phases, and the gates between them.",
        routers=[
            teams.router,
            services.router,
            code_owners.router,
            dependencies.router,
            deployments.router,
            ci_reports.router,
            rollouts.router,
            metrics.router,
            metric_weeks.router,
            imports.router,
            operational_work.router,
            team_load.router,
            transitions.router,
            gates.router,
            gate_policies.router,
            evidence.router,
            engagements.router,
            engagement_charter.router,
            engagement_rules.router,
            agreement_templates.router,
            engagement_items.router,
            gatherings.router,
            engagement_health.router,
            handback.router,
            readiness_reviews.router,
            review_answers.router,
            review_findings.router,
            findings.router,
            review_templates.router,
            standing.router,
            decommissioning.router,
            phase_risks.router,
            waivers.router,
            risks.router,
            inbox.router,
            catalogs.router,
            own_catalog.router,
            design_reviews.router,
            architecture_reviews.router,
            architecture_findings.router,
            launches.router,
            checkpoints.router,
            capacity.router,
            capacity_demand.router,
            capacity_orders.router,
            capacity_metrics.router,
            digests.router,
        ],
        errors=ERRORS,
        settings=settings,
    )
    app.state.policies = load_policies(settings)
    app.state.catalogs = load_catalogs()
    app.state.review_templates = shipped_templates()
    return app
