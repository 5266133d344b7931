"""An engagement's rules. Which verb leads on from where is the table in `state.py`; who may say so is here."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from services.lifecycle.domain.engagement.charter import (
    SIDES,
    Acknowledged,
    Definition,
    Edition,
    Entry,
    Goal,
    GroundRule,
    Part,
    Priority,
    Side,
    WorkingAgreement,
    validate,
)
from services.lifecycle.domain.engagement.commands import (
    Accept,
    Acknowledge,
    Activate,
    Answer,
    Cadence,
    ChangeModel,
    CloseBreach,
    Command,
    Decline,
    Disengage,
    EndSeries,
    EndWatch,
    FollowTeam,
    HandBack,
    Hold,
    Join,
    Leave,
    Look,
    Propose,
    Request,
    SetSeries,
    Settle,
    StartHandback,
    TakeOver,
)
from services.lifecycle.domain.engagement.errors import (
    BothSidesError,
    ChecklistOpenError,
    EditionSupersededError,
    EngagementStateError,
    IncompleteError,
    NotASpeakerError,
    TooEarlyError,
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
from services.lifecycle.domain.engagement.rights import require_speaker
from services.lifecycle.domain.engagement.state import (
    VERBS,
    Breach,
    Engagement,
    Handover,
    Series,
    Settled,
    Standing,
    Stay,
    Watch,
)
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError

_DAY = timedelta(days=1)
T = TypeVar("T")


def decide(command: Command, state: Engagement | None) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  a table
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py`).
    """
    if isinstance(command, Request):
        return _requested(command, state)
    if isinstance(command, TakeOver):
        return () if state is not None else tuple(_taken_over(command))
    if state is None:
        raise UnknownError("engagement", command.engagement)
    match command:
        case Accept() | Decline():
            return _triaged(command, state)
        case Activate():
            return _activated(command, state)
        case ChangeModel():
            return _model_changed(command, state)
        case Join() | Leave():
            return _services_changed(command, state)
        case FollowTeam():
            return tuple(_followed(command, state))
        case Propose():
            return _proposed(command, state)
        case Acknowledge():
            return _acknowledged(command, state)
        case SetSeries() | EndSeries() | Hold():
            return _series_changed(command, state)
        case Look():
            return tuple(_seen(command, state)) if state.works else ()
        case Answer() | CloseBreach():
            return _breach_answered(command, state)
        case StartHandback():
            return _handback_started(command, state)
        case Settle():
            return _settled(command, state)
        case HandBack():
            return _handed_back(command, state)
        case Disengage():
            return _ended(command, state)
        case EndWatch():
            if state.watch is None or state.watch.figures is not None:
                return ()
            return (WatchEnded(**_said(command), since=state.watch.since, figures=command.figures),)


def _requested(command: Request, state: Engagement | None) -> tuple[Event, ...]:
    if state is not None:
        raise RecordedOtherwiseError("engagement", command.engagement)
    return (
        EngagementRequested(
            **_said(command),
            sre_team=command.sre_team,
            dev_team=command.dev_team,
            services=command.services,
            model=command.model,
            trackers=command.trackers,
        ),
    )


def _triaged(command: Accept | Decline, state: Engagement) -> tuple[Event, ...]:
    wanted: Standing = "accepted" if isinstance(command, Accept) else "declined"
    if state.standing == wanted:
        return ()
    _from(state, "triage", "requested")
    require_speaker(command.speaker)
    if isinstance(command, Accept):
        return (EngagementAccepted(**_said(command)),)
    return (EngagementDeclined(**_said(command), instead=command.instead, guidance=command.guidance),)


def _activated(command: Activate, state: Engagement) -> tuple[Event, ...]:
    model = command.model or state.model
    if state.standing == "active":
        if model != state.model:
            raise EngagementStateError("activate", "active", VERBS["active"])
        return ()
    _from(state, "activate", "accepted", "handback_pending", "handed_back")
    if state.standing == "handback_pending":
        return (HandbackGivenUp(**_said(command)),)
    if not state.services:
        raise IncompleteError([("/services", "no service is left; add one first")])
    return (
        EngagementActivated(
            **_said(command),
            sre_team=state.sre_team,
            dev_team=state.dev_team,
            services=state.services,
            model=model,
            reviews=command.reviews,
        ),
        *(_series_set(command, cadence) for cadence in (*command.series, *_kept_series(state, command.series))),
    )


def _kept_series(state: Engagement, besides: tuple[Cadence, ...]) -> Iterator[Cadence]:
    """The series of an earlier time, which begin anew."""
    new = {cadence.series for cadence in besides}
    for each in state.series.values():
        if each.series not in new:
            yield Cadence(each.series, each.kind, each.title, each.every_days, each.source)


def _model_changed(command: ChangeModel, state: Engagement) -> tuple[Event, ...]:
    _from(state, "change-model", "active")
    if command.model == state.model:
        return ()
    return (ModelChanged(**_said(command), from_model=state.model, to_model=command.model),)


def _services_changed(command: Join | Leave, state: Engagement) -> tuple[Event, ...]:
    if isinstance(command, Leave):
        _from(state, "services", "requested", "accepted", "active", "handback_pending", "handed_back")
        return tuple(_left(command, [each for each in state.services if each in command.services]))
    _from(state, "services", "requested", "accepted", "active")
    if command.service in state.services:
        return ()
    return (ServiceJoined(**_said(command), service=command.service, review=command.review),)


def _left(command: Leave, services: Iterable[str]) -> Iterator[ServiceLeft]:
    return (ServiceLeft(**_said(command), service=service) for service in services)


def _followed(command: FollowTeam, state: Engagement) -> Iterator[EngagementTeamChanged]:
    if state.standing in {"declined", "disengaged"}:
        return
    for side in SIDES:
        if state.team(side) == command.team:
            yield EngagementTeamChanged(**_said(command), side=side, from_team=command.team, to_team=command.into)


def _taken_over(command: TakeOver) -> Iterator[Event]:
    said = _said(command)
    teams: dict[str, Any] = {"sre_team": command.sre_team, "dev_team": command.dev_team, "services": command.services}
    yield EngagementRequested(**said, **teams, model=command.model, trackers=command.trackers)
    if command.standing == "requested":
        return
    yield EngagementAccepted(**said)
    if command.standing != "accepted":
        yield EngagementActivated(**said, **teams, model=command.model)
    yield from (_edition_of(part, 1, entries, said) for part, entries in command.charter.items())
    yield from (_series_set(command, cadence) for cadence in command.series)


def _proposed(command: Propose, state: Engagement) -> tuple[Event, ...]:
    _from(state, "propose", "requested", "accepted", "active", "handback_pending")
    validate(command.part, command.entries, command.metrics)
    newest = state.chapter(command.part).newest
    if newest is not None and newest.entries == command.entries:
        return ()
    return (_edition_of(command.part, newest.version + 1 if newest else 1, command.entries, _said(command)),)


def _edition_of(part: Part, version: int, entries: tuple[Entry, ...], said: dict[str, Any]) -> Event:
    match part:
        case "priorities":
            return PrioritiesProposed(**said, version=version, entries=_of(Priority, entries))
        case "goals":
            return GoalsProposed(**said, version=version, entries=_of(Goal, entries))
        case "definitions":
            return DefinitionsProposed(**said, version=version, entries=_of(Definition, entries))
        case "ground_rules":
            return GroundRulesProposed(**said, version=version, entries=_of(GroundRule, entries))
        case "working_agreements":
            return WorkingAgreementsProposed(**said, version=version, entries=_of(WorkingAgreement, entries))


def _acknowledged(command: Acknowledge, state: Engagement) -> tuple[Event, ...]:
    _from(state, "acknowledge", "requested", "accepted", "active", "handback_pending")
    newest = state.chapter(command.part).newest
    if newest is None or newest.version != command.version:
        raise EditionSupersededError(command.part, command.version, newest.version if newest else 0)
    require_speaker(command.speaker)
    if any(each.side == command.side for each in newest.acknowledged):
        return ()
    if any(each.by == command.by for each in newest.acknowledged):
        raise BothSidesError(command.by)
    missing: tuple[Side, ...] = tuple(side for side in newest.missing if side != command.side)
    return (
        EditionAcknowledged(
            **_said(command), part=command.part, version=command.version, side=command.side, missing=missing
        ),
    )


def _series_changed(command: SetSeries | EndSeries | Hold, state: Engagement) -> tuple[Event, ...]:
    match command:
        case SetSeries():
            _from(state, "meet", "accepted", "active", "handback_pending")
            held = state.series.get(command.cadence.series)
            new, same = command.cadence, held and (held.kind, held.title, held.every_days, held.source)
            if same == (new.kind, new.title, new.every_days, new.source):
                return ()
            return (_series_set(command, new, held),)
        case EndSeries():
            held = state.series.get(command.series)
            if held is not None and held.kind != "meeting":
                raise IncompleteError([("/series", f"{held.title} is a ground rule of every engagement")])
            return () if held is None else (SeriesEnded(**_said(command), series=command.series),)
        case Hold():
            held = state.series.get(command.series)
            if held is None:
                return ()
            due = command.at + timedelta(days=held.every_days)
            return (GatheringHeld(**_said(command), series=held.series, gathering=command.gathering, due=due),)


def _series_set(command: Activate | SetSeries | TakeOver, cadence: Cadence, held: Series | None = None) -> SeriesSet:
    since = held.held[-1] if held and held.held else command.at
    return SeriesSet(
        **_said(command),
        series=cadence.series,
        kind=cadence.kind,
        title=cadence.title,
        every_days=cadence.every_days,
        source=cadence.source,
        due=max(since + cadence.every, command.at),
    )


def _seen(command: Look, state: Engagement) -> Iterator[Event]:
    number = len(state.breaches)
    for series in state.series.values():
        if series.next_look > command.at:
            continue
        every = timedelta(days=series.every_days)
        again = series.next_look + every * (1 + (command.at - series.next_look) // every)
        yield GatheringOverdue(
            **_said(command), series=series.series, kind=series.kind, was_due=series.due, again=again
        )
        if series.kind != "meeting":
            number += 1
            yield GroundRuleBreached(
                **_said(command),
                breach=f"{series.series}-{number}",
                rule=series.series,
                metric="days_between",
                limit=series.every_days,
                value=(command.at - series.due) / _DAY + series.every_days,
                window_days=series.every_days,
                action=f"hold the {series.title.lower()}, or say why not",
                owner=f"the leads of {state.dev_team} and {state.sre_team}",
            )
    values = {each.rule: each for each in command.measured}
    for rule in state.rules:
        measured = values.get(rule.id)
        if measured is None or measured.value is None or rule.kept(measured.value):
            continue
        if state.told_lately(rule.id, timedelta(days=rule.window_days), command.at):
            continue
        number += 1
        yield GroundRuleBreached(
            **_said(command),
            breach=f"{rule.id}-{number}",
            rule=rule.id,
            metric=rule.metric,
            limit=rule.limit,
            value=measured.value,
            window_days=rule.window_days,
            action=rule.action,
            owner=rule.owner,
            evidence=measured.evidence,
        )


def _breach_answered(command: Answer | CloseBreach, state: Engagement) -> tuple[Event, ...]:
    breach = state.breach(command.breach)
    if breach is None:
        raise UnknownError("breach", command.breach)
    if isinstance(command, CloseBreach):
        if breach.closed is not None:
            return ()
        return (BreachClosed(**_said(command), breach=breach.key, outcome=command.outcome),)
    if breach.closed is not None:
        raise IncompleteError([("/breach", f"{breach.key} is closed; the next breach can be answered")])
    if not command.is_person:
        raise NotASpeakerError(command.by, "the engagement", ())
    if command.step == "named_engineers" and not command.engineers:
        raise IncompleteError([("/engineers", "name the engineers who work on it")])
    if breach.answers and (breach.answers[-1].step, breach.answers[-1].engineers) == (command.step, command.engineers):
        return ()
    return (BreachAnswered(**_said(command), breach=breach.key, step=command.step, engineers=command.engineers),)


def _handback_started(command: StartHandback, state: Engagement) -> tuple[Event, ...]:
    if state.standing == "handback_pending" and state.handover and state.handover.receiver == command.receiver:
        return ()
    _from(state, "start-handback", "active")
    return (HandbackStarted(**_said(command), receiver=command.receiver, items=command.items),)


def _settled(command: Settle, state: Engagement) -> tuple[Event, ...]:
    _from(state, "settle", "handback_pending")
    handover = state.handover
    item = next((each for each in handover.items if each.id == command.item), None) if handover else None
    if handover is None or item is None:
        raise UnknownError("item of the checklist", command.item)
    done = handover.settled.get(item.id)
    if done is not None and (done.applies, done.evidence) == (command.applies, command.evidence):
        return ()
    if command.applies and not command.evidence:
        raise IncompleteError([("/evidence", "say where it can be seen")])
    if not command.applies and not command.reason:
        raise IncompleteError([("/reason", f"say why {item.id} does not apply")])
    if command.applies and item.not_before is not None and command.at < item.not_before:
        raise TooEarlyError(item.id, item.not_before)
    if item.needs_receiver:
        require_speaker(command.speaker)
    return (HandbackItemSettled(**_said(command), item=item.id, applies=command.applies, evidence=command.evidence),)


def _handed_back(command: HandBack, state: Engagement) -> tuple[Event, ...]:
    if state.standing == "handed_back":
        return ()
    handover = _complete(state, "hand-back")
    if not command.re_entry:
        raise IncompleteError([("/re_entry", "say what would bring the SRE team back")])
    return (
        HandedBack(
            **_said(command),
            receiver=handover.receiver,
            services=state.services,
            re_entry=command.re_entry,
            watched_until=command.at + command.watch,
        ),
    )


def _ended(command: Disengage, state: Engagement) -> tuple[Event, ...]:
    if state.standing == "disengaged":
        return ()
    _from(state, "disengage", "accepted", "active", "handback_pending", "handed_back")
    receiver, watched_until = state.dev_team, command.at + command.watch
    if state.standing == "active" and not state.may_end_at_once:
        raise EngagementStateError("disengage", f"active ({state.model})", ("start-handback", "change-model"))
    if state.standing == "handback_pending":
        receiver = _complete(state, "disengage").receiver
    if state.standing == "handed_back" and state.watch is not None:
        receiver, watched_until = state.handover.receiver if state.handover else receiver, state.watch.until
    if state.standing == "accepted":
        watched_until = command.at
    return (
        EngagementEnded(
            **_said(command),
            ending=command.ending,
            receiver=receiver,
            services=state.services,
            watched_until=watched_until,
        ),
    )


def _complete(state: Engagement, verb: str) -> Handover:
    _from(state, verb, "handback_pending")
    if state.handover is None or state.handover.open_items:
        items = state.handover.open_items if state.handover else ()
        raise ChecklistOpenError([(item.id, item.text) for item in items])
    return state.handover


def _from(state: Engagement, verb: str, *standings: Standing) -> None:
    if state.standing not in standings:
        raise EngagementStateError(verb, state.standing, VERBS[state.standing])


def _said(command: Command) -> dict[str, Any]:
    return {"engagement": command.engagement, "by": command.by, "reason": command.reason, "at": command.at}


def _of(kind: type[T], entries: tuple[Entry, ...]) -> tuple[T, ...]:
    return tuple(entry for entry in entries if isinstance(entry, kind))


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
