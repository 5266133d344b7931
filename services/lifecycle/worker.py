"""The worker role of lifecycle."""

from libs.events.resources import Resources
from libs.events.worker import Worker
from services.lifecycle.config import LifecycleSettings
from services.lifecycle.projections import PROJECTIONS


def create_worker(resources: Resources, settings: LifecycleSettings) -> Worker:  # noqa: ARG001  every service's worker is made like this
    """The worker that keeps the read models and publishes the events of lifecycle."""
    return Worker(resources, projections=PROJECTIONS)
