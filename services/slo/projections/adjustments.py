"""Every adjustment, and which of them hold for an SLO."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from sqlalchemy import Column, Connection, Float, Select, Text, or_, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.slo.contract import CONTRACT
from services.slo.domain.adjustment.events import AdjustmentAgreed, AdjustmentEnded
from services.slo.domain.adjustments import Adjustment
from services.slo.projections.slos import SLOS

State = Literal["agreed", "ended"]


def _columns() -> tuple[Column[Any], ...]:
    return (
        Column("adjustment", Text, primary_key=True),
        Column("slos", Text),  # " checkout-availability checkout-latency "
        Column("service", Text),
        Column("effect", Text),
        Column("start", Instant()),
        Column("duration_s", Float),
        Column("zone", Text),
        Column("rrule", Text),
        Column("reason", Text),
        Column("development", Text),
        Column("sre", Text),
        Column("by", Text),
        Column("at", Instant()),
        Column("until", Instant()),
        Column("ended_reason", Text),
    )


_SAME: Final = (
    "adjustment",
    "service",
    "effect",
    "start",
    "duration_s",
    "zone",
    "rrule",
    "reason",
    "development",
    "sre",
)


def _agreed(_: Row | None, event: AdjustmentAgreed, __: Recorded, ___: Key) -> Row:
    told: Row = {name: getattr(event, name) for name in _SAME}
    return told | {"slos": f" {' '.join(event.slos)} ", "until": None, "ended_reason": ""}


def _ended(row: Row | None, event: AdjustmentEnded, _: Recorded, __: Key) -> Row | None:
    return row and row | {"until": event.until, "ended_reason": event.reason}


ADJUSTMENTS: Final = Projection(
    name="adjustments",
    columns=_columns,
    events=CONTRACT,
    folds={
        AdjustmentAgreed: Fold(keys=lambda event, _: [(event.adjustment,)], apply=_agreed),
        AdjustmentEnded: Fold(keys=lambda event, _: [(event.adjustment,)], apply=_ended),
    },
    sources=("slo",),
)


def adjustments_of(connection: Connection, slos: Collection[str]) -> dict[str, list[Adjustment]]:
    """What excuses time of each of *slos*; those that nothing is excused of are absent."""
    rows = connection.execute(select(ADJUSTMENTS.view)).mappings().all()
    if not rows:
        return {}
    wanted, slo, service = set(slos), SLOS.view.c.slo, SLOS.view.c.service
    named = {row["service"] for row in rows} - {""}
    of_service: dict[str, list[str]] = {}
    for name, owner in connection.execute(select(slo, service).where(service.in_(named))):
        of_service.setdefault(owner, []).append(name)
    found: dict[str, list[Adjustment]] = {}
    for row in rows:
        for name in wanted.intersection(of_service.get(row["service"], ()) if row["service"] else row["slos"].split()):
            found.setdefault(name, []).append(_adjustment(row))
    return found


def listed(slos: Sequence[str], services: Sequence[str], state: State | None) -> Select[Any]:
    """The adjustments of any of *slos* (also by their service) and *services*; an empty list takes all."""
    view = ADJUSTMENTS.view
    query = select(view)
    if slos:
        owners = select(SLOS.view.c.service).where(SLOS.view.c.slo.in_(slos))
        named = (view.c.slos.contains(f" {slo} ", autoescape=True) for slo in slos)
        query = query.where(or_(view.c.service.in_(owners), *named))
    if services:
        query = query.where(view.c.service.in_(services))
    if state is not None:
        query = query.where(view.c.until.is_(None) if state == "agreed" else view.c.until.is_not(None))
    return query


def _adjustment(row: Mapping[Any, Any]) -> Adjustment:
    length = timedelta(seconds=row["duration_s"])
    return Adjustment(row["effect"], row["start"], length, row["zone"], row["rrule"], row["until"])
