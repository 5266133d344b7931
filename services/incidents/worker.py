"""Wires the worker of incidents."""

from libs.events.resources import Resources
from libs.events.worker import Worker
from services.incidents.config import IncidentsSettings, load_learning, load_on_call
from services.incidents.grouping import Grouping
from services.incidents.on_call.due import on_call_timers, phases
from services.incidents.paging.alarm import Alarm
from services.incidents.paging.ladder import Paging
from services.incidents.paging.sender import Sender
from services.incidents.paging.set_back import ClockWatch
from services.incidents.paging.telling import Telling
from services.incidents.projections import PROJECTIONS
from services.incidents.reactions import SLO_ALERTS, moving, slo_alerts, timers, urgency
from services.incidents.reminding import learning_reactions, learning_timers


def create_worker(resources: Resources, settings: IncidentsSettings) -> Worker:
    """The worker of incidents: relays its events, keeps its read models, hears of alerts, calls people."""
    policy, limits = load_learning(settings.learning_policy), load_on_call(settings.on_call_policy)
    alarm = Alarm(resources, settings)
    grouping, paging = Grouping(resources, settings, alarm), Paging(resources, settings, alarm)
    return Worker(
        resources,
        projections=PROJECTIONS,
        reactions=(
            urgency(resources),
            moving(resources),
            phases(resources),
            *learning_reactions(resources, policy),
            paging.digests.weekly,
        ),
        timers=[
            paging.timers,
            grouping.timers,
            paging.digests.timers,
            on_call_timers(resources, limits),
            {**timers(resources), **learning_timers(resources, policy)},
        ],
        sinks=(Sender(resources, settings).run, ClockWatch(resources).run),
        followers=(
            alarm.follower(SLO_ALERTS, slo_alerts(resources)),  # no other reaction holds up what pages
            grouping,
            paging.reactor,
            Telling(resources, settings).reactor,
        ),
    )
