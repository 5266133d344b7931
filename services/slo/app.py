"""Wires the API of slo."""

from fastapi import FastAPI

from libs.events.resources import Resources
from libs.web.app import create_service_app
from services.slo.api import (
    adjustments,
    agreement,
    alerts,
    definitions,
    explain,
    figures,
    fleet,
    forecast,
    lines,
    measurements,
    notifications,
    openslo_objects,
    periods,
    policies,
    polling,
    release_gate,
    rules,
    series,
    sources,
    validation,
    what_if,
)
from services.slo.api.errors import ERRORS
from services.slo.config import SloSettings


def create_app(resources: Resources, settings: SloSettings) -> FastAPI:
    """The app of slo; it opens and closes nothing."""
    return create_service_app(
        resources=resources,
        title="Concordat SLOs",
        description="SLO definitions, measurements, error budgets and burn-rate alerts.",
        routers=[
            definitions.router,
            fleet.router,
            figures.router,
            series.router,
            periods.router,
            explain.router,
            forecast.router,
            what_if.router,
            alerts.router,
            notifications.router,
            lines.router,  # before what takes any other body
            measurements.router,
            polling.router,
            sources.router,
            openslo_objects.router,
            adjustments.router,
            agreement.router,
            rules.router,
            validation.router,
            policies.router,
            release_gate.router,
        ],
        errors=ERRORS,
        settings=settings,
    )
