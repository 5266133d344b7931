"""When a postmortem is due, by what happens, and what is said when the day of one, or of an action, is near or over."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from libs.events.applied import all_applied
from libs.events.envelope import Context, Recorded
from libs.events.reactor import Act, Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.events.timers import Fire
from services.incidents import timetable
from services.incidents.contract import ACTION, CONTRACT, DUTY, INCIDENT, SERVICE
from services.incidents.domain.action.commands import Look as LookAtAction
from services.incidents.domain.action.commands import OwnerLeft
from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.incident.events import (
    IncidentCancelled,
    IncidentFact,
    IncidentMerged,
    IncidentResolved,
)
from services.incidents.domain.incident.state import Incident, Record
from services.incidents.domain.incident.work_events import IncidentAmended, IncidentSeverityChanged
from services.incidents.domain.learning import LearningPolicy
from services.incidents.domain.postmortem.events import BudgetSpent
from services.incidents.domain.postmortem_duty.commands import Excuse, Look
from services.incidents.domain.postmortem_duty.events import Why
from services.incidents.looking_back import catch_up, require
from services.incidents.projections.actions import ACTIONS, owned_by

REQUIRING: Final = "incidents.postmortem-duty"  # never change: ids of events follow from them
BUDGETS_HEARD: Final = "incidents.spent-budgets"


@dataclass(frozen=True, slots=True)
class MuchSpent:
    """What is read when one incident spent much of an error budget."""

    incident: str
    slo: str
    share: float


class _Duties:
    """What is asked of the duty to write a postmortem, when something is heard of an incident."""

    def __init__(self, resources: Resources, policy: LearningPolicy) -> None:
        self._resources, self._policy, self._handler = resources, policy, resources.handler

    async def look(self, event: IncidentFact, recorded: Recorded, context: Context) -> None:
        """It is over, or described otherwise: does it need a postmortem?"""
        del event
        incident = (await self._handler.load(INCIDENT, recorded.key)).state
        for why in _why(incident.record, self._policy) if incident else ():
            await self._require(recorded.key, incident, why, context.part(why))

    async def spent(self, event: MuchSpent, recorded: Recorded, context: Context) -> None:
        """It took much of an error budget."""
        del recorded
        if event.share > self._policy.budget_share.value:
            incident = (await self._handler.load(INCIDENT, event.incident)).state
            budget = BudgetSpent(slo=event.slo, share=event.share)
            await self._require(event.incident, incident, "error_budget", context, budget)

    async def cancelled(self, event: IncidentCancelled, recorded: Recorded, context: Context) -> None:
        """It was no incident."""
        await self._excuse(event, recorded.key, context, "it was a false alarm")

    async def merged(self, event: IncidentMerged, recorded: Recorded, context: Context) -> None:
        """Another incident's postmortem tells of it."""
        await self._excuse(event, recorded.key, context, f"it is a part of {event.into_number}")

    async def _require(
        self, key: str, incident: Incident, why: Why, context: Context, budget: BudgetSpent | None = None
    ) -> None:
        by = context.metadata.actor
        command = await require(self._resources, self._policy, key, incident, why, context, by=by, budget=budget)
        if command is not None:
            effects = timetable.owing(self._policy)
            await self._handler.handle(DUTY, key, command, context, effects=effects)
            await catch_up(self._resources, key, context, effects)

    async def _excuse(self, event: IncidentFact, key: str, context: Context, otherwise: str) -> None:
        excuse = Excuse(by=event.by, reason=event.reason or otherwise, at=context.at)
        with suppress(AbsentError, IllegalTransitionError):  # none is owed
            await self._handler.handle(DUTY, key, excuse, context, effects=timetable.owing(self._policy))


def learning_reactions(resources: Resources, policy: LearningPolicy) -> Sequence[Reaction]:
    """A severe incident that is over needs a postmortem, and one that spent much; a false alarm needs none."""
    duties = _Duties(resources, policy)
    heard: Mapping[type[object], Act] = {
        IncidentResolved: duties.look,
        IncidentSeverityChanged: duties.look,
        IncidentAmended: duties.look,
        IncidentCancelled: duties.cancelled,
        IncidentMerged: duties.merged,
    }
    spending = EventRegistry({"io.concordat.slo.policy.postmortem-required.v1": MuchSpent})
    return (
        Reaction(REQUIRING, SERVICE, CONTRACT, heard),
        Reaction(BUDGETS_HEARD, "slo", spending, {MuchSpent: duties.spent}),
    )


def _why(record: Record, policy: LearningPolicy) -> Iterator[Why]:
    """What asks for a postmortem of an incident that is over, and was no test."""
    if record.milestones.resolved is None or record.details.test:
        return
    if record.severity in policy.severities.value:
        yield "severity"
    if set(record.details.tags) & set(policy.data_loss_tags.value):
        yield "data_loss"


def learning_timers(resources: Resources, policy: LearningPolicy) -> Mapping[str, Fire]:
    """What is said when a day is near, or over, and when an owner has left."""

    async def look_at_action(timer: Timer, context: Context) -> None:
        said: dict[str, Any] = {"by": context.metadata.actor, "at": context.at}
        look = LookAtAction(**said, remind_days=int(policy.action_remind_days.value))
        key = timetable.key_of(timer)
        await resources.handler.handle(ACTION, key, look, context, effects=timetable.acting(policy))

    async def look_at_duty(timer: Timer, context: Context) -> None:
        look = Look(policy=policy, by=context.metadata.actor, at=context.at)
        await resources.handler.handle(DUTY, timetable.key_of(timer), look, context, effects=timetable.owing(policy))

    async def owner_left(timer: Timer, context: Context) -> None:
        await all_applied(resources, ACTIONS)
        owner = timetable.key_of(timer)
        said = OwnerLeft(owner=owner, by=context.metadata.actor, at=context.at)
        for action in await resources.views.read(owned_by, owner):
            await resources.handler.handle(ACTION, action, said, context.part(action))

    return {
        timetable.ACTION_LOOK: look_at_action,
        timetable.DUTY_LOOK: look_at_duty,
        timetable.OWNER_LEFT: owner_left,
    }
