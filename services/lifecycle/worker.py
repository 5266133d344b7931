"""The worker role of lifecycle."""

from libs.events.resources import Resources
from libs.events.worker import Worker
from services.lifecycle.config import (
    LifecycleSettings,
    load_architecture_policy,
    load_capacity_policy,
    load_catalogs,
    load_engagement_policy,
    load_policy,
    load_risk_policy,
)
from services.lifecycle.evaluation import Phases
from services.lifecycle.foreseeing import Foreseeing
from services.lifecycle.inbox import Inbox, load_policies
from services.lifecycle.listening import Listening
from services.lifecycle.projections import PROJECTIONS
from services.lifecycle.reactions import reactions, timers


def create_worker(resources: Resources, settings: LifecycleSettings) -> Worker:
    """The worker that keeps the read models, publishes the events of lifecycle and does what is due."""
    engagements, risks = load_engagement_policy(settings.engagement_policy), load_risk_policy(settings.risk_policy)
    architecture, catalogs = load_architecture_policy(settings.architecture_policy), load_catalogs()
    listening, phases = Listening(), Phases(resources, load_policy(settings.gate_policy))
    foreseeing = Foreseeing(resources, load_capacity_policy(settings.capacity_policy))
    inbox = Inbox(resources, load_policies(settings))
    worker = Worker(
        resources,
        projections=PROJECTIONS,
        reactions=(*reactions(resources, engagements, risks, architecture, catalogs), phases.reaction),
        timers={**timers(resources, engagements, inbox), **phases.timers},
        sinks=(listening.run, phases.begin, foreseeing.run),
    )
    listening.worker = worker
    return worker
