"""What lifecycle does by itself: looks at engagements and reviews when it is time, and at what others tell of.

What it opens by itself (insights, wins, adjustments) it opens once: the id of an item follows from the engagement, from
what the item is about, and from how many of the same are over, so that neither a repetition nor a race opens two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from libs.events.bus import EVENT_PARTITIONS
from libs.events.envelope import Context, Recorded
from libs.events.errors import StoreUnavailableError
from libs.events.handler import Effects
from libs.events.ids import reaction_id
from libs.events.partition import partition_of
from libs.events.projection import Projection
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.events.timers import Fire
from services.lifecycle import timetable
from services.lifecycle.contract import (
    CONTRACT,
    ENGAGEMENT,
    ENGAGEMENT_ITEM,
    READINESS_REVIEW,
    RISK_REGISTER,
    SERVICE,
    WAIVER,
)
from services.lifecycle.domain.engagement.commands import EndWatch, Look
from services.lifecycle.domain.engagement.events import Evidence, HandedBack
from services.lifecycle.domain.engagement.measures import exhausted_in_days
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.commands import Command, Go, Open, Remind
from services.lifecycle.domain.engagement_item.events import Content
from services.lifecycle.domain.engagement_item.lives import Kind
from services.lifecycle.domain.readiness_review.commands import Lapse
from services.lifecycle.domain.risk_register.commands import Lapse as EndAcceptances
from services.lifecycle.domain.risk_register.commands import Recognise, Reconsider
from services.lifecycle.domain.risk_register.events import RiskAccepted, RiskAssessed
from services.lifecycle.domain.risk_register.policy import RiskPolicy
from services.lifecycle.domain.waiver.commands import Expire
from services.lifecycle.projections.engagement_items import items_of
from services.lifecycle.projections.happenings import HAPPENINGS, before_and_after, measured_for, seen
from services.lifecycle.projections.slo_days import SLO_DAYS, slo_days_of
from services.lifecycle.projections.slo_targets import (
    SLO_TARGETS,
    SLO_TARGETS_EVENTS,
    TargetDefined,
    TargetEnded,
    services_of,
    strictest_of,
)

ENGAGEMENTS_HEAR: Final = "lifecycle.engagements"  # never change: ids of events follow from it
_PATIENCE_S: Final = 0.5  # for a read model that is about to apply what was heard here first; then it is tried again
_DAY: Final = timedelta(days=1)
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


@dataclass(frozen=True, slots=True)
class IncidentClassified:
    """What is read of an incident when it is known what kind of outage it is: its cause."""

    incident: str
    service: str
    outage_class: str
    at: datetime


_CLASSIFIED: Final = EventRegistry({"io.concordat.incidents.incident.classified.v1": IncidentClassified})


def timers(resources: Resources, policy: EngagementPolicy) -> Mapping[str, Fire]:
    """What is done when a timer is due."""
    return {
        timetable.LOOKING: partial(_look, resources, policy),
        timetable.WATCHING: partial(_compare, resources, policy),
        timetable.ITEM_DUE: partial(_remind, resources),
        READINESS_REVIEW.category: partial(_review_lapses, resources),
        WAIVER.category: partial(_waiver_ends, resources),
        RISK_REGISTER.category: partial(_acceptance_lapses, resources),
    }


def risk_reactions(resources: Resources, policy: RiskPolicy) -> Sequence[Reaction]:
    """What is done about risks when something else changes."""
    return _promises(resources, policy), _acceptances(resources, policy), _realised_risks(resources)


def _promises(resources: Resources, policy: RiskPolicy) -> Reaction:
    """An SLO has changed: see which risks can still be lived with."""

    async def act(event: TargetDefined | TargetEnded, recorded: Recorded, context: Context) -> None:
        await _applied(resources, SLO_TARGETS, recorded, "slo")
        for service in await resources.views.read(services_of, event.slo):
            promise = await resources.views.read(strictest_of, service)
            command = Reconsider(service, promise, policy, context.at)
            await resources.handler.handle(RISK_REGISTER, service, command, derived(context, service))

    return Reaction(
        name="lifecycle.promises",
        source="slo",
        events=EventRegistry(SLO_TARGETS_EVENTS),
        act={TargetDefined: act, TargetEnded: act},
    )


def _acceptances(resources: Resources, policy: RiskPolicy) -> Reaction:
    """A risk was accepted, or assessed anew: see whether the SLO has changed in that very moment."""

    async def act(event: RiskAccepted | RiskAssessed, _: Recorded, context: Context) -> None:
        promise = await resources.views.read(strictest_of, event.service)
        command = Reconsider(event.service, promise, policy, context.at)
        await resources.handler.handle(RISK_REGISTER, event.service, command, context)

    return Reaction(
        name="lifecycle.acceptances", source="lifecycle", events=CONTRACT, act={RiskAccepted: act, RiskAssessed: act}
    )


def _realised_risks(resources: Resources) -> Reaction:
    """An incident was classified: it counts for the risks of its service that bear its cause."""

    async def act(event: IncidentClassified, _: Recorded, context: Context) -> None:
        command = Recognise(event.service, event.incident, event.outage_class, context.metadata.actor, event.at)
        await resources.handler.handle(RISK_REGISTER, event.service, command, context)

    return Reaction(
        name="lifecycle.realised-risks",
        source="incidents",
        events=_CLASSIFIED,
        act={IncidentClassified: act},
    )


def reactions(resources: Resources, policy: EngagementPolicy) -> Sequence[Reaction]:
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
    hear = _Hearing(resources, policy)
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
        Reaction(ENGAGEMENTS_HEAR, "incidents", _CLASSIFIED, {IncidentClassified: hear.classified}),
        Reaction(ENGAGEMENTS_HEAR, "lifecycle", CONTRACT, {HandedBack: hear.handed_back}),
    )


@dataclass(frozen=True)
class _Hearing:
    """What engagements hear, and what they open because of it."""

    resources: Resources
    policy: EngagementPolicy

    async def assessed(self, event: Assessed, recorded: Recorded, context: Context) -> None:
        """A budget that will be spent soon is an insight of SRE's for the product."""
        state = await _engagement_of(self.resources, event.service)
        if state is None or event.error_budget_remaining is None:
            return
        await _applied(self.resources, SLO_DAYS, recorded, "slo")
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
            evidence=(Evidence(str(recorded.event_id), f"/v1/slos/{event.slo}/forecast"),),
        )
        await _open(self.resources, state, "insight", f"budget_forecast/{event.slo}", content, context)

    async def recovered(self, event: Recovered, recorded: Recorded, context: Context) -> None:
        """An SLO that is met again is a win."""
        state = await _engagement_of(self.resources, event.service)
        if state is None:
            return
        content = Content(
            title=f"{event.slo} is within its budget again",
            topic="slo_regained",
            services=(event.service,),
            evidence=(Evidence(str(recorded.event_id), f"/v1/slos/{event.slo}/status"),),
        )
        await _open(self.resources, state, "win", f"slo_regained/{event.slo}", content, context)

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
        state, cause = await _engagement_of(self.resources, event.service), event.outage_class
        if state is None:
            return
        await _applied(self.resources, HAPPENINGS, recorded, "incidents")
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
        await _open(self.resources, state, "insight", f"repeated_cause/{event.service}/{cause}", content, context)

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
            evidence=(Evidence(str(recorded.event_id), path),),
        )
        await _open(self.resources, state, "win", f"checklist_finished/{recorded.event_id}", content, context)

    async def _adjust(self, service: str, topic: str, text: str, recorded: Recorded, context: Context) -> None:
        state = await _engagement_of(self.resources, service)
        if state is None:
            return
        content = Content(
            title=self.policy.adjustments[topic],
            text=text,
            topic=topic,
            services=(service,),
            evidence=(Evidence(str(recorded.event_id), f"/v1/services/{service}/error-budget"),),
        )
        await _open(self.resources, state, "adjustment", f"{topic}/{service}", content, context)

    async def _end(self, service: str, topic: str, reason: str, context: Context) -> None:
        state = await _engagement_of(self.resources, service)
        if state is None:
            return
        key = await _key(self.resources, state, "adjustment", f"{topic}/{service}")
        item = (await self.resources.handler.load(ENGAGEMENT_ITEM, key)).state
        if item is not None and item.allowed:
            said = _said(key, state.engagement, context)
            await _say(self.resources, Go(**said, kind="adjustment", verb="end", reason=reason), context)


async def _look(resources: Resources, policy: EngagementPolicy, timer: Timer, context: Context) -> None:
    """Say what is overdue and which ground rules are broken, and propose a win; look again a day later."""
    engagement = timetable.key_of(timer)
    state = (await resources.handler.load(ENGAGEMENT, engagement)).state
    if state is None or not state.works:
        return
    measured = await resources.views.read(measured_for, state, context.at, frozenset(policy.severe))
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
    if not quarters:
        return
    until = since + quarters * quiet
    content = Content(
        title=f"no severe incident from {(until - quiet).date()} to {until.date()}",
        topic="quiet_quarter",
        services=state.services,
        evidence=tuple(Evidence("", f"/v1/incidents?service={service}") for service in state.services),
    )
    await _open(resources, state, "win", f"quiet_quarter/{until.date()}", content, context)


async def _compare(resources: Resources, policy: EngagementPolicy, timer: Timer, context: Context) -> None:
    """Keep how the time after a hand-back compares with the time before."""
    engagement = timetable.key_of(timer)
    state = (await resources.handler.load(ENGAGEMENT, engagement)).state
    if state is None or state.watch is None or context.at < state.watch.until:
        return
    figures = await resources.views.read(before_and_after, state.watch, severe=frozenset(policy.severe))
    command = EndWatch(engagement=engagement, by=context.metadata.actor, at=context.at, figures=figures)
    await resources.handler.handle(ENGAGEMENT, engagement, command, context)


async def _remind(resources: Resources, timer: Timer, context: Context) -> None:
    """Say that an item is overdue, if it is."""
    key = timetable.key_of(timer)
    item = (await resources.handler.load(ENGAGEMENT_ITEM, key)).state
    if item is not None:
        said = _said(key, item.engagement, context)
        await resources.handler.handle(ENGAGEMENT_ITEM, key, Remind(**said, kind=item.kind), context)


async def _review_lapses(resources: Resources, timer: Timer, context: Context) -> None:
    """An approval, the day of a condition, or a waiver has come to its end."""
    review = timetable.key_of(timer)
    await resources.handler.handle(READINESS_REVIEW, review, Lapse(review, context.at), context)


async def _acceptance_lapses(resources: Resources, timer: Timer, context: Context) -> None:
    """The time of an accepted risk is over."""
    service = timetable.key_of(timer)
    await resources.handler.handle(RISK_REGISTER, service, EndAcceptances(service, context.at), context)


async def _engagement_of(resources: Resources, service: str) -> Engagement | None:
    """The active engagement of *service*."""
    state = (await resources.handler.load(SERVICE, service)).state
    if state is None or state.profile.engaged is None:
        return None
    return (await resources.handler.load(ENGAGEMENT, state.profile.engaged.engagement)).state


async def _open(
    resources: Resources, state: Engagement, kind: Kind, cause: str, content: Content, context: Context
) -> None:
    key = await _key(resources, state, kind, cause)
    said = _said(key, state.engagement, context)
    await _say(resources, Open(**said, kind=kind, content=content, cause=cause), context)


async def _key(resources: Resources, state: Engagement, kind: Kind, cause: str) -> str:
    """The id of the item of this cause that goes on, or of the next one."""
    items = await resources.views.read(items_of, state.engagement)
    over = sum(item.kind == kind and item.cause == cause and not item.goes_on for item in items)
    return str(reaction_id(UUID(state.engagement), f"{kind}/{cause}", over))


def _said(item: str, engagement: str, context: Context) -> dict[str, Any]:
    return {"item": item, "engagement": engagement, "by": context.metadata.actor, "at": context.at}


async def _say(resources: Resources, command: Command, context: Context) -> None:
    """Carry out *command* with event ids of its own: one cause may lead to several commands."""
    own = derived(context, f"{type(command).__name__}/{command.item}")
    await resources.handler.handle(ENGAGEMENT_ITEM, command.item, command, own, effects=timetable.reminding)


async def _applied(resources: Resources, projection: Projection, recorded: Recorded, service: str) -> None:
    """Return once *projection* shows what *recorded* says; the event is heard again later if that takes long."""
    heard = (await resources.views.applied(projection.name)).get(service)
    partition = partition_of(recorded.stream, EVENT_PARTITIONS)
    epoch = heard.epoch if heard else ""
    if not await resources.views.wait_applied(
        projection.name, service, epoch, partition, recorded.position, _PATIENCE_S
    ):
        message = f"{projection.name} has not applied position {recorded.position} of {service} yet"
        raise StoreUnavailableError(message)


async def _waiver_ends(resources: Resources, timer: Timer, context: Context) -> None:
    """The time of a waiver is up: its check counts again, and another waiver may be asked for."""
    waiver = timetable.key_of(timer)
    await resources.handler.handle(WAIVER, waiver, Expire(waiver, context.at), context, effects=timetable.waiving)


def derived(context: Context, step: str) -> Context:
    """The circumstances of one more command of the same cause, whose events have ids of their own."""
    source = context.event_id(0)
    return Context(context.at, context.metadata, lambda index: reaction_id(source, step, index))
