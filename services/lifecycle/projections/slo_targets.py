"""What each SLO has promised, revision by revision, as lifecycle heard it: risks are counted against the strictest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Float, Integer, Text, func, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.risk_register.events import Promise


@dataclass(frozen=True, slots=True)
class TargetDefined:
    """What is read of a definition."""

    slo: str
    service: str
    revision: int
    target: float


@dataclass(frozen=True, slots=True)
class TargetEnded:
    """What is read of its end."""

    slo: str
    service: str


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("slo", Text, primary_key=True),
        Column("version", Integer, primary_key=True),  # of the SLO's stream
        Column("service", Text, nullable=False),
        Column("revision", Integer),
        Column("target", Float),  # null: it ended
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: TargetDefined | TargetEnded, recorded: Recorded) -> Sequence[Key]:
    return ((event.slo, recorded.version),)


def _defined(_: Row | None, event: TargetDefined, recorded: Recorded, key: Key) -> Row:
    return _row(key, recorded, event.service) | {"revision": event.revision, "target": event.target}


def _ended(_: Row | None, event: TargetEnded, recorded: Recorded, key: Key) -> Row:
    return _row(key, recorded, event.service)


def _row(key: Key, recorded: Recorded, service: str) -> Row:
    slo, version = key
    told = {"slo": slo, "version": version, "service": service, "recorded_at": recorded.recorded_at}
    return told | {"revision": None, "target": None}


SLO_TARGETS_EVENTS: Final = {
    "io.concordat.slo.slo.defined.v1": TargetDefined,
    "io.concordat.slo.slo.ended.v1": TargetEnded,
}
SLO_TARGETS: Final = Projection(
    name="slo_targets",
    columns=_columns,
    events=EventRegistry(SLO_TARGETS_EVENTS),
    folds={TargetDefined: Fold(_keys, _defined), TargetEnded: Fold(_keys, _ended)},
    indexes=(("service",),),
    sources=("slo",),
)
_VIEW = SLO_TARGETS.view


def strictest_of(connection: Connection, service: str, as_of: datetime | None = None) -> Promise | None:
    """The strictest SLO of *service*, now or as it was heard at *as_of*; None: it has none."""
    return strictest(connection, (service,), as_of).get(service)


def strictest(connection: Connection, services: Sequence[str], as_of: datetime | None = None) -> dict[str, Promise]:
    """The strictest SLO of each of *services* that has one."""
    own = select(_VIEW.c.slo).where(_VIEW.c.service.in_(services))
    last = select(_VIEW.c.slo, func.max(_VIEW.c.version).label("version")).where(_VIEW.c.slo.in_(own))
    if as_of is not None:
        last = last.where(_VIEW.c.recorded_at <= as_of)
    newest = last.group_by(_VIEW.c.slo).subquery()
    query = (
        select(_VIEW)
        .join(newest, (newest.c.slo == _VIEW.c.slo) & (newest.c.version == _VIEW.c.version))
        .where(_VIEW.c.service.in_(services), _VIEW.c.target.is_not(None))  # it may be another service's by now
        .order_by(_VIEW.c.target, _VIEW.c.slo.desc())  # what is strictest comes last
    )
    rows = connection.execute(query).mappings()
    return {row["service"]: Promise(row["slo"], row["target"], row["revision"]) for row in rows}


def was_promised(connection: Connection, service: str) -> bool:
    """Whether any SLO of *service* was ever heard of, ended or not."""
    return connection.scalar(select(_VIEW.c.slo).where(_VIEW.c.service == service).limit(1)) is not None


def services_of(connection: Connection, slo: str) -> list[str]:
    """The services that *slo* is, or was, a promise about."""
    query = select(_VIEW.c.service).where(_VIEW.c.slo == slo).distinct().order_by(_VIEW.c.service)
    return list(connection.scalars(query))
