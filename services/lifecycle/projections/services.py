"""Every service, by name, with its phase."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Integer, Text, or_, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service.catalogue import Catalogue, CodePath
from services.lifecycle.domain.service.events import (
    Event,
    PhaseChanged,
    ServiceChanged,
    ServiceDecommissioned,
    ServiceEngaged,
    ServiceRegistered,
    ServiceReleased,
    TransitionApproved,
    TransitionDeclined,
    TransitionRequested,
)


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("name", Text, primary_key=True),
        Column("display_name", Text, nullable=False),
        Column("owner_team", Text, nullable=False),
        Column("tier", Integer, nullable=False),
        Column("phase", Text, nullable=False),
        Column("phase_since", Instant(), nullable=False),
        Column("grandfathered_until", Instant()),
        Column("imported_at", Text, nullable=False),
        Column("revives", Text, nullable=False),
        Column("catalogue", Json(), nullable=False),
        Column("product", Text, nullable=False),
        Column("technologies", Text, nullable=False),  # " go postgres ": looked for with the blanks around a name
        Column("labels", Text, nullable=False),  # " region=eu team=a ", as above
        Column("pending_transition", Text, nullable=False),
        Column("pending", Json()),  # who asked for it, when and why, as the stream has it
        Column("sre_team", Text, nullable=False),
        Column("engagement", Text, nullable=False),
        Column("worked_for_by", Text, nullable=False),  # " checkout core-sre ": teams that ever did, as above
        Column("registered_at", Instant(), nullable=False),
        Column("decommissioned_at", Instant()),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.service,),)


def _registered(_: Row | None, event: ServiceRegistered, recorded: Recorded, __: Key) -> Row:
    return {
        "name": event.service,
        "display_name": event.display_name,
        "owner_team": event.owner_team,
        "tier": event.tier,
        "phase": event.phase.value,
        "phase_since": event.at,
        "grandfathered_until": event.grandfathered_until,
        "imported_at": event.phase.value if event.grandfathered_until else "",
        "revives": event.revives,
        **_catalogue(event.catalogue),
        "pending_transition": "",
        "pending": None,
        "sre_team": "",
        "engagement": "",
        "worked_for_by": _worked_for_by(" ", event.owner_team),
        "registered_at": event.at,
        "decommissioned_at": None,
        "recorded_at": recorded.recorded_at,
    }


def _changed(row: Row | None, event: ServiceChanged, _: Recorded, __: Key) -> Row | None:
    told = {"display_name": event.display_name, "owner_team": event.owner_team, "tier": event.tier}
    if row is None:
        return None
    told["worked_for_by"] = _worked_for_by(row["worked_for_by"], event.owner_team)
    return row | told | ({} if event.catalogue is None else _catalogue(event.catalogue))


def _worked_for_by(before: str, team: str) -> str:
    return before if not team or f" {team} " in before else f"{before}{team} "


def _catalogue(catalogue: Catalogue) -> Row:
    return {
        "catalogue": msgspec.to_builtins(catalogue),
        "product": catalogue.product,
        "technologies": f" {' '.join(catalogue.technologies)} ",
        "labels": f" {' '.join(f'{key}={value}' for key, value in catalogue.labels.items())} ",
    }


def _phase_changed(row: Row | None, event: PhaseChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {"phase": event.to_phase.value, "phase_since": event.at}


def _requested(row: Row | None, event: TransitionRequested, _: Recorded, __: Key) -> Row | None:
    return row and row | {"pending_transition": event.transition, "pending": msgspec.to_builtins(event)}


def _decided(row: Row | None, _: TransitionApproved | TransitionDeclined, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"pending_transition": "", "pending": None}


def _engaged(row: Row | None, event: ServiceEngaged, _: Recorded, __: Key) -> Row | None:
    return row and row | {
        "sre_team": event.sre_team,
        "engagement": event.engagement,
        "worked_for_by": _worked_for_by(row["worked_for_by"], event.sre_team),
    }


def _released(row: Row | None, _: ServiceReleased, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"sre_team": "", "engagement": ""}


def _decommissioned(row: Row | None, event: ServiceDecommissioned, _: Recorded, __: Key) -> Row | None:
    return row and row | {"decommissioned_at": event.at}


SERVICES: Final = Projection(
    name="services",
    columns=_columns,
    events=CONTRACT,
    folds={
        ServiceRegistered: Fold(_keys, _registered),
        ServiceChanged: Fold(_keys, _changed),
        PhaseChanged: Fold(_keys, _phase_changed),
        TransitionRequested: Fold(_keys, _requested),
        TransitionApproved: Fold(_keys, _decided),
        TransitionDeclined: Fold(_keys, _decided),
        ServiceEngaged: Fold(_keys, _engaged),
        ServiceReleased: Fold(_keys, _released),
        ServiceDecommissioned: Fold(_keys, _decommissioned),
    },
    indexes=(("owner_team",), ("phase",), ("sre_team",)),
    sources=("lifecycle",),
)


def owned_by(connection: Connection, team: str) -> list[str]:
    """The services that *team* owns and that have not come to their end, by name."""
    view = SERVICES.view.c
    query = select(view.name).where(view.owner_team == team, view.phase != Phase.UNSUPPORTED.value)
    return list(connection.execute(query.order_by(view.name)).scalars())


def phases_of(connection: Connection, names: Collection[str]) -> dict[str, Phase]:
    """Where each of the services *names* stands, as far as there are such."""
    view = SERVICES.view.c
    query = select(view.name, view.phase).where(view.name.in_(names))
    return {name: Phase(phase) for name, phase in connection.execute(query)}


def with_code_of(connection: Connection, team: str) -> list[str]:
    """The services that are alive and of whose code *team* answers for a part, by name."""
    view = SERVICES.view.c
    query = select(view.name, view.catalogue).where(view.phase != Phase.UNSUPPORTED.value).order_by(view.name)
    return [name for name, found in connection.execute(query) if any(p["owner"] == team for p in found["code"])]


def code_of_all(connection: Connection) -> list[tuple[str, CodePath]]:
    """What each service that is alive says of its code."""
    view = SERVICES.view.c
    query = select(view.name, view.catalogue).where(view.phase != Phase.UNSUPPORTED.value).order_by(view.name)
    return [(name, CodePath(**part)) for name, found in connection.execute(query) for part in found["code"]]


def names_until(connection: Connection, as_of: datetime) -> list[str]:
    """The services that there were at *as_of*, by name."""
    view = SERVICES.view.c
    return list(connection.execute(select(view.name).where(view.recorded_at <= as_of).order_by(view.name)).scalars())


def holds(column: ColumnElement[str], words: Sequence[str]) -> ColumnElement[bool]:
    """Whether a column of words between blanks holds one of *words*."""
    return or_(*(column.contains(f" {word} ", autoescape=True) for word in words))


def ever_worked_for(connection: Connection, team: str) -> list[str]:
    """The services that *team* has ever owned or was engaged for, by name."""
    view = SERVICES.view.c
    return list(
        connection.execute(select(view.name).where(holds(view.worked_for_by, [team])).order_by(view.name)).scalars()
    )
