"""Every item about a service that lacks, or lacked, what its phase asks it to keep."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import convert, to_builtins
from sqlalchemy import Column, Connection, RowMapping, Select, Text, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.phase_risk.decider import Item
from services.lifecycle.domain.phase_risk.events import Event, PhaseAtRisk, PhaseRiskChanged, PhaseRiskClosed
from services.lifecycle.projections.services import SERVICES


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("item", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("phase", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("opened", Json(), nullable=False),  # the events, as the stream has them
        Column("newest", Json(), nullable=False),
        Column("closed", Json()),
        Column("opened_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.item,),)


def _opened(_: Row | None, event: PhaseAtRisk, recorded: Recorded, __: Key) -> Row:
    return {
        "item": event.item,
        "service": event.service,
        "phase": event.phase.value,
        "state": "open",
        "opened": to_builtins(event),
        "newest": to_builtins(event),
        "closed": None,
        "opened_at": event.at,
        "recorded_at": recorded.recorded_at,
    }


def _changed(row: Row | None, event: PhaseRiskChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {"newest": to_builtins(event)}


def _closed(row: Row | None, event: PhaseRiskClosed, _: Recorded, __: Key) -> Row | None:
    return row and row | {"state": "closed", "closed": to_builtins(event)}


PHASE_RISKS: Final = Projection(
    name="phase_risks",
    columns=_columns,
    events=CONTRACT,
    folds={
        PhaseAtRisk: Fold(_keys, _opened),
        PhaseRiskChanged: Fold(_keys, _changed),
        PhaseRiskClosed: Fold(_keys, _closed),
    },
    indexes=(("service", "state"),),
    sources=("lifecycle",),
)
_VIEW = PHASE_RISKS.view


def phase_risks(
    services: Collection[str], owners: Collection[str], states: Collection[str], as_of: datetime | None
) -> Select[Any]:
    """The items about any of *services*, of any of the teams *owners*, in any of *states*; nothing named takes all.

    With *as_of* those there were then, whatever their state is now.
    """
    query = select(_VIEW)
    if services:
        query = query.where(_VIEW.c.service.in_(services))
    if owners:
        owned = select(SERVICES.view.c.name).where(SERVICES.view.c.owner_team.in_(owners))
        query = query.where(_VIEW.c.service.in_(owned))
    if as_of:
        return query.where(_VIEW.c.recorded_at <= as_of)
    return query.where(_VIEW.c.state.in_(states)) if states else query


def item_of(row: RowMapping) -> Item:
    """A row as the state that its stream folds to."""
    opened = convert(row["opened"], PhaseAtRisk)
    newest = opened if row["newest"] == row["opened"] else convert(row["newest"], PhaseRiskChanged)
    return Item(opened, newest, convert(row["closed"], PhaseRiskClosed) if row["closed"] else None)


def with_open_items(connection: Connection, services: Collection[str]) -> set[str]:
    """Those of *services* about which an item is open."""
    query = select(_VIEW.c.service).where(_VIEW.c.state == "open", _VIEW.c.service.in_(services))
    return set(connection.execute(query).scalars())
