"""Every team, by name."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Text

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.team.events import Event, TeamChanged, TeamRegistered


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("name", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("display_name", Text, nullable=False),
        Column("registered_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.team,),)


def _registered(_: Row | None, event: TeamRegistered, recorded: Recorded, __: Key) -> Row:
    return {
        "name": event.team,
        "kind": event.kind,
        "display_name": event.display_name,
        "registered_at": event.at,
        "recorded_at": recorded.recorded_at,
    }


def _changed(row: Row | None, event: TeamChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {"display_name": event.display_name}


TEAMS: Final = Projection(
    name="teams",
    columns=_columns,
    events=CONTRACT,
    folds={TeamRegistered: Fold(_keys, _registered), TeamChanged: Fold(_keys, _changed)},
    sources=("lifecycle",),
)
