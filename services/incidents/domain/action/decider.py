"""An action item's rules: open > in_progress > completed; dropped from either. Both ends are final."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal, TypeVar

from services.incidents.domain.action.commands import Command, Complete, Drop, Open, Start
from services.incidents.domain.action.events import (
    ActionCompleted,
    ActionDropped,
    ActionFact,
    ActionOpened,
    ActionStarted,
    Event,
)
from services.incidents.domain.asked import Asked
from services.incidents.domain.errors import AbsentError, IllegalTransitionError

F = TypeVar("F", bound=ActionFact)


@dataclass(frozen=True, slots=True)
class Opened:
    """Owed, and not begun."""

    name: ClassVar[Literal["open"]] = "open"
    allowed: ClassVar[tuple[str, ...]] = ("start", "complete", "drop")

    opened: ActionOpened


@dataclass(frozen=True, slots=True)
class InProgress:
    """Begun."""

    name: ClassVar[Literal["in_progress"]] = "in_progress"
    allowed: ClassVar[tuple[str, ...]] = ("complete", "drop")

    opened: ActionOpened


@dataclass(frozen=True, slots=True)
class Completed:
    """Done."""

    name: ClassVar[Literal["completed"]] = "completed"
    allowed: ClassVar[tuple[str, ...]] = ()

    opened: ActionOpened
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Dropped:
    """Given up."""

    name: ClassVar[Literal["dropped"]] = "dropped"
    allowed: ClassVar[tuple[str, ...]] = ()

    opened: ActionOpened
    ended_at: datetime


Known = Opened | InProgress | Completed | Dropped
Action = Known | None  # None: never opened


def decide(command: Command, state: Action) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such action.
        IllegalTransitionError: Not in this state.
    """
    match state, command:
        case None, Open():
            return (_opened(command),)
        case None, _:
            raise AbsentError("action")
        case Opened(it), Start():
            return (_fact(ActionStarted, it, command),)
        case ((Opened(it) | InProgress(it)), Complete()):
            return (_fact(ActionCompleted, it, command),)
        case ((Opened(it) | InProgress(it)), Drop()):
            return (_fact(ActionDropped, it, command),)
        case (_, Open()) | (InProgress(), Start()) | (Completed(), Complete()) | (Dropped(), Drop()):
            return ()
        case ((Completed() | Dropped()), Start() | Complete() | Drop()):
            raise IllegalTransitionError("action", state.name, command.verb, state.allowed)


def evolve(state: Action, event: Event) -> Action:
    """The state after one more fact."""
    if isinstance(event, ActionOpened):
        return Opened(event)
    if state is None:
        return None
    match event:
        case ActionStarted():
            return InProgress(state.opened)
        case ActionCompleted(at=at):
            return Completed(state.opened, at)
        case ActionDropped(at=at):
            return Dropped(state.opened, at)


UNFINISHED = (Opened.name, InProgress.name)


def is_overdue(state: str, due: date, today: date) -> bool:
    """Whether an action in *state* should have been done before *today*."""
    return state in UNFINISHED and due < today


def _opened(command: Open) -> ActionOpened:
    return ActionOpened(
        action=command.action,
        postmortem=command.postmortem,
        incident=command.incident,
        service=command.service,
        title=command.title,
        owner=command.owner,
        type=command.type,
        priority=command.priority,
        due=command.due,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )


def _fact(event: type[F], opened: ActionOpened, command: Asked) -> F:
    return event(action=opened.action, service=opened.service, by=command.by, reason=command.reason, at=command.at)
