"""Every call of a person, and what they said of it: what wakes people for nothing goes back to whose rule it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Text, case, func, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.escalation.events import PageRated, PageSent

_NAMES: Final = "incident", "service", "person", "schedule", "shift", "rating", "rule"


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("page", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in _NAMES),
        Column("sent_at", Instant(), nullable=False),
    )


def _sent(_: Row | None, event: PageSent, _recorded: Recorded, key: Key) -> Row:
    named = {name: getattr(event, name) for name in ("incident", "service", "person", "schedule", "shift")}
    return {"page": key[0], **named, "rating": "", "rule": event.rule or "declared by people", "sent_at": event.at}


def _rated(row: Row | None, event: PageRated, _recorded: Recorded, _key: Key) -> Row | None:
    return row and row | {"rating": event.rating, "rule": event.rule}


CALLS: Final = Projection(
    name="calls",
    columns=_columns,
    events=CONTRACT,
    folds={
        PageSent: Fold(lambda event, _: ((event.page,),), _sent),
        PageRated: Fold(lambda event, _: ((event.page,),), _rated),
    },
    sources=(SERVICE,),
    indexes=(("service", "sent_at"),),
)


def noise(connection: Connection, services: Sequence[str], since: datetime, until: datetime) -> list[Any]:
    """Calls by service and rule between two moments, what was noise first; no service named: of all."""
    c = CALLS.view.c

    def rated(rating: str) -> Any:  # noqa: ANN401  an SQL expression
        return func.sum(case((c.rating == rating, 1), else_=0))

    query = (
        select(
            c.service,
            c.rule,
            func.count().label("pages"),
            rated("actionable").label("actionable"),
            rated("noise").label("noise"),
        )
        .where(c.sent_at >= since, c.sent_at < until)
        .group_by(c.service, c.rule)
        .order_by(rated("noise").desc(), func.count().desc(), c.service, c.rule)
    )
    return list(connection.execute(query.where(c.service.in_(services)) if services else query).mappings())
