"""Meetings, quarterly updates and service reviews; each is read whole from its own stream."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Boolean, Column, Text

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.gathering.events import (
    GatheringConcluded,
    GatheringDrafted,
    GatheringFact,
    StatementMade,
)


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("gathering", Text, primary_key=True),
        Column("engagement", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("held", Boolean, nullable=False),
        Column("told", Json(), nullable=False),  # side to who spoke for it
        Column("drafted_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: GatheringFact, _: Recorded) -> Sequence[Key]:
    return ((event.gathering,),)


def _drafted(_: Row | None, event: GatheringDrafted, recorded: Recorded, __: Key) -> Row:
    return {
        "gathering": event.gathering,
        "engagement": event.engagement,
        "kind": event.kind,
        "title": event.title,
        "held": False,
        "told": {},
        "drafted_at": event.at,
        "recorded_at": recorded.recorded_at,
    }


def _told(row: Row | None, event: StatementMade, _: Recorded, __: Key) -> Row | None:
    return row and row | {"told": {**row["told"], event.side: event.by}}


def _held(row: Row | None, _: GatheringConcluded, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"held": True}


GATHERINGS: Final = Projection(
    name="gatherings",
    columns=_columns,
    events=CONTRACT,
    folds={
        GatheringDrafted: Fold(_keys, _drafted),
        StatementMade: Fold(_keys, _told),
        GatheringConcluded: Fold(_keys, _held),
    },
    indexes=(("engagement", "kind"),),
    sources=("lifecycle",),
)
