"""How an escalation stands, and how it stands after one more fact."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal

from services.incidents.domain.escalation import events as of
from services.incidents.domain.escalation.climbing import place_in


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of it, whatever its state.

    Args:
        begun: How it began.
        called: Every call so far.
        ratings: What their people said of them, by page.
        unassigned: Whether a whole pass called nobody.
        last: When it last took a step, or had none left; None: never.
        beside: The calls of a further side, which nobody who takes it on makes superfluous.
        further: What that side was sent last, as far as it may still arrive; None: nothing.
    """

    begun: of.EscalationBegun
    called: tuple[of.Called, ...] = ()
    ratings: tuple[tuple[str, of.Rating], ...] = ()
    unassigned: bool = False
    last: datetime | None = None
    beside: tuple[str, ...] = ()
    further: of.SideCalled | None = None

    @property
    def further_lost(self) -> bool:
        """Whether nothing of what the further side was sent arrives."""
        return self.further is not None and bool(self.further.people) and not self.further.notifications


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
    """Somebody has it; when nothing is heard of it until it is *due*, it is called out again."""

    name: ClassVar[Literal["held"]] = "held"

    record: Record
    by: str
    due: datetime | None


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


AT_REST: Final = timedelta(minutes=5)  # as often as who works on it hears of further alerts, and no oftener

Known = Climbing | Held | Paused | Spent | Ended
Escalation = Known | None


def due(state: Escalation, at: datetime) -> of.Cause | None:
    """Why it goes on at *at*, if its time has come."""
    if state is None or state.due is None or state.due > at:
        return None
    causes: dict[type[object], of.Cause] = {Held: "silence", Paused: "snooze-over"}
    return causes.get(type(state), "time")


def forsaken(state: Escalation, at: datetime) -> of.Cause | None:
    """Why a further alert calls everybody anew: all were called in vain, and not a moment ago."""
    if not isinstance(state, Spent) or state.record.begun.quiet:
        return None
    return "further-alert" if at - (state.record.last or state.record.begun.at) >= AT_REST else None


def undelivered(state: Escalation) -> of.Cause | None:
    """Why it goes on before its time, if nothing of the last step arrives; a further pass waits all the same."""
    return "undelivered" if isinstance(state, Climbing) and state.lost and state.place[1] > 1 else None


def evolve(state: Escalation, event: of.Event) -> Escalation:  # noqa: C901, PLR0911, PLR0912  one line per kind of event
    """The state after one more fact."""
    if isinstance(event, of.EscalationBegun):
        return Climbing(Record(event), (1, 1), None)
    if state is None:
        return None
    record = state.record
    match event:
        case of.StepTaken():
            stepped = replace(record, called=(*record.called, *event.people), last=event.at)
            if record.begun.quiet:
                return Spent(stepped)
            place = event.next_round, event.next_step
            sent = event.notifications
            waits = not event.people and place == (event.round, event.step)
            return Climbing(stepped, place, event.due, live=sent, sent=bool(sent), waits=waits)
        case of.SideCalled():
            pages = (*record.beside, *(each.page for each in event.people))
            return replace(
                state, record=replace(record, called=(*record.called, *event.people), beside=pages, further=event)
            )
        case of.EscalationReplanned(begun=begun):
            after = replace(record, begun=begun)
            if not isinstance(state, Climbing):
                return replace(state, record=after)
            return replace(state, record=after, place=place_in(begun, record.begun, state.place, waits=state.waits))
        case of.EscalationUnassigned():
            after = replace(record, unassigned=True)
            return Spent(after) if record.begun.quiet else replace(state, record=after)
        case of.EscalationExhausted():
            return Spent(replace(record, last=event.at))
        case of.EscalationHeld():
            return Held(replace(record, unassigned=False), event.by, event.until)
        case of.EscalationPaused(until=until):
            return Paused(record, until)
        case of.EscalationEnded():
            return Ended(record)
        case of.PageUndelivered(notification=lost):
            further = record.further and replace(record.further, notifications=_but(record.further.notifications, lost))
            after = replace(record, further=further)
            if not isinstance(state, Climbing):
                return replace(state, record=after)
            return replace(state, record=after, live=_but(state.live, lost))
        case of.EscalationClockCorrected(due=due) if isinstance(state, Climbing | Held | Paused):
            return replace(state, due=due, record=replace(record, last=event.at))
        case of.PageRated(page=page, rating=rating):
            ratings = dict(record.ratings) | {page: rating}
            return replace(state, record=replace(record, ratings=tuple(ratings.items())))
        case _:
            return state


def _but(notifications: tuple[str, ...], lost: str) -> tuple[str, ...]:
    return tuple(each for each in notifications if each != lost)
