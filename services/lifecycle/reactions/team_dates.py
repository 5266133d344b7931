"""What is due in teams by a day is said when that day is over, once; and every team has its timers."""

import asyncio
from contextlib import suppress

from sqlalchemy import Connection, select

from libs.events.applied import all_applied
from libs.events.backoff import PASSING, stopped_within
from libs.events.envelope import Context
from libs.events.errors import ReservedError
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Timer
from services.lifecycle import timetable
from services.lifecycle.contract import TEAM
from services.lifecycle.domain.team.commands import SayMissed
from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.projections.teams import TEAMS

_AGAIN_S = 1.0


async def say_missed(resources: Resources, dates: timetable.TeamDates, timer: Timer, context: Context) -> None:
    """Say what of a team is overdue by now, and come back when the next is."""
    team = timetable.key_of(timer)
    state = (await resources.handler.load(TEAM, team)).state
    if isinstance(state, Registered):
        command = SayMissed(team=team, every=dates.every, at=context.at)
        await resources.handler.handle(TEAM, team, command, context, effects=lambda then, _: _next(dates, then))


async def set_timers(resources: Resources, dates: timetable.TeamDates, stop: asyncio.Event) -> None:
    """Set the timers of teams that were registered before there were any, once."""
    while not stop.is_set():
        try:
            await set_missing(resources, dates)
        except PASSING:
            await stopped_within(stop, _AGAIN_S)
        else:
            await stop.wait()


async def set_missing(resources: Resources, dates: timetable.TeamDates) -> None:
    """Set both timers of each team that lives and has none."""
    await all_applied(resources, TEAMS)
    for team in await resources.views.read(_living):
        await _set(resources, dates, team)


async def _set(resources: Resources, dates: timetable.TeamDates, team: str) -> None:
    state = (await resources.handler.load(TEAM, team)).state
    if isinstance(state, Registered):
        first = dates.set_first(state, resources.clock.now(), str(new_id()))
        with suppress(ReservedError):  # it has them
            await resources.store.append(AppendRequest(reserve=first.reserve, schedule=first.schedule))


def _next(dates: timetable.TeamDates, team: object) -> timetable.Effects:
    return dates.next_of(team) if isinstance(team, Registered) else timetable.NO_EFFECTS


def _living(connection: Connection) -> list[str]:
    view = TEAMS.view.c
    return list(connection.scalars(select(view.name).where(~view.ended).order_by(view.name)))
