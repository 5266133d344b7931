"""The gateway's worker: builds what the gateway knows from the events of all services."""

from libs.events.resources import Resources
from libs.events.worker import Worker
from services.gateway.config import GatewaySettings
from services.gateway.projections import PROJECTIONS


def create_worker(resources: Resources, settings: GatewaySettings) -> Worker:  # noqa: ARG001  as for every service
    """The worker; nothing of the gateway's own is published."""
    return Worker(resources, projections=PROJECTIONS, relay=False)
