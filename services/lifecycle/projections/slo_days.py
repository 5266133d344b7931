"""How each SLO stood at the end of each day, as the slo service assessed it last that day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Date, Float, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.engagement.measures import SloDay


@dataclass(frozen=True, slots=True)
class Assessed:
    """What is read of an assessment."""

    slo: str
    service: str
    state: str
    target: float
    sli: float | None
    window_end: datetime
    error_budget_remaining: float | None


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("slo", Text, primary_key=True),
        Column("day", Date, primary_key=True),
        Column("service", Text, nullable=False),
        Column("event", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("target", Float, nullable=False),
        Column("sli", Float),
        Column("remaining", Float),
        Column("until", Instant(), nullable=False),
    )


def _keys(event: Assessed, _: Recorded) -> Sequence[Key]:
    return ((event.slo, event.window_end.date()),)


def _assessed(row: Row | None, event: Assessed, recorded: Recorded, key: Key) -> Row:
    if row and row["until"] > event.window_end:
        return row  # late data of an earlier hour
    return {
        "slo": event.slo,
        "day": key[1],
        "service": event.service,
        "event": str(recorded.event_id),
        "state": event.state,
        "target": event.target,
        "sli": event.sli,
        "remaining": event.error_budget_remaining,
        "until": event.window_end,
    }


SLO_DAYS: Final = Projection(
    name="slo_days",
    columns=_columns,
    events=EventRegistry({"io.concordat.slo.budget.assessed.v1": Assessed}),
    folds={Assessed: Fold(_keys, _assessed)},
    indexes=(("service", "day"),),
    sources=("slo",),
)


def slo_days_of(
    connection: Connection, services: Sequence[str], since: datetime, until: datetime
) -> tuple[SloDay, ...]:
    """The days of all SLOs of *services* in [since, until), by SLO and day."""
    return tuple(day for _, day in slo_days_with_ends(connection, services, since, until))


def slo_days_with_ends(
    connection: Connection, services: Sequence[str], since: datetime, until: datetime
) -> list[tuple[datetime, SloDay]]:
    """The same, each with the end of the window that it was assessed over last."""
    view = SLO_DAYS.view.c
    columns = (view.event, view.slo, view.service, view.day, view.target, view.sli, view.remaining, view.state)
    query = select(view.until, *columns).where(
        view.service.in_(services), view.day >= since.date(), view.until <= until
    )
    rows = connection.execute(query.order_by(view.slo, view.day))
    return [(end, SloDay(*told)) for end, *told in rows]
