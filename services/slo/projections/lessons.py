"""What was learned from an incident: its published postmortem, and an action item that cannot wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, RowMapping, Text, select

from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry

_FIRST: Final = "P0"


@dataclass(frozen=True, slots=True)
class PostmortemPublished:
    """What is read of a postmortem."""

    postmortem: str
    incident: str
    service: str


@dataclass(frozen=True, slots=True)
class ActionOpened:
    """What is read of an action item."""

    action: str
    incident: str
    service: str
    priority: str


EVENTS: Final = {
    "io.concordat.incidents.postmortem.published.v1": PostmortemPublished,
    "io.concordat.incidents.action.opened.v1": ActionOpened,
}


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("incident", Text, primary_key=True),
        Column("postmortem", Text),  # from its stream; null: not published
        Column("p0_action", Text),  # from the streams of its actions: one of priority P0
    )


def _keys(event: PostmortemPublished | ActionOpened, _: Recorded) -> Sequence[Key]:
    return ((event.incident,),) if event.incident else ()


def _published(row: Row | None, event: PostmortemPublished, _: Recorded, key: Key) -> Row:
    return (row or {"p0_action": None}) | {"incident": key[0], "postmortem": event.postmortem}


def _opened(row: Row | None, event: ActionOpened, _: Recorded, key: Key) -> Row | None:
    if event.priority != _FIRST:
        return row
    held = row or {"incident": key[0], "postmortem": None, "p0_action": event.action}
    return held | {"p0_action": min(held["p0_action"] or event.action, event.action)}  # each is a stream of its own


LESSONS: Final = Projection(
    name="lessons",
    columns=_columns,
    events=EventRegistry(EVENTS),
    folds={PostmortemPublished: Fold(_keys, _published), ActionOpened: Fold(_keys, _opened)},
    sources=("incidents",),
)


def learned_from(connection: Connection, incident: str) -> RowMapping | None:
    """What was learned from *incident*, if anything."""
    query = select(LESSONS.view).where(LESSONS.view.c.incident == incident)
    return connection.execute(query).mappings().first()
