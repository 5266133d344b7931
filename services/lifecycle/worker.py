"""The worker role of lifecycle."""

from libs.events.resources import Resources
from libs.events.worker import Worker
from services.lifecycle.config import LifecycleSettings, load_engagement_policy, load_risk_policy
from services.lifecycle.listening import Listening
from services.lifecycle.projections import PROJECTIONS
from services.lifecycle.reactions import reactions, timers


def create_worker(resources: Resources, settings: LifecycleSettings) -> Worker:
    """The worker that keeps the read models, publishes the events of lifecycle and does what is due."""
    engagements, risks = load_engagement_policy(settings.engagement_policy), load_risk_policy(settings.risk_policy)
    listening = Listening()
    worker = Worker(
        resources,
        projections=PROJECTIONS,
        reactions=reactions(resources, engagements, risks),
        timers=timers(resources, engagements),
        sinks=(listening.run,),
    )
    listening.worker = worker
    return worker
