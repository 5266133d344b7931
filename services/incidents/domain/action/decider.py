"""An action item's rules: open > in_progress > completed; dropped from either. Both ends are final."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal, TypeVar

from services.incidents.domain.action.commands import (
    Change,
    Command,
    Complete,
    Drop,
    Look,
    Open,
    OwnerLeft,
    Start,
)
from services.incidents.domain.action.events import (
    ActionChanged,
    ActionCompleted,
    ActionDropped,
    ActionFact,
    ActionOpened,
    ActionOverdue,
    ActionOwnerLeft,
    ActionReminded,
    ActionReminder,
    ActionStarted,
    Event,
    Kind,
    Priority,
)
from services.incidents.domain.asked import Asked
from services.incidents.domain.errors import AbsentError, IllegalTransitionError, ReasonMissingError

F = TypeVar("F", bound=ActionFact)
R = TypeVar("R", bound=ActionReminder)


@dataclass(frozen=True, slots=True)
class Item:
    """What is owed.

    Args:
        opened: How it began.
        reminded_for: The day for which it was said that it is due soon.
        overdue_for: The day for which it was said that it is over.
        moved: How often its day was changed.
        left: The owner of whom it was said that they are not here any more.
    """

    opened: ActionOpened
    title: str
    owner: str
    collaborators: tuple[str, ...]
    type: Kind
    priority: Priority
    due: date
    tracking_url: str
    reminded_for: date | None = None
    overdue_for: date | None = None
    moved: int = 0
    left: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """Owed, and not begun."""

    name: ClassVar[Literal["open"]] = "open"
    allowed: ClassVar[tuple[str, ...]] = ("start", "change", "complete", "drop")

    item: Item


@dataclass(frozen=True, slots=True)
class InProgress:
    """Begun."""

    name: ClassVar[Literal["in_progress"]] = "in_progress"
    allowed: ClassVar[tuple[str, ...]] = ("change", "complete", "drop")

    item: Item


@dataclass(frozen=True, slots=True)
class Completed:
    """Done."""

    name: ClassVar[Literal["completed"]] = "completed"
    allowed: ClassVar[tuple[str, ...]] = ()

    item: Item
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Dropped:
    """Given up."""

    name: ClassVar[Literal["dropped"]] = "dropped"
    allowed: ClassVar[tuple[str, ...]] = ()

    item: Item
    ended_at: datetime


Known = Opened | InProgress | Completed | Dropped
Action = Known | None  # None: never opened


def decide(command: Command, state: Action) -> tuple[Event, ...]:  # noqa: C901, PLR0911  this is the table
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such action.
        IllegalTransitionError: Not in this state.
        ReasonMissingError: Another day or owner needs a reason.
    """
    match state, command:
        case None, Open():
            return (_opened(command),)
        case None, Look() | OwnerLeft():
            return ()
        case None, _:
            raise AbsentError("action")
        case Opened(it), Start():
            return (_fact(ActionStarted, it, command),)
        case ((Opened(it) | InProgress(it)), Change()):
            return _changed(it, command)
        case ((Opened(it) | InProgress(it)), Complete()):
            return (_fact(ActionCompleted, it, command),)
        case ((Opened(it) | InProgress(it)), Drop()):
            return (_fact(ActionDropped, it, command),)
        case ((Opened(it) | InProgress(it)), Look()):
            return _looked(it, command)
        case ((Opened(it) | InProgress(it)), OwnerLeft(owner=owner)):
            is_news = owner == it.owner and owner != it.left
            return (_told(ActionOwnerLeft, it, command),) if is_news else ()
        case (
            (_, Open())
            | (InProgress(), Start())
            | (Completed(), Complete())
            | (Dropped(), Drop())
            | ((Completed() | Dropped()), Look() | OwnerLeft())
        ):
            return ()
        case ((Completed() | Dropped()), Start() | Change() | Complete() | Drop()):
            raise IllegalTransitionError("action", state.name, command.verb, state.allowed)


def evolve(state: Action, event: Event) -> Action:  # noqa: PLR0911  one line per kind of event
    """The state after one more fact."""
    if isinstance(event, ActionOpened):
        return Opened(_item(event))
    if state is None:
        return None
    item = state.item
    match event:
        case ActionStarted():
            return InProgress(item)
        case ActionChanged():
            return replace(state, item=_after(item, event))
        case ActionReminded(due=due):
            return replace(state, item=replace(item, reminded_for=due))
        case ActionOverdue(due=due):
            return replace(state, item=replace(item, overdue_for=due))
        case ActionOwnerLeft(owner=owner):
            return replace(state, item=replace(item, left=owner))
        case ActionCompleted(at=at):
            return Completed(item, at)
        case ActionDropped(at=at):
            return Dropped(item, at)


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
        collaborators=command.collaborators,
        tracking_url=command.tracking_url,
        source_kind=command.source_kind,
        source=command.source,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )


def _item(opened: ActionOpened) -> Item:
    return Item(
        opened,
        opened.title,
        opened.owner,
        opened.collaborators,
        opened.type,
        opened.priority,
        opened.due,
        opened.tracking_url,
    )


def _changed(item: Item, command: Change) -> tuple[Event, ...]:
    after = replace(item, **command.changes)
    if after == item:
        return ()
    if (after.due, after.owner) != (item.due, item.owner) and not command.reason.strip():
        raise ReasonMissingError("another day, or another owner,")
    if after.priority < item.priority and command.latest:  # P0 before P1
        after = replace(after, due=min(after.due, command.latest))
    names = "title", "owner", "collaborators", "type", "priority", "due", "tracking_url"
    return (_fact(ActionChanged, item, command, **{name: getattr(after, name) for name in names}),)


def _after(item: Item, event: ActionChanged) -> Item:
    return replace(
        item,
        title=event.title,
        owner=event.owner,
        collaborators=event.collaborators,
        type=event.type,
        priority=event.priority,
        due=event.due,
        tracking_url=event.tracking_url,
        moved=item.moved + (event.due != item.due),
    )


def _looked(item: Item, command: Look) -> tuple[Event, ...]:
    today = command.at.date()
    if item.due < today:
        return () if item.overdue_for == item.due else (_told(ActionOverdue, item, command),)
    soon = today + timedelta(days=command.remind_days)
    if item.due > soon or item.reminded_for == item.due:
        return ()
    return (_told(ActionReminded, item, command),)


def _told(event: type[R], item: Item, command: Asked) -> R:
    return _fact(event, item, command, title=item.title, owner=item.owner, priority=item.priority, due=item.due)


def _fact(event: type[F], item: Item, command: Asked, **more: Any) -> F:  # noqa: ANN401  the event's own fields
    opened = item.opened
    return event(
        action=opened.action, service=opened.service, by=command.by, reason=command.reason, at=command.at, **more
    )
