"""SLOs with the newest assessment of their budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Float, Integer, RowMapping, Text, bindparam, func, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry

UNDEFINED: Final = "undefined"  # what the slo service calls the state of an SLO without events


@dataclass(frozen=True, slots=True)
class Defined:
    """What is read of a definition."""

    slo: str
    service: str
    display_name: str
    revision: int
    target: float
    window: str


@dataclass(frozen=True, slots=True)
class Ended:
    """What is read of its end."""

    slo: str


@dataclass(frozen=True, slots=True)
class Assessed:
    """What is read of an assessment."""

    slo: str
    state: str
    sli: float | None
    good: int
    total: int
    coverage: float
    error_budget_consumed: float | None
    error_budget_remaining: float | None
    at: datetime


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("slo", Text, primary_key=True),
        # told by the stream slo/<name>; service null: only its budget was heard of yet, or it was ended
        Column("service", Text),
        Column("display_name", Text),
        Column("revision", Integer),
        Column("target", Float),
        Column("window", Text),
        # told by the stream budget/<slo>; null: not assessed yet
        Column("state", Text),
        Column("sli", Float),
        Column("good", BigInteger),
        Column("total", BigInteger),
        Column("coverage", Float),
        Column("error_budget_consumed", Float),
        Column("error_budget_remaining", Float),
        Column("assessed_at", Instant()),
    )


_BLANK: Final[Row] = dict.fromkeys(column.name for column in _columns())


def _keys(event: Defined | Ended | Assessed, _: Recorded) -> Sequence[Key]:
    return ((event.slo,),)


def _defined(row: Row | None, event: Defined, _: Recorded, __: Key) -> Row:
    return (row or _BLANK) | {
        "slo": event.slo,
        "service": event.service,
        "display_name": event.display_name,
        "revision": event.revision,
        "target": event.target,
        "window": event.window,
    }


def _ended(row: Row | None, _: Ended, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"service": None}


def _assessed(row: Row | None, event: Assessed, _: Recorded, __: Key) -> Row:
    return (row or _BLANK) | {
        "slo": event.slo,
        "state": event.state,
        "sli": event.sli,
        "good": event.good,
        "total": event.total,
        "coverage": event.coverage,
        "error_budget_consumed": event.error_budget_consumed,
        "error_budget_remaining": event.error_budget_remaining,
        "assessed_at": event.at,
    }


SLOS: Final = Projection(
    name="slos",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.slo.slo.defined.v1": Defined,
            "io.concordat.slo.slo.ended.v1": Ended,
            "io.concordat.slo.budget.assessed.v1": Assessed,
        }
    ),
    folds={Defined: Fold(_keys, _defined), Ended: Fold(_keys, _ended), Assessed: Fold(_keys, _assessed)},
    sources=("slo",),
    indexes=(("service",),),
)


_OF_SERVICE: Final = (  # made once: making it takes as long as asking
    select(SLOS.view).where(SLOS.view.c.service == bindparam("service")).order_by(SLOS.view.c.slo)
)


def slos_of(connection: Connection, service: str) -> Sequence[RowMapping]:
    """The SLOs of *service*, by name."""
    return connection.execute(_OF_SERVICE, {"service": service}).mappings().all()


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many SLOs are in each state; states without any are left out."""
    state = func.coalesce(SLOS.view.c.state, UNDEFINED)
    query = select(state, func.count()).where(SLOS.view.c.service.is_not(None)).group_by(state)
    return {name: count for name, count in connection.execute(query)}  # noqa: C416  rows are no pairs to the type checker


def slos_in_danger(connection: Connection, limit: int) -> Sequence[RowMapping]:
    """The SLOs that are violated or at risk, by service; at most *limit*."""
    view = SLOS.view
    query = select(view).where(view.c.service.is_not(None), view.c.state.in_(("violated", "at_risk")))
    return connection.execute(query.order_by(view.c.service, view.c.slo).limit(limit)).mappings().all()
