"""Who would be called when, if nobody took an incident on: a rehearsal, nothing is stored or sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from services.incidents.domain.escalation.climbing import Climbed, beside, climb
from services.incidents.domain.escalation.events import Called, Passed
from services.incidents.paging.calling import finder
from services.incidents.paging.plans import Plan

_LONGEST: Final = timedelta(days=14)  # of steps that wait, nobody wants to know more
_STEPS: Final = 500


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens at a moment of the rehearsal."""

    at: datetime
    climbed: Climbed
    beside: Climbed | None = None  # what a further side does at the same moment

    @property
    def people(self) -> tuple[Called, ...]:
        """Who would be called, each once."""
        further = self.beside.people if self.beside else ()
        called = {each.person for each in self.climbed.people}
        return (*self.climbed.people, *(each for each in further if each.person not in called))

    @property
    def passed(self) -> tuple[Passed, ...]:
        """What would be passed over."""
        return tuple(dict.fromkeys((*self.climbed.passed, *(self.beside.passed if self.beside else ()))))


def rehearse(connection: Connection, plan: Plan, at: datetime) -> list[Moment]:
    """Every step from *at* on, until there is none left."""
    moments: list[Moment] = []
    place, now = (1, 1), at
    while len(moments) < _STEPS and now - at <= _LONGEST:
        find = finder(connection, now, lambda rung, person: f"{rung.policy}/{rung.number}/{person}")
        climbed = climb(plan.rungs, plan.rounds, place, now, find) if plan.rungs else nobody()
        waits_still = moments and not climbed.people and moments[-1].climbed.passed == climbed.passed
        if not waits_still or climbed.due is None:
            moments.append(Moment(now, climbed, None if moments else beside(plan.beside, now, find)))
        if climbed.due is None or not climbed.next_round:
            break
        place, now = (climbed.next_round, climbed.next_step), climbed.due
    return moments


def nobody() -> Climbed:
    """Where it stands when there is no step at all."""
    return Climbed(round=1, step=0, fruitless=True)
