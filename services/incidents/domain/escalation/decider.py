"""An escalation's rules: who is called is found out by who asks; here stands when it still may be.

climbing > held (acknowledged) > climbing, when the acknowledgement is forgotten; paused > climbing; spent when all
steps are taken; ended with the incident, held again when that is reopened. A step is taken when its time has come, or
nothing of the last one arrives. Another severity is another plan: it goes on there behind what was taken, and a
further side is called at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Literal

from services.incidents.domain.errors import AbsentError
from services.incidents.domain.escalation.climbing import Climbed, place_in
from services.incidents.domain.escalation.commands import (
    Begin,
    Climb,
    Command,
    CorrectClock,
    End,
    Hold,
    NoteUndelivered,
    Pause,
    RatePage,
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
    Rating,
    ResponderTold,
    SideCalled,
    StepTaken,
)

CLOCKS_DIFFER: Final = timedelta(seconds=10)  # so much between two machines is no clock that was set back


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of it, whatever its state.

    Args:
        begun: How it began.
        called: Every call so far.
        ratings: What their people said of them, by page.
        unassigned: Whether a whole pass called nobody.
        last: When it last took a step; None: never.
        beside: The calls of a further side, which nobody who takes it on makes superfluous.
    """

    begun: EscalationBegun
    called: tuple[Called, ...] = ()
    ratings: tuple[tuple[str, Rating], ...] = ()
    unassigned: bool = False
    last: datetime | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Climbing:
    """It goes on at *place* (pass, step) when it is *due*; after all steps at (0, 0).

    *live* is what may still arrive of what was *sent*; it *waits* for somebody to be on call.
    """

    name: ClassVar[Literal["climbing"]] = "climbing"

    record: Record
    place: tuple[int, int]
    due: datetime | None
    live: tuple[str, ...] = ()
    sent: bool = False
    waits: bool = False

    @property
    def lost(self) -> bool:
        """Whether nothing of what was sent at this step arrives."""
        return self.sent and not self.live


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody has it; *told* is when and of how many alerts they heard last."""

    name: ClassVar[Literal["held"]] = "held"

    record: Record
    by: str
    due: datetime | None
    told: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    """Snoozed."""

    name: ClassVar[Literal["paused"]] = "paused"

    record: Record
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Spent:
    """All steps were taken; only somebody who takes it on changes that."""

    name: ClassVar[Literal["spent"]] = "spent"

    record: Record
    due: None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The incident is over, or never was."""

    name: ClassVar[Literal["ended"]] = "ended"

    record: Record
    due: None = None


Known = Climbing | Held | Paused | Spent | Ended
Escalation = Known | None


def decide(command: Command, state: Escalation) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  one line per pair
    """The facts *command* produces; none if it was already carried out, or comes too late.

    Raises:
        AbsentError: The incident calls nobody.
        NotCalledError: Who rates a page is not who was called.
    """
    match state, command:
        case None, Begin(begun=begun, first=first):
            return (begun, *_first(Record(begun), first))
        case None, Hold() | Pause() | End():
            return ()
        case None, _:
            raise AbsentError("escalation", "/v1/escalations")
        case _, Begin():
            return ()
        case ((Climbing() | Held() | Paused() | Spent()), Replan(begun=begun)) if begun != state.record.begun:
            replanned = EscalationReplanned(incident=begun.incident, begun=begun, at=command.at)
            return (replanned, *_first(replace(state.record, begun=begun), command.first))
        case ((Climbing() | Held() | Paused()), Climb()):
            return _climbed(state.record, command)
        case _, Hold():  # also of one that was over, and is reopened
            return (_held(state.record, command),)
        case ((Climbing() | Held() | Spent()), Pause()):
            it = state.record.begun.incident
            return (EscalationPaused(incident=it, by=command.by, until=command.until, at=command.at),)
        case ((Climbing() | Held() | Paused() | Spent()), End()):
            it = state.record.begun.incident
            return (EscalationEnded(incident=it, by=command.by, why=command.reason, at=command.at),)
        case Climbing(live=live), NoteUndelivered() if command.notification in live:
            return (_undelivered(state.record, command),)
        case Held(by=by), TellResponder() if command.person == by:
            return (_told(state.record, command),)
        case ((Climbing() | Held() | Paused()), CorrectClock()):
            return _corrected(state, command)
        case _, RatePage():
            return _rated(state.record, command)
        case _:
            return ()


def evolve(state: Escalation, event: Event) -> Escalation:  # noqa: C901, PLR0911, PLR0912  one line per kind of event
    """The state after one more fact."""
    if isinstance(event, EscalationBegun):
        return Climbing(Record(event), (1, 1), None)
    if state is None:
        return None
    record = state.record
    match event:
        case StepTaken():
            stepped = replace(record, called=(*record.called, *event.people), last=event.at)
            place = event.next_round, event.next_step
            sent = event.notifications
            waits = not event.people and place == (event.round, event.step)
            return Climbing(stepped, place, event.due, live=sent, sent=bool(sent), waits=waits)
        case SideCalled():
            pages = (*record.beside, *(each.page for each in event.people))
            known = replace(state, record=replace(record, called=(*record.called, *event.people), beside=pages))
            if not isinstance(known, Climbing):
                return known
            return replace(known, live=(*known.live, *event.notifications), sent=known.sent or bool(event.people))
        case EscalationReplanned(begun=begun):
            known = replace(state, record=replace(record, begun=begun))
            if not isinstance(known, Climbing):
                return known
            return replace(known, place=place_in(begun, record.begun, known.place, waits=known.waits))
        case EscalationUnassigned():
            return replace(state, record=replace(record, unassigned=True))
        case EscalationExhausted():
            return Spent(record)
        case EscalationHeld():
            told = state.told if isinstance(state, Held) and state.by == event.by else None
            return Held(replace(record, unassigned=False), event.by, event.until, told)
        case EscalationPaused(until=until):
            return Paused(record, until)
        case EscalationEnded():
            return Ended(record)
        case PageUndelivered(notification=notification) if isinstance(state, Climbing):
            return replace(state, live=tuple(each for each in state.live if each != notification))
        case ResponderTold(at=at, alerts=alerts) if isinstance(state, Held):
            return replace(state, told=(at, alerts))
        case EscalationClockCorrected(due=due) if isinstance(state, Climbing | Held | Paused):
            return replace(state, due=due, record=replace(record, last=event.at))
        case PageRated(page=page, rating=rating):
            ratings = dict(record.ratings) | {page: rating}
            return replace(state, record=replace(record, ratings=tuple(ratings.items())))
        case _:
            return state


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
    names: dict[str, Any] = {
        "incident": it.incident,
        "number": it.number,
        "service": it.service,
        "severity": it.severity,
    }
    over = to.due is None
    events: list[Event] = []
    if to.people or to.passed or not over:
        events.append(_step(record, command, to))
    events += [command.beside] if command.beside else []
    people = (*to.people, *(command.beside.people if command.beside else ()))
    events += [] if it.quiet else _pages(it, people, command.at)
    if to.fruitless and not record.unassigned:
        why = "; ".join(dict.fromkeys(each.why for each in to.passed)) or it.why
        events.append(EscalationUnassigned(**names, team=it.team, why=why, told=command.told, at=command.at))
    if over and not it.quiet:
        called = tuple(dict.fromkeys(each.person for each in (*record.called, *people)))
        events.append(EscalationExhausted(**names, team=it.team, called=called, at=command.at))
    return tuple(events)


def _pages(it: EscalationBegun, people: Sequence[Called], at: datetime) -> list[Event]:
    return [
        PageSent(
            page=each.page,
            incident=it.incident,
            number=it.number,
            service=it.service,
            severity=it.severity,
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


def _held(record: Record, command: Hold) -> EscalationHeld:
    timeout = record.begun.acknowledgement_timeout
    until = command.at + timeout if timeout else None
    return EscalationHeld(incident=record.begun.incident, by=command.by, until=until, at=command.at)


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
