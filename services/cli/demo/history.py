"""Two years, part by part; what is measured is read by what is agreed on, so it is told first."""

from datetime import datetime
from typing import Final

from services.cli.demo import (
    capacity,
    checkpoints,
    deliveries,
    designs,
    launches,
    on_call,
    outages,
    phases,
    readiness,
    reliability,
    risks,
    stories,
    waivers,
)
from services.cli.demo.organisation import TEAMS
from services.cli.demo.world import World

FIRST: Final = (f"team/{TEAMS[0].name}", 8)  # the stream of the first event, and the hour at which it was


def history(seed: int, today: datetime) -> World:
    """The organisation with all that would be in its logs today, had it all happened."""
    world = World(seed, today)
    phases.begin(world)
    went_wrong = outages.outages(world)
    outages.tell(world, went_wrong)
    on_call.rotas(world, went_wrong)
    reliability.assess(world, went_wrong)
    reliability.promise(world)
    deliveries.deploy(world)
    deliveries.work(world)
    phases.live(world)
    phases.renew(world)
    stories.tell(world)
    risks.risks(world)
    waivers.waivers(world)
    launches.launches(world)
    designs.designs(world)
    readiness.reviews(world)
    checkpoints.checkpoints(world)
    capacity.capacity(world)
    world.agenda.happen()
    return world
