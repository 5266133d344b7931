"""Every SLO with its definition and the last figures that were published about it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Float, Integer, Select, Text, bindparam, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.slo.contract import CONTRACT
from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.openslo.encoding import read
from services.slo.domain.policy.standing import SloBudget
from services.slo.domain.slo.decider import definition_in
from services.slo.domain.slo.events import SloDefined, SloEnded


def _columns() -> tuple[Column[Any], ...]:
    return (
        Column("slo", Text, primary_key=True),
        # written from slo/<name>
        Column("service", Text),
        Column("display_name", Text),
        Column("revision", Integer),
        Column("target", Float),
        Column("window", Text),
        Column("method", Text),
        Column("defined_at", Instant()),
        Column("definition", Json()),  # as `domain/openslo/encoding.py` writes it
        Column("uses", Text),  # " SLI/checkout-answers DataSource/prom "
        Column("measured_as", Text),  # " checkout-journey.cart checkout-journey.pay ", or its own name
        Column("ended_at", Instant()),
        # written from budget/<name>
        Column("state", Text),
        Column("sli", Float),
        Column("error_budget_consumed", Float),
        Column("error_budget_remaining", Float),
        Column("coverage", Float),
        Column("assessed_at", Instant()),
        Column("assessed_revision", Integer),
        Column("input_version", BigInteger),
    )


_EMPTY: Row = dict.fromkeys((column.name for column in _columns()), None) | {"state": "undefined"}


def _defined(row: Row | None, event: SloDefined, _: Recorded, __: Key) -> Row:
    definition = definition_in(event)
    return (row or _EMPTY) | {
        "slo": event.slo,
        "service": event.service,
        "display_name": event.display_name,
        "revision": event.revision,
        "target": event.target,
        "window": event.window,
        "method": event.method,
        "defined_at": event.at,
        "definition": definition,
        "measured_as": f" {' '.join(read(definition).indicators if definition else ())} ",
        "uses": f" {' '.join(event.uses)} ",
        "ended_at": None,
    }


def _ended(row: Row | None, event: SloEnded, _: Recorded, __: Key) -> Row | None:
    return row and row | {"ended_at": event.at}


def _assessed(row: Row | None, event: BudgetAssessed, _: Recorded, __: Key) -> Row:
    return (row or _EMPTY) | {
        "slo": event.slo,
        "state": event.state,
        "sli": event.sli,
        "error_budget_consumed": event.error_budget_consumed,
        "error_budget_remaining": event.error_budget_remaining,
        "coverage": event.coverage,
        "assessed_at": event.at,
        "assessed_revision": event.revision,
        "input_version": event.input_version,
    }


SLOS: Final = Projection(
    name="slos",
    columns=_columns,
    events=CONTRACT,
    folds={
        SloDefined: Fold(keys=lambda event, _: [(event.slo,)], apply=_defined),
        SloEnded: Fold(keys=lambda event, _: [(event.slo,)], apply=_ended),
        BudgetAssessed: Fold(keys=lambda event, _: [(event.slo,)], apply=_assessed),
    },
    sources=("slo",),
    indexes=(("service",), ("state",)),
)


def listed(services: Sequence[str], states: Sequence[str]) -> Select[Any]:
    """All SLOs that did not end, of any of *services* in any of *states*; an empty list takes all."""
    view = SLOS.view
    query = select(view).where(view.c.service.is_not(None), view.c.ended_at.is_(None))
    if services:
        query = query.where(view.c.service.in_(services))
    if states:
        query = query.where(view.c.state.in_(states))
    return query


_OF_SERVICE: Final = (  # made once: the release gate asks it each time
    select(SLOS.view)
    .where(SLOS.view.c.service == bindparam("service"), SLOS.view.c.ended_at.is_(None))
    .order_by(SLOS.view.c.slo)
)


def budgets_of(connection: Connection, service: str) -> tuple[SloBudget, ...]:
    """The newest budget of every SLO of *service*, by name; undefined until the first assessment."""
    return tuple(
        SloBudget(
            slo=row["slo"],
            state=row["state"],
            consumed=row["error_budget_consumed"],
            remaining=row["error_budget_remaining"],
            coverage=row["coverage"] or 0.0,
            window=row["window"],
        )
        for row in connection.execute(_OF_SERVICE, {"service": service}).mappings()
    )


def slos_ever_of(connection: Connection, service: str) -> list[str]:
    """The SLOs of *service* by name, those that were ended too."""
    view = SLOS.view.c
    return list(connection.execute(select(view.slo).where(view.service == service).order_by(view.slo)).scalars())
