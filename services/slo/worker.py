"""Wires the worker of slo."""

from functools import partial

from libs.events.resources import Resources
from libs.events.worker import Worker
from services.slo.collector import Collector
from services.slo.config import SloSettings
from services.slo.corrections import Corrections
from services.slo.metrics import keep_fleet
from services.slo.notifying.notifier import Notifier
from services.slo.polling.poller import Poller
from services.slo.projections import PROJECTIONS
from services.slo.reactions import incidents, observing, timers


def create_worker(resources: Resources, settings: SloSettings) -> Worker:
    """The worker of slo: relays events, keeps read models, asks sources, takes measurements in and evaluates them."""
    notifier = Notifier(resources, settings)
    sinks = Collector(resources, settings), Poller(resources, settings), Corrections(resources, settings), notifier
    return Worker(
        resources,
        projections=PROJECTIONS,
        reactions=(observing(resources), incidents(resources), notifier.reaction),
        timers=[timers(resources)],
        sinks=(*(sink.run for sink in sinks), partial(keep_fleet, resources, settings)),
    )
