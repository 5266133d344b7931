"""Which documents of another catalogue came in, and what they are here."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Text

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.catalog_entity.events import EntityImported


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("ref", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("became", Text, nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it first; `as_of` asks for this
    )


def _keys(event: EntityImported, _: Recorded) -> Sequence[Key]:
    return ((event.ref,),)


def _imported(row: Row | None, event: EntityImported, recorded: Recorded, _: Key) -> Row:
    return {
        "ref": event.ref,
        "kind": event.kind,
        "became": event.became,
        "recorded_at": row["recorded_at"] if row else recorded.recorded_at,
    }


CATALOG_ENTITIES: Final = Projection(
    name="catalog_entities",
    columns=_columns,
    events=CONTRACT,
    folds={EntityImported: Fold(_keys, _imported)},
    indexes=(("kind",),),
    sources=("lifecycle",),
)
