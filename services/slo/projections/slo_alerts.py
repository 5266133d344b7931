"""Every burn-rate alert that fired, when it cleared, and what was found out about it since."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, Select, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.slo.contract import CONTRACT
from services.slo.domain.budget.events import AlertCorrected, AlertFired, AlertResolved

FIRED: Final = (  # as the event has it
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
    "revision",
    "target",
    "op",
    "policy",
    "no_data",
    "data_until",
)
_LATER = (
    "resolved_at",
    "resolved_version",
    "would_fire",
    "corrected_at",
    "corrected_version",
    "corrected_short",
    "corrected_long",
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
        Column("input_version", BigInteger),
        Column("revision", Integer),
        Column("target", Float),
        Column("op", Text),
        Column("policy", Text),
        Column("no_data", Boolean),
        Column("data_until", Instant()),
        Column("fired_at", Instant()),
        Column("resolved_at", Instant()),
        Column("resolved_version", BigInteger),
        Column("would_fire", Boolean),
        Column("corrected_at", Instant()),
        Column("corrected_version", BigInteger),
        Column("corrected_short", Float),
        Column("corrected_long", Float),
    )


def _fired(_: Row | None, event: AlertFired, __: Recorded, ___: Key) -> Row:
    told: Row = {name: getattr(event, name) for name in FIRED}
    return told | dict.fromkeys(_LATER) | {"state": "firing", "fired_at": event.at}


def _resolved(row: Row | None, event: AlertResolved, _: Recorded, __: Key) -> Row | None:
    ended = {"state": "resolved", "resolved_at": event.at, "resolved_version": event.input_version}
    return None if row is None else row | ended


def _corrected(row: Row | None, event: AlertCorrected, _: Recorded, __: Key) -> Row | None:
    """What is known by now stands beside what was decided, and takes the place of nothing."""
    said = {
        "would_fire": event.would_fire,
        "corrected_at": event.at,
        "corrected_version": event.input_version,
        "corrected_short": event.burn_rate_short,
        "corrected_long": event.burn_rate_long,
    }
    return None if row is None else row | said


SLO_ALERTS: Final = Projection(
    name="slo_alerts",
    columns=_columns,
    events=CONTRACT,
    folds={
        AlertFired: Fold(keys=lambda event, _: [(event.alert,)], apply=_fired),
        AlertResolved: Fold(keys=lambda event, _: [(event.alert,)], apply=_resolved),
        AlertCorrected: Fold(keys=lambda event, _: [(event.alert,)], apply=_corrected),
    },
    sources=("slo",),
    indexes=(("slo",), ("fired_at",)),
)


def alerts_of(slo: str, states: Sequence[str]) -> Select[Any]:
    """The alerts of *slo* in any of *states* (`firing`, `resolved`); an empty list takes all."""
    view = SLO_ALERTS.view
    query = select(view).where(view.c.slo == slo)
    return query.where(view.c.state.in_(states)) if states else query


def fired_since(since: datetime, most: int) -> Select[Any]:
    """The last alerts that burned since then, at most so many."""
    view = SLO_ALERTS.view
    query = select(view).where(view.c.fired_at >= since, ~view.c.no_data, view.c.data_until.is_not(None))
    return query.order_by(view.c.fired_at.desc()).limit(most)
