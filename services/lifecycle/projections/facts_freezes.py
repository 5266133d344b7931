"""The services whose releases are frozen: both sides have signed that a spent error budget stops them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.facts import Freeze
from services.lifecycle.projections.by_service import ByService


@dataclass(frozen=True, slots=True)
class ReleasesFrozen:
    """What is read when releases stop."""

    service: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReleasesUnfrozen:
    """What is read when they go on."""

    service: str


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("event", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("at", Instant(), nullable=False),
    )


def _keys(event: ReleasesFrozen | ReleasesUnfrozen, _: Recorded) -> Sequence[Key]:
    return ((event.service,),)


def _frozen(_: Row | None, event: ReleasesFrozen, recorded: Recorded, __: Key) -> Row:
    return {"service": event.service, "event": str(recorded.event_id), "reason": event.reason, "at": event.at}


FACTS_FREEZES: Final = Projection(
    name="facts_freezes",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.slo.policy.frozen.v1": ReleasesFrozen,
            "io.concordat.slo.policy.unfrozen.v1": ReleasesUnfrozen,
        }
    ),
    folds={
        ReleasesFrozen: Fold(_keys, _frozen),
        ReleasesUnfrozen: Fold(_keys, lambda _, __, ___, ____: None),
    },
    sources=("slo",),
)


_FREEZES: Final = ByService.of(select(FACTS_FREEZES.view), FACTS_FREEZES.view.c.service)


def freezes(connection: Connection, *services: str) -> dict[str, Freeze]:
    """The freezes that *services* are under, all of them when none is named."""
    rows = _FREEZES.rows(connection, services)
    return {row["service"]: Freeze(row["event"], row["reason"], row["at"]) for row in rows}
