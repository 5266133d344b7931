"""Services as lifecycle tells of them: name, owner, tier, phase."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Integer, RowMapping, Text, bindparam, func, select

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
    grandfathered_until: datetime | None = None
    revives: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """What is read of a change."""

    service: str
    display_name: str
    owner_team: str
    tier: int


@dataclass(frozen=True, slots=True)
class Requested:
    """What is read of a transition that waits for another person."""

    service: str
    transition: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What is read of an approval or a refusal."""

    service: str


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """What is read of a change of phase."""

    service: str
    to_phase: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Engaged:
    """What is read when an SRE team begins to work for a service."""

    service: str
    engagement: str
    sre_team: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Decommissioned:
    """What is read when nothing of a service is left."""

    service: str


@dataclass(frozen=True, slots=True)
class Released:
    """What is read when it works for it no more."""

    service: str


_Event = Registered | Changed | Requested | Decided | PhaseChanged | Engaged | Released | Decommissioned


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("version", Integer, nullable=False),  # of its stream, all of which is published
        Column("display_name", Text, nullable=False),
        Column("owner_team", Text),
        Column("tier", Integer),
        Column("phase", Text, nullable=False),
        Column("phase_since", Instant(), nullable=False),
        Column("grandfathered_until", Instant()),
        Column("revives", Text),
        Column("pending_transition", Text),
        Column("sre_team", Text),
        Column("engagement", Text),
        Column("engaged_since", Instant()),
        Column("registered_at", Instant(), nullable=False),
    )


def _keys(event: _Event, _: Recorded) -> Sequence[Key]:
    return ((event.service,),)


def _registered(_: Row | None, event: Registered, recorded: Recorded, __: Key) -> Row:
    return {
        "service": event.service,
        "version": recorded.version,
        "display_name": event.display_name,
        "owner_team": event.owner_team or None,
        "tier": event.tier or None,
        "phase": event.phase,
        "phase_since": event.at,
        "grandfathered_until": event.grandfathered_until,
        "revives": event.revives or None,
        "pending_transition": None,
        "registered_at": event.at,
        "sre_team": None,
        "engagement": None,
        "engaged_since": None,
    }


def _changed(row: Row | None, event: Changed, recorded: Recorded, _: Key) -> Row | None:
    named = {"display_name": event.display_name, "owner_team": event.owner_team or None, "tier": event.tier or None}
    return row and row | named | {"version": recorded.version}


def _requested(row: Row | None, event: Requested, recorded: Recorded, _: Key) -> Row | None:
    return row and row | {"pending_transition": event.transition, "version": recorded.version}


def _decided(row: Row | None, _: Decided, recorded: Recorded, __: Key) -> Row | None:
    return row and row | {"pending_transition": None, "version": recorded.version}


def _phase_changed(row: Row | None, event: PhaseChanged, recorded: Recorded, _: Key) -> Row | None:
    return row and row | {"phase": event.to_phase, "phase_since": event.at, "version": recorded.version}


def _engaged(row: Row | None, event: Engaged, recorded: Recorded, _: Key) -> Row | None:
    told = {"sre_team": event.sre_team, "engagement": event.engagement, "engaged_since": event.at}
    return row and row | told | {"version": recorded.version}


def _released(row: Row | None, _: Released, recorded: Recorded, __: Key) -> Row | None:
    told = {"sre_team": None, "engagement": None, "engaged_since": None}
    return row and row | told | {"version": recorded.version}


def _decommissioned(row: Row | None, _: Decommissioned, recorded: Recorded, __: Key) -> Row | None:
    return row and row | {"version": recorded.version}


SERVICES: Final = Projection(
    name="services",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.lifecycle.service.registered.v1": Registered,
            "io.concordat.lifecycle.service.changed.v1": Changed,
            "io.concordat.lifecycle.service.phase-changed.v1": PhaseChanged,
            "io.concordat.lifecycle.transition.requested.v1": Requested,
            "io.concordat.lifecycle.transition.approved.v1": Decided,
            "io.concordat.lifecycle.transition.declined.v1": Decided,
            "io.concordat.lifecycle.service.engaged.v1": Engaged,
            "io.concordat.lifecycle.service.released.v1": Released,
            "io.concordat.lifecycle.service.decommissioned.v1": Decommissioned,
        }
    ),
    folds={
        Registered: Fold(_keys, _registered),
        Changed: Fold(_keys, _changed),
        Requested: Fold(_keys, _requested),
        Decided: Fold(_keys, _decided),
        PhaseChanged: Fold(_keys, _phase_changed),
        Engaged: Fold(_keys, _engaged),
        Released: Fold(_keys, _released),
        Decommissioned: Fold(_keys, _decommissioned),
    },
    sources=("lifecycle",),
)


_NAMED: Final = select(SERVICES.view).where(SERVICES.view.c.service == bindparam("service"))  # made once, asked often


def find_service(connection: Connection, service: str) -> RowMapping | None:
    """The row of *service*, if it is known."""
    return connection.execute(_NAMED, {"service": service}).mappings().first()


def count_by_phase(connection: Connection) -> dict[str, int]:
    """How many services stand in each phase; phases without any are left out."""
    phase = SERVICES.view.c.phase
    rows = connection.execute(select(phase, func.count()).group_by(phase))
    return {name: count for name, count in rows}  # noqa: C416  rows are no pairs to the type checker
