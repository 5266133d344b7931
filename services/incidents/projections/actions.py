"""All action items, as lists show them; whether one is overdue depends on the day it is read."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Date, Integer, Text, select

from libs.events.columns import Instant, Json
from libs.events.full_text import Words
from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.action.decider import UNFINISHED
from services.incidents.domain.action.events import (
    ActionChanged,
    ActionCompleted,
    ActionDropped,
    ActionOpened,
    ActionStarted,
)
from services.incidents.domain.words import kept
from services.incidents.projections.folds import changes, opens


def _columns() -> Sequence[Column[Any]]:
    names = (
        "postmortem",
        "incident",
        "source_kind",
        "source",
        "service",
        "title",
        "owner",
        "type",
        "priority",
        "state",
    )
    return (
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in names),
        Column("collaborators", Json(), nullable=False),
        Column("tracking_url", Text, nullable=False),
        Column("due", Date, nullable=False),
        Column("moved", Integer, nullable=False),
        Column("opened_at", Instant(), nullable=False),
        Column("ended_at", Instant()),
        Column("words", Words, nullable=False),  # of its title, to be found by
    )


def _opened(event: ActionOpened) -> Row:
    return {
        "postmortem": event.postmortem,
        "incident": event.incident,
        "source_kind": event.source_kind,
        "source": event.source or event.postmortem,
        "service": event.service,
        "title": event.title,
        "owner": event.owner,
        "type": event.type,
        "priority": event.priority,
        "state": "open",
        "collaborators": list(event.collaborators),
        "tracking_url": event.tracking_url,
        "due": event.due,
        "moved": 0,
        "opened_at": event.at,
        "ended_at": None,
        "words": kept(event.title),
    }


def _changed(row: Row, event: ActionChanged) -> Row:
    return {
        "title": event.title,
        "owner": event.owner,
        "collaborators": list(event.collaborators),
        "type": event.type,
        "priority": event.priority,
        "due": event.due,
        "moved": row["moved"] + (event.due != row["due"]),
        "tracking_url": event.tracking_url,
        "words": kept(event.title),
    }


ACTIONS = Projection(
    name="actions",
    columns=_columns,
    events=CONTRACT,
    folds={
        ActionOpened: opens(_opened),
        ActionStarted: changes(lambda _, __: {"state": "in_progress"}),
        ActionChanged: changes(_changed),
        ActionCompleted: changes(lambda _, event: {"state": "completed", "ended_at": event.at}),
        ActionDropped: changes(lambda _, event: {"state": "dropped", "ended_at": event.at}),
    },
    sources=(SERVICE,),
    indexes=(("service", "id"), ("owner", "id"), ("state", "due"), ("postmortem",)),
)


def owned_by(connection: Connection, owner: str) -> list[str]:
    """What *owner* owns that is not done, the oldest first."""
    c = ACTIONS.view.c
    return list(
        connection.execute(select(c.id).where(c.owner == owner, c.state.in_(UNFINISHED)).order_by(c.id)).scalars()
    )
