"""An engagement after one more fact."""

from dataclasses import replace

from services.lifecycle.domain.engagement.charter import (
    Acknowledged,
    Edition,
)
from services.lifecycle.domain.engagement.events import (
    BreachAnswered,
    BreachClosed,
    DefinitionsProposed,
    EditionAcknowledged,
    EngagementAccepted,
    EngagementActivated,
    EngagementDeclined,
    EngagementEnded,
    EngagementRequested,
    EngagementTeamChanged,
    Event,
    GatheringHeld,
    GatheringOverdue,
    GoalsProposed,
    GroundRuleBreached,
    GroundRulesProposed,
    HandbackGivenUp,
    HandbackItemSettled,
    HandbackStarted,
    HandedBack,
    ModelChanged,
    PrioritiesProposed,
    SeriesEnded,
    SeriesSet,
    ServiceJoined,
    ServiceLeft,
    WatchEnded,
    WorkingAgreementsProposed,
)
from services.lifecycle.domain.engagement.state import (
    Breach,
    Engagement,
    Handover,
    Series,
    Settled,
    Stay,
    Watch,
)


def evolve(state: Engagement | None, event: Event) -> Engagement | None:  # noqa: C901, PLR0911, PLR0912  a table
    """The engagement after one more fact."""
    if isinstance(event, EngagementRequested):
        stay = Stay("requested", event.model, event.at, event.by, event.reason)
        teams = event.sre_team, event.dev_team
        return Engagement(event.engagement, *teams, event.services, event.trackers, (stay,))
    if state is None:
        return None
    match event:
        case EngagementAccepted():
            return state.moved("accepted", event.at, event.by, event.reason)
        case EngagementDeclined():
            declined = state.moved("declined", event.at, event.by, event.reason)
            return replace(declined, instead=event.instead, guidance=event.guidance)
        case EngagementActivated():
            active = state.moved("active", event.at, event.by, event.reason, event.model)
            return replace(active, handover=None, re_entry=(), watch=None)
        case ModelChanged():
            return state.moved("active", event.at, event.by, event.reason, event.to_model)
        case ServiceJoined():
            return replace(state, services=(*state.services, event.service))
        case ServiceLeft():
            return replace(state, services=tuple(each for each in state.services if each != event.service))
        case EngagementTeamChanged():
            return state.with_team(event.side, event.to_team)
        case PrioritiesProposed():
            return state.with_chapter("priorities", _edition(event))
        case GoalsProposed():
            return state.with_chapter("goals", _edition(event))
        case DefinitionsProposed():
            return state.with_chapter("definitions", _edition(event))
        case GroundRulesProposed():
            return state.with_chapter("ground_rules", _edition(event))
        case WorkingAgreementsProposed():
            return state.with_chapter("working_agreements", _edition(event))
        case EditionAcknowledged():
            agreed = state.chapter(event.part).agreed(Acknowledged(event.side, event.by, event.at))
            return replace(state, charter={**state.charter, event.part: agreed})
        case SeriesSet():
            before = state.series.get(event.series)
            series = Series(event.series, event.kind, event.title, event.every_days, event.source, event.due)
            kept = replace(series, held=before.held, missed=before.missed) if before else series
            return replace(state, series={**state.series, event.series: kept})
        case SeriesEnded():
            return replace(state, series={name: each for name, each in state.series.items() if name != event.series})
        case GatheringHeld() | GatheringOverdue():
            return _series_moved(state, event)
        case GroundRuleBreached():
            return replace(state, breaches=(*state.breaches, Breach(event)))
        case BreachAnswered() | BreachClosed():
            return replace(state, breaches=tuple(_breach_moved(each, event) for each in state.breaches))
        case HandbackStarted():
            pending = state.moved("handback_pending", event.at, event.by, event.reason)
            return replace(pending, handover=Handover(event.receiver, event.items, event.at))
        case HandbackItemSettled():
            return _item_settled(state, event)
        case HandbackGivenUp():
            return replace(state.moved("active", event.at, event.by, event.reason), handover=None)
        case HandedBack():
            back = state.moved("handed_back", event.at, event.by, event.reason)
            return replace(back, re_entry=event.re_entry, watch=Watch(event.at, event.watched_until, event.services))
        case EngagementEnded():
            watch = state.watch or Watch(event.at, event.watched_until, event.services)
            ended = state.moved("disengaged", event.at, event.by, event.reason)
            return replace(ended, ending=event.ending, watch=watch if watch.until > watch.since else None)
        case WatchEnded():
            return replace(state, watch=replace(state.watch, figures=event.figures) if state.watch else None)


def _edition(
    event: PrioritiesProposed | GoalsProposed | DefinitionsProposed | GroundRulesProposed | WorkingAgreementsProposed,
) -> Edition:
    return Edition(event.version, tuple(event.entries), event.by, event.at)


def _series_moved(state: Engagement, event: GatheringHeld | GatheringOverdue) -> Engagement:
    series = state.series.get(event.series)
    if series is None:
        return state
    if isinstance(event, GatheringHeld):
        moved = replace(series, due=event.due, held=(*series.held, event.at), looked_until=None)
    else:
        moved = replace(series, missed=series.missed + 1, looked_until=event.again)
    return replace(state, series={**state.series, event.series: moved})


def _breach_moved(breach: Breach, event: BreachAnswered | BreachClosed) -> Breach:
    if breach.key != event.breach:
        return breach
    if isinstance(event, BreachAnswered):
        return replace(breach, answers=(*breach.answers, event))
    return replace(breach, closed=event)


def _item_settled(state: Engagement, event: HandbackItemSettled) -> Engagement:
    if state.handover is None:
        return state
    settled = Settled(event.applies, event.evidence, event.reason, event.by, event.at)
    return replace(state, handover=replace(state.handover, settled={**state.handover.settled, event.item: settled}))
