"""Every checkpoint, and what gates and plans of capacity ask of the newest ones."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, RowMapping, Select, Text, func, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.checkpoint.events import (
    CheckpointAborted,
    CheckpointCancelled,
    CheckpointChanged,
    CheckpointConcluded,
    CheckpointPlanned,
    CheckpointStarted,
    Event,
)
from services.lifecycle.domain.checkpoint.facts import CheckpointFacts, Shown
from services.lifecycle.domain.checkpoint.plans import dependency_of, environment_of
from services.lifecycle.projections.by_service import ByService

_CARRIED_THROUGH = ("passed", "failed")


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("checkpoint", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("environment", Text, nullable=False),
        Column("depends_on", Text, nullable=False),
        Column("planned_at", Instant(), nullable=False),
        Column("performed_at", Instant()),
        Column("performed_by", Text, nullable=False),
        Column("showed", Text, nullable=False),
        Column("figures", Json(), nullable=False),
        Column("url", Text, nullable=False),
        Column("event", Text, nullable=False),
        Column("concluded_at", Instant()),  # when the log took the end; `as_of` asks for this
        Column("recorded_at", Instant(), nullable=False),  # when the log took the beginning
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.checkpoint,),)


def _planned(_: Row | None, event: CheckpointPlanned, recorded: Recorded, __: Key) -> Row:
    content = event.plan.content
    return {
        "checkpoint": event.checkpoint,
        "service": event.service,
        "kind": event.kind,
        "title": event.title,
        "state": "planned",
        "environment": environment_of(content) or "",
        "depends_on": dependency_of(content),
        "planned_at": event.at,
        "performed_at": None,
        "performed_by": "",
        "showed": "",
        "figures": {},
        "url": "",
        "event": str(recorded.event_id),
        "concluded_at": None,
        "recorded_at": recorded.recorded_at,
    }


def _went_on(row: Row | None, event: Event, recorded: Recorded, _: Key) -> Row | None:
    return row and row | _changes(event, recorded)


def _changes(event: Event, recorded: Recorded) -> Row:
    match event:
        case CheckpointChanged():
            content = event.plan.content
            return {
                "title": event.title,
                "environment": environment_of(content) or "",
                "depends_on": dependency_of(content),
            }
        case CheckpointStarted():
            return {"state": "running"}
        case CheckpointConcluded():
            missed = [criterion for criterion in event.criteria if not criterion.met]
            return {
                "state": event.conclusion,
                "performed_at": event.performed_at,
                "performed_by": event.performed_by,
                "showed": "; ".join(criterion.says for criterion in missed or event.criteria),
                "figures": dict(event.figures),
                "url": event.evidence[0] if event.evidence else "",
                "event": str(recorded.event_id),
                "concluded_at": recorded.recorded_at,
            }
        case CheckpointAborted():
            return {"state": "aborted", "performed_at": event.performed_at, "showed": event.reason}
        case CheckpointCancelled():
            return {"state": "cancelled", "showed": event.reason}
        case CheckpointPlanned():
            return {}


SDLC_CHECKPOINTS: Final = Projection(
    name="sdlc_checkpoints",  # projections keep their own positions in a table `checkpoints`
    columns=_columns,
    events=CONTRACT,
    folds={
        CheckpointPlanned: Fold(_keys, _planned),
        CheckpointChanged: Fold(_keys, _went_on),
        CheckpointStarted: Fold(_keys, _went_on),
        CheckpointConcluded: Fold(_keys, _went_on),
        CheckpointAborted: Fold(_keys, _went_on),
        CheckpointCancelled: Fold(_keys, _went_on),
    },
    indexes=(("service", "kind", "performed_at"),),
    sources=("lifecycle",),
)
_VIEW = SDLC_CHECKPOINTS.view


def checkpoints_of(connection: Connection, service: str, as_of: datetime | None = None) -> CheckpointFacts | None:
    """The newest checkpoints of *service* that were carried through, as known at *as_of*; None if there is none."""
    return checkpoints_by_service(connection, service, as_of=as_of).get(service)


def checkpoints_by_service(
    connection: Connection, *services: str, as_of: datetime | None = None
) -> dict[str, CheckpointFacts]:
    """The same by service, of all services when none is named; a service without any is absent."""
    grouped: dict[str, list[Shown]] = {}
    for row in connection.execute(_newest(services, as_of)).mappings():
        grouped.setdefault(row["service"], []).append(_shown(row))
    return {service: _facts(found) for service, found in grouped.items()}


_ASKED_BY_GATES: Final = (
    "chaos_experiment",
    "fault_tolerance_test",
    "load_test",
    "restore_test",
    "rollback_drill",
    "observability_report",
)
_IN_ORDER: Final = ByService.of(
    select(_VIEW)
    .where(_VIEW.c.state.in_(_CARRIED_THROUGH), _VIEW.c.kind.in_(_ASKED_BY_GATES))
    .order_by(_VIEW.c.performed_at, _VIEW.c.checkpoint),
    _VIEW.c.service,
)


def checkpoints_for_gates(connection: Connection, *services: str) -> dict[str, CheckpointFacts]:
    """The newest checkpoints that gates ask for, of each of *services*, of all when none is named."""
    grouped: dict[str, list[Shown]] = {}
    for row in _IN_ORDER.rows(connection, services):
        grouped.setdefault(row["service"], []).append(_shown(row))
    return {service: _facts(found) for service, found in grouped.items()}


def sdlc_checkpoints(
    services: Sequence[str],
    kinds: Sequence[str],
    states: Sequence[str],
    dependencies: Sequence[str],
    as_of: datetime | None,
) -> Select[Any]:
    """The checkpoints of any of these; with *as_of* those there were, in whichever state."""
    view, query = _VIEW.c, select(_VIEW)
    for column, wanted in ((view.service, services), (view.kind, kinds), (view.depends_on, dependencies)):
        if wanted:
            query = query.where(column.in_(wanted))
    if as_of:
        return query.where(view.recorded_at <= as_of)
    return query.where(view.state.in_(states)) if states else query


def _newest(services: Sequence[str], as_of: datetime | None) -> Select[Any]:
    """The newest of each service, kind and dependency, the oldest of those first."""
    view = _VIEW.c
    place = func.row_number().over(
        partition_by=(view.service, view.kind, view.depends_on),
        order_by=(view.performed_at.desc(), view.checkpoint.desc()),
    )
    query = select(_VIEW, place.label("place")).where(view.state.in_(_CARRIED_THROUGH))
    if services:
        query = query.where(view.service.in_(services))
    if as_of:
        query = query.where(view.concluded_at <= as_of)
    ranked = query.subquery()
    return select(ranked).where(ranked.c.place == 1).order_by(ranked.c.performed_at, ranked.c.checkpoint)


def _facts(found: Sequence[Shown]) -> CheckpointFacts:
    """The newest of those *found*, the oldest of which come first."""
    return CheckpointFacts(
        newest={one.kind: one for one in found},
        without={one.depends_on: one for one in found if one.depends_on},
    )


def _shown(row: RowMapping) -> Shown:
    return Shown(
        checkpoint=row["checkpoint"],
        event=row["event"],
        service=row["service"],
        kind=row["kind"],
        title=row["title"],
        conclusion=row["state"],
        performed_at=row["performed_at"],
        performed_by=row["performed_by"],
        environment=row["environment"],
        depends_on=row["depends_on"],
        showed=row["showed"],
        figures=row["figures"],
        url=row["url"],
    )
