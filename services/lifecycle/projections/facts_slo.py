"""What the slo service has said of each SLO: its definition, its last assessment, whether its budget is spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Float, Integer, RowMapping, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.facts import Agreed, Assessment, Exhausted, Slo
from services.lifecycle.projections.by_service import ByService


@dataclass(frozen=True, slots=True)
class SloDefined:
    """What is read of a definition."""

    slo: str
    service: str
    revision: int


@dataclass(frozen=True, slots=True)
class SloEnded:
    """What is read of its end."""

    slo: str


@dataclass(frozen=True, slots=True)
class BudgetAssessed:
    """What is read of an assessment."""

    slo: str
    revision: int
    state: str
    target: float
    sli: float | None
    coverage: float
    window_start: datetime
    window_end: datetime
    error_budget_remaining: float | None


@dataclass(frozen=True, slots=True)
class BudgetExhausted:
    """What is read when a budget is spent."""

    slo: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BudgetRecovered:
    """What is read when it is spent no more."""

    slo: str


@dataclass(frozen=True, slots=True)
class RevisionAgreed:
    """What is read when all sides agreed to a change of the revision that was in force."""

    slo: str
    base_revision: int
    at: datetime


_Event = SloDefined | SloEnded | BudgetAssessed | BudgetExhausted | BudgetRecovered | RevisionAgreed


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("slo", Text, primary_key=True),
        # from the stream of the SLO; no service while only its budget was heard of, or once it was ended
        Column("service", Text),
        Column("revision", Integer),
        # from the stream of its budget
        Column("assessment", Text),
        Column("assessed_revision", Integer),
        Column("state", Text),
        Column("target", Float),
        Column("sli", Float),
        Column("coverage", Float),
        Column("window_start", Instant()),
        Column("window_end", Instant()),
        Column("remaining", Float),
        Column("exhausted", Text),
        Column("exhausted_at", Instant()),
        Column("last_exhausted", Text),
        Column("last_exhausted_at", Instant()),
        # from the stream of its agreement
        Column("agreed", Text),
        Column("agreed_revision", Integer),
        Column("agreed_at", Instant()),
    )


_UNHEARD: Final[Row] = {column.name: None for column in _columns()}


def _keys(event: _Event, _: Recorded) -> Sequence[Key]:
    return ((event.slo,),)


def _defined(row: Row | None, event: SloDefined, _: Recorded, __: Key) -> Row:
    return (row or _UNHEARD) | {"slo": event.slo, "service": event.service, "revision": event.revision}


def _ended(row: Row | None, _: SloEnded, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"service": None}


def _assessed(row: Row | None, event: BudgetAssessed, recorded: Recorded, _: Key) -> Row:
    return (row or _UNHEARD) | {
        "slo": event.slo,
        "assessment": str(recorded.event_id),
        "assessed_revision": event.revision,
        "state": event.state,
        "target": event.target,
        "sli": event.sli,
        "coverage": event.coverage,
        "window_start": event.window_start,
        "window_end": event.window_end,
        "remaining": event.error_budget_remaining,
    }


def _exhausted(row: Row | None, event: BudgetExhausted, recorded: Recorded, _: Key) -> Row:
    id_, at = str(recorded.event_id), event.at
    told = {"exhausted": id_, "exhausted_at": at, "last_exhausted": id_, "last_exhausted_at": at}
    return (row or _UNHEARD) | {"slo": event.slo} | told


def _recovered(row: Row | None, event: BudgetRecovered, _: Recorded, __: Key) -> Row:
    return (row or _UNHEARD) | {"slo": event.slo, "exhausted": None, "exhausted_at": None}


def _agreed(row: Row | None, event: RevisionAgreed, recorded: Recorded, _: Key) -> Row:
    told = {"agreed": str(recorded.event_id), "agreed_revision": event.base_revision + 1, "agreed_at": event.at}
    return (row or _UNHEARD) | {"slo": event.slo} | told


FACTS_SLO: Final = Projection(
    name="facts_slo",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.slo.slo.defined.v1": SloDefined,
            "io.concordat.slo.slo.ended.v1": SloEnded,
            "io.concordat.slo.budget.assessed.v1": BudgetAssessed,
            "io.concordat.slo.budget.exhausted.v1": BudgetExhausted,
            "io.concordat.slo.budget.recovered.v1": BudgetRecovered,
            "io.concordat.slo.revision.agreed.v1": RevisionAgreed,
        }
    ),
    folds={
        SloDefined: Fold(_keys, _defined),
        SloEnded: Fold(_keys, _ended),
        BudgetAssessed: Fold(_keys, _assessed),
        BudgetExhausted: Fold(_keys, _exhausted),
        BudgetRecovered: Fold(_keys, _recovered),
        RevisionAgreed: Fold(_keys, _agreed),
    },
    indexes=(("service",),),
    sources=("slo",),
)


_VIEW: Final = FACTS_SLO.view
_BY_NAME: Final = ByService.of(select(_VIEW).where(_VIEW.c.service.is_not(None)).order_by(_VIEW.c.slo), _VIEW.c.service)


def slos_of(connection: Connection, service: str) -> Sequence[Slo]:
    """The SLOs of *service*, by name."""
    return slos(connection, service).get(service, ())


def slos(connection: Connection, *services: str) -> dict[str, list[Slo]]:
    """The SLOs of *services*, of all when none is named, by name."""
    found: dict[str, list[Slo]] = {}
    for row in _BY_NAME.rows(connection, services):
        found.setdefault(row["service"], []).append(_slo(row))
    return found


def _slo(row: RowMapping) -> Slo:
    assessment = None
    if row["assessment"] is not None:
        assessment = Assessment(
            id=row["assessment"],
            revision=row["assessed_revision"],
            state=row["state"],
            target=row["target"],
            sli=row["sli"],
            coverage=row["coverage"],
            window_start=row["window_start"],
            window_end=row["window_end"],
            remaining=row["remaining"],
        )
    return Slo(
        row["slo"],
        row["revision"],
        assessment,
        None if row["exhausted"] is None else Exhausted(row["exhausted"], row["exhausted_at"]),
        None if row["agreed"] is None else Agreed(row["agreed"], row["agreed_revision"], row["agreed_at"]),
        None if row["last_exhausted"] is None else Exhausted(row["last_exhausted"], row["last_exhausted_at"]),
    )
