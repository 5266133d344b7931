"""An escalation's rules: who is called is found out by who asks; here stands when it still may be.

climbing > held (acknowledged) > climbing, when the acknowledgement is forgotten; paused > climbing; spent when all
steps are taken; ended with the incident, held again when that is reopened. A step is taken when its time has come, or
nothing of the last one arrives, or a further alert comes when all are taken. Another severity is another plan: it goes
on there behind what was taken, and a further side is called at once, by one step after the other until one arrives.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from services.incidents.domain.errors import AbsentError
from services.incidents.domain.escalation.climbing import Climbed
from services.incidents.domain.escalation.commands import (
    Begin,
    CallFurther,
    Climb,
    Command,
    CorrectClock,
    End,
    Hold,
    NoteUndelivered,
    Pause,
    RatePage,
    Reassure,
    Replan,
    TellResponder,
)
from services.incidents.domain.escalation.errors import NotCalledError
from services.incidents.domain.escalation.events import (
    Called,
    EscalationBegun,
    EscalationClockCorrected,
    EscalationEnded,
    EscalationExhausted,
    EscalationHeld,
    EscalationPaused,
    EscalationReplanned,
    EscalationUnassigned,
    Event,
    PageRated,
    PageSent,
    PageUndelivered,
    ResponderTold,
    SideCalled,
    StepTaken,
)
from services.incidents.domain.escalation.state import (
    Climbing,
    Ended,
    Escalation,
    Held,
    Known,
    Paused,
    Record,
    Spent,
    evolve,
)

__all__ = ["decide", "evolve"]

CLOCKS_DIFFER: Final = timedelta(seconds=10)  # so much between two machines is no clock that was set back


def decide(command: Command, state: Escalation) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  one line per pair
    """The facts *command* produces; none if it was already carried out, or comes too late.

    Raises:
        AbsentError: The incident calls nobody.
        NotCalledError: Who rates a page is not who was called.
    """
    match state, command:
        case None, Begin(begun=begun, first=first):
            return (begun, *_first(Record(begun), first))
        case None, Hold() | Reassure() | End():
            return ()
        case None, _:
            raise AbsentError("escalation", "/v1/escalations")
        case _, Begin():
            return ()
        case ((Climbing() | Held() | Paused() | Spent()), Replan(begun=begun)) if begun != state.record.begun:
            replanned = EscalationReplanned(incident=begun.incident, begun=begun, at=command.at)
            return (replanned, *_first(replace(state.record, begun=begun), command.first))
        case Climbing(), Climb():
            return _climbed(state.record, command)
        case ((Held() | Paused()), Climb()) | (Spent(), Climb(cause="further-alert")):
            return _climbed(replace(state.record, unassigned=False), command)
        case ((Climbing() | Held()), CallFurther(called=called)):
            return _first(state.record, called)
        case _, Hold():  # also of one that was over, and is reopened
            return _held(state, command, command.by)
        case ((Climbing() | Held() | Paused() | Spent()), Reassure()):
            return _held(state, command, state.by if isinstance(state, Held) else command.by)
        case Paused(due=due), Pause(until=until) if due == until:
            return ()
        case ((Climbing() | Held() | Paused() | Spent()), Pause()):
            it = state.record.begun.incident
            return (EscalationPaused(incident=it, by=command.by, until=command.until, at=command.at),)
        case ((Climbing() | Held() | Paused() | Spent()), End()):
            it = state.record.begun.incident
            return (EscalationEnded(incident=it, by=command.by, why=command.reason, at=command.at),)
        case ((Climbing() | Held()), NoteUndelivered()) if command.notification in _awaited(state):
            return (_undelivered(state.record, command),)
        case ((Held() | Ended()), TellResponder()) if isinstance(state, Ended) or command.person == state.by:
            return (_told(state.record, command),)
        case ((Climbing() | Held() | Paused()), CorrectClock()):
            return _corrected(state, command)
        case _, RatePage():
            return _rated(state.record, command)
        case _:
            return ()


def _first(record: Record, first: Climb | SideCalled | None) -> tuple[Event, ...]:
    match first:
        case Climb():
            return _climbed(record, first)
        case SideCalled():
            return (first, *_pages(record.begun, first.people, first.at))
        case None:
            return ()


def _climbed(record: Record, command: Climb) -> tuple[Event, ...]:
    """The step, a page per person that it calls, and what follows where it calls nobody or was the last."""
    it, to = record.begun, command.climbed
    over = to.due is None
    events: list[Event] = []
    if to.people or to.passed or not over:
        events.append(_step(record, command, to))
    events += [command.beside] if command.beside else []
    people = (*to.people, *(command.beside.people if command.beside else ()))
    events += [] if it.quiet else _pages(it, people, command.at)
    if to.fruitless and not record.unassigned:
        why = "; ".join(dict.fromkeys(each.why for each in to.passed)) or it.why
        events.append(EscalationUnassigned(**_names(it), team=it.team, why=why, told=command.told, at=command.at))
    if over and not it.quiet:
        called = tuple(dict.fromkeys(each.person for each in (*record.called, *people)))
        events.append(EscalationExhausted(**_names(it), team=it.team, called=called, at=command.at))
    return tuple(events)


def _pages(it: EscalationBegun, people: Sequence[Called], at: datetime) -> list[Event]:
    return [
        PageSent(
            **_names(it),
            page=each.page,
            person=each.person,
            side=each.side,
            policy=each.policy,
            step=each.step,
            schedule=each.schedule,
            shift=each.shift,
            at=at,
            rule=it.rule,
        )
        for each in people
    ]


def _names(it: EscalationBegun) -> dict[str, Any]:
    return {"incident": it.incident, "number": it.number, "service": it.service, "severity": it.severity}


def _step(record: Record, command: Climb, to: Climbed) -> StepTaken:
    return StepTaken(
        incident=record.begun.incident,
        service=record.begun.service,
        round=to.round,
        step=to.step,
        cause=command.cause,
        people=to.people,
        passed=to.passed,
        notifications=tuple(one for each in to.people for one in command.notifications.get(each.person, ())),
        next_round=to.next_round,
        next_step=to.next_step,
        due=to.due,
        at=command.at,
    )


def _held(state: Known, command: Hold | Reassure, by: str) -> tuple[Event, ...]:
    begun = state.record.begun
    until = command.at + begun.acknowledgement_timeout if begun.acknowledgement_timeout else None
    if isinstance(state, Climbing) and until and state.record.last and until <= state.record.last:
        return ()  # forgotten before it was heard of, and called for since
    if isinstance(state, Held) and state.by == by and (until is None or (state.due and until <= state.due)):
        return ()
    return (EscalationHeld(incident=begun.incident, by=by, until=until, at=command.at),)


def _awaited(state: Climbing | Held) -> tuple[str, ...]:
    further = state.record.further.notifications if state.record.further else ()
    return (*state.live, *further) if isinstance(state, Climbing) else further


def _undelivered(record: Record, command: NoteUndelivered) -> PageUndelivered:
    return PageUndelivered(
        incident=record.begun.incident,
        notification=command.notification,
        person=command.person,
        detail=command.detail,
        at=command.at,
    )


def _told(record: Record, command: TellResponder) -> ResponderTold:
    return ResponderTold(
        incident=record.begun.incident,
        person=command.person,
        alerts=command.alerts,
        notifications=command.notifications,
        at=command.at,
    )


def _corrected(state: Climbing | Held | Paused, command: CorrectClock) -> tuple[Event, ...]:
    """Nothing waits longer than it would have when it last moved."""
    last = state.record.last or state.record.begun.at
    if state.due is None or last <= command.at + CLOCKS_DIFFER:
        return ()
    due = command.at + max(state.due - last, timedelta(0))
    return (EscalationClockCorrected(incident=state.record.begun.incident, due=due, at=command.at),)


def _rated(record: Record, command: RatePage) -> tuple[Event, ...]:
    call = next((each for each in record.called if each.page == command.page), None)
    if call is None:
        raise AbsentError("page", "/v1/notifications")
    if call.person != command.by:
        raise NotCalledError(call.person)
    if (command.page, command.rating) in record.ratings:
        return ()
    return (
        PageRated(
            page=command.page,
            incident=record.begun.incident,
            service=record.begun.service,
            team=record.begun.team,
            rule=record.begun.rule or "declared by people",
            person=command.by,
            rating=command.rating,
            reason=command.reason,
            at=command.at,
        ),
    )
