"""What CI reported, by service."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Float, Integer, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.ci_report.events import CiReported
from services.lifecycle.domain.metrics import Counted


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("report", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("changes", Integer),
        Column("test_coverage", Float),
        Column("escaped_defects", Integer),
        Column("commit", Text, nullable=False),
        Column("url", Text, nullable=False),
        Column("done_at", Instant(), nullable=False),
        Column("by", Text, nullable=False),
        Column("at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: CiReported, _: Recorded) -> Sequence[Key]:
    return ((event.report,),)


def _reported(_: Row | None, event: CiReported, recorded: Recorded, __: Key) -> Row:
    return {
        "report": event.report,
        "service": event.service,
        "changes": event.changes,
        "test_coverage": event.test_coverage,
        "escaped_defects": event.escaped_defects,
        "commit": event.commit,
        "url": event.url,
        "done_at": event.done_at,
        "by": event.by,
        "at": event.at,
        "recorded_at": recorded.recorded_at,
    }


CI_REPORTS: Final = Projection(
    name="ci_reports",
    columns=_columns,
    events=CONTRACT,
    folds={CiReported: Fold(_keys, _reported)},
    indexes=(("service", "done_at"),),
    sources=("lifecycle",),
)


def counted_of(
    connection: Connection, services: Collection[str], since: datetime, until: datetime, as_of: datetime | None = None
) -> list[Counted]:
    """What CI counted of *services* in [since, until), the earliest first; with *as_of*, as far as it was told then."""
    view = CI_REPORTS.view.c
    query = select(view.done_at, view.service, view.changes, view.test_coverage, view.escaped_defects).where(
        view.service.in_(services), view.done_at >= since, view.done_at < until
    )
    if as_of is not None:
        query = query.where(view.recorded_at <= as_of)
    return [Counted(*row) for row in connection.execute(query.order_by(view.done_at, view.report))]
