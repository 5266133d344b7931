"""Wires the worker of slo."""

from libs.events.resources import Resources
from libs.events.worker import Worker
from services.slo.collector import Collector
from services.slo.config import SloSettings
from services.slo.projections import PROJECTIONS


def create_worker(resources: Resources, settings: SloSettings) -> Worker:
    """The worker of slo: relays its events, keeps its read models, takes measurements in and evaluates them."""
    return Worker(resources, projections=PROJECTIONS, sinks=(Collector(resources, settings).run,))
