"""Every OpenSLO object that SLOs can refer to, and who refers to what."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Column, Connection, Integer, Select, Table, Text, or_, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.slo.contract import CONTRACT
from services.slo.domain.openslo_object.events import ObjectRemoved, ObjectStored
from services.slo.projections.slos import SLOS


def _columns() -> tuple[Column[Any], ...]:
    return (
        Column("kind", Text, primary_key=True),
        Column("name", Text, primary_key=True),
        Column("revision", Integer),
        Column("document", Json()),
        Column("uses", Text),  # " DataSource/prometheus "
        Column("stored_at", Instant()),
        Column("removed_at", Instant()),
    )


def _stored(_: Row | None, event: ObjectStored, __: Recorded, ___: Key) -> Row:
    return {
        "kind": event.kind,
        "name": event.name,
        "revision": event.revision,
        "document": event.document,
        "uses": f" {' '.join(event.uses)} ",
        "stored_at": event.at,
        "removed_at": None,
    }


def _removed(row: Row | None, event: ObjectRemoved, _: Recorded, __: Key) -> Row | None:
    return row and row | {"removed_at": event.at}


OPENSLO_OBJECTS: Final = Projection(
    name="openslo_objects",
    columns=_columns,
    events=CONTRACT,
    folds={
        ObjectStored: Fold(keys=lambda event, _: [(event.kind, event.name)], apply=_stored),
        ObjectRemoved: Fold(keys=lambda event, _: [(event.kind, event.name)], apply=_removed),
    },
    sources=("slo",),
)


def objects(kind: str) -> Select[Any]:
    """The objects of *kind* that were not removed."""
    view = OPENSLO_OBJECTS.view
    return select(view).where(view.c.kind == kind, view.c.removed_at.is_(None))


def users_of(connection: Connection, used: Collection[str]) -> list[str]:
    """What refers to any of *used* (such as `SLI/good`), directly or not, and has not ended: `SLO/availability`."""
    slos, held = SLOS.view, OPENSLO_OBJECTS.view
    found = connection.execute(select(slos.c.slo).where(slos.c.ended_at.is_(None), _uses(slos, used))).scalars()
    others = connection.execute(select(held.c.kind, held.c.name).where(held.c.removed_at.is_(None), _uses(held, used)))
    return sorted([*(f"SLO/{name}" for name in found), *(f"{kind}/{name}" for kind, name in others)])


def _uses(view: Table, used: Collection[str]) -> Any:  # noqa: ANN401  a condition
    return or_(*(view.c.uses.contains(f" {each} ", autoescape=True) for each in used))
