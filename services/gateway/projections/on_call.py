"""Who is on call now, by each schedule, for the services that it answers for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Column, Connection, Text, bindparam, select

from libs.events.columns import Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class Turn:
    """What is read of somebody on call."""

    person: str
    since: datetime
    until: datetime
    layer: str = ""
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Turned:
    """What is read when it is another's turn."""

    schedule: str
    services: tuple[str, ...]
    on_call: tuple[Turn, ...]


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("schedule", Text, primary_key=True),
        Column("services", Text, nullable=False),  # " checkout-api till-api ": looked for with the blanks around a name
        Column("on_call", Json(), nullable=False),
    )


def _keys(event: Turned, _: Recorded) -> Sequence[Key]:
    return ((event.schedule,),)


def _turned(_: Row | None, event: Turned, __: Recorded, ___: Key) -> Row:
    told = [{"schedule": event.schedule, **msgspec.to_builtins(turn)} for turn in event.on_call]
    return {"schedule": event.schedule, "services": f" {' '.join(event.services)} ", "on_call": told}


ON_CALL: Final = Projection(
    name="on_call",
    columns=_columns,
    events=EventRegistry({"io.concordat.incidents.schedule.turned.v1": Turned}),
    folds={Turned: Fold(_keys, _turned)},
    sources=("incidents",),
)
_VIEW: Final = ON_CALL.view
_OF_SERVICE: Final = (  # made once: making it takes as long as asking
    select(_VIEW.c.on_call).where(_VIEW.c.services.contains(bindparam("named"))).order_by(_VIEW.c.schedule)
)


def on_call_of(connection: Connection, service: str) -> list[dict[str, Any]]:
    """Who is on call for *service*, schedule by schedule."""
    found = connection.execute(_OF_SERVICE, {"named": f" {service} "}).scalars()  # a name has nothing to escape
    return [turn for turns in found for turn in turns]
