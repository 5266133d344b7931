"""What is to be sent to notification targets, and what became of it: an outbox, and its bounded log.

Storage of record, not a read model: a rebuild of read models sends nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    RowMapping,
    Select,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from libs.events.columns import Instant

State = Literal["pending", "delivered", "failed"]
Kind = Literal["firing", "resolved"]

KEPT: Final = timedelta(days=7)
MOST_KEPT: Final = 10_000

DELIVERIES: Final = Table(
    "slo_deliveries",
    MetaData(),
    Column("id", Text, primary_key=True),
    Column("slo", Text, nullable=False),
    Column("alert", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("kind", Text, nullable=False),  # firing, resolved
    Column("payload", Text, nullable=False),
    Column("state", Text, nullable=False),  # pending, delivered, failed
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant(), nullable=False),
    Column("status", Integer),  # the last answer's
    Column("detail", Text, nullable=False),
    Column("created_at", Instant(), nullable=False),
    Column("finished_at", Instant()),
)
_C = DELIVERIES.c


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt.

    Args:
        state: `pending` when it is tried again.
        status: Of the answer, if there was one.
        detail: What went wrong, and what helps; empty when delivered.
    """

    state: State
    status: int | None
    detail: str = ""


def enqueue(connection: Connection, rows: Sequence[dict[str, Any]], at: datetime) -> None:
    """Have *rows* sent; those that are known already are not sent again."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(DELIVERIES)
    new = {"state": "pending", "attempts": 0, "next_at": at, "detail": "", "created_at": at}
    connection.execute(insert.on_conflict_do_nothing(), [row | new for row in rows])


def claim(connection: Connection, now: datetime, until: datetime, most: int) -> list[RowMapping]:
    """What is due, which no other process takes before *until*; the end of an alert waits for its beginning."""
    first = DELIVERIES.alias()
    begins = and_(first.c.alert == _C.alert, first.c.target == _C.target, first.c.kind == "firing")
    waits = exists(select(first.c.id).where(begins, first.c.state == "pending"))
    due = select(DELIVERIES).where(_C.state == "pending", _C.next_at <= now, or_(_C.kind == "firing", ~waits))
    rows = connection.execute(due.order_by(_C.next_at).limit(most)).mappings().all()
    return [row for row in rows if _take(connection, row, until)]


def _take(connection: Connection, row: RowMapping, until: datetime) -> bool:
    same = and_(_C.id == row["id"], _C.state == "pending", _C.attempts == row["attempts"])
    taken = update(DELIVERIES).where(same).values(attempts=row["attempts"] + 1, next_at=until)
    return connection.execute(taken).rowcount == 1


def finish(connection: Connection, row: RowMapping, outcome: Outcome, now: datetime, next_at: datetime) -> None:
    """Note what became of the attempt on a claimed *row*."""
    ended = None if outcome.state == "pending" else now
    values = {"state": outcome.state, "status": outcome.status, "detail": outcome.detail, "finished_at": ended}
    connection.execute(update(DELIVERIES).where(_C.id == row["id"]).values(**values, next_at=next_at))


def prune(connection: Connection, now: datetime) -> None:
    """Forget what ended a week ago, and the oldest beyond ten thousand."""
    ended = _C.state != "pending"
    connection.execute(delete(DELIVERIES).where(ended, _C.finished_at < now - KEPT))
    newest = select(_C.id).order_by(_C.id.desc()).limit(1).offset(MOST_KEPT)
    last = connection.execute(newest).scalar_one_or_none()
    if last is not None:
        connection.execute(delete(DELIVERIES).where(ended, _C.id <= last))


def pending(connection: Connection) -> int:
    """How many wait."""
    return connection.execute(_PENDING).scalar_one()


_PENDING = select(func.count()).where(_C.state == "pending")


def listed(slos: Sequence[str], targets: Sequence[str], states: Sequence[str]) -> Select[Any]:
    """Deliveries of any of these; an empty list takes all."""
    query = select(DELIVERIES)
    for column, values in ((_C.slo, slos), (_C.target, targets), (_C.state, states)):
        query = query.where(column.in_(values)) if values else query
    return query
