"""What engagements hear of budgets, incidents and hand-backs, and what they open because of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from libs.events.applied import applied
from libs.events.envelope import Context, Recorded
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from services.lifecycle.contract import CONTRACT, ENGAGEMENT, ENGAGEMENT_ITEM
from services.lifecycle.domain.engagement.events import EngagementEvidence, HandedBack
from services.lifecycle.domain.engagement.measures import exhausted_in_days
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.engagement_item.commands import Go
from services.lifecycle.domain.engagement_item.events import Content
from services.lifecycle.domain.team.events import TeamDissolved, TeamMerged, TeamSharded
from services.lifecycle.projections.happenings import HAPPENINGS, seen
from services.lifecycle.projections.slo_days import SLO_DAYS, slo_days_of
from services.lifecycle.reactions.engagement_teams import FollowingTeams
from services.lifecycle.reactions.heard import INCIDENTS_CLASSIFIED, IncidentClassified
from services.lifecycle.reactions.items import engagement_of, item_says, key_of_item, open_item, say

ENGAGEMENTS_HEAR: Final = "lifecycle.engagements"  # never change: ids of events follow from it
_OVERSPENT: Final = ("at_risk", "frozen", "exhausted")


@dataclass(frozen=True, slots=True)
class Assessed:
    """What is read of an assessment."""

    slo: str
    service: str
    error_budget_remaining: float | None
    window_end: datetime


@dataclass(frozen=True, slots=True)
class Recovered:
    """What is read when a budget is within its limit again."""

    slo: str
    service: str


@dataclass(frozen=True, slots=True)
class PolicyMoved:
    """What is read when a service stands elsewhere under its error-budget policy."""

    service: str
    to_state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Spare:
    """What is read when there is budget to spare."""

    service: str


@dataclass(frozen=True, slots=True)
class NoSpare:
    """What is read when there is none any more."""

    service: str


def engagement_reactions(resources: Resources, policy: EngagementPolicy) -> Sequence[Reaction]:
    """What engagements do about what they hear."""
    prefix = "io.concordat.slo"
    budgets = EventRegistry(
        {
            f"{prefix}.budget.assessed.v1": Assessed,
            f"{prefix}.budget.recovered.v1": Recovered,
            f"{prefix}.policy.state-changed.v1": PolicyMoved,
            f"{prefix}.policy.budget-to-spare.v1": Spare,
            f"{prefix}.policy.spare-budget-gone.v1": NoSpare,
        }
    )
    hear, teams = _Hearing(resources, policy), FollowingTeams(resources, policy)
    return (
        Reaction(
            ENGAGEMENTS_HEAR,
            "slo",
            budgets,
            {
                Assessed: hear.assessed,
                Recovered: hear.recovered,
                PolicyMoved: hear.policy_moved,
                Spare: hear.spare,
                NoSpare: hear.no_spare,
            },
        ),
        Reaction(ENGAGEMENTS_HEAR, "incidents", INCIDENTS_CLASSIFIED, {IncidentClassified: hear.classified}),
        Reaction(
            ENGAGEMENTS_HEAR,
            "lifecycle",
            CONTRACT,
            {
                HandedBack: hear.handed_back,
                TeamMerged: teams.merged,
                TeamSharded: teams.sharded,
                TeamDissolved: teams.dissolved,
            },
        ),
    )


@dataclass(frozen=True)
class _Hearing:
    """What engagements hear, and what they open because of it."""

    resources: Resources
    policy: EngagementPolicy

    async def assessed(self, event: Assessed, recorded: Recorded, context: Context) -> None:
        """A budget that will be spent soon is an insight of SRE's for the product."""
        state = await engagement_of(self.resources, event.service)
        if state is None or event.error_budget_remaining is None:
            return
        await applied(self.resources, SLO_DAYS, recorded, "slo")
        since = event.window_end - self.policy.forecast_from_days.days
        days = await self.resources.views.read(slo_days_of, (event.service,), since, event.window_end)
        left = exhausted_in_days([day for day in days if day.slo == event.slo])
        if left is None or left > self.policy.forecast_days.value:
            return
        content = Content(
            title=f"the budget of {event.slo} will be spent in {left:.0f} days",
            text=f"At the rate of the last {self.policy.forecast_from_days.value:.0f} days.",
            side="sre",
            topic="budget_forecast",
            services=(event.service,),
            evidence=(EngagementEvidence(str(recorded.event_id), f"/v1/slos/{event.slo}/forecast"),),
        )
        await open_item(self.resources, state, "insight", f"budget_forecast/{event.slo}", content, context)

    async def recovered(self, event: Recovered, recorded: Recorded, context: Context) -> None:
        """An SLO that is met again is a win."""
        state = await engagement_of(self.resources, event.service)
        if state is None:
            return
        content = Content(
            title=f"{event.slo} is within its budget again",
            topic="slo_regained",
            services=(event.service,),
            evidence=(EngagementEvidence(str(recorded.event_id), f"/v1/slos/{event.slo}/status"),),
        )
        await open_item(self.resources, state, "win", f"slo_regained/{event.slo}", content, context)

    async def policy_moved(self, event: PolicyMoved, recorded: Recorded, context: Context) -> None:
        """A threatened or spent budget asks both sides what they do about it, until that is over."""
        for topic in _OVERSPENT:
            if topic != event.to_state:
                await self._end(event.service, topic, f"the service is {event.to_state} by now", context)
        if event.to_state in _OVERSPENT:
            await self._adjust(event.service, event.to_state, event.reason, recorded, context)

    async def spare(self, event: Spare, recorded: Recorded, context: Context) -> None:
        """Budget to spare asks both sides whether to go faster."""
        await self._adjust(event.service, "to_spare", "", recorded, context)

    async def no_spare(self, event: NoSpare, _: Recorded, context: Context) -> None:
        """That is over."""
        await self._end(event.service, "to_spare", "there is no budget to spare any more", context)

    async def classified(self, event: IncidentClassified, recorded: Recorded, context: Context) -> None:
        """A cause that comes back is an insight of SRE's for the product."""
        state, cause = await engagement_of(self.resources, event.service), event.outage_class
        if state is None:
            return
        await applied(self.resources, HAPPENINGS, recorded, "incidents")
        since = recorded.occurred_at - self.policy.repeated_within_days.days
        severe = frozenset(self.policy.severe)
        heard = await self.resources.views.read(seen, (event.service,), since, context.at, severe=severe)
        alike = [incident for incident in heard.incidents if incident.cause == cause]
        if len(alike) < self.policy.repeated_cause.value:
            return
        content = Content(
            title=f"{cause} came back: {', '.join(incident.number for incident in alike)}",
            side="sre",
            topic="repeated_cause",
            services=(event.service,),
            evidence=tuple(incident.evidence for incident in alike),
        )
        await open_item(self.resources, state, "insight", f"repeated_cause/{event.service}/{cause}", content, context)

    async def handed_back(self, event: HandedBack, recorded: Recorded, context: Context) -> None:
        """A hand-back list that is finished is a win."""
        state = (await self.resources.handler.load(ENGAGEMENT, event.engagement)).state
        if state is None:
            return
        path = f"/v1/engagements/{event.engagement}/handback"
        content = Content(
            title=f"everything on the list of the hand-back to {event.receiver} is settled",
            topic="checklist_finished",
            services=event.services,
            evidence=(EngagementEvidence(str(recorded.event_id), path),),
        )
        await open_item(self.resources, state, "win", f"checklist_finished/{recorded.event_id}", content, context)

    async def _adjust(self, service: str, topic: str, text: str, recorded: Recorded, context: Context) -> None:
        state = await engagement_of(self.resources, service)
        if state is None:
            return
        content = Content(
            title=self.policy.adjustments[topic],
            text=text,
            topic=topic,
            services=(service,),
            evidence=(EngagementEvidence(str(recorded.event_id), f"/v1/services/{service}/error-budget"),),
        )
        await open_item(self.resources, state, "adjustment", f"{topic}/{service}", content, context)

    async def _end(self, service: str, topic: str, reason: str, context: Context) -> None:
        state = await engagement_of(self.resources, service)
        if state is None:
            return
        key = await key_of_item(self.resources, state, "adjustment", f"{topic}/{service}")
        item = (await self.resources.handler.load(ENGAGEMENT_ITEM, key)).state
        if item is not None and item.allowed:
            said = item_says(key, state.engagement, context)
            await say(self.resources, Go(**said, kind="adjustment", verb="end", reason=reason), context)
