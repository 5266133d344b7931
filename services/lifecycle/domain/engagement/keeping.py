"""What an engagement keeps to: its series of gatherings, its ground rules, and what is done when they are broken."""

from collections.abc import Iterator
from datetime import timedelta

from services.lifecycle.domain.engagement.commands import (
    Activate,
    Answer,
    Cadence,
    CloseBreach,
    EndSeries,
    Hold,
    Look,
    SetSeries,
    TakeOver,
)
from services.lifecycle.domain.engagement.errors import (
    IncompleteError,
    NotASpeakerError,
)
from services.lifecycle.domain.engagement.events import (
    BreachAnswered,
    BreachClosed,
    Event,
    GatheringHeld,
    GatheringOverdue,
    GroundRuleBreached,
    SeriesEnded,
    SeriesSet,
)
from services.lifecycle.domain.engagement.rights import require_standing, said_of
from services.lifecycle.domain.engagement.state import (
    Engagement,
    Series,
)
from services.lifecycle.domain.errors import UnknownError

_DAY = timedelta(days=1)


def series_changed(command: SetSeries | EndSeries | Hold, state: Engagement) -> tuple[Event, ...]:
    """How often people meet, and that they have met."""
    match command:
        case SetSeries():
            require_standing(state, "meet", "accepted", "active", "handback_pending")
            held = state.series.get(command.cadence.series)
            new, same = command.cadence, held and (held.kind, held.title, held.every_days, held.source)
            if same == (new.kind, new.title, new.every_days, new.source):
                return ()
            return (series_set(command, new, held),)
        case EndSeries():
            held = state.series.get(command.series)
            if held is not None and held.kind != "meeting":
                raise IncompleteError([("/series", f"{held.title} is a ground rule of every engagement")])
            return () if held is None else (SeriesEnded(**said_of(command), series=command.series),)
        case Hold():
            held = state.series.get(command.series)
            if held is None:
                return ()
            due = command.at + timedelta(days=held.every_days)
            return (GatheringHeld(**said_of(command), series=held.series, gathering=command.gathering, due=due),)


def series_set(command: Activate | SetSeries | TakeOver, cadence: Cadence, held: Series | None = None) -> SeriesSet:
    """A series, and when it is due next."""
    since = held.held[-1] if held and held.held else command.at
    return SeriesSet(
        **said_of(command),
        series=cadence.series,
        kind=cadence.kind,
        title=cadence.title,
        every_days=cadence.every_days,
        source=cadence.source,
        due=max(since + cadence.every, command.at),
    )


def kept_series(state: Engagement, besides: tuple[Cadence, ...]) -> Iterator[Cadence]:
    """The series of an earlier time, which begin anew."""
    new = {cadence.series for cadence in besides}
    for each in state.series.values():
        if each.series not in new:
            yield Cadence(each.series, each.kind, each.title, each.every_days, each.source)


def seen(command: Look, state: Engagement) -> Iterator[Event]:
    """What a look at the ground rules, and at what is overdue, brings to light."""
    number = len(state.breaches)
    for series in state.series.values():
        if series.next_look > command.at:
            continue
        every = timedelta(days=series.every_days)
        again = series.next_look + every * (1 + (command.at - series.next_look) // every)
        yield GatheringOverdue(
            **said_of(command), series=series.series, kind=series.kind, was_due=series.due, again=again
        )
        if series.kind != "meeting":
            number += 1
            yield GroundRuleBreached(
                **said_of(command),
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
            **said_of(command),
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


def breach_answered(command: Answer | CloseBreach, state: Engagement) -> tuple[Event, ...]:
    """What is done about a broken ground rule."""
    breach = state.breach(command.breach)
    if breach is None:
        raise UnknownError("breach", command.breach)
    if isinstance(command, CloseBreach):
        if breach.closed is not None:
            return ()
        return (BreachClosed(**said_of(command), breach=breach.key, outcome=command.outcome),)
    if breach.closed is not None:
        raise IncompleteError([("/breach", f"{breach.key} is closed; the next breach can be answered")])
    if not command.is_person:
        raise NotASpeakerError(command.by, "the engagement", ())
    if command.step == "named_engineers" and not command.engineers:
        raise IncompleteError([("/engineers", "name the engineers who work on it")])
    if breach.answers and (breach.answers[-1].step, breach.answers[-1].engineers) == (command.step, command.engineers):
        return ()
    return (BreachAnswered(**said_of(command), breach=breach.key, step=command.step, engineers=command.engineers),)
