"""What was deployed where, and what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Text, func, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.deployment.events import (
    DeploymentFailed,
    DeploymentRecorded,
    DeploymentRecovered,
    DeploymentRolledBack,
    DeploymentStaged,
    Event,
)


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment to production, as metrics and gates count it; *id* is that of its event.

    Args:
        id: The event that recorded it.
        deployment: Its own id.
        service: Of what.
        at: When it was done.
        committed_at: When its newest commit was made; None when not known.
        unplanned: Whether it was made because of a failure in production.
        failed_at: When it failed, made the service worse or was taken back, whichever came first; None if none did.
        recovered_at: When the service was well again; None while it is not known.
        rolled_back_at: When it was taken back; None if it was not.
    """

    id: str
    deployment: str
    service: str
    at: datetime
    committed_at: datetime | None
    unplanned: bool
    failed_at: datetime | None
    recovered_at: datetime | None
    rolled_back_at: datetime | None


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("deployment", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("environment", Text, nullable=False),
        Column("production", Boolean, nullable=False),
        Column("version", Text, nullable=False),
        Column("commit", Text, nullable=False),
        Column("committed_at", Instant()),
        Column("unplanned", Boolean, nullable=False),
        Column("failed_at", Instant()),
        Column("recovered_at", Instant()),
        Column("rolled_back_at", Instant()),
        Column("failure_recorded_at", Instant()),
        Column("recovery_recorded_at", Instant()),
        Column("at", Instant(), nullable=False),
        Column("event", Text, nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.deployment,),)


def _recorded(_: Row | None, event: DeploymentRecorded | DeploymentStaged, recorded: Recorded, __: Key) -> Row:
    return {
        "deployment": event.deployment,
        "service": event.service,
        "environment": event.environment,
        "production": isinstance(event, DeploymentRecorded),
        "version": event.version,
        "commit": event.commit or event.deployment,  # a commit that is not named is its deployment's own
        "committed_at": event.committed_at,
        "unplanned": event.unplanned,
        "failed_at": event.at if event.result == "failed" else None,
        "recovered_at": None,
        "rolled_back_at": None,
        "failure_recorded_at": recorded.recorded_at if event.result == "failed" else None,
        "recovery_recorded_at": None,
        "at": event.at,
        "event": str(recorded.event_id),
        "recorded_at": recorded.recorded_at,
    }


def _rolled_back(row: Row | None, event: DeploymentRolledBack, recorded: Recorded, __: Key) -> Row | None:
    return row and row | {
        "rolled_back_at": event.at,
        "failed_at": row["failed_at"] or event.at,
        "recovered_at": row["recovered_at"] or event.at,
        "failure_recorded_at": row["failure_recorded_at"] or recorded.recorded_at,
        "recovery_recorded_at": row["recovery_recorded_at"] or recorded.recorded_at,
    }


def _failed(row: Row | None, event: DeploymentFailed, recorded: Recorded, __: Key) -> Row | None:
    return row and row | {"failed_at": event.at, "failure_recorded_at": recorded.recorded_at}


def _recovered(row: Row | None, event: DeploymentRecovered, recorded: Recorded, __: Key) -> Row | None:
    return row and row | {"recovered_at": event.at, "recovery_recorded_at": recorded.recorded_at}


DEPLOYMENTS: Final = Projection(
    name="deployments",
    columns=_columns,
    events=CONTRACT,
    folds={
        DeploymentRecorded: Fold(_keys, _recorded),
        DeploymentStaged: Fold(_keys, _recorded),
        DeploymentRolledBack: Fold(_keys, _rolled_back),
        DeploymentFailed: Fold(_keys, _failed),
        DeploymentRecovered: Fold(_keys, _recovered),
    },
    indexes=(("service", "at"),),
    sources=("lifecycle",),
)


def deployed(
    connection: Connection, services: Collection[str], since: datetime, until: datetime, as_of: datetime | None = None
) -> list[Deployed]:
    """The deployments of *services* to production in [since, until), the earliest first; *as_of*: as known then."""
    view = DEPLOYMENTS.view.c
    columns = (
        view.event,
        view.deployment,
        view.service,
        view.at,
        view.committed_at,
        view.unplanned,
        view.failed_at,
        view.recovered_at,
        view.rolled_back_at,
    )
    told = select(*columns, view.failure_recorded_at, view.recovery_recorded_at)
    query = told.where(view.service.in_(services), view.production, view.at >= since, view.at < until)
    if as_of is not None:
        query = query.where(view.recorded_at <= as_of)
    rows = connection.execute(query.order_by(view.at, view.deployment))
    return [_as_known(Deployed(*row), failure, recovery, as_of) for *row, failure, recovery in rows]


def _as_known(found: Deployed, failure: datetime | None, recovery: datetime | None, as_of: datetime | None) -> Deployed:
    """*found* without what was told of it only later."""
    if as_of is None:
        return found
    if failure and failure > as_of:
        found = replace(found, failed_at=None, rolled_back_at=None)
    if recovery and recovery > as_of:
        found = replace(found, recovered_at=None, rolled_back_at=None)
    return found


def lead_times(
    connection: Connection, services: Collection[str], since: datetime, until: datetime, as_of: datetime | None = None
) -> list[tuple[datetime, timedelta]]:
    """Of each commit whose first deployment to production lies in [since, until): when, and how long that took."""
    view = DEPLOYMENTS.view.c
    first = func.min(view.at)
    query = select(first, func.min(view.committed_at)).where(
        view.service.in_(services), view.production, view.committed_at.is_not(None)
    )
    if as_of is not None:
        query = query.where(view.recorded_at <= as_of)
    rows = connection.execute(query.group_by(view.service, view.commit).having(first >= since, first < until))
    return [(at, at - committed_at) for at, committed_at in rows]


def latest_of(connection: Connection, service: str, environment: str, *, not_version: str = "") -> str | None:
    """The id of what was deployed last of *service* to *environment* and was not taken back; None if nothing was."""
    view = DEPLOYMENTS.view.c
    query = select(view.deployment).where(
        view.service == service,
        view.environment == environment,
        view.rolled_back_at.is_(None),
        view.failed_at.is_(None) | (view.failed_at > view.at),
        view.version != not_version if not_version else view.version.is_not(None),
    )
    return connection.execute(query.order_by(view.at.desc(), view.deployment.desc()).limit(1)).scalar_one_or_none()
