"""Wires the API of incidents."""

from fastapi import FastAPI

from libs.events.resources import Resources
from libs.web.app import create_service_app
from services.incidents.api import (
    acknowledgements,
    actions,
    alerts,
    calendars,
    changes,
    channels,
    escalation_policies,
    handoffs,
    incident_details,
    incident_fields,
    incident_links,
    incident_metrics,
    incident_people,
    incident_timeline,
    incidents,
    integrations,
    lessons,
    notifications,
    pagerduty,
    people,
    postmortem_duties,
    postmortem_templates,
    postmortem_versions,
    postmortems,
    responder_view,
    rotations,
    schedule_decisions,
    schedule_reports,
    schedule_warnings,
    schedules,
    silences,
    similar_incidents,
    webhooks,
)
from services.incidents.api.errors import ERRORS
from services.incidents.config import IncidentsSettings, load_learning, load_on_call, load_rules, load_updates
from services.incidents.domain.on_call.charts import Charts
from services.incidents.intake import Numbers
from services.incidents.senders.keys import Senders
from services.incidents.senders.rates import Rates
from services.incidents.senders.taking import Taking


def create_app(resources: Resources, settings: IncidentsSettings) -> FastAPI:
    """The app of incidents; it opens and closes nothing."""
    app = create_service_app(
        resources=resources,
        title="Concordat incidents",
        description="Alerts, incidents, who is called for them, postmortems and what is done about them.",
        routers=[
            pagerduty.router,  # routes are looked through in order, and no other is asked so often
            webhooks.router,
            alerts.router,
            incidents.router,
            incident_timeline.router,
            incident_people.router,
            responder_view.router,
            similar_incidents.router,
            incident_details.router,
            incident_links.router,
            incident_fields.router,
            incident_metrics.router,
            lessons.router,
            postmortems.router,
            postmortem_versions.router,
            postmortem_duties.router,
            postmortem_templates.router,
            actions.router,
            people.router,
            rotations.router,
            schedules.router,
            schedule_decisions.router,
            calendars.router,
            handoffs.router,
            schedule_reports.router,
            schedule_warnings.router,
            escalation_policies.router,
            integrations.router,
            silences.router,
            changes.router,
            notifications.router,
            channels.router,
            acknowledgements.router,
        ],
        errors=ERRORS,
        settings=settings,
    )
    app.state.learning = load_learning(settings.learning_policy)
    app.state.blameless = load_rules(settings.blameless_rules)
    app.state.updates = load_updates(settings.updates_policy)
    app.state.charts = Charts()
    app.state.outbound_private = settings.outbound_private
    app.state.on_call = load_on_call(settings.on_call_policy)
    app.state.numbers = Numbers(resources.store)
    app.state.senders = Senders(resources, settings.senders_kept_s)
    app.state.rates = Rates(settings.enqueue_per_minute)
    app.state.taking = Taking(resources)
    return app
