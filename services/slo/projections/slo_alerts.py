"""Every burn-rate alert that fired, and when it cleared."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Float, Integer, Select, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.slo.contract import CONTRACT
from services.slo.domain.budget.events import AlertFired, AlertResolved

_FIRED = (
    "alert",
    "slo",
    "service",
    "severity",
    "tier",
    "short_window",
    "long_window",
    "factor",
    "burn_rate_short",
    "burn_rate_long",
    "input_version",
)


def _columns() -> tuple[Column[Any], ...]:
    return (
        Column("alert", Text, primary_key=True),
        Column("slo", Text),
        Column("service", Text),
        Column("state", Text),
        Column("severity", Text),
        Column("tier", Text),
        Column("short_window", Text),
        Column("long_window", Text),
        Column("factor", Float),
        Column("burn_rate_short", Float),
        Column("burn_rate_long", Float),
        Column("input_version", Integer),
        Column("fired_at", Instant()),
        Column("resolved_at", Instant()),
    )


def _fired(_: Row | None, event: AlertFired, __: Recorded, ___: Key) -> Row:
    told: Row = {name: getattr(event, name) for name in _FIRED}
    return told | {"state": "firing", "fired_at": event.at, "resolved_at": None}


def _resolved(row: Row | None, event: AlertResolved, _: Recorded, __: Key) -> Row | None:
    return None if row is None else row | {"state": "resolved", "resolved_at": event.at}


SLO_ALERTS: Final = Projection(
    name="slo_alerts",
    columns=_columns,
    events=CONTRACT,
    folds={
        AlertFired: Fold(keys=lambda event, _: [(event.alert,)], apply=_fired),
        AlertResolved: Fold(keys=lambda event, _: [(event.alert,)], apply=_resolved),
    },
    sources=("slo",),
    indexes=(("slo",),),
)


def alerts_of(slo: str, states: Sequence[str]) -> Select[Any]:
    """The alerts of *slo* in any of *states* (`firing`, `resolved`); an empty list takes all."""
    view = SLO_ALERTS.view
    query = select(view).where(view.c.slo == slo)
    return query.where(view.c.state.in_(states)) if states else query
