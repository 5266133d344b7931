"""What each service has, what will be asked of it, and since when that is known to be too little."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, get_args

import msgspec
from sqlalchemy import Boolean, Column, Connection, Date, Select, Text, select

from libs.events import codec
from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.capacity.events import Event, ShortfallCleared, ShortfallForecast
from services.lifecycle.domain.capacity.facts import CapacityFacts
from services.lifecycle.domain.capacity.state import Basis, rebased
from services.lifecycle.projections.by_service import ByService


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("basis", Json(), nullable=False),
        Column("forecast_due", Boolean, nullable=False),
        Column("is_asked_for", Boolean, nullable=False),  # whether a source is asked for its demand
        Column("shortfall_on", Date),  # null: none is forecast
        Column("order_by", Date),
        Column("short_since", Instant()),  # when it was first told
        Column("recorded_at", Instant(), nullable=False),  # when the log took the first of it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.service,),)


def _apply(row: Row | None, event: Event, recorded: Recorded, _: Key) -> Row:
    known = row or {"service": event.service, "shortfall_on": None, "order_by": None} | {
        "short_since": None,
        "basis": {},
        "forecast_due": False,
        "is_asked_for": False,
        "recorded_at": recorded.recorded_at,
    }
    match event:
        case ShortfallForecast():
            since = known["short_since"] or event.at
            return {**known, "shortfall_on": event.shortfall_on, "order_by": event.order_by, "short_since": since}
        case ShortfallCleared():
            return {**known, "shortfall_on": None, "order_by": None, "short_since": None}
        case _:
            basis = rebased(_basis(known), event)
            every = basis.by_metric.values()
            told = {
                "forecast_due": any(each.forecast_due for each in every),
                "is_asked_for": any(each.source is not None for each in every),
            }
            return {**known, "basis": msgspec.to_builtins(basis), **told}


def _basis(row: Any) -> Basis:  # noqa: ANN401  a row, new or read
    return codec.convert(row["basis"], Basis)


CAPACITY: Final = Projection(
    name="capacity",
    columns=_columns,
    events=CONTRACT,
    folds={kind: Fold(_keys, _apply) for kind in get_args(Event)},
    indexes=(("order_by",), ("forecast_due",), ("is_asked_for",)),
    sources=("lifecycle",),
)
_VIEW = CAPACITY.view
_KNOWN: Final = ByService.of(select(_VIEW), _VIEW.c.service)


def capacities(services: Sequence[str], *, short: bool | None, as_of: datetime | None) -> Select[Any]:
    """The services of which some capacity is known; *short*: only those with, or without, a shortfall ahead."""
    query = select(_VIEW)
    if services:
        query = query.where(_VIEW.c.service.in_(services))
    if as_of:
        return query.where(_VIEW.c.recorded_at <= as_of)
    if short is None:
        return query
    return query.where(_VIEW.c.order_by.is_not(None) if short else _VIEW.c.order_by.is_(None))


def forecasts_due(connection: Connection) -> Sequence[str]:
    """The services whose history has become another one since a forecast was last tried."""
    return list(connection.scalars(select(_VIEW.c.service).where(_VIEW.c.forecast_due).order_by(_VIEW.c.service)))


def asked_for(connection: Connection) -> Sequence[str]:
    """The services for whose demand a source is asked."""
    return list(connection.scalars(_ASKED_FOR))


_ASKED_FOR = select(_VIEW.c.service).where(_VIEW.c.is_asked_for).order_by(_VIEW.c.service)


def planned_services(connection: Connection) -> Sequence[str]:
    """The services of which some capacity is known."""
    return list(connection.scalars(select(_VIEW.c.service).order_by(_VIEW.c.service)))


def capacity_of(connection: Connection, service: str) -> CapacityFacts | None:
    """What is known of the capacity of *service*; None: nothing."""
    return capacity_by_service(connection, service).get(service)


def capacity_by_service(connection: Connection, *services: str) -> dict[str, CapacityFacts]:
    """What is known of the capacity of each of *services*, of all when none is named."""
    return {row["service"]: CapacityFacts(_basis(row)) for row in _KNOWN.rows(connection, services)}
