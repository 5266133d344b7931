"""What the slo service has said of each service's error-budget policy: written, and signed by both sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Integer, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.facts import BudgetPolicy
from services.lifecycle.projections.by_service import ByService


@dataclass(frozen=True, slots=True)
class PolicyWritten:
    """What is read of a new version."""

    service: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class PolicySigned:
    """What is read of a signature; nobody is missing any more after the last."""

    service: str
    version: int
    missing: tuple[str, ...]
    at: datetime


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("event", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("signed_version", Integer, nullable=False),
        Column("at", Instant(), nullable=False),
    )


def _keys(event: PolicyWritten | PolicySigned, _: Recorded) -> Sequence[Key]:
    return ((event.service,),)


def _written(row: Row | None, event: PolicyWritten, recorded: Recorded, _: Key) -> Row:
    told = {"service": event.service, "event": str(recorded.event_id), "version": event.version, "at": event.at}
    return {"signed_version": 0, **(row or {}), **told}


def _signed(row: Row | None, event: PolicySigned, recorded: Recorded, _: Key) -> Row | None:
    if row is None or event.missing:
        return row
    return row | {"event": str(recorded.event_id), "signed_version": event.version, "at": event.at}


FACTS_POLICIES: Final = Projection(
    name="facts_policies",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.slo.policy.written.v1": PolicyWritten,
            "io.concordat.slo.policy.signed.v1": PolicySigned,
        }
    ),
    folds={PolicyWritten: Fold(_keys, _written), PolicySigned: Fold(_keys, _signed)},
    sources=("slo",),
)


_POLICIES: Final = ByService.of(select(FACTS_POLICIES.view), FACTS_POLICIES.view.c.service)


def budget_policies(connection: Connection, *services: str) -> dict[str, BudgetPolicy]:
    """The error-budget policies of *services*, of all when none is named."""
    return {
        row["service"]: BudgetPolicy(row["event"], row["version"], row["signed_version"], row["at"])
        for row in _POLICIES.rows(connection, services)
    }
