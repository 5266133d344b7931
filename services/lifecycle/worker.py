"""The worker role of lifecycle."""

from functools import partial

from libs.events.resources import Resources
from libs.events.worker import Worker
from services.lifecycle.config import LifecycleSettings, load_catalogs, load_policies
from services.lifecycle.evaluation import Phases
from services.lifecycle.foreseeing.asking import Asking
from services.lifecycle.foreseeing.forecasts import Foreseeing
from services.lifecycle.inbox import Inbox
from services.lifecycle.listening import Listening
from services.lifecycle.projections import PROJECTIONS
from services.lifecycle.reactions import reactions, timers
from services.lifecycle.reactions.team_dates import set_timers
from services.lifecycle.timetable import team_dates


def create_worker(resources: Resources, settings: LifecycleSettings) -> Worker:
    """The worker that keeps the read models, publishes the events of lifecycle and does what is due."""
    policies = load_policies(settings)
    listening, phases = Listening(), Phases(resources, policies.gates)
    foreseeing, inbox = Foreseeing(resources, policies.capacity), Inbox(resources, policies)
    worker = Worker(
        resources,
        projections=PROJECTIONS,
        reactions=(*reactions(resources, policies, load_catalogs()), phases.reaction),
        timers=[{**timers(resources, policies.engagements, inbox), **phases.timers}],
        sinks=(
            listening.run,
            phases.begin,
            foreseeing.run,
            partial(set_timers, resources, team_dates(policies.inbox, policies.teams)),
            Asking(resources, settings).run,
        ),
    )
    listening.worker = worker
    return worker
