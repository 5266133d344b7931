"""Every roll-out, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Boolean, Column, Connection, Integer, Text, bindparam, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.facts import Rollout
from services.lifecycle.domain.rollout.events import (
    Event,
    RolloutAdvanced,
    RolloutCancelled,
    RolloutDone,
    RolloutPlanned,
    RolloutReviewed,
    RolloutRolledBack,
    RolloutStarted,
)
from services.lifecycle.projections.by_service import ByService

_ALL = 100


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """What gates ask of a roll-out; *id* is that of the event that changed it last.

    Args:
        id: The event.
        rollout: Its own id.
        strategy: How it went out.
        state: Where it stands.
        first_percent: The share of the users that got it first.
        cohort_capped: Whether the first step did not go to all users at once.
        rolls_back_by_itself: Whether something takes it back without a person.
        started_at: When it began, if it did.
        ended_at: When it was done, cancelled or taken back, if it was.
        rolled_back_at: When it was taken back, if it was.
    """

    id: str
    rollout: str
    strategy: str
    state: str
    first_percent: float
    cohort_capped: bool
    rolls_back_by_itself: bool
    started_at: datetime | None
    ended_at: datetime | None
    rolled_back_at: datetime | None


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("rollout", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("plan", Json(), nullable=False),
        Column("step", Integer),
        Column("reviewed", Json()),
        Column("started_at", Instant()),
        Column("ended_at", Instant()),
        Column("rolled_back", Json()),
        Column("is_rolled_back", Boolean, nullable=False),
        Column("reason", Text, nullable=False),
        Column("event", Text, nullable=False),
        Column("planned_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.rollout,),)


def _planned(_: Row | None, event: RolloutPlanned, recorded: Recorded, __: Key) -> Row:
    return {
        "rollout": event.rollout,
        "service": event.service,
        "state": "planned",
        "plan": msgspec.to_builtins(event),
        "step": None,
        "reviewed": None,
        "started_at": None,
        "ended_at": None,
        "rolled_back": None,
        "is_rolled_back": False,
        "reason": "",
        "event": str(recorded.event_id),
        "planned_at": event.at,
        "recorded_at": recorded.recorded_at,
    }


def _moved(row: Row | None, event: Event, recorded: Recorded, _: Key) -> Row | None:
    changes: Row = {}
    match event:
        case RolloutReviewed():
            changes = {"state": "reviewed", "reviewed": msgspec.to_builtins(event)}
        case RolloutStarted():
            changes = {"state": "running", "step": 0, "started_at": event.at}
        case RolloutAdvanced():
            changes = {"step": event.step}
        case RolloutDone():
            changes = {"state": "done", "ended_at": event.at}
        case RolloutRolledBack():
            changes = {
                "state": "rolled_back",
                "ended_at": event.at,
                "rolled_back": msgspec.to_builtins(event),
                "is_rolled_back": True,
                "reason": event.reason,
            }
        case RolloutCancelled():
            changes = {"state": "cancelled", "ended_at": event.at, "reason": event.reason}
        case RolloutPlanned():
            pass
    return row and row | changes | {"event": str(recorded.event_id)}


ROLLOUTS: Final = Projection(
    name="rollouts",
    columns=_columns,
    events=CONTRACT,
    folds={
        RolloutPlanned: Fold(_keys, _planned),
        RolloutReviewed: Fold(_keys, _moved),
        RolloutStarted: Fold(_keys, _moved),
        RolloutAdvanced: Fold(_keys, _moved),
        RolloutDone: Fold(_keys, _moved),
        RolloutRolledBack: Fold(_keys, _moved),
        RolloutCancelled: Fold(_keys, _moved),
    },
    indexes=(("service", "started_at"),),
    sources=("lifecycle",),
)


_VIEW: Final = ROLLOUTS.view
_PLANNED: Final = ByService.of(
    select(_VIEW).where(_VIEW.c.planned_at >= bindparam("since")).order_by(_VIEW.c.planned_at, _VIEW.c.rollout),
    _VIEW.c.service,
)


def planned_rollouts(connection: Connection, since: datetime, *services: str) -> dict[str, list[Rollout]]:
    """The roll-outs of *services*, of all when none is named, that were planned since; the earliest first."""
    found: dict[str, list[Rollout]] = {}
    for row in _PLANNED.rows(connection, services, since=since):
        rollout = Rollout(
            id=row["event"],
            rollout=row["rollout"],
            strategy=row["plan"]["strategy"],
            state=row["state"],
            planned_at=row["planned_at"],
            started_at=row["started_at"],
            first_percent=row["plan"]["steps"][0]["percent"],
            rolled_back_at=row["ended_at"] if row["is_rolled_back"] else None,
        )
        found.setdefault(row["service"], []).append(rollout)
    return found


def rollouts_of(connection: Connection, service: str, since: datetime) -> list[RolloutFacts]:
    """The roll-outs of *service* that began since, the earliest first."""
    view = ROLLOUTS.view.c
    query = select(ROLLOUTS.view).where(view.service == service, view.started_at >= since)
    return [
        RolloutFacts(
            id=row["event"],
            rollout=row["rollout"],
            strategy=row["plan"]["strategy"],
            state=row["state"],
            first_percent=row["plan"]["steps"][0]["percent"],
            cohort_capped=row["plan"]["steps"][0]["percent"] < _ALL,
            rolls_back_by_itself=bool(row["plan"]["rollback_when"]),
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            rolled_back_at=row["ended_at"] if row["is_rolled_back"] else None,
        )
        for row in connection.execute(query.order_by(view.started_at, view.rollout)).mappings()
    ]
