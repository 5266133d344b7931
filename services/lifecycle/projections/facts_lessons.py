"""What the incidents service has said of postmortems and their actions: which actions are open, what was published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Date, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.facts import Learned, OpenAction
from services.lifecycle.projections.by_service import ByService


@dataclass(frozen=True, slots=True)
class ActionOpened:
    """What is read of an action."""

    action: str
    service: str
    title: str
    owner: str
    priority: str
    due: date
    at: datetime


@dataclass(frozen=True, slots=True)
class ActionChanged:
    """What is read when it is owed by somebody else, by another day, or differently."""

    action: str
    title: str
    owner: str
    priority: str
    due: date


@dataclass(frozen=True, slots=True)
class ActionEnded:
    """What is read when it is done, or dropped."""

    action: str


@dataclass(frozen=True, slots=True)
class PostmortemPublished:
    """What is read of a postmortem."""

    postmortem: str
    number: str
    service: str
    at: datetime


class ActionCompleted(ActionEnded):
    """It was done."""


class ActionDropped(ActionEnded):
    """It will not be done."""


def _action_columns() -> Sequence[Column[Any]]:
    return (
        Column("action", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("priority", Text, nullable=False),
        Column("due", Date, nullable=False),
        Column("event", Text, nullable=False),
        Column("at", Instant(), nullable=False),
    )


def _action_keys(event: ActionOpened | ActionChanged | ActionEnded, _: Recorded) -> Sequence[Key]:
    return ((event.action,),)


def _opened(_: Row | None, event: ActionOpened, recorded: Recorded, __: Key) -> Row:
    return {
        "action": event.action,
        "service": event.service,
        "title": event.title,
        "owner": event.owner,
        "priority": event.priority,
        "due": event.due,
        "event": str(recorded.event_id),
        "at": event.at,
    }


def _changed(row: Row | None, event: ActionChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {
        "title": event.title,
        "owner": event.owner,
        "priority": event.priority,
        "due": event.due,
    }


FACTS_ACTIONS: Final = Projection(
    name="facts_actions",
    columns=_action_columns,
    events=EventRegistry(
        {
            "io.concordat.incidents.action.opened.v1": ActionOpened,
            "io.concordat.incidents.action.changed.v1": ActionChanged,
            "io.concordat.incidents.action.completed.v1": ActionCompleted,
            "io.concordat.incidents.action.dropped.v1": ActionDropped,
        }
    ),
    folds={
        ActionOpened: Fold(_action_keys, _opened),
        ActionChanged: Fold(_action_keys, _changed),
        ActionCompleted: Fold(_action_keys, lambda _, __, ___, ____: None),
        ActionDropped: Fold(_action_keys, lambda _, __, ___, ____: None),
    },
    indexes=(("service",), ("owner",)),
    sources=("incidents",),
)


def _postmortem_columns() -> Sequence[Column[Any]]:
    return (
        Column("postmortem", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("number", Text, nullable=False),
        Column("event", Text, nullable=False),
        Column("at", Instant(), nullable=False),
    )


def _postmortem_keys(event: PostmortemPublished, _: Recorded) -> Sequence[Key]:
    return ((event.postmortem,),)


def _published(_: Row | None, event: PostmortemPublished, recorded: Recorded, __: Key) -> Row:
    return {
        "postmortem": event.postmortem,
        "service": event.service,
        "number": event.number,
        "event": str(recorded.event_id),
        "at": event.at,
    }


FACTS_POSTMORTEMS: Final = Projection(
    name="facts_postmortems",
    columns=_postmortem_columns,
    events=EventRegistry({"io.concordat.incidents.postmortem.published.v1": PostmortemPublished}),
    folds={PostmortemPublished: Fold(_postmortem_keys, _published)},
    indexes=(("service", "at"),),
    sources=("incidents",),
)


_ACTIONS: Final = FACTS_ACTIONS.view
_OPEN_ACTIONS: Final = ByService.of(select(_ACTIONS).order_by(_ACTIONS.c.due, _ACTIONS.c.action), _ACTIONS.c.service)
_LESSONS: Final = FACTS_POSTMORTEMS.view
_PUBLISHED: Final = ByService.of(select(_LESSONS).order_by(_LESSONS.c.at, _LESSONS.c.postmortem), _LESSONS.c.service)


def open_actions(connection: Connection, *services: str) -> dict[str, list[OpenAction]]:
    """The open actions of *services*, of all when none is named; what is due first comes first."""
    found: dict[str, list[OpenAction]] = {}
    for row in _OPEN_ACTIONS.rows(connection, services):
        action = OpenAction(
            row["event"], row["action"], row["title"], row["owner"], row["priority"], row["due"], row["at"]
        )
        found.setdefault(row["service"], []).append(action)
    return found


def postmortems(connection: Connection, *services: str) -> dict[str, list[Learned]]:
    """The published postmortems of *services*, of all when none is named, the oldest first."""
    found: dict[str, list[Learned]] = {}
    for row in _PUBLISHED.rows(connection, services):
        found.setdefault(row["service"], []).append(Learned(row["event"], row["number"], row["at"]))
    return found
