"""Meetings, quarterly updates and service reviews; each is read whole from its own stream."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Text

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.gathering.events import GatheringDrafted


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("gathering", Text, primary_key=True),
        Column("engagement", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: GatheringDrafted, _: Recorded) -> Sequence[Key]:
    return ((event.gathering,),)


def _drafted(_: Row | None, event: GatheringDrafted, recorded: Recorded, __: Key) -> Row:
    return {
        "gathering": event.gathering,
        "engagement": event.engagement,
        "kind": event.kind,
        "recorded_at": recorded.recorded_at,
    }


GATHERINGS: Final = Projection(
    name="gatherings",
    columns=_columns,
    events=CONTRACT,
    folds={GatheringDrafted: Fold(_keys, _drafted)},
    indexes=(("engagement", "kind"),),
    sources=("lifecycle",),
)
