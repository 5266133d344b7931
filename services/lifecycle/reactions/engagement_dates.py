"""What is done about engagements and their items when it is time."""

from datetime import timedelta
from typing import Final

from libs.events.applied import all_applied
from libs.events.envelope import Context
from libs.events.handler import Effects
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Timer
from services.lifecycle import timetable
from services.lifecycle.contract import ENGAGEMENT, ENGAGEMENT_ITEM
from services.lifecycle.domain.engagement.commands import EndWatch, Look
from services.lifecycle.domain.engagement.events import EngagementEvidence
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.commands import Remind
from services.lifecycle.domain.engagement_item.events import Content
from services.lifecycle.projections.deployments import DEPLOYMENTS
from services.lifecycle.projections.happenings import before_and_after, is_silent, measured_for, seen
from services.lifecycle.projections.operational_work import OPERATIONAL_WORK
from services.lifecycle.reactions.items import item_says, open_item

_PUT_OFF: Final = timedelta(minutes=10)  # a comparison, while incidents is not heard, as after a start
_PUT_OFF_FOR: Final = timedelta(days=1)  # then what is unknown is said to be unknown


async def look(resources: Resources, policy: EngagementPolicy, timer: Timer, context: Context) -> None:
    """Say what is overdue and which ground rules are broken, and propose a win; look again a day later."""
    engagement = timetable.key_of(timer)
    state = (await resources.handler.load(ENGAGEMENT, engagement)).state
    if state is None or not state.works:
        return
    await all_applied(resources, DEPLOYMENTS, OPERATIONAL_WORK)
    measured = await resources.views.read(measured_for, state, context.at, policy)
    command = Look(engagement=engagement, by=context.metadata.actor, at=context.at, measured=measured)
    again = Effects(schedule=(timetable.look(engagement, context.at + policy.look_every),))
    await _praise(resources, policy, state, context)
    await resources.handler.handle(ENGAGEMENT, engagement, command, context, effects=again)


async def _praise(resources: Resources, policy: EngagementPolicy, state: Engagement, context: Context) -> None:
    """Propose a win for each quiet quarter since the engagement became active, or since the last severe incident."""
    began, quiet, severe = state.active_since, policy.quiet_days.days, frozenset(policy.severe)
    if began is None or context.at - began < quiet:
        return
    heard = await resources.views.read(seen, state.services, began, context.at, severe=severe)
    since = max((incident.declared_at for incident in heard.severe_incidents), default=began)
    quarters = (context.at - since) // quiet
    if not quarters or await resources.views.read(is_silent, policy):
        return
    until = since + quarters * quiet
    content = Content(
        title=f"no severe incident from {(until - quiet).date()} to {until.date()}",
        topic="quiet_quarter",
        services=state.services,
        evidence=tuple(EngagementEvidence("", f"/v1/incidents?service={service}") for service in state.services),
    )
    await open_item(resources, state, "win", f"quiet_quarter/{until.date()}", content, context)


async def compare(resources: Resources, policy: EngagementPolicy, timer: Timer, context: Context) -> None:
    """Keep how the time after a hand-back compares with the time before, once all that is stored is shown."""
    engagement = timetable.key_of(timer)
    state = (await resources.handler.load(ENGAGEMENT, engagement)).state
    if state is None or state.watch is None or context.at < state.watch.until:
        return
    await all_applied(resources, DEPLOYMENTS)
    if context.at < state.watch.until + _PUT_OFF_FOR and await resources.views.read(is_silent, policy):
        again = timetable.watch(engagement, context.at + _PUT_OFF)
        await resources.handler.append(AppendRequest(schedule=(again,)))
        return
    figures = await resources.views.read(before_and_after, state.watch, policy)
    command = EndWatch(engagement=engagement, by=context.metadata.actor, at=context.at, figures=figures)
    await resources.handler.handle(ENGAGEMENT, engagement, command, context)


async def remind(resources: Resources, timer: Timer, context: Context) -> None:
    """Say that an item is overdue, if it is."""
    key = timetable.key_of(timer)
    item = (await resources.handler.load(ENGAGEMENT_ITEM, key)).state
    if item is not None:
        said = item_says(key, item.engagement, context)
        await resources.handler.handle(ENGAGEMENT_ITEM, key, Remind(**said, kind=item.kind), context)
