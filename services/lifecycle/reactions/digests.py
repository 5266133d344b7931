"""A team's week begins: what waits in it is told."""

from libs.events.applied import all_applied
from libs.events.envelope import Context
from libs.events.handler import Effects
from libs.events.ids import timer_id
from libs.events.store import Timer
from services.lifecycle import timetable
from services.lifecycle.contract import DIGEST, TEAM
from services.lifecycle.domain.digest.text import digest_id
from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.inbox import Inbox
from services.lifecycle.projections.inbox import ASKED


async def compile_digest(inbox: Inbox, timer: Timer, context: Context) -> None:
    """Tell what waits in a team, and set the timer for the next week; a team that has ended has none."""
    resources, policy, team = inbox.resources, inbox.policies.inbox, timetable.key_of(timer)
    state = (await resources.handler.load(TEAM, team)).state
    if not isinstance(state, Registered):
        return
    own = (each for each in ASKED if resources.service in each.sources)
    await all_applied(resources, *own)  # it is told once: what is stored by now is told
    command = await inbox.told(state, context.at)
    again = Effects(schedule=(timetable.digest(team, state.structure, context.at, policy.digest),))
    # The event's id follows from team and week, whenever the timer fires in it, and however often.
    this_week = Context(context.at, context.metadata, lambda index: timer_id(timer.key, command.week, index))
    await resources.handler.handle(DIGEST, digest_id(team, command.week), command, this_week, effects=again)
