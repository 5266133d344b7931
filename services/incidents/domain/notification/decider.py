"""A notification's rules: tried until its channel takes it, ever more seldom, for a day at most."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from services.incidents.domain.errors import AbsentError
from services.incidents.domain.escalation.errors import LinkError
from services.incidents.domain.notification.commands import Answer, Attempt, Command, Request, UseLink, Withdraw
from services.incidents.domain.notification.events import (
    AttemptBegun,
    AttemptEnded,
    Event,
    LinkUsed,
    Message,
    NotificationExtended,
    NotificationRequested,
    NotificationWithdrawn,
    Outcome,
    Part,
)

State = Literal["pending", "delivered", "failed", "withdrawn"]

FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=5)  # between attempts: a default of ours, somebody waits
GIVE_UP: Final = timedelta(days=1)  # news that is older helps nobody
_DOUBLINGS: Final = 10
_ABOUT: Final = "incident", "number", "service", "event"
_LONGEST_TEXT: Final = 10_000  # what is longer nobody reads to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A notification.

    Args:
        notification: Its id.
        message: What it says.
        parts: What was said in it.
        requested: When it was to be sent.
        state: What became of it.
        attempts: How many were begun.
        next_at: When the next may begin.
        moved: When anything last happened to it.
        trying: Whether an attempt is on its way.
        used: Whether its link was used.
    """

    notification: str
    message: Message
    parts: tuple[Part, ...]
    requested: datetime
    state: State = "pending"
    attempts: int = 0
    next_at: datetime
    moved: datetime
    trying: bool = False
    used: bool = False


Notification = Sent | None


def decide(command: Command, state: Notification) -> tuple[Event, ...]:  # noqa: PLR0911  this is the table
    """The facts *command* produces; none if it comes too early, too late, or was carried out.

    Raises:
        AbsentError: There is no such notification.
        LinkError: Its link was used before.
    """
    match state, command:
        case None, Request():
            return (_requested(command),)
        case None, _:
            raise AbsentError("notification", "/v1/notifications")
        case Sent(state="pending", attempts=0), Request(not_before=datetime()):
            return _extended(state, command)
        case Sent(used=True), UseLink():
            raise LinkError("the link was used already, and works once")
        case _, UseLink():
            return (LinkUsed(notification=state.notification, person=state.message.person, at=command.at),)
        case Sent(state="pending"), Attempt() if _may_try(state, command):
            until = command.at + command.patience
            number = state.attempts + 1
            return (AttemptBegun(notification=state.notification, attempt=number, until=until, at=command.at),)
        case Sent(state="pending", trying=True), Answer() if command.attempt == state.attempts:
            return (_ended(state, command),)
        case Sent(state="pending", trying=False), Withdraw():
            return (NotificationWithdrawn(notification=state.notification, why=command.why, at=command.at),)
        case _:
            return ()


def evolve(state: Notification, event: Event) -> Notification:  # noqa: PLR0911  one line per kind of event
    """The state after one more fact."""
    if isinstance(event, NotificationRequested):
        said, due = event.message, event.not_before or event.at
        return Sent(
            notification=event.notification,
            message=said,
            parts=(Part(said, event.owed),),
            requested=due,
            next_at=due,
            moved=event.at,
        )
    if state is None:
        return None
    match event:
        case NotificationExtended(message=message, more=Part() as more):
            return replace(state, message=message, parts=(*state.parts, more))
        case NotificationExtended(message=message):
            return replace(state, message=message, parts=(Part(message),))
        case AttemptBegun(attempt=attempt, until=until):
            return replace(state, attempts=attempt, next_at=until, moved=event.at, trying=True)
        case AttemptEnded(outcome="retry", next_at=datetime() as next_at):
            return replace(state, next_at=next_at, moved=event.at, trying=False)
        case AttemptEnded(outcome=outcome):
            return replace(state, state="delivered" if outcome == "delivered" else "failed", trying=False)
        case NotificationWithdrawn():
            return replace(state, state="withdrawn")
        case LinkUsed():
            return replace(state, used=True)


def _requested(command: Request) -> NotificationRequested:
    return NotificationRequested(
        notification=command.notification,
        message=command.message,
        not_before=command.not_before,
        at=command.at,
        owed=command.owed,
    )


def together(messages: Sequence[Message]) -> Message:
    """One message that says all of *messages*; what it is about, only where all of them are about the same."""
    first, *more = messages
    if not more:
        return first
    differs = {name: "" for name in _ABOUT if len({getattr(each, name) for each in messages}) > 1}
    subject, text = f"{first.subject} (and {len(more)} more)", "\n\n".join(each.text for each in messages)
    return replace(first, subject=subject, text=text, **differs)


def _extended(state: Sent, command: Request) -> tuple[Event, ...]:
    more = Part(command.message, command.owed)
    message = together([part.message for part in (*state.parts, more)])
    if len(message.text) > _LONGEST_TEXT:
        return ()
    return (NotificationExtended(notification=state.notification, message=message, at=command.at, more=more),)


def _may_try(state: Sent, command: Attempt) -> bool:
    """Its time has come, or a clock set back has put it off; never while an attempt may be on its way."""
    return command.at >= state.next_at or (command.at < state.moved and (not state.trying or command.stuck))


def _ended(state: Sent, command: Answer) -> AttemptEnded:
    pause = min(max(FIRST * 2 ** min(state.attempts - 1, _DOUBLINGS), command.pause), LONGEST)
    next_at = command.at + pause
    outcome: Outcome = "delivered" if command.said == "delivered" else "failed"
    if command.said == "failed" and next_at - state.requested < GIVE_UP:
        outcome = "retry"
    return AttemptEnded(
        notification=state.notification,
        attempt=command.attempt,
        outcome=outcome,
        status=command.status,
        detail=command.detail,
        next_at=next_at if outcome == "retry" else None,
        message=state.message,
        at=command.at,
    )
