"""When a postmortem is due, by what happens, and what is said when the day of one, or of an action, is near or over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from libs.events.envelope import Context, Recorded
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.events.timers import Fire
from services.incidents import timetable
from services.incidents.contract import ACTION, CONTRACT, DUTY, INCIDENT, SERVICE
from services.incidents.domain.action.commands import Look as LookAtAction
from services.incidents.domain.incident.events import IncidentCancelled, IncidentResolved
from services.incidents.domain.learning import LearningPolicy
from services.incidents.domain.postmortem.events import BudgetSpent
from services.incidents.domain.postmortem_duty.commands import Excuse, Look, Require
from services.incidents.looking_back import require

REQUIRING: Final = "incidents.postmortem-duty"  # never change: ids of events follow from them
BUDGETS_HEARD: Final = "incidents.spent-budgets"


@dataclass(frozen=True, slots=True)
class MuchSpent:
    """What is read when one incident spent much of an error budget."""

    incident: str
    slo: str
    share: float


def learning_reactions(resources: Resources, policy: LearningPolicy) -> Sequence[Reaction]:
    """A severe incident that is over needs a postmortem, and one that spent much; a false alarm needs none."""
    handler = resources.handler

    async def ask(command: Require | Excuse | None, incident: str, context: Context) -> None:
        if command is not None:
            await handler.handle(DUTY, incident, command, context, effects=timetable.owing(policy))

    async def resolved(event: IncidentResolved, recorded: Recorded, context: Context) -> None:
        if event.severity not in policy.severities.value:
            return
        incident = (await handler.load(INCIDENT, recorded.key)).state
        by = context.metadata.actor
        await ask(
            await require(resources, policy, recorded.key, incident, "severity", context, by=by), recorded.key, context
        )

    async def cancelled(event: IncidentCancelled, recorded: Recorded, context: Context) -> None:
        duty = (await handler.load(DUTY, recorded.key)).state
        if duty is not None and duty.stage is not None:
            excuse = Excuse(by=event.by, reason=event.reason or "it was a false alarm", at=context.at)
            await ask(excuse, recorded.key, context)

    async def spent(event: MuchSpent, recorded: Recorded, context: Context) -> None:
        del recorded
        if event.share <= policy.budget_share.value:
            return
        incident = (await handler.load(INCIDENT, event.incident)).state
        budget, by = BudgetSpent(slo=event.slo, share=event.share), context.metadata.actor
        command = await require(
            resources, policy, event.incident, incident, "error_budget", context, by=by, budget=budget
        )
        await ask(command, event.incident, context)

    return (
        Reaction(REQUIRING, SERVICE, CONTRACT, {IncidentResolved: resolved, IncidentCancelled: cancelled}),
        Reaction(
            BUDGETS_HEARD,
            "slo",
            EventRegistry({"io.concordat.slo.policy.postmortem-required.v1": MuchSpent}),
            {MuchSpent: spent},
        ),
    )


def learning_timers(resources: Resources, policy: LearningPolicy) -> Mapping[str, Fire]:
    """What is said when a day is near, or over."""

    async def look_at_action(timer: Timer, context: Context) -> None:
        said: dict[str, Any] = {"by": context.metadata.actor, "at": context.at}
        look = LookAtAction(**said, remind_days=int(policy.action_remind_days.value))
        key = timetable.key_of(timer)
        await resources.handler.handle(ACTION, key, look, context, effects=timetable.acting(policy))

    async def look_at_duty(timer: Timer, context: Context) -> None:
        look = Look(policy=policy, by=context.metadata.actor, at=context.at)
        await resources.handler.handle(DUTY, timetable.key_of(timer), look, context, effects=timetable.owing(policy))

    return {timetable.ACTION_LOOK: look_at_action, timetable.DUTY_LOOK: look_at_duty}
