"""Services as lifecycle tells of them: name, owner, tier, phase."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Integer, RowMapping, Text, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class Registered:
    """What is read of a registration."""

    service: str
    display_name: str
    owner_team: str
    tier: int
    phase: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """What is read of a change."""

    service: str
    display_name: str
    owner_team: str
    tier: int


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """What is read of a change of phase."""

    service: str
    to_phase: str
    at: datetime


_Event = Registered | Changed | PhaseChanged


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("display_name", Text, nullable=False),
        Column("owner_team", Text, nullable=False),
        Column("tier", Integer, nullable=False),
        Column("phase", Text, nullable=False),
        Column("registered_at", Instant(), nullable=False),
        Column("phase_since", Instant(), nullable=False),
    )


def _keys(event: _Event, _: Recorded) -> Sequence[Key]:
    return ((event.service,),)


def _registered(_: Row | None, event: Registered, __: Recorded, ___: Key) -> Row:
    at = event.at
    return {
        "service": event.service,
        "display_name": event.display_name,
        "owner_team": event.owner_team,
        "tier": event.tier,
        "phase": event.phase,
        "registered_at": at,
        "phase_since": at,
    }


def _changed(row: Row | None, event: Changed, _: Recorded, __: Key) -> Row | None:
    named = {"display_name": event.display_name, "owner_team": event.owner_team, "tier": event.tier}
    return row and row | named


def _phase_changed(row: Row | None, event: PhaseChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {"phase": event.to_phase, "phase_since": event.at}


SERVICES: Final = Projection(
    name="services",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.lifecycle.service.registered.v1": Registered,
            "io.concordat.lifecycle.service.changed.v1": Changed,
            "io.concordat.lifecycle.service.phase-changed.v1": PhaseChanged,
        }
    ),
    folds={
        Registered: Fold(_keys, _registered),
        Changed: Fold(_keys, _changed),
        PhaseChanged: Fold(_keys, _phase_changed),
    },
    sources=("lifecycle",),
)


async def find_service(connection: AsyncConnection, service: str) -> RowMapping | None:
    """The row of *service*, if it is known."""
    view = SERVICES.view
    return (await connection.execute(select(view).where(view.c.service == service))).mappings().first()


async def count_by_phase(connection: AsyncConnection) -> dict[str, int]:
    """How many services stand in each phase; phases without any are left out."""
    phase = SERVICES.view.c.phase
    rows = await connection.execute(select(phase, func.count()).group_by(phase))
    return {name: count for name, count in rows}  # noqa: C416  rows are no pairs to the type checker
