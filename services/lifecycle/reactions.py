"""What lifecycle does by itself: looks at engagements and reviews when it is time, and at what others tell of."""

from collections.abc import Mapping
from functools import partial

from libs.events.envelope import Context
from libs.events.handler import Effects
from libs.events.ids import reaction_id
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.events.timers import Fire
from services.lifecycle import timetable
from services.lifecycle.contract import ENGAGEMENT, READINESS_REVIEW
from services.lifecycle.domain.engagement.commands import EndWatch, Look
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.readiness_review.commands import Lapse
from services.lifecycle.projections.happenings import before_and_after, measured_for


def timers(resources: Resources, policy: EngagementPolicy) -> Mapping[str, Fire]:
    """What is done when a timer is due."""
    return {
        timetable.LOOKING: partial(_look, resources, policy),
        timetable.WATCHING: partial(_compare, resources, policy),
        READINESS_REVIEW.category: partial(_review_lapses, resources),
    }


async def _look(resources: Resources, policy: EngagementPolicy, timer: Timer, context: Context) -> None:
    """Say what is overdue and which ground rules are broken; look again a day later."""
    engagement = timetable.key_of(timer)
    state = (await resources.handler.load(ENGAGEMENT, engagement)).state
    if state is None or not state.works:
        return
    measured = await resources.views.read(measured_for, state, context.at, frozenset(policy.severe))
    command = Look(engagement=engagement, by=context.metadata.actor, at=context.at, measured=measured)
    again = Effects(schedule=(timetable.look(engagement, context.at + policy.look_every),))
    await resources.handler.handle(ENGAGEMENT, engagement, command, context, effects=again)


async def _compare(resources: Resources, policy: EngagementPolicy, timer: Timer, context: Context) -> None:
    """Keep how the time after a hand-back compares with the time before."""
    engagement = timetable.key_of(timer)
    state = (await resources.handler.load(ENGAGEMENT, engagement)).state
    if state is None or state.watch is None or context.at < state.watch.until:
        return
    figures = await resources.views.read(before_and_after, state.watch, severe=frozenset(policy.severe))
    command = EndWatch(engagement=engagement, by=context.metadata.actor, at=context.at, figures=figures)
    await resources.handler.handle(ENGAGEMENT, engagement, command, context)


async def _review_lapses(resources: Resources, timer: Timer, context: Context) -> None:
    """An approval, the day of a condition, or a waiver has come to its end."""
    review = timetable.key_of(timer)
    await resources.handler.handle(READINESS_REVIEW, review, Lapse(review, context.at), context)


def derived(context: Context, step: str) -> Context:
    """The circumstances of one more command of the same cause, whose events have ids of their own."""
    source = context.event_id(0)
    return Context(context.at, context.metadata, lambda index: reaction_id(source, step, index))
