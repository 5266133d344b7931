"""Action items that somebody still owes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Column, Connection, Date, RowMapping, Text, bindparam, func, select

from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class Opened:
    """What is read of an action item."""

    action: str
    postmortem: str
    incident: str
    service: str
    title: str
    owner: str
    priority: str
    due: date


@dataclass(frozen=True, slots=True)
class Changed:
    """It is owed by somebody else, by another day, or differently."""

    action: str
    title: str
    owner: str
    priority: str
    due: date


@dataclass(frozen=True, slots=True)
class Settled:
    """It is done, or will not be done."""

    action: str


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("action", Text, primary_key=True),
        Column("postmortem", Text, nullable=False),
        Column("incident", Text, nullable=False),
        Column("service", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("priority", Text, nullable=False),
        Column("due", Date, nullable=False),
    )


def _keys(event: Opened | Changed | Settled, _: Recorded) -> Sequence[Key]:
    return ((event.action,),)


def _opened(_: Row | None, event: Opened, __: Recorded, ___: Key) -> Row:
    return {
        "action": event.action,
        "postmortem": event.postmortem,
        "incident": event.incident,
        "service": event.service,
        "title": event.title,
        "owner": event.owner,
        "priority": event.priority,
        "due": event.due,
    }


def _changed(row: Row | None, event: Changed, _: Recorded, __: Key) -> Row | None:
    return row and row | {
        "title": event.title,
        "owner": event.owner,
        "priority": event.priority,
        "due": event.due,
    }


def _settled(_: Row | None, __: Settled, ___: Recorded, ____: Key) -> None:
    return None


OPEN_ACTIONS: Final = Projection(
    name="open_actions",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.incidents.action.opened.v1": Opened,
            "io.concordat.incidents.action.changed.v1": Changed,
            "io.concordat.incidents.action.completed.v1": Settled,
            "io.concordat.incidents.action.dropped.v1": Settled,
        }
    ),
    folds={
        Opened: Fold(_keys, _opened),
        Changed: Fold(_keys, _changed),
        Settled: Fold(_keys, _settled),
    },
    sources=("incidents",),
    indexes=(("service", "due"),),
)


_OVERDUE: Final = (  # made once: making it takes as long as asking
    select(OPEN_ACTIONS.view)
    .where(OPEN_ACTIONS.view.c.service == bindparam("service"), OPEN_ACTIONS.view.c.due < bindparam("today"))
    .order_by(OPEN_ACTIONS.view.c.due, OPEN_ACTIONS.view.c.action)
)


def overdue_actions_of(connection: Connection, service: str, today: date) -> Sequence[RowMapping]:
    """What *service* should have had done before *today*, the longest overdue first."""
    return connection.execute(_OVERDUE, {"service": service, "today": today}).mappings().all()


def count_overdue(connection: Connection, today: date) -> int:
    """How many action items are overdue everywhere."""
    query = select(func.count()).where(OPEN_ACTIONS.view.c.due < today)
    return connection.execute(query).scalar_one()
